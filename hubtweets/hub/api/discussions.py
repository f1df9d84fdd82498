"""The requests about pull requests and discussions."""

import difflib
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.requests import json_of, may_read, part, repo_of, storage_of, writer
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.pull_requests import Discussion
from hubtweets.hub.storage.storage import Commit, Repo, Storage

PAGE = 50
DIFF_LINES = 5000  # difflib takes time with the square of them


def describe(repo: Repo, one: Discussion) -> dict[str, Any]:
    return {
        "num": one.num,
        "title": one.title,
        "author": {"name": one.author},
        "createdAt": one.created_at,
        "status": one.status,
        "repo": {"name": repo.id, "type": repo.kind.removesuffix("s")},
        "isPullRequest": one.base is not None,
    }


def describe_whole(storage: Storage, repo: Repo, one: Discussion) -> dict[str, Any]:
    """Return a discussion with its events, a pull request with what main has changed since."""
    answer = {**describe(repo, one), "events": list(one.events)}
    if one.base is not None:
        base, head = storage.resolve(repo, one.base), storage.resolve(repo, f"refs/pr/{one.num}")
        answer["changes"] = {"base": "refs/heads/main"} | (
            {"mergeCommitId": one.merge_commit} if one.merge_commit else {}
        )
        answer["filesWithConflicts"] = (
            []
            if one.merge_commit
            else pull_requests.conflicting(
                base.files, head.files, storage.resolve(repo, "main").files
            )
        )
        pushed = takewhile(lambda commit: commit.id != base.id, storage.history(repo, head))
        answer["events"] = sorted(
            [*one.events, *map(commit_event, pushed)], key=lambda event: event["createdAt"]
        )
    return answer


def commit_event(commit: Commit) -> dict[str, Any]:
    data = {"subject": commit.title, "oid": commit.id}
    return {
        "id": commit.id,
        "type": "commit",
        "createdAt": commit.date,
        "author": {"name": commit.author},
        "data": data,
    }


def diff(storage: Storage, old: Commit, new: Commit) -> Iterator[str]:
    """Yield what two commits have not alike, as `diff -u` writes it; of large files and long ones only their names."""
    for path in pull_requests.changed(old.files, new.files):
        yield f"diff --git a/{path} b/{path}\n"
        texts = [text_lines(storage, commit, path) for commit in (old, new)]
        if None in texts:
            yield f"Binary files a/{path} and b/{path} differ\n"
        else:
            yield from difflib.unified_diff(
                texts[0] or [], texts[1] or [], f"a/{path}", f"b/{path}"
            )


def text_lines(storage: Storage, commit: Commit, path: str) -> list[str] | None:
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


def number(request: Request) -> int:
    digits = part(request, "num")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise HubError(404, f"no discussion {digits}")
    return int(digits)


async def listing(request: Request) -> Response:
    """List discussions and pull requests by page `p`, of a `type`, a `status` and an `author` where asked."""
    query, repo = request.query_params, repo_of(request)
    found = await run_in_threadpool(pull_requests.discussions, storage_of(request), repo)
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
    start = PAGE * int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 0
    shown = [describe(repo, one) for one in found[start : start + PAGE]]
    return JSONResponse({"discussions": shown, "count": len(found), "start": start})


def details(request: Request) -> Response:
    """Describe a discussion, and where that may be seen, what its pull request changes."""
    repo, storage = repo_of(request), storage_of(request)
    one = pull_requests.read(storage, repo, number(request))
    answer = describe_whole(storage, repo, one)
    if one.base is not None and may_read(request, repo):
        answer["diff"] = "".join(
            diff(
                storage,
                storage.resolve(repo, one.base),
                storage.resolve(repo, f"refs/pr/{one.num}"),
            )
        )
    return JSONResponse(answer)


async def create(request: Request) -> Response:
    user, repo, storage, body = (
        writer(request),
        repo_of(request),
        storage_of(request),
        await json_of(request),
    )
    head = storage.resolve(repo, "main") if body.get("pullRequest") else None
    title, description = str(body.get("title") or ""), str(body.get("description") or "")
    one = await run_in_threadpool(
        pull_requests.open_discussion, storage, repo, title, description, user, head, head
    )
    return JSONResponse(describe(repo, one))


async def comment(request: Request) -> Response:
    user, body = writer(request), await json_of(request)
    event = pull_requests.comment(user, str(body.get("comment") or ""))
    await run_in_threadpool(
        pull_requests.add_events, storage_of(request), repo_of(request), number(request), event
    )
    return JSONResponse({"newMessage": event})


async def rename(request: Request) -> Response:
    user, repo, storage, title = (
        writer(request),
        repo_of(request),
        storage_of(request),
        str((await json_of(request)).get("title") or ""),
    )
    event = pull_requests.event(
        "title-change",
        user,
        {"from": pull_requests.read(storage, repo, number(request)).title, "to": title},
    )
    await run_in_threadpool(
        pull_requests.add_events, storage, repo, number(request), event, title=title
    )
    return JSONResponse({"newTitle": event})


async def change_status(request: Request) -> Response:
    user, body, storage, repo = (
        writer(request),
        await json_of(request),
        storage_of(request),
        repo_of(request),
    )
    status, text = str(body.get("status")), str(body.get("comment") or "")
    one = await run_in_threadpool(
        pull_requests.change_status, storage, repo, number(request), user, status, text
    )
    return JSONResponse({"newStatus": one.events[-1]})


async def merge(request: Request) -> Response:
    user, storage, repo = writer(request), storage_of(request), repo_of(request)
    text = str((await json_of(request)).get("comment") or "")
    one = await run_in_threadpool(pull_requests.merge, storage, repo, number(request), user, text)
    return JSONResponse(describe(repo, one))
