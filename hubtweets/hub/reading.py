"""The requests that read: information, trees, refs, history, and the files themselves."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hubtweets.hub.cards import front_matter
from hubtweets.hub.requests import commit_of, part, repo_of, storage_of, user_of
from hubtweets.hub.storage import Commit, Entry, HubError, Repo, Storage, lfs_pointer


def metadata_of(storage: Storage, commit: Commit) -> dict[str, Any]:
    entry = commit.files.get("README.md")
    try:
        return front_matter(storage.blob(entry.sha256).read_text(encoding="utf-8", errors="replace")) if entry else {}
    except HubError:
        return {}


def describe(storage: Storage, repo: Repo, commit: Commit, blobs: bool) -> dict[str, Any]:
    metadata = metadata_of(storage, commit)
    files = [{"rfilename": path, **(details(path, entry, "blobId") if blobs else {})} for path, entry in commit.files.items()]
    return {
        "_id": repo.id,
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.id.partition("/")[0],
        "sha": commit.id,
        "lastModified": commit.date,
        "createdAt": repo.created_at,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": metadata.get("tags") or [],
        "pipeline_tag": metadata.get("pipeline_tag"),
        "library_name": metadata.get("library_name"),
        "cardData": metadata,
        "siblings": files,
    }


def details(path: str, entry: Entry, oid_key: str = "oid") -> dict[str, Any]:
    found: dict[str, Any] = {"size": entry.size, oid_key: entry.oid}
    if entry.lfs:
        pointer_size = len(lfs_pointer(entry.sha256, entry.size))
        hash_key = "sha256" if oid_key == "blobId" else "oid"
        found["lfs"] = {hash_key: entry.sha256, "size": entry.size, "pointerSize": pointer_size}
    return found


async def repos(request: Request) -> Response:
    """List the repos of a kind, the newest description of each; of one author, or with a word in the name, where asked."""
    storage, user, author = storage_of(request), user_of(request), request.query_params.get("author")
    found = [repo for repo in storage.repos(part(request, "kind")) if user or not repo.private]
    found = [repo for repo in found if author in (None, repo.id.partition("/")[0]) and request.query_params.get("search", "") in repo.id]
    return JSONResponse([describe(storage, repo, storage.resolve(repo, "main"), blobs=False) for repo in found])


async def info(request: Request) -> Response:
    repo = repo_of(request)
    blobs = request.query_params.get("blobs", "").lower() == "true"
    return JSONResponse(describe(storage_of(request), repo, commit_of(request, repo), blobs))


def file_item(path: str, entry: Entry) -> dict[str, Any]:
    return {"type": "file", "path": path, **details(path, entry)}


def folder_item(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}


async def tree(request: Request) -> Response:
    commit = commit_of(request, repo_of(request))
    folder = part(request, "path").strip("/")
    prefix = folder + "/" if folder else ""
    inside = {path: entry for path, entry in commit.files.items() if path.startswith(prefix)}
    if folder and not inside:
        raise HubError(404, f"no folder {folder}", "EntryNotFound")
    recursive = request.query_params.get("recursive", "").lower() == "true"
    items, folders = [], set()
    for path, entry in inside.items():
        steps = path[len(prefix) :].split("/")[:-1]
        folders |= {prefix + "/".join(steps[: n + 1]) for n in range(len(steps) if recursive else min(1, len(steps)))}
        if recursive or not steps:
            items.append(file_item(path, entry))
    return JSONResponse([folder_item(path) for path in sorted(folders)] + items)


async def paths_info(request: Request) -> Response:
    commit = commit_of(request, repo_of(request))
    wanted = parse_qs((await request.body()).decode(errors="replace")).get("paths", [])
    items = [file_item(path, commit.files[path]) for path in wanted if path in commit.files]
    items += [folder_item(path) for path in wanted if any(other.startswith(path.rstrip("/") + "/") for other in commit.files)]
    return JSONResponse(items)


async def refs(request: Request) -> Response:
    repo, storage = repo_of(request), storage_of(request)
    found: dict[str, list] = {"converts": [], "pullRequests": []}
    for kind, start in (("branches", "refs/heads/"), ("tags", "refs/tags/")):
        found[kind] = [{"name": name, "ref": start + name, "targetCommit": sha} for name, sha in storage.refs(repo, kind).items()]
    return JSONResponse(found)


async def commits(request: Request) -> Response:
    repo = repo_of(request)
    history = storage_of(request).history(repo, part(request, "revision"))
    return JSONResponse([{"id": c.id, "title": c.title, "message": c.message, "date": c.date, "authors": [{"user": c.author}]} for c in history])


async def resolve(request: Request) -> Response:
    """Serve a file, whole or by Range; where it is missing, `X-Repo-Commit` lets the client remember that."""
    storage, repo = storage_of(request), repo_of(request)
    commit, path = commit_of(request, repo), part(request, "path")
    entry = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.id}
    if entry is None:
        headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return JSONResponse({"error": f"{repo.id} has no {quote(path)} at {commit.id}"}, 404, headers)
    # nothing of a repo may run as a page of this server
    headers |= {"ETag": f'"{entry.sha256 if entry.lfs else entry.oid}"', "Content-Security-Policy": "sandbox; default-src 'none'"}
    headers["X-Content-Type-Options"] = "nosniff"
    return FileResponse(storage.blob(entry.sha256), headers=headers)
