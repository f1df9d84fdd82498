"""Git LFS: large files, whose URLs are signed because clients send no token to them.

An upload counts for nothing until a commit names it. A repo gives those that its history names.
"""

import hashlib
import shutil
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hubtweets.hub.api.requests import (
    check_gate,
    check_signature,
    create_signature,
    get_base_url,
    get_path_param,
    get_repo,
    get_storage,
    read_json,
    require_writer,
    save_body,
)
from hubtweets.hub.api.uploads import get_objects
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import BLOCK_BYTES, SHA256, read_blocks
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import REFS, Storage

PART_BYTES = 2**30  # a larger file comes in parts, so that an upload can resume


async def start_batch(request: Request) -> Response:
    """Return signed URLs: to upload the objects that are missing here, or to download them."""
    body = await read_json(request)
    is_download = body.get("operation") == "download"
    if not is_download:
        require_writer(request)
    repo = get_repo(request)
    check_gate(request, repo)
    wanted = [parse_object(item) for item in get_objects(body, "objects")]
    if is_download:
        objects = await run_in_threadpool(offer_downloads, request, repo, wanted)
    else:
        objects = offer_uploads(request, wanted)
    answer = {"transfer": "basic", "objects": objects}
    return JSONResponse(answer, media_type="application/vnd.git-lfs+json")


def parse_object(item: dict[str, Any]) -> tuple[str, int]:
    """Return an object's SHA-256 and size in bytes; raise HubError 400 if it has none."""
    sha256, size = str(item.get("oid")), item.get("size")
    if not SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
        raise HubError(400, f"an object needs a sha256 and a size, not {item}")
    return sha256, size


def offer_uploads(request: Request, wanted: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return for each object where to upload it, or an error if the disk is too full."""
    storage, objects = get_storage(request), []
    left = storage.blobs.count_free_bytes()
    for sha256, size in wanted:
        item: dict[str, Any] = {"oid": sha256, "size": size}
        if not storage.blobs.has(sha256):
            if size > left:
                message = f"{size} bytes are more than the disk has left"
                item["error"] = {"code": 507, "message": message}
            else:
                left -= size
                item["actions"] = {"upload": build_upload_action(request, sha256, size)}
        objects.append(item)
    return objects


def offer_downloads(
    request: Request, repo: Repo, wanted: list[tuple[str, int]]
) -> list[dict[str, Any]]:
    """Return for each object where to download it, or an error if the repo does not have it."""
    storage, objects = get_storage(request), []
    sizes = list_sizes(storage, repo)
    for sha256, size in wanted:
        item: dict[str, Any] = {"oid": sha256, "size": sizes.get(sha256, size)}
        if sha256 in sizes and storage.blobs.has(sha256):
            signature = create_signature(storage, f"download {sha256}")
            href = f"{get_base_url(request)}/_lfs/{sha256}?signature={signature}"
            item["actions"] = {"download": {"href": href}}
        else:
            item["error"] = {"code": 404, "message": f"{repo.id} has no such object"}
        objects.append(item)
    return objects


def list_sizes(storage: Storage, repo: Repo) -> dict[str, int]:
    """Return the size of each large file that the repo's refs lead to, by SHA-256."""
    heads = {sha for kind in REFS for sha in storage.list_refs(repo, kind).values()}
    return {
        entry.sha256: entry.size
        for sha in heads
        for commit in storage.walk_history(repo, storage.resolve(repo, sha))
        for entry in commit.files.values()
        if entry.lfs
    }


def download_object(request: Request) -> Response:
    """Serve an object, whole or by Range, to the client that a batch named it to."""
    storage, sha256 = get_storage(request), get_path_param(request, "sha256")
    check_signature(storage, f"download {sha256}", request.query_params.get("signature", ""))
    if not storage.blobs.has(sha256):
        raise HubError(404, "the object was removed")
    answer = FileResponse(storage.blobs.path(sha256), media_type="application/octet-stream")
    answer.chunk_size = BLOCK_BYTES
    return answer


def build_upload_action(request: Request, sha256: str, size: int) -> dict[str, Any]:
    """Return the URL for an object; for a long one a URL for each part and one to join them."""

    def build_href(number: int) -> str:
        signature = create_signature(get_storage(request), f"{sha256} {size} {number}")
        url = f"{get_base_url(request)}/_lfs/{sha256}/{number}"
        return f"{url}?size={size}&signature={signature}"

    if size <= PART_BYTES:
        return {"href": build_href(0)}
    parts = {f"{number:05}": build_href(number) for number in range(1, count_parts(size) + 1)}
    return {"href": build_href(0), "header": {"chunk_size": str(PART_BYTES), **parts}}


def count_parts(size: int) -> int:
    return -(-size // PART_BYTES)


def parse_signed_object(request: Request) -> tuple[str, int, int]:
    """Return an upload URL's SHA-256, size and part number; raise HubError 403 if it is forged."""
    sha256, number = get_path_param(request, "sha256"), get_path_param(request, "number")
    size, signature = (request.query_params.get(key, "") for key in ("size", "signature"))
    check_signature(get_storage(request), f"{sha256} {size} {number}", signature)
    return sha256, int(size), int(number)


async def put_object(request: Request) -> Response:
    """Store an object, or one part of it."""
    storage, (sha256, size, number) = get_storage(request), parse_signed_object(request)
    expected = min(PART_BYTES, size - PART_BYTES * (number - 1)) if number else size
    target = storage.blobs.path(sha256)
    if number:
        target = storage.root / "parts" / sha256 / str(number)
    with storage.blobs.open_temporary() as file:
        digest = hashlib.sha256()
        received = await save_body(request, file, expected, None if number else digest)
        if received != expected or (not number and digest.hexdigest() != sha256):
            raise HubError(400, f"the upload is not the {expected} bytes of {sha256}")
        storage.blobs.keep(file, target)
    return Response(headers={"ETag": f'"{sha256}-{number}"'})


async def join_parts(request: Request) -> Response:
    """Join the parts of an object once all have arrived."""
    storage, (sha256, size, number) = get_storage(request), parse_signed_object(request)
    if number or size <= PART_BYTES:
        raise HubError(400, "this object does not come in parts")
    await run_in_threadpool(assemble_object, storage, sha256, count_parts(size))
    return JSONResponse({})


def assemble_object(storage: Storage, sha256: str, count: int) -> None:
    """Store an object from its parts and remove the parts.

    Raises HubError 400 if a part is missing, or if the parts have another SHA-256; those are
    removed too.
    """
    folder = storage.root / "parts" / sha256
    parts = [folder / str(number) for number in range(1, count + 1)]
    if not storage.blobs.has(sha256):  # it exists if the client did not get the last answer
        if missing := [path.name for path in parts if not path.exists()]:
            raise HubError(400, f"part {missing[0]} of {sha256} was never uploaded")
        try:
            storage.blobs.add((block for path in parts for block in read_blocks(path)), sha256)
        except FileNotFoundError:
            if not storage.blobs.has(sha256):  # it exists if another push of it was faster
                raise
        except HubError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    shutil.rmtree(folder, ignore_errors=True)
