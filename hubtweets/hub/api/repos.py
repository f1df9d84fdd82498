"""The requests that read: information, trees, refs, history, and the files themselves."""

import hashlib
import html
from collections.abc import Callable
from itertools import chain, pairwise
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hubtweets.card.front_matter import read_metadata
from hubtweets.hub.api.requests import (
    authenticate,
    check_gate,
    get_commit,
    get_path_param,
    get_repo,
    get_storage,
    read_body,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import BLOCK_BYTES, Entry, format_lfs_pointer
from hubtweets.hub.storage.pull_requests import list_changed_paths
from hubtweets.hub.storage.storage import REFS, Commit, Repo, Storage

PAGE_SIZE, EXPANDED_PAGE_SIZE, COMMITS_PAGE_SIZE = 1000, 50, 50  # items, as on the Hub


def read_card_metadata(storage: Storage, commit: Commit) -> dict[str, Any]:
    entry = commit.files.get("README.md")
    return read_metadata(storage.blobs.path(entry.sha256)) if entry else {}


def describe_repo(
    storage: Storage, repo: Repo, commit: Commit, blobs: bool = False
) -> dict[str, Any]:
    """Return what the Hub says of a repo; of what it counts or scans elsewhere, downloads and the like, nothing."""
    metadata = read_card_metadata(storage, commit)
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
        "tags": list_tags(repo.kind, metadata),
        **{
            key: metadata[key] for key in ("pipeline_tag", "library_name", "sdk") if key in metadata
        },
        "cardData": metadata,
        "usedStorage": sum(entry.size for entry in commit.files.values()),
        "siblings": [
            {"rfilename": path, **(describe_entry(path, entry, "blobId") if blobs else {})}
            for path, entry in commit.files.items()
        ],
    }


def list_tags(kind: str, metadata: dict[str, Any]) -> list[str]:
    """Return a card's tags, and those that the Hub makes of its other entries: `license:mit`, `dataset:NAME`, a model's languages as they are."""
    starts = {
        "tags": "",
        "library_name": "",
        "pipeline_tag": "",
        "language": "" if kind == "models" else "language:",
        "license": "license:",
    }
    starts |= {
        "datasets": "dataset:",
        "base_model": "base_model:",
        "task_categories": "task_categories:",
        "size_categories": "size_categories:",
    }
    values = {
        key: value if isinstance(value, list) else [value]
        for key, value in metadata.items()
        if value is not None
    }
    return list(
        dict.fromkeys(
            f"{start}{value}" for key, start in starts.items() for value in values.get(key, [])
        )
    )


def describe_entry(path: str, entry: Entry, oid_key: str = "oid") -> dict[str, Any]:
    found: dict[str, Any] = {"size": entry.size, oid_key: entry.oid}
    if entry.lfs:
        pointer_size = len(format_lfs_pointer(entry.sha256, entry.size))
        hash_key = "sha256" if oid_key == "blobId" else "oid"
        found["lfs"] = {hash_key: entry.sha256, "size": entry.size, "pointerSize": pointer_size}
    return found


def list_repos(request: Request) -> Response:
    """List the repos of a kind that are what the query asks for, the last changed first, or the newest where `sort` is createdAt."""
    storage, user, query = get_storage(request), authenticate(request), request.query_params
    seen = [
        repo for repo in storage.repos(get_path_param(request, "kind")) if user or not repo.private
    ]
    found = [
        one
        for repo in seen
        if is_wanted(query, one := describe_repo(storage, repo, storage.resolve(repo, "main")))
    ]
    found.sort(
        key=lambda one: one["createdAt" if query.get("sort") == "createdAt" else "lastModified"],
        reverse=True,
    )
    return paginate(request, [select_properties(query, one) for one in found], PAGE_SIZE)


def is_wanted(query: QueryParams, described: dict[str, Any]) -> bool:
    """Tell whether a repo is by the author, has the words in its name, the tags and the task, and is gated or not, where a listing asks for that."""
    return (
        query.get("author") in (None, described["author"])
        and all(word.lower() in described["id"].lower() for word in query.getlist("search"))
        and {*query.getlist("filter")} <= {*described["tags"]}
        and query.get("pipeline_tag") in (None, described.get("pipeline_tag"))
        and query.get("gated", "").lower() in ("", str(bool(described["gated"])).lower())
    )


def select_properties(query: QueryParams, described: dict[str, Any]) -> dict[str, Any]:
    """Return only the properties that `expand` names, where it does."""
    wanted = query.getlist("expand")
    return {
        key: value
        for key, value in described.items()
        if not wanted or key in ("_id", "id", *wanted)
    }


def show_repo(request: Request) -> Response:
    """Describe a repo at a revision, its files with their sizes where `blobs` asks."""
    repo, query = get_repo(request), request.query_params
    return JSONResponse(
        select_properties(
            query,
            describe_repo(
                get_storage(request),
                repo,
                get_commit(request, repo),
                query.get("blobs", "").lower() == "true",
            ),
        )
    )


def paginate(
    request: Request, items: list[Any], size: int, finish: Callable[[list[Any]], list[Any]] = list
) -> Response:
    """Answer with a page of a list, `finish`ed, and in the Link header where the next one is."""
    start = request.query_params.get("cursor", "0")
    limit = request.query_params.get("limit", str(size))
    if not all(
        digits.isascii() and digits.isdecimal() and len(digits) < 10 for digits in (start, limit)
    ):
        raise HubError(400, "cursor and limit are numbers")
    end = int(start) + min(int(limit) or size, size)
    following = request.url.include_query_params(cursor=end)
    return JSONResponse(
        finish(items[int(start) : end]),
        headers={"Link": f'<{following}>; rel="next"'} if end < len(items) else None,
    )


def describe_file(path: str, entry: Entry) -> dict[str, Any]:
    return {"type": "file", "path": path, **describe_entry(path, entry)}


def describe_folder(path: str) -> dict[str, Any]:
    return {
        "type": "directory",
        "path": path,
        "oid": hashlib.sha1(path.encode()).hexdigest(),
        "size": 0,
    }


def find_last_commits(
    storage: Storage, repo: Repo, commit: Commit, paths: list[str]
) -> dict[str, dict[str, str]]:
    """Return for each path, a file's or a folder's, the commit that last changed it."""
    found, waiting = {}, set(paths)
    for new, old in pairwise(chain(storage.history(repo, commit), [None])):
        assert new
        differing = list_changed_paths(old.files if old else {}, new.files)
        touched = {
            "/".join(steps[:n])
            for path in differing
            for steps in [path.split("/")]
            for n in range(1, len(steps) + 1)
        }
        for path in touched & waiting:
            found[path] = {"id": new.id, "title": new.title, "date": new.date}
        waiting -= touched
        if not waiting:
            break
    return found


def add_last_commits(
    request: Request, repo: Repo, commit: Commit, items: list[dict[str, Any]], expand: str
) -> list[dict[str, Any]]:
    """Add to each item the commit that last changed it, where the client asks for that."""
    if expand.lower() != "true":
        return items
    commits = find_last_commits(
        get_storage(request), repo, commit, [item["path"] for item in items]
    )
    return [{**item, "lastCommit": commits[item["path"]]} for item in items]


def list_tree(request: Request) -> Response:
    repo = get_repo(request)
    commit, query = get_commit(request, repo), request.query_params
    folder = get_path_param(request, "path").strip("/")
    prefix = folder + "/" if folder else ""
    inside = {path: entry for path, entry in commit.files.items() if path.startswith(prefix)}
    if folder and not inside:
        raise HubError(404, f"no folder {folder}", "EntryNotFound")
    recursive, expand = query.get("recursive", "").lower() == "true", query.get("expand", "")
    items, folders = [], set()
    for path, entry in inside.items():
        steps = path[len(prefix) :].split("/")[:-1]
        folders |= {
            prefix + "/".join(steps[: n + 1])
            for n in range(len(steps) if recursive else min(1, len(steps)))
        }
        if recursive or not steps:
            items.append(describe_file(path, entry))
    items = [describe_folder(path) for path in sorted(folders)] + items
    return paginate(
        request,
        items,
        EXPANDED_PAGE_SIZE if expand.lower() == "true" else PAGE_SIZE,
        lambda page: add_last_commits(request, repo, commit, page, expand),
    )


async def list_paths(request: Request) -> Response:
    """Describe the files and folders that a form's `paths` name; those that are not there are left out."""
    repo = get_repo(request)
    commit, form = (
        get_commit(request, repo),
        parse_qs((await read_body(request)).decode(errors="replace")),
    )
    wanted = form.get("paths", [])
    folders = {
        "/".join(steps[:n])
        for path in commit.files
        for steps in [path.split("/")]
        for n in range(1, len(steps))
    }
    items = [describe_file(path, commit.files[path]) for path in wanted if path in commit.files]
    items += [
        describe_folder(path) for path in (one.rstrip("/") for one in wanted) if path in folders
    ]
    return JSONResponse(add_last_commits(request, repo, commit, items, form.get("expand", [""])[0]))


def list_refs(request: Request) -> Response:
    """List branches and tags, with `include_prs` pull requests too."""
    repo, storage = get_repo(request), get_storage(request)
    found = {
        key: [
            {
                "name": start + name if kind == "pulls" else name,
                "ref": start + name,
                "targetCommit": sha,
            }
            for name, sha in refs.items()
        ]
        for (kind, start), key in zip(
            REFS.items(), ("branches", "tags", "pullRequests"), strict=True
        )
        for refs in [storage.refs(repo, kind)]
    }
    if not request.query_params.get("include_prs"):
        del found["pullRequests"]
    return JSONResponse({**found, "converts": []})


def list_commits(request: Request) -> Response:
    repo = get_repo(request)
    history = get_storage(request).history(repo, get_commit(request, repo))
    formatted = "formatted" in request.query_params.getlist("expand[]")
    items = []
    for one in history:
        item = {
            "id": one.id,
            "title": one.title,
            "message": one.message,
            "date": one.date,
            "authors": [{"user": one.author}],
        }
        items.append(
            item
            | (
                {
                    "formatted": {
                        "title": html.escape(one.title),
                        "message": html.escape(one.message),
                    }
                }
                if formatted
                else {}
            )
        )
    return paginate(request, items, COMMITS_PAGE_SIZE)


def download_file(request: Request) -> Response:
    """Serve a file, whole or by Range; where it is missing, `X-Repo-Commit` lets the client remember that."""
    storage, repo = get_storage(request), get_repo(request)
    check_gate(request, repo)
    commit, path = get_commit(request, repo), get_path_param(request, "path")
    entry = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.id}
    if entry is None:
        headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return JSONResponse(
            {"error": f"{repo.id} has no {quote(path)} at {commit.id}"}, 404, headers
        )
    # nothing of a repo may run as a page of this server
    headers |= {
        "ETag": f'"{entry.sha256 if entry.lfs else entry.oid}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    headers["X-Content-Type-Options"] = "nosniff"
    answer = FileResponse(storage.blobs.path(entry.sha256), headers=headers)
    answer.chunk_size = BLOCK_BYTES
    return answer
