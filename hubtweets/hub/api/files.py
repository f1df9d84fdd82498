"""Endpoints for a repo's files: trees, entries by path, and downloads."""

import hashlib
import re
from itertools import chain, pairwise
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hubtweets.hub.api.commits import list_folders
from hubtweets.hub.api.paging import paginate
from hubtweets.hub.api.requests import (
    check_gate,
    get_commit,
    get_path_param,
    get_repo,
    get_storage,
    read_body,
    read_json,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import BLOCK_BYTES, Entry, format_lfs_pointer
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.diff import list_changed_paths
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage

PAGE_SIZE, EXPANDED_PAGE_SIZE = 1000, 50  # items, as on the Hub
SMALL_BYTES = 2**16  # of a file that is read at once


def describe_entry(entry: Entry, oid_key: str = "oid") -> dict[str, Any]:
    found: dict[str, Any] = {"size": entry.size, oid_key: entry.oid}
    if entry.lfs:
        pointer_size = len(format_lfs_pointer(entry.sha256, entry.size))
        hash_key = "sha256" if oid_key == "blobId" else "oid"
        found["lfs"] = {hash_key: entry.sha256, "size": entry.size, "pointerSize": pointer_size}
    return found


def describe_file(path: str, entry: Entry) -> dict[str, Any]:
    return {"type": "file", "path": path, **describe_entry(entry)}


def describe_folder(path: str) -> dict[str, Any]:
    oid = hashlib.sha1(path.encode()).hexdigest()
    return {"type": "directory", "path": path, "oid": oid, "size": 0}


def list_tree(request: Request) -> Response:
    """List the files and folders in a folder, with `recursive` also those below."""
    repo = get_repo(request)
    commit, query = get_commit(request, repo), request.query_params
    recursive, expand = (query.get(key, "").lower() == "true" for key in ("recursive", "expand"))
    items = list_folder(commit, get_path_param(request, "path").strip("/"), recursive)
    return paginate(
        request,
        items,
        EXPANDED_PAGE_SIZE if expand else PAGE_SIZE,
        lambda page: add_last_commits(request, repo, commit, page, expand),
    )


def list_folder(commit: Commit, folder: str, recursive: bool) -> list[dict[str, Any]]:
    """Return the folders, then the files in a folder; raise HubError 404 if it is missing."""
    prefix = folder + "/" if folder else ""
    inside = {
        path.removeprefix(prefix): entry
        for path, entry in commit.files.items()
        if path.startswith(prefix)
    }
    if folder and not inside:
        raise HubError(404, f"no folder {folder}", "EntryNotFound")
    folders = list_folders(inside)
    if not recursive:
        folders = {name for name in folders if "/" not in name}
        inside = {name: entry for name, entry in inside.items() if "/" not in name}
    items = [describe_folder(prefix + name) for name in sorted(folders)]
    return items + [describe_file(prefix + name, entry) for name, entry in inside.items()]


async def list_paths(request: Request) -> Response:
    """Describe the files and folders that the body's `paths` name; missing ones are left out."""
    repo = get_repo(request)
    commit = get_commit(request, repo)
    wanted, expand = await read_paths(request)
    folders = list_folders(commit.files)
    items = [describe_file(path, commit.files[path]) for path in wanted if path in commit.files]
    for path in wanted:
        if path.rstrip("/") in folders:
            items.append(describe_folder(path.rstrip("/")))
    return JSONResponse(add_last_commits(request, repo, commit, items, expand))


async def read_paths(request: Request) -> tuple[list[str], bool]:
    """Return a body's `paths` and `expand`, which the JavaScript client sends as JSON."""
    if "json" not in request.headers.get("content-type", ""):
        form = parse_qs((await read_body(request)).decode(errors="replace"))
        return form.get("paths", []), form.get("expand", [""])[0].lower() == "true"
    body = await read_json(request)
    paths = body.get("paths", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise HubError(400, "paths is no list of texts")
    return paths, body.get("expand") is True


def add_last_commits(
    request: Request, repo: Repo, commit: Commit, items: list[dict[str, Any]], expand: bool
) -> list[dict[str, Any]]:
    """Add to each item the commit that last changed it, if `expand` is true."""
    if not expand:
        return items
    paths = [item["path"] for item in items]
    commits = find_last_commits(get_storage(request), repo, commit, paths)
    return [{**item, "lastCommit": commits[item["path"]]} for item in items]


def find_last_commits(
    storage: Storage, repo: Repo, commit: Commit, paths: list[str]
) -> dict[str, dict[str, str]]:
    """Return for each path of a file or folder the commit that last changed it."""
    found, left = {}, set(paths)
    for new, old in pairwise(chain(storage.walk_history(repo, commit), [None])):
        assert new
        changed = list_changed_paths(old.files if old else {}, new.files)
        touched = {*changed, *list_folders(changed)}
        for path in touched & left:
            found[path] = {"id": new.id, "title": new.title, "date": new.date}
        left -= touched
        if not left:
            break
    return found


def download_file(request: Request) -> Response:
    """Serve a file, whole or by Range."""
    return serve_file(request, is_raw=False)


def download_raw_file(request: Request) -> Response:
    """Serve a file as git stores it: of a large one the LFS pointer."""
    return serve_file(request, is_raw=True)


def serve_file(request: Request, is_raw: bool) -> Response:
    """Serve a file of the path's revision.

    `X-Repo-Commit` lets the client remember that a file is missing.
    """
    storage, repo = get_storage(request), get_repo(request)
    check_gate(request, repo)
    commit, path = get_commit(request, repo), get_path_param(request, "path")
    entry = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.id}
    if entry is None:
        headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        message = f"{repo.id} has no {quote(path)} at {commit.id}"
        return JSONResponse({"error": message}, 404, headers)
    headers |= {
        "ETag": f'"{entry.sha256 if entry.lfs and not is_raw else entry.oid}"',
        "Content-Type": "text/plain; charset=utf-8" if is_raw else "application/octet-stream",
        # no file of a repo may run as a page of this server
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    if is_raw and entry.lfs:
        return serve_bytes(request, format_lfs_pointer(entry.sha256, entry.size), headers)
    content = storage.blobs.path(entry.sha256)
    if entry.size <= SMALL_BYTES and request.method == "GET" and "Range" not in request.headers:
        # FileResponse would change threads four times, which takes longer than to read it here
        try:
            return serve_bytes(request, content.read_bytes(), headers)
        except FileNotFoundError:
            raise HubError(500, f"{repo.id} has lost {path}; type: hubtweets hub --check") from None
    answer = FileResponse(content, headers=headers)
    answer.chunk_size = BLOCK_BYTES
    return answer


def serve_bytes(request: Request, content: bytes, headers: dict[str, str]) -> Response:
    """Serve a short content, or the part that a Range names; a Range outside of it is ignored."""
    headers = {"Accept-Ranges": "bytes", **headers}
    asked = re.fullmatch(r"bytes=(\d{1,9})-(\d{0,9})", request.headers.get("range", ""))
    if asked:
        start, end = int(asked[1]), int(asked[2] or len(content)) + 1
        if part := content[start:end]:
            headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
            return Response(part, 206, headers)
    return Response(content, headers=headers)
