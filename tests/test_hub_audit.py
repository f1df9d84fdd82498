"""`hubtweets hub --check` and `--gc`: reports of every kind of damage, and what is removed."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from huggingface_hub import HfApi

from hubtweets.cli.main import main
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import integrity
from hubtweets.hub.storage.blobs import Entry, compute_git_oid
from hubtweets.hub.storage.commits import read_commit
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import GITATTRIBUTES, Storage
from tests.conftest import HUBTWEETS, environment

REPO = "repos/models/huggingtweets/bot"
SMALL, LARGE = b"hello", b"weights" * 1000
SIZE = len(GITATTRIBUTES) + len(SMALL) + len(LARGE)
ALL, MORE = (2, 3, SIZE), (3, 3, SIZE)


class Kept:
    """A Hub with one bot and two commits; the second has a tag, a small and a large file."""

    def __init__(self, root: Path) -> None:
        self.root, self.storage = root, Storage(root)
        self.repo = self.storage.create_repo("models", "huggingtweets/bot", False, "huggingtweets")
        self.first = self.storage.resolve(self.repo, "main").id
        self.small = self.storage.blobs.add_regular(SMALL)
        self.large = self.storage.blobs.get_large(self.storage.blobs.add([LARGE])[0])
        self.attributes = self.storage.blobs.add_regular(GITATTRIBUTES.encode())
        self.head = self.commit(self.small, self.large)
        self.storage.create_ref(self.repo, "tags", "v1", "main")

    def commit(self, *entries: Entry) -> str:
        files = {f"{entry.size}.txt": entry for entry in entries}
        return self.storage.create_commit(
            self.repo, "main", lambda old: {**old, **files}, "all", "", "huggingtweets"
        ).id

    def place(self, name: str) -> Path:
        """Return the path of "small", "large", "attributes", "head" or "first", or a given path."""
        if name in ("small", "large", "attributes"):
            return self.storage.blobs.path(getattr(self, name).sha256)
        return self.root / (
            f"{REPO}/commits/{getattr(self, name)}.json" if name in ("first", "head") else name
        )

    def files(self) -> dict[str, bytes]:
        found = {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }
        return {
            name: content for name, content in found.items() if name not in ("lock", "instance")
        }

    def age(self) -> None:
        for path in self.root.rglob("*"):
            os.utime(path, (time.time() - 7200, time.time() - 7200))

    def hub(self, *arguments: str) -> Result:
        return CliRunner().invoke(
            main, ["hub", *arguments], env={"HUBTWEETS_HUB_DIR": str(self.root)}
        )


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "hub")


def write(name: str, content: bytes) -> Callable[[Kept], object]:
    def damage(kept: Kept) -> None:
        kept.place(name).parent.mkdir(parents=True, exist_ok=True)
        kept.place(name).write_bytes(content)

    return damage


def remove(name: str) -> Callable[[Kept], object]:
    return lambda kept: kept.place(name).unlink()


def edit(kept: Kept) -> None:
    kept.place("head").write_bytes(kept.place("head").read_bytes().replace(b'"all"', b'"none"'))


def misname(**wrong: object) -> Callable[[Kept], object]:
    """Write an invalid commit under the id that it should have."""

    def damage(kept: Kept) -> None:
        entry = replace(kept.small, **wrong)  # type: ignore[arg-type]
        kept.storage.set_ref(
            kept.repo,
            "tags",
            "v2",
            kept.storage.write_commit(kept.repo, None, "wrong", "", "x", {"a": entry}).id,
        )

    return damage


HEAD, FIRST, V2 = (
    f"{REPO}/commits/{{head}}.json",
    f"{REPO}/commits/{{first}}.json",
    f"{REPO}/refs/tags/v2",
)
SETTINGS, TALK = (
    f"{REPO}/repo.json",
    b'{"num": 1, "title": "", "author": "", "created_at": "", "status": "open"}',
)
LOST = "leads to it, and it is missing or can't be read"
HEAD_LOST = [f"{HEAD}: {REPO}/refs/branches/main {LOST}", f"{HEAD}: {REPO}/refs/tags/v1 {LOST}"]
SHA256, OID = hashlib.sha256(SMALL).hexdigest(), compute_git_oid(SMALL)
BLOB = f"blobs/{SHA256[:2]}/{SHA256}: "
# the damage, and the report of --check: faults, (commits, contents, bytes), orphans
Row = tuple[Callable[[Kept], object], list[str], tuple[int, int, int], list[str]]
DAMAGES: dict[str, Row] = {
    "nothing": (lambda kept: None, [], ALL, []),
    "a content flipped": (
        write("small", b"hellO"),
        [f"{BLOB}has 5 bytes with sha256 {hashlib.sha256(b'hellO').hexdigest()}"],
        ALL,
        [],
    ),
    "a content cut": (
        write("small", b"hell"),
        [f"{BLOB}has 4 bytes with sha256 {hashlib.sha256(b'hell').hexdigest()}"],
        ALL,
        [],
    ),
    "a content missing": (
        remove("small"),
        [f"{BLOB}a commit names it, and No such file or directory"],
        ALL,
        [],
    ),
    "a wrong oid": (
        misname(oid="0" * 40),
        [f"{BLOB}has 5 bytes with git's id {OID}, not 5 with {'0' * 40} as a commit says"],
        MORE,
        [],
    ),
    "a wrong size": (
        misname(size=6),
        [f"{BLOB}has 5 bytes with git's id {OID}, not 6 with {OID} as a commit says"],
        MORE,
        [],
    ),
    "a commit edited": (edit, [f"{HEAD}: its content does not match its id"], ALL, []),
    "the last commit missing": (
        remove("head"),
        HEAD_LOST,
        (0, 0, 0),
        ["first", "small", "large", "attributes"],
    ),
    "the first commit missing": (remove("first"), [f"{FIRST}: {HEAD} {LOST}"], (1, 3, SIZE), []),
    "a ref to nothing": (
        write(V2, b"a" * 40),
        [f"{REPO}/commits/{'a' * 40}.json: {V2} {LOST}"],
        ALL,
        [],
    ),
    "a ref elsewhere": (write(V2, b"../../../../../secret"), [f"{V2}: is no commit's id"], ALL, []),
    "a ref of bytes": (write(V2, b"\xff\0"), [f"{V2}: is no commit's id"], ALL, []),
    "a name that a terminal acts on": (
        write(V2 + "\x1b[2J", b""),
        [f"{V2}\ufffd[2J: is no commit's id"],
        ALL,
        [],
    ),
    "no main": (remove(f"{REPO}/refs/branches/main"), [f"{REPO}: has no main"], ALL, []),
    "a repo without settings": (remove(SETTINGS), [f"{SETTINGS}: can't be read"], ALL, []),
    "a damaged repo": (
        write(SETTINGS, b'{"private": "no", "created_at": ""}'),
        [f"{SETTINGS}: can't be read"],
        ALL,
        [],
    ),
    "a discussion": (write(f"{REPO}/discussions/1.json", TALK), [], ALL, []),
    "a discussion elsewhere": (
        write(f"{REPO}/discussions/2.json", TALK),
        [f"{REPO}/discussions/2.json: can't be read"],
        ALL,
        [],
    ),
}


def describe_kept(count: int, size: int) -> str:
    return (
        f"kept: files {count}, bytes {size:,}, unused for less than an hour, so a push may still "
        "need them; after HH:MM, type: hubtweets hub --gc"
    )


def hide_time(text: str) -> str:
    return re.sub(r"after \d\d:\d\d", "after HH:MM", text)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_check_says(kept: Kept, damage: str) -> None:
    do, faults, (commits, contents, size), orphans = DAMAGES[damage]
    do(kept)
    done, before = kept.hub("--check"), kept.files()
    needless = sum(kept.place(name).stat().st_size for name in orphans)
    lines = [fault.replace("{head}", kept.head).replace("{first}", kept.first) for fault in faults]
    lines.append(f"checked: repos 1, commits {commits}, contents {contents}, bytes {size:,}")
    lines.append("unused: files 0, bytes 0")
    if orphans:
        lines.append(describe_kept(len(orphans), needless))
    assert hide_time(done.stdout).splitlines() == lines
    whole = (
        f"Error: {kept.root}: corrupt (see above); publish those repos again\n" if faults else ""
    )
    assert (done.exit_code, done.stderr) == (bool(faults), whole)
    kept.age()
    done = kept.hub("--gc")
    if not faults or "bytes with" in faults[0]:  # it does not read contents
        assert (done.exit_code, done.stdout) == (0, "removed: files 0, bytes 0\n")
    else:
        assert done.exit_code == 1 and done.stderr.endswith(
            "; nothing was removed; type: hubtweets hub --check\n"
        )
    assert kept.files() == before


HOSTILE = [
    b"",
    b"\xff",
    b"null",
    b"5",
    b"[" * 100_000,
    b"{}",
    b'{"parent":null,"files":[]}',
    b'{"parent":5,"files":{}}',
    b"1" * 5000,
]
HOSTILE += [
    b'{"parent":"../../../../../x","files":{}}',
    b'{"parent":NaN,"files":{}}',
    b'{"parent":null,"files":{"a":[]}}',
]
ENTRY = {"sha256": SHA256, "size": 5, "oid": OID, "lfs": False}
WRONG: list[dict[str, object]] = [
    {"sha256": "../../secret"},
    {"sha256": 5},
    {"size": "5"},
    {"size": True},
    {"oid": None},
    {"lfs": 1},
    {"more": 1},
]
HOSTILE += [json.dumps({"parent": None, "files": {"a": ENTRY | wrong}}).encode() for wrong in WRONG]


@pytest.mark.parametrize("name", [HEAD, f"{REPO}/repo.json", f"{REPO}/discussions/1.json"])
def test_json_that_makes_no_sense_is_a_fault(kept: Kept, name: str) -> None:
    name = name.replace("{head}", kept.head)
    for hostile in HOSTILE:
        write(name, hostile)(kept)
        faults = integrity.check_storage(kept.storage).faults
        assert faults and all(
            fault.startswith(f"{name}: ") and fault.endswith("can't be read") for fault in faults
        ), hostile[:60]


def unfinished(kept: Kept) -> None:
    """Leave a repo as a server that was killed while creating it."""
    repo = Repo("models", "huggingtweets/half", False, "")
    entry = kept.storage.blobs.add_regular(b"half")
    kept.storage.set_ref(
        repo,
        "branches",
        "main",
        kept.storage.write_commit(repo, None, "initial commit", "", "x", {"a": entry}).id,
    )


def deleted(kept: Kept) -> None:
    repo = kept.storage.create_repo(
        "models", "huggingtweets/gone", False, "huggingtweets", {"a": b"gone", "b": SMALL}
    )
    kept.storage.delete_repo(repo)


def half_deleted(kept: Kept) -> None:
    repo = kept.storage.create_repo("models", "huggingtweets/gone", False, "huggingtweets")
    kept.storage.get_folder(repo).rename(kept.root / "tmp" / "gone")


def branched(kept: Kept) -> None:
    """Leave a commit of a deleted branch, with a content of its own."""
    kept.storage.create_ref(kept.repo, "branches", "side", "main")
    entry = kept.storage.blobs.add_regular(b"side")
    kept.storage.create_commit(
        kept.repo, "side", lambda files: {**files, "side": entry}, "side", "", "huggingtweets"
    )
    kept.storage.delete_ref(kept.repo, "branches", "side")


ORPHANS: dict[str, tuple[Callable[[Kept], object], int]] = {
    "an upload without a commit": (lambda kept: kept.storage.blobs.add([b"orphan"]), 1),
    "a stray file": (write("blobs/2c/notes.txt", b"stray"), 1),
    "a file that was being written": (write("tmp/abc", b"cut"), 1),
    "parts": (write(f"parts/{'a' * 64}/1", b"part"), 1),
    "xorbs": (write(f"xorbs/{'a' * 64}", b"xorb"), 1),
    "an unfinished repo": (unfinished, 3),
    "a deleted repo": (deleted, 1),
    "a half deleted repo": (half_deleted, 3),
    "a removed branch": (branched, 2),
}


@pytest.mark.parametrize("orphan", ORPHANS)
def test_what_gc_removes(kept: Kept, orphan: str) -> None:
    do, count = ORPHANS[orphan]
    before, instance = kept.files(), kept.storage.instance
    do(kept)
    after = kept.files()
    size = sum(len(content) for name, content in after.items() if name not in before)
    found = f"checked: repos 1, commits 2, contents 3, bytes {SIZE:,}\n"
    young = f"{describe_kept(count, size)}\n"
    for arguments, expected in (  # all of it is young
        (["--gc"], f"removed: files 0, bytes 0\n{young}"),
        (["--check"], f"{found}unused: files 0, bytes 0\n{young}"),
        (
            ["--gc", "--check"],
            f"removed: files 0, bytes 0\n{found}unused: files 0, bytes 0\n{young}",
        ),
    ):
        done = kept.hub(*arguments)
        assert (done.exit_code, hide_time(done.stdout)) == (0, expected)
        assert kept.files() == after
    kept.age()
    assert kept.hub("--check").stdout == (
        f"{found}unused: files {count}, bytes {size:,}; to remove them: hubtweets hub --gc\n"
    )
    done = kept.hub("--gc", "--check")
    assert done.exit_code == 0 and kept.files() == before
    assert (
        done.stdout == f"removed: files {count}, bytes {size:,}\n{found}unused: files 0, bytes 0\n"
    )
    assert (kept.storage.instance != instance) is (orphan == "xorbs")


def test_what_was_asked_for_lately_stays(kept: Kept) -> None:
    sha256, _ = kept.storage.blobs.add([b"wanted"])
    kept.age()
    assert kept.storage.blobs.has(sha256)  # as when a client asks whether it must upload it
    orphans = integrity.collect_garbage(kept.storage)
    path = kept.storage.blobs.path(sha256)
    assert (orphans.old, list(orphans.young)) == ({}, [path]) and path.exists()
    assert orphans.until == path.stat().st_mtime + integrity.MIN_AGE_SECONDS


def test_a_branch_can_be_put_on_every_commit_that_stays(kept: Kept) -> None:
    branched(kept)
    commits = set(kept.root.glob(f"{REPO}/commits/*"))
    lost = next(path for path in commits if path.stem not in (kept.first, kept.head))
    kept.age()
    os.utime(lost)  # the commit is young, what it names is old
    assert (found := integrity.collect_garbage(kept.storage)).old == {}
    assert found == integrity.check_storage(kept.storage).orphans and len(found.young) == 2
    kept.storage.create_ref(kept.repo, "branches", "again", lost.stem)
    assert integrity.check_storage(kept.storage).faults == []


@pytest.mark.parametrize("name", ["head", "first"])
def test_who_asks_for_a_commit_that_is_lost_is_told_to_check(kept: Kept, name: str) -> None:
    remove(name)(kept)
    read_commit.cache_clear()
    with pytest.raises(
        HubError,
        match=f"huggingtweets/bot has lost {getattr(kept, name)}; type: hubtweets hub --check",
    ) as caught:
        list(kept.storage.walk_history(kept.repo, kept.storage.resolve(kept.repo, "main")))
    assert caught.value.status == 404


PUSH = """
import sys
from huggingface_hub import CommitOperationAdd, HfApi
content = bytes(range(256)) * 4096
api, repo_id = HfApi(), sys.argv[1]
api.create_repo(repo_id)
api.create_commit(repo_id, [CommitOperationAdd("big.bin", content)], commit_message="big")
assert open(api.hf_hub_download(repo_id, "big.bin"), "rb").read() == content
"""


def test_a_client_that_remembers_its_xorbs_can_push_after_they_were_collected(
    hub: tuple[str, str], tmp_path: Path
) -> None:
    storage, more = Storage(tmp_path / "hub"), {"HF_ENDPOINT": hub[0], "HF_TOKEN": hub[1]}
    for repo_id in ("huggingtweets/one", "huggingtweets/two"):
        done = subprocess.run(
            [sys.executable, "-c", PUSH, repo_id],
            env=environment(tmp_path, **more),
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        assert len(list((tmp_path / "hub" / "xorbs").iterdir())) == 1
        HfApi(endpoint=hub[0], token=hub[1]).delete_repo(repo_id)
        integrity.collect_garbage(storage, min_age=0)
        assert list((tmp_path / "hub" / "blobs").glob("*/*")) == []


def test_the_command(kept: Kept, tmp_path: Path) -> None:
    command = [HUBTWEETS, "hub", "--check"]
    remove("small")(kept)
    done = subprocess.run(
        command, env=environment(tmp_path), capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout) == (
        1,
        kept.hub("--check").stdout,
    ) and done.stderr.endswith("publish those repos again\n")
