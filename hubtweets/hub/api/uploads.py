"""Endpoints for uploads of files, which count for nothing until a commit names them.

The client chooses between LFS and Xet for large files. Both go to disk block by block, and are kept
only if their SHA-256 is the announced one.
"""

import base64
import fnmatch
import hashlib
import shutil
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.commits import validate_path
from hubtweets.hub.api.gitignore import MAX_GITIGNORE_BYTES, find_ignored
from hubtweets.hub.api.requests import (
    check_signature,
    create_signature,
    get_base_url,
    get_commit,
    get_path_param,
    get_repo,
    get_storage,
    read_json,
    require_writer,
    save_body,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import xet
from hubtweets.hub.storage.blobs import SHA256, read_blocks
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import GITATTRIBUTES
from hubtweets.hub.storage.storage import Storage

MIN_LARGE_BYTES = 10 * 2**20  # a file of this size goes by LFS or Xet
PART_BYTES = 2**30  # a larger file comes in parts by LFS, so that an upload can resume


class PlannedFile(NamedTuple):
    """A file that a client is about to push: its path, size in bytes, and whether it is binary."""

    path: str
    size: int
    is_binary: bool


async def preupload(request: Request) -> Response:
    """Say for each file how to send it, whether .gitignore excludes it, and the current oid."""
    require_writer(request)
    storage, commit = get_storage(request), get_commit(request, get_repo(request))
    body = await read_json(request)
    return JSONResponse({"files": await run_in_threadpool(describe_uploads, storage, commit, body)})


def describe_uploads(
    storage: Storage, commit: Commit, body: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return how to send each file.

    Raises HubError 507 if the disk has too little space for the large ones.
    """
    patterns = read_lfs_patterns(storage, commit)
    files = [parse_planned_file(item) for item in get_objects(body, "files")]
    ignored = find_ignored(read_gitignore(storage, commit, body), [file.path for file in files])
    answers, large = [], {}
    for file in files:
        is_large = is_sent_by_lfs(file, patterns)
        answer: dict[str, Any] = {
            "path": file.path,
            "uploadMode": "lfs" if is_large else "regular",
            "shouldIgnore": file.path in ignored,
        }
        if is_large and file.path not in ignored:
            large[file.path] = file.size
        if (old := commit.files.get(file.path)) and old.lfs == is_large:
            answer["oid"] = old.sha256 if is_large else old.oid
        answers.append(answer)
    check_free_space(storage, commit, [*large.values()])
    return answers


def parse_planned_file(item: dict[str, Any]) -> PlannedFile:
    try:
        sample = base64.b64decode(item.get("sample") or "")
        return PlannedFile(validate_path(item["path"]), int(item["size"]), b"\0" in sample)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise HubError(400, "a file needs a path, a size and a sample") from None


def is_sent_by_lfs(file: PlannedFile, patterns: list[str]) -> bool:
    """Check whether a file is large, binary, or matched by .gitattributes; an empty file is not."""
    if file.size <= 0:
        return False
    name = file.path.rpartition("/")[2]
    is_matched = any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    return file.size >= MIN_LARGE_BYTES or file.is_binary or is_matched


def check_free_space(storage: Storage, commit: Commit, sizes: list[int]) -> None:
    """Raise HubError 507 if large files need more bytes than the disk has left.

    Files with the size of one in the commit don't count. LFS and Xet notice a full disk too, but
    hf_xet shows its client a status without the message.
    """
    present = {entry.size for entry in commit.files.values()}
    needed = sum(size for size in sizes if size not in present)
    left = storage.blobs.count_free_bytes()
    if needed > left:
        raise HubError(
            507, f"{needed} bytes are more than the {max(left, 0)} that the disk has left"
        )


def read_gitignore(storage: Storage, commit: Commit, body: dict[str, Any]) -> str:
    """Return the .gitignore that is pushed along, else the branch's own.

    The client documents this order.
    """
    pushed = body.get("gitIgnore")
    if not isinstance(pushed, str | None):
        raise HubError(400, "gitIgnore must be a text")
    entry = commit.files.get(".gitignore")
    if pushed is not None or entry is None:
        return pushed or ""
    with storage.blobs.path(entry.sha256).open("rb") as file:
        return file.read(MAX_GITIGNORE_BYTES + 1).decode("utf-8", "replace")


def read_lfs_patterns(storage: Storage, commit: Commit) -> list[str]:
    entry = commit.files.get(".gitattributes")
    text = storage.blobs.path(entry.sha256).read_text(errors="replace") if entry else GITATTRIBUTES
    return [line.split()[0] for line in text.splitlines() if "filter=lfs" in line]


def get_objects(body: dict[str, Any], key: str) -> list[dict]:
    """Return a list of objects from a body; raise HubError 400 if it is anything else."""
    items = body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise HubError(400, f"{key} is no list of objects")
    return items


# ---- LFS ----


async def start_lfs_batch(request: Request) -> Response:
    """Return signed URLs for the objects that are missing here.

    The client sends no token with the upload itself.
    """
    require_writer(request)
    get_repo(request)
    storage, objects = get_storage(request), []
    left = storage.blobs.count_free_bytes()
    for wanted in get_objects(await read_json(request), "objects"):
        sha256, size = str(wanted.get("oid")), wanted.get("size")
        if not SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
            raise HubError(400, f"an object needs a sha256 and a size, not {wanted}")
        item: dict[str, Any] = {"oid": sha256, "size": size}
        if not storage.blobs.has(sha256):
            if size > left:
                message = f"{size} bytes are more than the disk has left"
                item["error"] = {"code": 507, "message": message}
            else:
                left -= size
                item["actions"] = {"upload": build_upload_action(request, sha256, size)}
        objects.append(item)
    answer = {"transfer": "basic", "objects": objects}
    return JSONResponse(answer, media_type="application/vnd.git-lfs+json")


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


# ---- Xet ----


async def create_xet_token(request: Request) -> Response:
    require_writer(request)
    get_repo(request)
    storage = get_storage(request)
    token = create_signature(storage, "xet")
    url, expires = f"{get_base_url(request)}/cas-{storage.instance}", token.partition("-")[0]
    headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": expires}
    return JSONResponse({"casUrl": url, "accessToken": token, "exp": int(expires)}, headers=headers)


def authorize_xet(request: Request) -> Storage:
    """Return the storage; raise HubError 403 without a token, 404 if it is for another one."""
    storage = get_storage(request)
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    check_signature(storage, "xet", token)
    if get_path_param(request, "instance") != storage.instance:
        raise HubError(404, "this is another storage")
    return storage


async def upload_xorb(request: Request) -> Response:
    storage = authorize_xet(request)
    with storage.blobs.open_temporary() as file:
        await save_body(request, file, xet.MAX_XORB_BYTES)
        await run_in_threadpool(xet.add_xorb, storage, get_path_param(request, "hash"), file)
    return JSONResponse({"was_inserted": True})


async def upload_shard(request: Request) -> Response:
    storage = authorize_xet(request)
    with storage.blobs.open_temporary() as file:
        await save_body(request, file, xet.MAX_SHARD_BYTES)
        await run_in_threadpool(xet.add_shard, storage, file)
    return JSONResponse({"result": 1})
