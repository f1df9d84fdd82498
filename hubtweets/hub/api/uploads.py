"""Endpoints for uploads of files, which count for nothing until a commit names them.

The client chooses between LFS (lfs.py) and Xet for large files. Both go to disk block by block, and
are kept only if their SHA-256 is the announced one.
"""

import base64
import fnmatch
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
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import GITATTRIBUTES
from hubtweets.hub.storage.storage import Storage

MIN_LARGE_BYTES = 10 * 2**20  # a file of this size goes by LFS or Xet


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
