"""Endpoints that rewrite or copy a repo: squash, large files, duplicates."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.accounts import parse_private
from hubtweets.hub.api.files import PAGE_SIZE
from hubtweets.hub.api.paging import paginate
from hubtweets.hub.api.requests import (
    check_gate,
    find_repo,
    get_path_param,
    get_repo,
    get_repo_url,
    get_storage,
    get_value,
    read_json,
    require_user,
    require_writer,
)
from hubtweets.hub.api.uploads import get_objects
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import history
from hubtweets.hub.storage.history import LargeFile


async def squash_history(request: Request) -> Response:
    user, repo, branch = (
        require_writer(request),
        get_repo(request),
        get_path_param(request, "revision"),
    )
    title = (await read_json(request)).get("message") or f"Super-squash branch '{branch}'"
    title = str(title).encode("utf-8", "replace").decode()
    made = await run_in_threadpool(
        history.squash_history, get_storage(request), repo, branch, title, user
    )
    return JSONResponse({"commitOid": made.id})


async def duplicate_repo(request: Request) -> Response:
    """Copy a repo's files into a new one, which is private if the old one is."""
    user, repo, body = require_writer(request), get_repo(request), await read_json(request)
    check_gate(request, repo)
    private, repo_id = parse_private(body), str(body.get("repository"))
    private = repo.private if private is None else private
    duplicate, storage = history.duplicate_repo, get_storage(request)
    try:
        made = await run_in_threadpool(duplicate, storage, repo, repo_id, private, user)
    except HubError as error:
        if error.status != 409:
            raise
        url = get_repo_url(request, find_repo(request, repo.kind, repo_id))
        return JSONResponse({"error": error.message, "url": url}, 409)  # the client reads `url`
    return JSONResponse({"url": get_repo_url(request, made)})


def list_large_files(request: Request) -> Response:
    """List the large files of all branches, tags and pull requests, and what they ever held."""
    require_user(request)
    found = history.list_large_files(get_storage(request), get_repo(request))
    return paginate(request, [describe_large_file(file) for file in found], PAGE_SIZE)


def describe_large_file(file: LargeFile) -> dict[str, Any]:
    return {
        "fileOid": file.entry.sha256,
        "oid": file.entry.oid,
        "filename": file.path,
        "size": file.entry.size,
        "pushedAt": file.added.date,
        "ref": file.ref,
    }


async def delete_large_files(request: Request) -> Response:
    """Remove large files from the whole history; garbage collection then frees their space."""
    require_writer(request)
    repo, deletions = (
        get_repo(request),
        get_value(await read_json(request), "deletions", dict) or {},
    )
    hashes = deletions.get("sha")
    if not isinstance(hashes, list) or not all(isinstance(one, str) for one in hashes):
        raise HubError(400, "deletions.sha is a list of the files' sha256")
    if deletions.get("rewriteHistory") is False:
        raise HubError(400, "this Hub removes no file that a commit names: rewrite_history=True")
    await run_in_threadpool(history.remove_large_files, get_storage(request), repo, set(hashes))
    return JSONResponse({})


async def copy_large_files(request: Request) -> Response:
    """Answer that another repo may name large files of this one, which all repos share here."""
    require_writer(request)
    storage, repo, body = get_storage(request), get_repo(request), await read_json(request)
    check_gate(request, repo)
    target = get_value(body, "target", dict) or {}
    find_repo(request, f"{target.get('type')}s", str(target.get("name")))
    wanted = [str(file.get("sha256")) for file in get_objects(body, "files")]
    files = await run_in_threadpool(history.list_large_files, storage, repo)
    held = {file.entry.sha256 for file in files}
    failed = [{"sha256": one, "error": "not in this repo"} for one in wanted if one not in held]
    success = [{"sha256": one} for one in wanted if one in held and storage.blobs.has(one)]
    return JSONResponse({"success": success, "failed": failed})
