"""Pull requests, and the discussions that share their numbers.

Each is one JSON file in a repo's discussions/ folder; what a pull request would change is the commit at `refs/pr/N`.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.storage import Commit, Files, Repo, Storage, format_now

Status = Literal["draft", "open", "closed", "merged"]


@dataclass(frozen=True)
class Discussion:
    """`base` is the commit that a pull request starts from, None for a discussion; `events` are as the client reads them."""

    num: int
    title: str
    author: str
    created_at: str
    status: Status
    base: str | None = None
    merge_commit: str | None = None
    events: tuple[dict[str, Any], ...] = field(default=())


def list_discussions(storage: Storage, repo: Repo) -> list[Discussion]:
    """Return them all, the newest first."""
    paths = (storage.folder(repo) / "discussions").glob("*.json")
    return [
        read_discussion(storage, repo, num)
        for num in sorted((int(path.stem) for path in paths), reverse=True)
    ]


def read_discussion(storage: Storage, repo: Repo, num: int) -> Discussion:
    """Return one; raise HubError 404 where it is not there."""
    try:
        text = (storage.folder(repo) / "discussions" / f"{num}.json").read_text()
    except OSError:
        raise HubError(404, f"{repo.id} has no discussion {num}") from None
    body = json.loads(text)
    return Discussion(**{**body, "events": tuple(body["events"])})


def write_discussion(storage: Storage, repo: Repo, discussion: Discussion) -> None:
    storage.write(
        storage.folder(repo) / "discussions" / f"{discussion.num}.json", asdict(discussion)
    )


def open_discussion(
    storage: Storage,
    repo: Repo,
    title: str,
    description: str,
    author: str,
    head: Commit | None,
    base: Commit | None,
) -> Discussion:
    """Open a discussion, or a pull request for the commit `head` that was made on top of `base`; it is a draft while they are the same."""
    with storage.lock:
        storage.again(repo)
        num = max((one.num for one in list_discussions(storage, repo)), default=0) + 1
        if head:
            storage.set_ref(repo, "pulls", str(num), head.id)
        status: Status = "draft" if head and head == base else "open"
        opened = Discussion(num, title, author, format_now(), status, base.id if base else None)
        opened = replace(
            opened, events=(create_comment(author, description),) if description else ()
        )
        write_discussion(storage, repo, opened)
    return opened


def add_events(
    storage: Storage, repo: Repo, num: int, *events: dict[str, Any], **changes: Any
) -> Discussion:
    """Add events to a discussion, and change it."""
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
    return create_event(
        "comment", author, {"edited": False, "hidden": False, "latest": latest, "history": [latest]}
    )


def create_status_events(author: str, status: str, text: str) -> list[dict[str, Any]]:
    """Return what is said of a change of status: the comment that goes with it, if any, and the change."""
    return [
        *([create_comment(author, text)] if text else []),
        create_event("status-change", author, {"status": status}),
    ]


def change_status(
    storage: Storage, repo: Repo, num: int, author: str, status: str, text: str
) -> Discussion:
    """Open or close a discussion; raise HubError 400 where it was merged."""
    with storage.lock:
        if (
            status not in ("open", "closed")
            or read_discussion(storage, repo, num).status == "merged"
        ):
            raise HubError(
                400, f"a discussion that is not merged can be open or closed, not {status!r}"
            )
        return add_events(
            storage, repo, num, *create_status_events(author, status, text), status=status
        )


def merge_pull_request(
    storage: Storage, repo: Repo, num: int, author: str, text: str
) -> Discussion:
    """Bring a pull request's changes into main; raise HubError 409 where it is no open one, or where main changed the same files."""
    with storage.lock:
        pull = read_discussion(storage, repo, num)
        if pull.base is None or pull.status not in ("draft", "open"):
            raise HubError(409, f"{num} is no pull request that waits: it is {pull.status}")
        base, head = storage.resolve(repo, pull.base), storage.resolve(repo, f"refs/pr/{num}")
        conflicts = list_conflicts(base.files, head.files, storage.resolve(repo, "main").files)
        if conflicts:
            raise HubError(
                409, f"main changed since: {', '.join(conflicts)}; make the pull request again"
            )
        made = storage.commit(
            repo,
            "main",
            lambda files: merge_files(base.files, head.files, files),
            f"{pull.title} (#{num})",
            text,
            author,
        )
        return add_events(
            storage,
            repo,
            num,
            *create_status_events(author, "merged", text),
            status="merged",
            merge_commit=made.id,
        )


def list_changed_paths(old: Files, new: Files) -> list[str]:
    """Return the paths that two commits have not alike."""
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def list_conflicts(base: Files, ours: Files, theirs: Files) -> list[str]:
    """Return the paths that both sides changed since the base, to different ends."""
    return [
        path
        for path in list_changed_paths(base, ours)
        if theirs.get(path) not in (base.get(path), ours.get(path))
    ]


def merge_files(base: Files, ours: Files, theirs: Files) -> Files:
    """Return their files with what we changed since the base."""
    wanted: Mapping[str, Any] = {path: ours.get(path) for path in list_changed_paths(base, ours)}
    return {path: entry for path, entry in {**theirs, **wanted}.items() if entry is not None}
