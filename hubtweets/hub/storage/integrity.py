"""Checks that the Hub's folder is complete, and removes files that no ref reaches.

Reachable are the commits that refs lead to, and the contents that those commits name. All other
files are orphans: uploads whose commit never came, remains of deleted repos, and the xorbs that
Xet clients sent besides the files made of them. Nothing that is read here is trusted.
"""

import hashlib
import json
import os
import re
import secrets
import stat
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import (
    SHA256,
    Entry,
    compute_git_oid,
    format_lfs_pointer,
    read_blocks,
)
from hubtweets.hub.storage.commits import compute_commit_id
from hubtweets.hub.storage.pull_requests import Discussion
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage
from hubtweets.progress import report_progress

MIN_AGE_SECONDS = 3600.0  # a younger file may belong to a push that is still running
SHA1 = re.compile(r"[0-9a-f]{40}")
# what reading tampered JSON can raise
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Orphans:
    """The size in bytes of each orphan: `old` ones may be removed, `young` ones are kept.

    All of the young ones may be removed from the time `until` on, in seconds since the epoch.
    """

    old: dict[Path, int]
    young: dict[Path, int]
    until: float


@dataclass(frozen=True)
class IntegrityReport:
    """`faults` has one line for each problem."""

    repos: int
    commits: int
    contents: int
    size: int
    faults: list[str]
    orphans: Orphans


@dataclass(frozen=True)
class Reachable:
    """What the refs lead to, and the faults found on the way."""

    repos: set[Path] = field(default_factory=set)
    commits: set[Path] = field(default_factory=set)
    entries: set[Entry] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def check_storage(storage: Storage) -> IntegrityReport:
    """Read all that is reachable and compare every hash.

    Compared are the SHA-256, size and git id of contents, the ids of commits, and what refs and
    parents name.
    """
    with storage.lock:  # released before the contents are read, which never change
        reachable = find_reachable(storage)
        orphans = split_orphans(storage, reachable, MIN_AGE_SECONDS)
    wanted: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(reachable.entries, key=lambda entry: entry.size):
        wanted[entry.sha256].append(entry)
    total = sum(entries[0].size for entries in wanted.values())
    faults = list(reachable.faults)
    checked = 0
    for sha256, entries in sorted(wanted.items()):
        path = storage.blobs.path(sha256)
        name = path.relative_to(storage.root)
        faults.extend(f"{name}: {fault}" for fault in find_faults(path, entries))
        checked += entries[0].size
        report_progress("bytes checked", checked, total)
    repos, commits = len(reachable.repos), len(reachable.commits)
    return IntegrityReport(repos, commits, len(wanted), total, faults, orphans)


def collect_garbage(storage: Storage, min_age: float = MIN_AGE_SECONDS) -> Orphans:
    """Remove orphans that were not used for `min_age` seconds, and return all there were.

    Raises HubError 500 if a reachable file is missing: an orphan may then be all that is left.
    """
    with storage.lock:  # blocks commits
        reachable = find_reachable(storage)
        check_nothing_is_missing(storage, reachable)
        orphans = split_orphans(storage, reachable, min_age)
        if any(path.is_relative_to(storage.root / "xorbs") for path in orphans.old):
            # clients remember by this name what they uploaded
            storage.write(storage.root / "instance", secrets.token_hex(20))
        for path in orphans.old:  # commits first, so that none is left without its contents
            path.unlink(missing_ok=True)
    return orphans


def split_orphans(storage: Storage, reachable: Reachable, min_age: float) -> Orphans:
    """Find the orphans, and keep those that were used in the last `min_age` seconds.

    Kept are also older files of a commit that is young: it may still get a branch.
    """
    since = time.time() - min_age
    found = find_orphans(storage, reachable)
    kept = Reachable(set(reachable.repos), set(reachable.commits), set(reachable.entries))
    for path, (_, changed) in found.items():
        if path.parent.name == "commits" and changed > since:
            follow_commits(storage, path, "", kept)
    left = find_orphan_paths(storage, kept)
    old = {path: found[path][0] for path in left if path in found and found[path][1] <= since}
    young = {path: size for path, (size, _) in found.items() if path not in old}
    until = max((found[path][1] for path in young), default=since) + min_age
    return Orphans(old, young, until)


def check_nothing_is_missing(storage: Storage, reachable: Reachable) -> None:
    """Raise HubError 500 if there are faults, or if a reachable content is missing."""
    faults = list(reachable.faults)
    for entry in reachable.entries:
        path = storage.blobs.path(entry.sha256)
        if not path.exists():
            faults.append(f"{path.relative_to(storage.root)}: is missing")
    if faults:
        raise HubError(500, f"{faults[0]}; nothing was removed")


def find_reachable(storage: Storage) -> Reachable:
    """Follow every ref of every repo."""
    reachable = Reachable()
    for repo in sorted(storage.root.glob("repos/*/*/*")):
        has_settings = (repo / "repo.json").exists()
        if not has_settings and len(list(repo.glob("commits/*"))) < 2:
            continue  # left by a server that was killed while it created the repo
        reachable.repos.add(repo)
        reachable.faults.extend(find_repo_faults(storage, repo))
        for ref in sorted(repo.glob("refs/*/*")):
            follow_ref(storage, repo, ref, reachable)
    return reachable


def find_repo_faults(storage: Storage, repo: Path) -> Iterator[str]:
    """Yield the faults of a repo's discussions, its settings and its main branch."""
    for path in sorted(repo.glob("discussions/*")):
        if not is_discussion(path):
            yield f"{path.relative_to(storage.root)}: can't be read"
    settings = repo / "repo.json"
    if not has_valid_settings(settings):
        yield f"{settings.relative_to(storage.root)}: can't be read"
    if not (repo / "refs" / "branches" / "main").exists():
        yield f"{repo.relative_to(storage.root)}: has no main"


def follow_ref(storage: Storage, repo: Path, ref: Path, reachable: Reachable) -> None:
    """Add what a ref leads to."""
    name = ref.relative_to(storage.root)
    try:
        sha = ref.read_text()
    except (OSError, ValueError):
        sha = ""
    if SHA1.fullmatch(sha):
        commit = repo / "commits" / f"{sha}.json"
        follow_commits(storage, commit, f"{name} leads to it, and ", reachable)
    else:
        reachable.faults.append(f"{name}: is no commit's id")


def has_valid_settings(path: Path) -> bool:
    try:
        repo = Repo("", "", **json.loads(path.read_bytes()))
    except UNREADABLE:
        return False
    return isinstance(repo.private, bool) and isinstance(repo.created_at, str)


def is_discussion(path: Path) -> bool:
    try:
        discussion = Discussion(**json.loads(path.read_bytes()))
    except UNREADABLE:
        return False
    return path.name == f"{discussion.num}.json"


def follow_commits(storage: Storage, path: Path, origin: str, reachable: Reachable) -> None:
    """Add a commit, its ancestors and their entries; `origin` says what leads to the first."""
    while path not in reachable.commits:
        name = path.relative_to(storage.root)
        try:
            body = json.loads(path.read_bytes())
            entries, parent = parse_entries(body), body["parent"]
            if parent is not None and not SHA1.fullmatch(parent):
                raise ValueError(parent)
        except UNREADABLE:
            reachable.faults.append(f"{name}: {origin}it is missing or can't be read")
            return
        if compute_commit_id(body) != path.stem:
            reachable.faults.append(f"{name}: its content does not match its id")
        reachable.commits.add(path)
        reachable.entries.update(entries)
        if parent is None:
            return
        path, origin = path.with_name(f"{parent}.json"), f"{name} leads to it, and "


def parse_entries(body: dict[str, dict[str, dict[str, object]]]) -> list[Entry]:
    """Return the entries of a commit; raise one of UNREADABLE if they are invalid."""
    found = [Entry(**entry) for entry in body["files"].values()]  # type: ignore[arg-type]
    for entry in found:
        types = type(entry.size) is int and isinstance(entry.oid, str) and type(entry.lfs) is bool
        if not SHA256.fullmatch(entry.sha256) or not types:
            raise ValueError(entry)
    return found


def find_faults(path: Path, entries: list[Entry]) -> Iterator[str]:
    """Yield the faults of a content, and of the entries that name it."""
    try:
        size = path.stat().st_size
        digest, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size)
        for block in read_blocks(path):
            digest.update(block)
            git.update(block)
    except OSError as error:
        yield f"a commit names it, and {error.strerror}"
        return
    sha256 = digest.hexdigest()
    if sha256 != path.name:
        yield f"has {size} bytes with sha256 {sha256}"
        return
    for entry in entries:
        oid = compute_git_oid(format_lfs_pointer(sha256, size)) if entry.lfs else git.hexdigest()
        if (entry.size, entry.oid) != (size, oid):
            told = f"{entry.size} with {entry.oid}"
            yield f"has {size} bytes with git's id {oid}, not {told} as a commit says"


def find_orphans(storage: Storage, reachable: Reachable) -> dict[Path, tuple[int, float]]:
    """Return each orphan's size and time of change, commits before the contents they name."""
    orphans = {}
    for path in find_orphan_paths(storage, reachable):
        try:
            about = path.stat()
        except FileNotFoundError:  # an upload that has just ended
            continue
        if stat.S_ISREG(about.st_mode):
            orphans[path] = (about.st_size, about.st_mtime)
    return orphans


def find_orphan_paths(storage: Storage, reachable: Reachable) -> Iterator[Path]:
    root = storage.root
    contents = {storage.blobs.path(entry.sha256) for entry in reachable.entries}
    for path in root.glob("repos/*/*/*/commits/*"):
        if path not in reachable.commits:
            yield path
    for path in root.glob("repos/*/*/*/refs/*/*"):
        if path.parents[2] not in reachable.repos:
            yield path
    for path in root.glob("blobs/*/*"):
        if path not in contents:
            yield path
    for name in ("xorbs", "parts", "tmp"):  # os.walk, unlike glob, lets folders vanish meanwhile
        for folder, _, names in os.walk(root / name):
            yield from (Path(folder, name) for name in names)
