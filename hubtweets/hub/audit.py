"""Whether what the Hub keeps is whole, and what of it nobody needs any more.

Needed is what the refs lead to: commits, and the contents that they name. All else is an orphan: an upload whose commit never came, what a
deleted repo left, and what Xet clients sent beside the files that were made of it.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from hubtweets.hub.blobs import Entry, blocks, git_oid, lfs_pointer
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import KINDS, REFS, Repo, Storage, commit_id

YOUNG = 3600.0  # seconds; what was written or asked for since may belong to a push that still goes on


@dataclass(frozen=True)
class Audit:
    """`faults` says of each thing what is wrong with it, `orphans` has the size in bytes of each file that nobody needs."""

    repos: int
    commits: int
    contents: int
    size: int
    faults: list[str]
    orphans: dict[Path, int]


def check(storage: Storage) -> Audit:
    """Read everything that is needed and compare every hash: of contents (SHA-256, size, git's id), of commits, and what refs and parents name."""
    needed, faults = walk(storage)
    entries = {entry.sha256: entry for path in needed for entry in entries_of(path)}
    for path in needed:
        if commit_id(json.loads(path.read_text())) != path.stem:
            faults.append(f"{path.relative_to(storage.root)}: is not what its id says")
    with tqdm(total=sum(entry.size for entry in entries.values()), desc="checking", unit="B", unit_scale=True, disable=None) as bar:
        for entry in entries.values():
            faults += [f"{storage.blobs.path(entry.sha256).relative_to(storage.root)}: {fault}" for fault in faults_of(storage, entry)]
            bar.update(entry.size)
    orphans = {path: path.stat().st_size for path in orphaned(storage, needed, entries)}
    repos = sum(len(storage.repos(kind)) for kind in KINDS)
    return Audit(repos, len(needed), len(entries), sum(entry.size for entry in entries.values()), faults, orphans)


def collect(storage: Storage, young: float = YOUNG) -> tuple[int, int]:
    """Remove what nobody needs and nobody asked for in the last `young` seconds; return how many files and bytes.

    Raises HubError 500 where something is missing, for then what looks like an orphan may be all that is left.
    """
    with storage.lock:  # no commit comes between
        needed, faults = walk(storage)
        if faults:
            raise HubError(500, f"{faults[0]}; nothing was removed")
        orphans = orphaned(storage, needed, {entry.sha256 for path in needed for entry in entries_of(path)})
        old = {path: about.st_size for path in orphans if (about := path.stat()).st_mtime <= time.time() - young}
        if any(path.parent.name == "xorbs" for path in old):  # clients remember under this name what they sent
            storage.write(storage.root / "instance", secrets.token_hex(20))
        for path in old:
            path.unlink()
    return len(old), sum(old.values())


def walk(storage: Storage) -> tuple[set[Path], list[str]]:
    """Return the files of all commits that a ref leads to, and what is wrong on the way."""
    found: set[Path] = set()
    faults = []
    for kind in KINDS:
        for repo in storage.repos(kind):
            for name, sha in refs_of(storage, repo):
                path = storage.folder(repo) / "commits" / f"{sha}.json"
                while path not in found:
                    try:
                        parent = json.loads(path.read_text())["parent"]
                        found.add(path)
                    except (OSError, ValueError, KeyError, TypeError):
                        faults.append(f"{path.relative_to(storage.root)}: {name} of {repo.id} leads to it, and it is not there or can't be read")
                        break
                    if parent is None:
                        break
                    path = path.with_name(f"{parent}.json")
    return found, faults


def refs_of(storage: Storage, repo: Repo) -> Iterator[tuple[str, str]]:
    for kind, start in REFS.items():
        for name, sha in storage.refs(repo, kind).items():
            yield start + name, sha


def entries_of(commit: Path) -> list[Entry]:
    return [Entry(**entry) for entry in json.loads(commit.read_text())["files"].values()]


def faults_of(storage: Storage, entry: Entry) -> Iterator[str]:
    """Say what is wrong with a content."""
    digest, git, size = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % entry.size), 0
    try:
        for block in blocks(storage.blobs.path(entry.sha256)):
            digest.update(block)
            if not entry.lfs:
                git.update(block)
            size += len(block)
    except OSError as error:
        yield f"a commit names it, and {error.strerror}"
        return
    oid = git_oid(lfs_pointer(entry.sha256, entry.size)) if entry.lfs else git.hexdigest()
    if (digest.hexdigest(), size, oid) != (entry.sha256, entry.size, entry.oid):
        yield f"has {size} bytes with sha256 {digest.hexdigest()}"


def orphaned(storage: Storage, needed: Container[Path], contents: Container[str]) -> list[Path]:
    """Return the files that nobody needs."""
    root = storage.root
    found = [path for path in root.glob("blobs/*/*") if path.name not in contents]
    found += [path for path in root.glob("repos/*/*/*/commits/*") if path not in needed]
    found += [path for path in root.glob("repos/*/*/*/refs/*/*") if not (path.parents[2] / "repo.json").exists()]
    return found + [path for name in ("xorbs", "parts", "tmp") for path in (root / name).rglob("*") if path.is_file()]
