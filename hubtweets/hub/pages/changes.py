"""The changes between two commits, as pages show them: files, and the lines of their diffs."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from starlette.requests import Request

from hubtweets.hub.api.requests import can_read_files, get_storage
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.diff import diff_commits, list_changed_paths
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage

MAX_DIFF_LINES, MAX_FILE_LINES, MAX_OPEN_LINES = 2000, 500, 40  # of a page, of a file, if open
MAX_DIFF_COLUMNS = 1000
LINE_KINDS = {"+": "added", "-": "removed", "@": "place"}


class FileChange(NamedTuple):
    """A changed file: its path, "added", "removed" or "changed", and (kind, line) of its diff.

    Short diffs are shown open.
    """

    path: str
    what: str
    lines: list[tuple[str, str]]
    is_cut: bool

    @property
    def is_short(self) -> bool:
        return self.count("place") > 0 and len(self.lines) <= MAX_OPEN_LINES

    def count(self, kind: str) -> int:
        """Return how many lines are of a kind, such as "added"."""
        return sum(one == kind for one, _ in self.lines)


def list_changes(request: Request, repo: Repo, old: Commit, new: Commit) -> list[FileChange]:
    """Return the changes between two commits.

    If the user may not read a gated repo's files, only the card has lines.
    """
    storage, hidden = get_storage(request), not can_read_files(request, repo)
    left, changes = MAX_DIFF_LINES, []
    for path in list_changed_paths(old.files, new.files):
        found: Iterator[tuple[str, str]] = iter(())
        if not hidden or path == "README.md":
            found = diff_file(storage, old, new, path)
        lines = list(islice(found, min(left, MAX_FILE_LINES)))
        left -= len(lines)
        is_cut = next(found, None) is not None
        changes.append(FileChange(path, name_change(old, new, path), lines, is_cut))
    return changes


def name_change(old: Commit, new: Commit, path: str) -> str:
    if path not in new.files:
        return "removed"
    return "changed" if path in old.files else "added"


def diff_file(storage: Storage, old: Commit, new: Commit, path: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, line) of one file's diff."""
    before, after = (
        replace(commit, files={path: commit.files[path]} if path in commit.files else {})
        for commit in (old, new)
    )
    for number, line in enumerate(diff_commits(storage, before, after)):
        if number > 2 or not line.startswith(("diff ", "--- ", "+++ ")):  # the path is known
            yield LINE_KINDS.get(line[:1], ""), line.rstrip("\n")[:MAX_DIFF_COLUMNS]
