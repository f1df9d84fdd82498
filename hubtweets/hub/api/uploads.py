"""The requests that bring large files, by LFS or by Xet as the client chooses; they are nothing until a commit names them.

Both go to disk block by block, and count only when their SHA-256 is the announced one.
"""

import base64
import fnmatch
import hashlib
import shutil
from typing import Any

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
from hubtweets.hub.storage.storage import GITATTRIBUTES, Commit, Storage

MIN_LARGE_BYTES = 10 * 2**20  # bytes; from here on a file goes by LFS or Xet
PART_BYTES = (
    2**30
)  # bytes; a larger file comes in parts by LFS, so that what is cut goes on from the last one


async def preupload(request: Request) -> Response:
    """Tell for each file how it must be sent, whether .gitignore leaves it out, and what the branch holds under its path."""
    require_writer(request)
    storage, commit, body = (
        get_storage(request),
        get_commit(request, get_repo(request)),
        await read_json(request),
    )
    return JSONResponse({"files": await run_in_threadpool(describe_uploads, storage, commit, body)})


def describe_uploads(
    storage: Storage, commit: Commit, body: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return what the client needs to know of each file; raise HubError 507 if the disk has no room for the large ones."""
    patterns, answers, large = read_lfs_patterns(storage, commit), [], {}
    for file in get_objects(body, "files"):
        try:
            path, size, binary = (
                validate_path(file["path"]),
                int(file["size"]),
                b"\0" in base64.b64decode(file.get("sample") or ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise HubError(400, "a file needs a path, a size and a sample") from None
        lfs = size > 0 and (
            size >= MIN_LARGE_BYTES
            or binary
            or any(fnmatch.fnmatch(path.rpartition("/")[2], pattern) for pattern in patterns)
        )
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular"}
        if lfs:
            large[path] = size
        if (old := commit.files.get(path)) and old.lfs == lfs:
            answer["oid"] = old.sha256 if lfs else old.oid
        answers.append(answer)
    ignored = find_ignored(
        read_gitignore(storage, commit, body), [answer["path"] for answer in answers]
    )
    check_free_space(storage, commit, [size for path, size in large.items() if path not in ignored])
    return [{**answer, "shouldIgnore": answer["path"] in ignored} for answer in answers]


def check_free_space(storage: Storage, commit: Commit, sizes: list[int]) -> None:
    """Raise HubError 507 if large files need more than the disk has left, except those that have the size of one that is there.

    LFS and Xet find that out too, but what Xet's storage says is lost: hf_xet shows its client a status and no text.
    """
    here = {entry.size for entry in commit.files.values()}
    needed, room = sum(size for size in sizes if size not in here), storage.blobs.room()
    if needed > room:
        raise HubError(
            507, f"{needed} bytes are more than the {max(room, 0)} that the disk has left"
        )


def read_gitignore(storage: Storage, commit: Commit, body: dict[str, Any]) -> str:
    """Return the .gitignore that is pushed along, else the branch's own: the order that the client documents."""
    pushed = body.get("gitIgnore")
    if not isinstance(pushed, str | None):
        raise HubError(400, "gitIgnore is a text")
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
    """Return a list of objects from a body; raise HubError 400 where it is none."""
    items = body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise HubError(400, f"{key} is no list of objects")
    return items


# ---- LFS ----


async def start_lfs_batch(request: Request) -> Response:
    """Give signed addresses for each object that is not here yet; the client sends no token with the upload itself."""
    require_writer(request)
    get_repo(request)
    storage, objects = get_storage(request), []
    room = storage.blobs.room()
    for wanted in get_objects(await read_json(request), "objects"):
        sha256, size = str(wanted.get("oid")), wanted.get("size")
        if not SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
            raise HubError(400, f"an object needs a sha256 and a size, not {wanted}")
        item: dict[str, Any] = {"oid": sha256, "size": size}
        if not storage.blobs.has(sha256):
            if size > room:
                item["error"] = {
                    "code": 507,
                    "message": f"{size} bytes are more than the disk has left",
                }
            else:
                room -= size
                item["actions"] = {"upload": build_upload_action(request, sha256, size)}
        objects.append(item)
    return JSONResponse(
        {"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json"
    )


def build_upload_action(request: Request, sha256: str, size: int) -> dict[str, Any]:
    """Return where an object goes: to one address, or where it is long each part to its own and a last word to another."""

    def href(number: int) -> str:
        signature = create_signature(get_storage(request), f"{sha256} {size} {number}")
        return f"{get_base_url(request)}/_lfs/{sha256}/{number}?size={size}&signature={signature}"

    if size <= PART_BYTES:
        return {"href": href(0)}
    numbers = range(1, -(-size // PART_BYTES) + 1)
    return {
        "href": href(0),
        "header": {
            "chunk_size": str(PART_BYTES),
            **{f"{number:05}": href(number) for number in numbers},
        },
    }


def parse_signed_object(request: Request) -> tuple[str, int, int]:
    """Return the SHA-256, the size and the part that an upload's address is for; raise HubError 403 where nobody gave that address."""
    sha256, number, size = (
        get_path_param(request, "sha256"),
        get_path_param(request, "number"),
        request.query_params.get("size", ""),
    )
    check_signature(
        get_storage(request), f"{sha256} {size} {number}", request.query_params.get("signature", "")
    )
    return sha256, int(size), int(number)


async def put_object(request: Request) -> Response:
    """Take in an object, or one part of it."""
    storage, (sha256, size, number) = get_storage(request), parse_signed_object(request)
    expected = min(PART_BYTES, size - PART_BYTES * (number - 1)) if number else size
    with storage.blobs.temporary() as file:
        digest = hashlib.sha256()
        received = await save_body(request, file, expected, None if number else digest)
        if received != expected or (not number and digest.hexdigest() != sha256):
            raise HubError(400, f"the upload is not the {expected} bytes of {sha256}")
        storage.blobs.keep(
            file,
            storage.root / "parts" / sha256 / str(number) if number else storage.blobs.path(sha256),
        )
    return Response(headers={"ETag": f'"{sha256}-{number}"'})


async def join_parts(request: Request) -> Response:
    """Make an object of its parts, when all are here."""
    storage, (sha256, size, number) = get_storage(request), parse_signed_object(request)
    if number or size <= PART_BYTES:
        raise HubError(400, "this object does not come in parts")
    await run_in_threadpool(assemble_object, storage, sha256, -(-size // PART_BYTES))
    return JSONResponse({})


def assemble_object(storage: Storage, sha256: str, count: int) -> None:
    """Make an object of its parts; raise HubError 400 where one is missing, or where all together are something else and go with that."""
    folder = storage.root / "parts" / sha256
    parts = [folder / str(number) for number in range(1, count + 1)]
    if not storage.blobs.has(sha256):  # else the last answer was lost
        if missing := [path.name for path in parts if not path.exists()]:
            raise HubError(400, f"part {missing[0]} of {sha256} was never uploaded")
        try:
            storage.blobs.add((block for path in parts for block in read_blocks(path)), sha256)
        except FileNotFoundError:
            if not storage.blobs.has(sha256):  # else somebody who pushes the same was faster
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
    storage = get_storage(request)
    check_signature(
        storage, "xet", request.headers.get("authorization", "").removeprefix("Bearer ")
    )
    if get_path_param(request, "instance") != storage.instance:
        raise HubError(404, "this is another storage")
    return storage


async def upload_xorb(request: Request) -> Response:
    storage = authorize_xet(request)
    with storage.blobs.temporary() as file:
        await save_body(request, file, xet.MAX_XORB_BYTES)
        await run_in_threadpool(xet.add_xorb, storage, get_path_param(request, "hash"), file)
    return JSONResponse({"was_inserted": True})


async def upload_shard(request: Request) -> Response:
    storage = authorize_xet(request)
    with storage.blobs.temporary() as file:
        await save_body(request, file, xet.MAX_SHARD_BYTES)
        await run_in_threadpool(xet.add_shard, storage, file)
    return JSONResponse({"result": 1})
