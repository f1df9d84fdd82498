"""Whether what the Hub keeps is whole, and what of it nobody needs any more.

Needed is what the refs lead to: commits, and the contents that they name. All else is an orphan: an upload whose commit never came, what a
deleted repo left, and what Xet clients sent beside the files that were made of it. Nothing that is read here is trusted to make sense.
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

from tqdm import tqdm

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import (
    SHA256,
    Entry,
    compute_git_oid,
    format_lfs_pointer,
    read_blocks,
)
from hubtweets.hub.storage.pull_requests import Discussion
from hubtweets.hub.storage.storage import Repo, Storage, compute_commit_id

MIN_AGE_SECONDS = (
    3600.0  # seconds; what was written or asked for since may belong to a push that still goes on
)
SHA1 = re.compile(r"[0-9a-f]{40}")
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)  # what JSON that was tampered with can raise


@dataclass(frozen=True)
class IntegrityReport:
    """`faults` says of each thing what is wrong with it, `orphans` has the size in bytes of each file that nobody needs."""

    repos: int
    commits: int
    contents: int
    size: int
    faults: list[str]
    orphans: dict[Path, int]


@dataclass(frozen=True)
class Reachable:
    """What the refs lead to, and what is wrong on the way."""

    repos: set[Path] = field(default_factory=set)
    commits: set[Path] = field(default_factory=set)
    entries: set[Entry] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def check_storage(storage: Storage) -> IntegrityReport:
    """Read everything that is needed and compare every hash: of contents (SHA-256, size, git's id), of commits, and what refs and parents name."""
    with storage.lock:  # for a moment: contents never change
        needed = find_reachable(storage)
        orphans = {path: size for path, (size, _) in find_unreachable(storage, needed).items()}
    wanted: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(needed.entries, key=lambda entry: entry.size):
        wanted[entry.sha256].append(entry)
    total = sum(entries[0].size for entries in wanted.values())
    with tqdm(total=total, desc="checking", unit="B", unit_scale=True, disable=None) as bar:
        for sha256, entries in sorted(wanted.items()):
            path = storage.blobs.path(sha256)
            needed.faults.extend(
                f"{path.relative_to(storage.root)}: {fault}" for fault in find_faults(path, entries)
            )
            bar.update(entries[0].size)
    return IntegrityReport(
        len(needed.repos), len(needed.commits), len(wanted), total, needed.faults, orphans
    )


def collect_garbage(storage: Storage, young: float = MIN_AGE_SECONDS) -> tuple[int, int]:
    """Remove what nobody needs and nobody asked for in the last `young` seconds; return how many files and bytes.

    Raises HubError 500 where something is missing, for then what looks like an orphan may be all that is left.
    """
    since = time.time() - young
    with storage.lock:  # no commit comes between
        needed = find_reachable(storage)
        paths = (storage.blobs.path(entry.sha256) for entry in needed.entries)
        faults = needed.faults + [
            f"{path.relative_to(storage.root)}: is missing" for path in paths if not path.exists()
        ]
        if faults:
            raise HubError(500, f"{faults[0]}; nothing was removed")
        for path, (_, changed) in find_unreachable(storage, needed).items():
            if path.parent.name == "commits" and changed > since:  # a branch may still be put there
                follow_commits(storage, path, "", needed)
        old = {
            path: size
            for path, (size, changed) in find_unreachable(storage, needed).items()
            if changed <= since
        }
        if any(
            path.is_relative_to(storage.root / "xorbs") for path in old
        ):  # clients remember under this name what they sent
            storage.write(storage.root / "instance", secrets.token_hex(20))
        for path in old:  # commits first: killed here, none is left without its contents
            path.unlink(missing_ok=True)
    return len(old), sum(old.values())


def find_reachable(storage: Storage) -> Reachable:
    """Follow every ref of every repo."""
    needed = Reachable()
    for repo in sorted(storage.root.glob("repos/*/*/*")):
        settings = repo / "repo.json"
        if (
            not settings.exists() and len(list(repo.glob("commits/*"))) < 2
        ):  # a server that was killed has begun it
            continue
        needed.repos.add(repo)
        hurt = [
            path for path in sorted(repo.glob("discussions/*")) if not has_valid_discussion(path)
        ] + [settings] * (not has_valid_settings(settings))
        needed.faults.extend(f"{path.relative_to(storage.root)}: can't be read" for path in hurt)
        if not (repo / "refs" / "branches" / "main").exists():
            needed.faults.append(f"{repo.relative_to(storage.root)}: has no main")
        for ref in sorted(repo.glob("refs/*/*")):
            try:
                sha = ref.read_text()
            except (OSError, ValueError):
                sha = ""
            if SHA1.fullmatch(sha):
                follow_commits(
                    storage,
                    repo / "commits" / f"{sha}.json",
                    f"{ref.relative_to(storage.root)} leads to it, and ",
                    needed,
                )
            else:
                needed.faults.append(f"{ref.relative_to(storage.root)}: is no commit's id")
    return needed


def has_valid_settings(path: Path) -> bool:
    try:
        repo = Repo("", "", **json.loads(path.read_bytes()))
    except UNREADABLE:
        return False
    return isinstance(repo.private, bool) and isinstance(repo.created_at, str)


def has_valid_discussion(path: Path) -> bool:
    try:
        discussion = Discussion(**json.loads(path.read_bytes()))
    except UNREADABLE:
        return False
    return path.name == f"{discussion.num}.json"


def follow_commits(storage: Storage, path: Path, whence: str, needed: Reachable) -> None:
    """Add a commit, those before it and what they name to what is needed."""
    while path not in needed.commits:
        try:
            body = json.loads(path.read_bytes())
            entries, parent = parse_entries(body), body["parent"]
            if parent is not None and not SHA1.fullmatch(parent):
                raise ValueError(parent)
        except UNREADABLE:
            needed.faults.append(
                f"{path.relative_to(storage.root)}: {whence}it is not there or can't be read"
            )
            return
        if compute_commit_id(body) != path.stem:
            needed.faults.append(f"{path.relative_to(storage.root)}: is not what its id says")
        needed.commits.add(path)
        needed.entries.update(entries)
        if parent is None:
            return
        path, whence = (
            path.with_name(f"{parent}.json"),
            f"{path.relative_to(storage.root)} leads to it, and ",
        )


def parse_entries(body: dict[str, dict[str, dict[str, object]]]) -> list[Entry]:
    """Return what a commit names; raise one of UNREADABLE where it makes no sense."""
    found = [Entry(**entry) for entry in body["files"].values()]  # type: ignore[arg-type]
    for entry in found:
        if (
            not SHA256.fullmatch(entry.sha256)
            or type(entry.size) is not int
            or not isinstance(entry.oid, str)
            or type(entry.lfs) is not bool
        ):
            raise ValueError(entry)
    return found


def find_faults(path: Path, entries: list[Entry]) -> Iterator[str]:
    """Say what is wrong with a content, or with what commits say of it."""
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
            yield f"has {size} bytes with git's id {oid}, not {entry.size} with {entry.oid} as a commit says"


def find_unreachable(storage: Storage, needed: Reachable) -> dict[Path, tuple[int, float]]:
    """Return the files that nobody needs, with size and time of change; commits before the contents that they name."""
    root, contents = storage.root, {storage.blobs.path(entry.sha256) for entry in needed.entries}
    found = [path for path in root.glob("repos/*/*/*/commits/*") if path not in needed.commits]
    found += [
        path for path in root.glob("repos/*/*/*/refs/*/*") if path.parents[2] not in needed.repos
    ]
    found += [path for path in root.glob("blobs/*/*") if path not in contents]
    for name in (
        "xorbs",
        "parts",
        "tmp",
    ):  # where folders may vanish meanwhile, which os.walk allows
        found += [Path(folder, name) for folder, _, names in os.walk(root / name) for name in names]
    orphans = {}
    for path in found:
        try:
            about = path.stat()
        except FileNotFoundError:  # an upload that ended just now
            continue
        if stat.S_ISREG(about.st_mode):
            orphans[path] = (about.st_size, about.st_mtime)
    return orphans
