"""The requests that read: information, trees, refs, history, and the files themselves."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hubtweets.hub.blobs import Entry, lfs_pointer
from hubtweets.hub.cards import front_matter
from hubtweets.hub.errors import HubError
from hubtweets.hub.pulls import changed
from hubtweets.hub.requests import body_of, commit_of, part, repo_of, storage_of, user_of
from hubtweets.hub.storage import REFS, Commit, Repo, Storage

PAGE, EXPANDED_PAGE, COMMITS_PAGE = 1000, 50, 50  # items, as on the Hub


def metadata_of(storage: Storage, commit: Commit) -> dict[str, Any]:
    entry = commit.files.get("README.md")
    try:
        return front_matter(storage.blobs.path(entry.sha256).read_text(encoding="utf-8", errors="replace")) if entry else {}
    except HubError:
        return {}


def describe(storage: Storage, repo: Repo, commit: Commit, blobs: bool = False) -> dict[str, Any]:
    """Return what the Hub says of a repo; of what it counts or scans elsewhere, downloads and the like, nothing."""
    metadata = metadata_of(storage, commit)
    return {
        "_id": repo.id,
        "id": repo.id,
        **({"modelId": repo.id} if repo.kind == "models" else {}),
        "author": repo.id.partition("/")[0],
        "sha": commit.id,
        "lastModified": commit.date,
        "createdAt": repo.created_at,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "tags": metadata.get("tags") or [],
        **{key: metadata[key] for key in ("pipeline_tag", "library_name", "sdk") if key in metadata},
        "cardData": metadata,
        "usedStorage": sum(entry.size for entry in commit.files.values()),
        "siblings": [{"rfilename": path, **(details(path, entry, "blobId") if blobs else {})} for path, entry in commit.files.items()],
    }


def details(path: str, entry: Entry, oid_key: str = "oid") -> dict[str, Any]:
    found: dict[str, Any] = {"size": entry.size, oid_key: entry.oid}
    if entry.lfs:
        pointer_size = len(lfs_pointer(entry.sha256, entry.size))
        hash_key = "sha256" if oid_key == "blobId" else "oid"
        found["lfs"] = {hash_key: entry.sha256, "size": entry.size, "pointerSize": pointer_size}
    return found


def repos(request: Request) -> Response:
    """List the repos of a kind, the last changed first; of one author, or with a word in the name, where asked."""
    storage, user, query = storage_of(request), user_of(request), request.query_params
    found = [repo for repo in storage.repos(part(request, "kind")) if user or not repo.private]
    found = [repo for repo in found if query.get("author") in (None, repo.id.partition("/")[0])]
    found = [repo for repo in found if query.get("search", "").lower() in repo.id.lower()]
    described = [describe(storage, repo, storage.resolve(repo, "main")) for repo in found]
    described.sort(key=lambda repo: repo["lastModified"], reverse=True)
    return paged(request, described, PAGE)


def info(request: Request) -> Response:
    """Describe a repo at a revision, its files with their sizes where `blobs` asks, only the properties that `expand` names where it does."""
    repo, query = repo_of(request), request.query_params
    answer = describe(storage_of(request), repo, commit_of(request, repo), query.get("blobs", "").lower() == "true")
    wanted = query.getlist("expand")
    return JSONResponse({key: value for key, value in answer.items() if not wanted or key in ("_id", "id", *wanted)})


def paged(request: Request, items: list[Any], size: int) -> Response:
    """Answer with a page of a list, and in the Link header where the next one is."""
    start = request.query_params.get("cursor", "0")
    limit = request.query_params.get("limit", str(size))
    if not all(digits.isascii() and digits.isdecimal() and len(digits) < 10 for digits in (start, limit)):
        raise HubError(400, "cursor and limit are numbers")
    end = int(start) + min(int(limit) or size, size)
    following = request.url.include_query_params(cursor=end)
    return JSONResponse(items[int(start) : end], headers={"Link": f'<{following}>; rel="next"'} if end < len(items) else None)


def file_item(path: str, entry: Entry) -> dict[str, Any]:
    return {"type": "file", "path": path, **details(path, entry)}


def folder_item(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}


def last_changes(storage: Storage, repo: Repo, commit: Commit, paths: list[str]) -> dict[str, dict[str, str]]:
    """Return for each path, a file's or a folder's, the commit that last changed it."""
    history, found, waiting = list(storage.history(repo, commit)), {}, set(paths)
    for new, old in zip(history, [*history[1:], None], strict=True):
        differing = changed(old.files if old else {}, new.files)
        touched = {"/".join(steps[:n]) for path in differing for steps in [path.split("/")] for n in range(1, len(steps) + 1)}
        for path in touched & waiting:
            found[path] = {"id": new.id, "title": new.title, "date": new.date}
        waiting -= touched
        if not waiting:
            break
    return found


def expanded(request: Request, repo: Repo, commit: Commit, items: list[dict[str, Any]], expand: str) -> list[dict[str, Any]]:
    """Add to each item the commit that last changed it, where the client asks for that."""
    if expand.lower() != "true":
        return items
    commits = last_changes(storage_of(request), repo, commit, [item["path"] for item in items])
    return [{**item, "lastCommit": commits[item["path"]]} for item in items]


def tree(request: Request) -> Response:
    repo = repo_of(request)
    commit, query = commit_of(request, repo), request.query_params
    folder = part(request, "path").strip("/")
    prefix = folder + "/" if folder else ""
    inside = {path: entry for path, entry in commit.files.items() if path.startswith(prefix)}
    if folder and not inside:
        raise HubError(404, f"no folder {folder}", "EntryNotFound")
    recursive, expand = query.get("recursive", "").lower() == "true", query.get("expand", "")
    items, folders = [], set()
    for path, entry in inside.items():
        steps = path[len(prefix) :].split("/")[:-1]
        folders |= {prefix + "/".join(steps[: n + 1]) for n in range(len(steps) if recursive else min(1, len(steps)))}
        if recursive or not steps:
            items.append(file_item(path, entry))
    items = expanded(request, repo, commit, [folder_item(path) for path in sorted(folders)] + items, expand)
    return paged(request, items, EXPANDED_PAGE if expand.lower() == "true" else PAGE)


async def paths_info(request: Request) -> Response:
    """Describe the files and folders that a form's `paths` name; those that are not there are left out."""
    repo = repo_of(request)
    commit, form = commit_of(request, repo), parse_qs((await body_of(request)).decode(errors="replace"))
    wanted = form.get("paths", [])
    folders = {"/".join(steps[:n]) for path in commit.files for steps in [path.split("/")] for n in range(1, len(steps))}
    items = [file_item(path, commit.files[path]) for path in wanted if path in commit.files]
    items += [folder_item(path) for path in (one.rstrip("/") for one in wanted) if path in folders]
    return JSONResponse(expanded(request, repo, commit, items, form.get("expand", [""])[0]))


def refs(request: Request) -> Response:
    """List branches and tags, with `include_prs` pull requests too."""
    repo, storage = repo_of(request), storage_of(request)
    found = {
        key: [{"name": start + name if kind == "pulls" else name, "ref": start + name, "targetCommit": sha} for name, sha in refs.items()]
        for (kind, start), key in zip(REFS.items(), ("branches", "tags", "pullRequests"), strict=True)
        for refs in [storage.refs(repo, kind)]
    }
    if not request.query_params.get("include_prs"):
        del found["pullRequests"]
    return JSONResponse({**found, "converts": []})


def commits(request: Request) -> Response:
    repo = repo_of(request)
    history = storage_of(request).history(repo, commit_of(request, repo))
    items = [{"id": one.id, "title": one.title, "message": one.message, "date": one.date, "authors": [{"user": one.author}]} for one in history]
    return paged(request, items, COMMITS_PAGE)


def resolve(request: Request) -> Response:
    """Serve a file, whole or by Range; where it is missing, `X-Repo-Commit` lets the client remember that."""
    storage, repo = storage_of(request), repo_of(request)
    if repo.gated and user_of(request) is None:
        raise HubError(401, f"{repo.id} is gated; log in to read it", "GatedRepo")
    commit, path = commit_of(request, repo), part(request, "path")
    entry = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.id}
    if entry is None:
        headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return JSONResponse({"error": f"{repo.id} has no {quote(path)} at {commit.id}"}, 404, headers)
    # nothing of a repo may run as a page of this server
    headers |= {"ETag": f'"{entry.sha256 if entry.lfs else entry.oid}"', "Content-Security-Policy": "sandbox; default-src 'none'"}
    headers["X-Content-Type-Options"] = "nosniff"
    return FileResponse(storage.blobs.path(entry.sha256), headers=headers)
