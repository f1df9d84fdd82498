"""Differences between commits: changed paths, conflicts, three-way merges, unified diffs."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from hubtweets.hub.storage.commits import Commit, Files
from hubtweets.hub.storage.storage import Storage

MAX_DIFF_BYTES = 2**20  # of a file
MAX_DIFF_LINES = 5000  # of a file; difflib's time grows with their square


def list_changed_paths(old: Files, new: Files) -> list[str]:
    """Return the paths whose entries differ between two commits, sorted."""
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def list_conflicts(base: Files, ours: Files, theirs: Files) -> list[str]:
    """Return the paths that both sides changed since the base, to different contents."""
    return [
        path
        for path in list_changed_paths(base, ours)
        if theirs.get(path) not in (base.get(path), ours.get(path))
    ]


def merge_files(base: Files, ours: Files, theirs: Files) -> Files:
    """Apply our changes since the base to their files."""
    wanted: Mapping[str, Any] = {path: ours.get(path) for path in list_changed_paths(base, ours)}
    return {path: entry for path, entry in {**theirs, **wanted}.items() if entry is not None}


def diff_commits(storage: Storage, old: Commit, new: Commit) -> Iterator[str]:
    """Yield a unified diff of two commits; binary and large files get one line."""
    for path in list_changed_paths(old.files, new.files):
        yield f"diff --git a/{path} b/{path}\n"
        before, after = (read_text_lines(storage, commit, path) for commit in (old, new))
        if before is None or after is None:
            yield f"Binary files a/{path} and b/{path} differ\n"
        else:
            yield from difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")


def read_text_lines(storage: Storage, commit: Commit, path: str) -> list[str] | None:
    """Return a file's lines, [] if it is missing, None if it is large, long or not UTF-8."""
    entry = commit.files.get(path)
    if entry is None:
        return []
    if entry.lfs or entry.size > MAX_DIFF_BYTES:
        return None
    try:
        text = storage.blobs.path(entry.sha256).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    lines = text.splitlines(keepends=True)
    if len(lines) > MAX_DIFF_LINES:
        return None
    return [line if line.endswith("\n") else line + "\n" for line in lines]
