"""Endpoints for pull requests and discussions."""

from itertools import takewhile
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.paging import parse_number
from hubtweets.hub.api.requests import (
    can_read_files,
    get_path_param,
    get_repo,
    get_storage,
    read_json,
    require_writer,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.diff import diff_commits, list_conflicts
from hubtweets.hub.storage.pull_requests import Discussion, read_discussion
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import REFS, Storage

PAGE_SIZE = 50


def describe_discussion(repo: Repo, one: Discussion) -> dict[str, Any]:
    return {
        "num": one.num,
        "title": one.title,
        "author": {"name": one.author},
        "createdAt": one.created_at,
        "status": one.status,
        "repo": {"name": repo.id, "type": repo.kind.removesuffix("s")},
        "isPullRequest": one.base is not None,
    }


def describe_with_events(storage: Storage, repo: Repo, one: Discussion) -> dict[str, Any]:
    """Return a discussion with its events; a pull request also with its commits and conflicts."""
    answer = {**describe_discussion(repo, one), "events": list(one.events)}
    if one.base is None:
        return answer
    base, head = storage.resolve(repo, one.base), storage.resolve(repo, f"refs/pr/{one.num}")
    answer["changes"] = {"base": REFS["branches"] + one.target}
    if one.merge_commit:
        answer["changes"]["mergeCommitId"] = one.merge_commit
        answer["filesWithConflicts"] = []
    else:
        current = find_target(storage, repo, one) or base
        answer["filesWithConflicts"] = list_conflicts(base.files, head.files, current.files)
    pushed = takewhile(lambda commit: commit.id != base.id, storage.walk_history(repo, head))
    events = [*one.events, *map(create_commit_event, pushed)]
    answer["events"] = sorted(events, key=lambda event: event["createdAt"])
    return answer


def find_target(storage: Storage, repo: Repo, one: Discussion) -> Commit | None:
    """Return the head of the branch that a pull request is for, None if it was deleted."""
    try:
        return storage.resolve_branch(repo, one.target)
    except HubError:
        return None


def create_commit_event(commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.id,
        "type": "commit",
        "createdAt": commit.date,
        "author": {"name": commit.author},
        "data": {"subject": commit.title, "oid": commit.id},
    }


def get_number(request: Request) -> int:
    """Return the number in the path; raise HubError 404 if it is none."""
    digits = get_path_param(request, "num")
    number = parse_number(digits)
    if number is None:
        raise HubError(404, f"no discussion {digits}")
    return number


async def list_discussions(request: Request) -> Response:
    """List page `p` of discussions and pull requests, filtered by `type`, `status` and `author`."""
    query, repo = request.query_params, get_repo(request)
    every = await run_in_threadpool(pull_requests.list_discussions, get_storage(request), repo)
    found = [one for one in every if is_wanted(query, one)]
    start = PAGE_SIZE * (parse_number(query.get("p", "0")) or 0)
    shown = [describe_discussion(repo, one) for one in found[start : start + PAGE_SIZE]]
    return JSONResponse({"discussions": shown, "count": len(found), "start": start})


def is_wanted(query: QueryParams, one: Discussion) -> bool:
    """Check whether a discussion passes the filters of a listing."""
    kind = "discussion" if one.base is None else "pull_request"
    status = "closed" if one.status in ("closed", "merged") else "open"
    return (
        query.get("type") in (None, "all", kind)
        and query.get("status") in (None, "all", status)
        and query.get("author") in (None, one.author)
    )


def show_discussion(request: Request) -> Response:
    """Describe a discussion; a pull request with its diff, if the user may read the files."""
    repo, storage = get_repo(request), get_storage(request)
    one = read_discussion(storage, repo, get_number(request))
    answer = describe_with_events(storage, repo, one)
    if one.base is not None and can_read_files(request, repo):
        base, head = storage.resolve(repo, one.base), storage.resolve(repo, f"refs/pr/{one.num}")
        answer["diff"] = "".join(diff_commits(storage, base, head))
    return JSONResponse(answer)


async def create_discussion(request: Request) -> Response:
    user, repo, storage = require_writer(request), get_repo(request), get_storage(request)
    body = await read_json(request)
    head = storage.resolve(repo, "main") if body.get("pullRequest") else None
    title, description = str(body.get("title") or ""), str(body.get("description") or "")
    one = await run_in_threadpool(
        pull_requests.open_discussion, storage, repo, title, description, user, head, head
    )
    return JSONResponse(describe_discussion(repo, one))


async def add_comment(request: Request) -> Response:
    user, body = require_writer(request), await read_json(request)
    storage, repo, number = get_storage(request), get_repo(request), get_number(request)
    event = pull_requests.create_comment(user, str(body.get("comment") or ""))
    await run_in_threadpool(pull_requests.add_events, storage, repo, number, event)
    return JSONResponse({"newMessage": event})


async def rename_discussion(request: Request) -> Response:
    user, repo, storage = require_writer(request), get_repo(request), get_storage(request)
    title = str((await read_json(request)).get("title") or "")
    number = get_number(request)
    change = {"from": read_discussion(storage, repo, number).title, "to": title}
    event = pull_requests.create_event("title-change", user, change)
    await run_in_threadpool(pull_requests.add_events, storage, repo, number, event, title=title)
    return JSONResponse({"newTitle": event})


async def change_status(request: Request) -> Response:
    user, body = require_writer(request), await read_json(request)
    storage, repo, number = get_storage(request), get_repo(request), get_number(request)
    status, text = str(body.get("status")), str(body.get("comment") or "")
    one = await run_in_threadpool(
        pull_requests.change_status, storage, repo, number, user, status, text
    )
    return JSONResponse({"newStatus": one.events[-1]})


async def merge_pull_request(request: Request) -> Response:
    user, storage, repo = require_writer(request), get_storage(request), get_repo(request)
    text = str((await read_json(request)).get("comment") or "")
    merge, number = pull_requests.merge_pull_request, get_number(request)
    one = await run_in_threadpool(merge, storage, repo, number, user, text)
    return JSONResponse(describe_discussion(repo, one))
