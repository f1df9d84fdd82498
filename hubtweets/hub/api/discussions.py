"""The requests about pull requests and discussions."""

import difflib
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

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
from hubtweets.hub.storage.pull_requests import Discussion
from hubtweets.hub.storage.storage import Commit, Repo, Storage

PAGE_SIZE = 50
DIFF_LINES = 5000  # difflib takes time with the square of them


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
    """Return a discussion with its events, a pull request with what main has changed since."""
    answer = {**describe_discussion(repo, one), "events": list(one.events)}
    if one.base is not None:
        base, head = storage.resolve(repo, one.base), storage.resolve(repo, f"refs/pr/{one.num}")
        answer["changes"] = {"base": "refs/heads/main"} | (
            {"mergeCommitId": one.merge_commit} if one.merge_commit else {}
        )
        answer["filesWithConflicts"] = (
            []
            if one.merge_commit
            else pull_requests.list_conflicts(
                base.files, head.files, storage.resolve(repo, "main").files
            )
        )
        pushed = takewhile(lambda commit: commit.id != base.id, storage.history(repo, head))
        answer["events"] = sorted(
            [*one.events, *map(create_commit_event, pushed)], key=lambda event: event["createdAt"]
        )
    return answer


def create_commit_event(commit: Commit) -> dict[str, Any]:
    data = {"subject": commit.title, "oid": commit.id}
    return {
        "id": commit.id,
        "type": "commit",
        "createdAt": commit.date,
        "author": {"name": commit.author},
        "data": data,
    }


def diff_commits(storage: Storage, old: Commit, new: Commit) -> Iterator[str]:
    """Yield what two commits have not alike, as `diff -u` writes it; of large files and long ones only their names."""
    for path in pull_requests.list_changed_paths(old.files, new.files):
        yield f"diff --git a/{path} b/{path}\n"
        texts = [read_text_lines(storage, commit, path) for commit in (old, new)]
        if None in texts:
            yield f"Binary files a/{path} and b/{path} differ\n"
        else:
            yield from difflib.unified_diff(
                texts[0] or [], texts[1] or [], f"a/{path}", f"b/{path}"
            )


def read_text_lines(storage: Storage, commit: Commit, path: str) -> list[str] | None:
    """Return a file's lines, none of a file that is not there; None where it is large, long or no text."""
    entry = commit.files.get(path)
    if entry is None:
        return []
    if entry.lfs or entry.size > 2**20:
        return None
    try:
        lines = (
            storage.blobs.path(entry.sha256).read_text(encoding="utf-8").splitlines(keepends=True)
        )
    except UnicodeDecodeError:
        return None
    return (
        None
        if len(lines) > DIFF_LINES
        else [line if line.endswith("\n") else line + "\n" for line in lines]
    )


def parse_number(request: Request) -> int:
    digits = get_path_param(request, "num")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise HubError(404, f"no discussion {digits}")
    return int(digits)


async def list_discussions(request: Request) -> Response:
    """List discussions and pull requests by page `p`, of a `type`, a `status` and an `author` where asked."""
    query, repo = request.query_params, get_repo(request)
    found = await run_in_threadpool(pull_requests.list_discussions, get_storage(request), repo)
    kind, status, author = query.get("type"), query.get("status"), query.get("author")
    found = [
        one
        for one in found
        if kind in (None, "all", "pull_request" if one.base is not None else "discussion")
    ]
    found = [
        one
        for one in found
        if status in (None, "all", "closed" if one.status in ("closed", "merged") else "open")
    ]
    found = [one for one in found if author in (None, one.author)]
    page = query.get("p", "0")
    start = PAGE_SIZE * int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 0
    shown = [describe_discussion(repo, one) for one in found[start : start + PAGE_SIZE]]
    return JSONResponse({"discussions": shown, "count": len(found), "start": start})


def show_discussion(request: Request) -> Response:
    """Describe a discussion, and where that may be seen, what its pull request changes."""
    repo, storage = get_repo(request), get_storage(request)
    one = pull_requests.read_discussion(storage, repo, parse_number(request))
    answer = describe_with_events(storage, repo, one)
    if one.base is not None and can_read_files(request, repo):
        answer["diff"] = "".join(
            diff_commits(
                storage,
                storage.resolve(repo, one.base),
                storage.resolve(repo, f"refs/pr/{one.num}"),
            )
        )
    return JSONResponse(answer)


async def create_discussion(request: Request) -> Response:
    user, repo, storage, body = (
        require_writer(request),
        get_repo(request),
        get_storage(request),
        await read_json(request),
    )
    head = storage.resolve(repo, "main") if body.get("pullRequest") else None
    title, description = str(body.get("title") or ""), str(body.get("description") or "")
    one = await run_in_threadpool(
        pull_requests.open_discussion, storage, repo, title, description, user, head, head
    )
    return JSONResponse(describe_discussion(repo, one))


async def add_comment(request: Request) -> Response:
    user, body = require_writer(request), await read_json(request)
    event = pull_requests.create_comment(user, str(body.get("comment") or ""))
    await run_in_threadpool(
        pull_requests.add_events,
        get_storage(request),
        get_repo(request),
        parse_number(request),
        event,
    )
    return JSONResponse({"newMessage": event})


async def rename_discussion(request: Request) -> Response:
    user, repo, storage, title = (
        require_writer(request),
        get_repo(request),
        get_storage(request),
        str((await read_json(request)).get("title") or ""),
    )
    event = pull_requests.create_event(
        "title-change",
        user,
        {
            "from": pull_requests.read_discussion(storage, repo, parse_number(request)).title,
            "to": title,
        },
    )
    await run_in_threadpool(
        pull_requests.add_events, storage, repo, parse_number(request), event, title=title
    )
    return JSONResponse({"newTitle": event})


async def change_status(request: Request) -> Response:
    user, body, storage, repo = (
        require_writer(request),
        await read_json(request),
        get_storage(request),
        get_repo(request),
    )
    status, text = str(body.get("status")), str(body.get("comment") or "")
    one = await run_in_threadpool(
        pull_requests.change_status, storage, repo, parse_number(request), user, status, text
    )
    return JSONResponse({"newStatus": one.events[-1]})


async def merge_pull_request(request: Request) -> Response:
    user, storage, repo = require_writer(request), get_storage(request), get_repo(request)
    text = str((await read_json(request)).get("comment") or "")
    one = await run_in_threadpool(
        pull_requests.merge_pull_request, storage, repo, parse_number(request), user, text
    )
    return JSONResponse(describe_discussion(repo, one))
