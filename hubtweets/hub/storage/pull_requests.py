"""Pull requests and discussions, which share their numbers.

Each is one JSON file in a repo's discussions/ folder. The commit at `refs/pr/N` holds what a pull
request would change.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.diff import list_conflicts, merge_files
from hubtweets.hub.storage.repo import Repo, format_now
from hubtweets.hub.storage.storage import Storage

Status = Literal["draft", "open", "closed", "merged"]


@dataclass(frozen=True)
class Discussion:
    """A discussion, or a pull request if `base`, the commit it starts from, is set.

    `events` are in the form that the client reads.
    """

    num: int
    title: str
    author: str
    created_at: str
    status: Status
    base: str | None = None
    merge_commit: str | None = None
    target: str = "main"  # the branch to merge into
    events: tuple[dict[str, Any], ...] = field(default=())


def list_discussions(storage: Storage, repo: Repo) -> list[Discussion]:
    """Return a repo's discussions and pull requests, newest first."""
    paths = (storage.get_folder(repo) / "discussions").glob("*.json")
    numbers = sorted((int(path.stem) for path in paths), reverse=True)
    return [read_discussion(storage, repo, num) for num in numbers]


def read_discussion(storage: Storage, repo: Repo, num: int) -> Discussion:
    """Return one discussion; raise HubError 404 if it is missing."""
    try:
        text = (storage.get_folder(repo) / "discussions" / f"{num}.json").read_text()
    except OSError:
        raise HubError(404, f"{repo.id} has no discussion {num}") from None
    body = json.loads(text)
    return Discussion(**{**body, "events": tuple(body["events"])})


def write_discussion(storage: Storage, repo: Repo, discussion: Discussion) -> None:
    path = storage.get_folder(repo) / "discussions" / f"{discussion.num}.json"
    storage.write(path, asdict(discussion))


def open_discussion(
    storage: Storage,
    repo: Repo,
    title: str,
    description: str,
    author: str,
    head: Commit | None,
    base: Commit | None,
    target: str = "main",
) -> Discussion:
    """Open a discussion, or a pull request for the commit `head` made on top of `base`.

    A pull request is a draft while `head` and `base` are the same.
    """
    with storage.lock:
        storage.reload_repo(repo)
        num = max((one.num for one in list_discussions(storage, repo)), default=0) + 1
        if head:
            storage.set_ref(repo, "pulls", str(num), head.id)
        status: Status = "draft" if head and head == base else "open"
        events = (create_comment(author, description),) if description else ()
        opened = Discussion(
            num,
            title,
            author,
            format_now(),
            status,
            base.id if base else None,
            target=target,
            events=events,
        )
        write_discussion(storage, repo, opened)
    return opened


def add_events(
    storage: Storage, repo: Repo, num: int, *events: dict[str, Any], **changes: Any
) -> Discussion:
    """Add events to a discussion and change its fields."""
    with storage.lock:
        old = read_discussion(storage, repo, num)
        new = replace(old, events=(*old.events, *events), **changes)
        write_discussion(storage, repo, new)
    return new


def create_event(kind: str, author: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(12),
        "type": kind,
        "createdAt": format_now(),
        "author": {"name": author},
        "data": data,
    }


def create_comment(author: str, text: str) -> dict[str, Any]:
    latest = {"raw": text, "html": "", "updatedAt": format_now(), "author": {"name": author}}
    data = {"edited": False, "hidden": False, "latest": latest, "history": [latest]}
    return create_event("comment", author, data)


def create_status_events(author: str, status: str, text: str) -> list[dict[str, Any]]:
    """Return the events of a status change: its comment, if any, and the change."""
    comments = [create_comment(author, text)] if text else []
    return [*comments, create_event("status-change", author, {"status": status})]


def change_status(
    storage: Storage, repo: Repo, num: int, author: str, status: str, text: str
) -> Discussion:
    """Open or close a discussion; raise HubError 400 if it was merged."""
    with storage.lock:
        if (
            status not in ("open", "closed")
            or read_discussion(storage, repo, num).status == "merged"
        ):
            raise HubError(
                400, f"only an unmerged discussion can be set to open or closed, not {status!r}"
            )
        events = create_status_events(author, status, text)
        return add_events(storage, repo, num, *events, status=status)


def merge_pull_request(
    storage: Storage, repo: Repo, num: int, author: str, text: str
) -> Discussion:
    """Merge a pull request into its branch.

    Raises HubError 409 if it is not an open pull request, or if the branch changed the same files.
    """
    with storage.lock:
        pull = read_discussion(storage, repo, num)
        if pull.base is None or pull.status not in ("draft", "open"):
            raise HubError(409, f"{num} is not an open pull request: it is {pull.status}")
        base, head = storage.resolve(repo, pull.base), storage.resolve(repo, f"refs/pr/{num}")
        current = storage.resolve_branch(repo, pull.target)
        conflicts = list_conflicts(base.files, head.files, current.files)
        if conflicts:
            raise HubError(
                409,
                f"{pull.target} changed since: {', '.join(conflicts)}; make the pull request again",
            )
        made = storage.create_commit(
            repo,
            pull.target,
            lambda files: merge_files(base.files, head.files, files),
            f"{pull.title} (#{num})",
            text,
            author,
        )
        events = create_status_events(author, "merged", text)
        return add_events(storage, repo, num, *events, status="merged", merge_commit=made.id)
