"""What a push leaves when anything goes wrong, at each of its steps.

It ends right by itself, or with one line. If it is repeated, it ends in just one commit.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from huggingface_hub import constants, set_client_factory
from huggingface_hub.utils import _http
from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.errors import HubtweetsError
from hubtweets.hub.server import create_app
from hubtweets.hub.storage import integrity, pull_requests
from hubtweets.hub.storage.storage import Storage
from hubtweets.hub.storage.tokens import create_token
from hubtweets.publishing import push as publisher
from hubtweets.publishing import retry
from hubtweets.publishing.connection import connect
from hubtweets.publishing.push import PushOptions
from hubtweets.record.run_folder import RunFolder
from hubtweets.record.run_record import Published, Target
from hubtweets.stages.push import push as push_repo
from tests.faults import Fault, Faulty, Quirky, hang_up
from tests.records import RECORD
from tests.served import Served, serve_app

REPO = "huggingtweets/bot"
TITLE = "Publish @bot"
Files = dict[str, bytes]


def files_of(version: str) -> Files:
    """Return a push's files, small and large; each tells its version, so that a mixture shows."""
    text = f"---\ntags: [{version}]\n---\n{version}\n"
    return {
        "README.md": text.encode(),
        "hubtweets.json": json.dumps({"card": text}).encode(),
        "model.safetensors": version.encode() * 50_000,
        "training.bin": version.encode() * 1000,
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two versions of a repo folder."""
    made = {}
    for version in ("v1", "v2"):
        made[version] = tmp_path_factory.mktemp(version)
        for name, content in files_of(version).items():
            (made[version] / name).write_bytes(content)
    return made


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, folders: dict[str, Path]
) -> Iterator[tuple[Served, Path]]:
    """A server, and the folder of a Hub on which version 1 was published."""
    storage = Storage(tmp_path_factory.mktemp("hub"))
    with serve_app() as served:
        served.app = create_app(storage)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_TOKEN", storage.token)
            patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
            push(served, folders["v1"])
        yield served, storage.root
    set_client_factory(_http.default_client_factory)


def push(
    served: Served,
    folder: Path,
    said: list[str] | None = None,
    last: Published | None = None,
    **options: Any,
) -> Published:
    said = [] if said is None else said
    with connect(served.server.endpoint) as hub:
        target = Target(hub.endpoint, REPO)
        return publisher.push(hub, target, folder, PushOptions(**options), said.append, last)


@pytest.fixture
def storage(
    served: tuple[Served, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Storage:
    """A copy of that Hub, served now; for hf_xet another one than the last."""
    shutil.copytree(served[1], tmp_path / "hub", copy_function=os.link)  # no file is changed
    (tmp_path / "hub" / "instance").unlink()
    (tmp_path / "hub" / "instance").write_text(secrets.token_hex(20))
    return serve(served[0], tmp_path / "hub", monkeypatch)


def serve(served: Served, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    storage = Storage(folder)
    served.app = create_app(storage)
    monkeypatch.setenv("HF_TOKEN", storage.token)
    for module in (retry, _http):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda _: None))
    return storage


def history(storage: Storage, branch: str = "main") -> list[str]:
    """Return the versions that a branch's commits hold, newest first; each must be whole."""
    repo = storage.find_repo("models", REPO)
    found = []
    for commit in storage.walk_history(repo, storage.resolve(repo, branch)) if repo else ():
        files = {
            name: storage.blobs.path(entry.sha256).read_bytes()
            for name, entry in commit.files.items()
            if name != ".gitattributes"
        }
        version = files["training.bin"][:2].decode() if files else "v0"
        assert files == (files_of(version) if files else {}) and commit.title == (
            TITLE if files else "initial commit"
        )
        found.append(version)
    return found


def check(
    storage: Storage, old: list[str], done: bool | None, pr: bool = False, branch: str = "main"
) -> None:
    """Check that the Hub is whole and holds the commit that it should.

    That is the new one if the push is `done` and the old one if it is not. If `done` is None, it
    may be either.
    """
    assert integrity.check_storage(storage).faults == []
    repo = storage.find_repo("models", REPO)
    if pr:
        found = pull_requests.list_discussions(storage, repo) if repo else []
        assert repo is None or history(storage) == old
        versions = [history(storage, f"refs/pr/{one.num}") for one in found]
        assert versions == [["v2", *old]] if done else versions in ([], [old], [["v2", *old]])
        assert not done or [one.status for one in found] == ["open"]
        return
    if done:
        assert repo
        head, tags = storage.resolve(repo, branch), storage.list_refs(repo, "tags")
        assert history(storage, branch) == ["v2", *old]
        assert len(tags) == len(old) and tags[f"v{len(old)}"] == head.id
        return
    try:
        assert history(storage, branch) in ([], old, ["v2", *old])
    except Exception:
        assert branch != "main" and repo and branch not in storage.list_refs(repo, "branches")


PASSING = (
    "408, 429, 500, 502, 503",
    "504, cut request",
    "lost",
    "cut answer",
    "hang",
)  # one after the other: a push begins six times
LASTING = ("507", "500 for good")
MAKING: dict[str, Any] = {
    "POST /api/repos/create": {},
    "PUT .*/settings": {"gated": "auto"},
    "POST .*/branch/dev": {"revision": "dev"},
}
STEPS: dict[str, Any] = {
    **MAKING,
    "GET /api/models/[^/]+/bot$": {},
    "GET .*/refs$": {},
    "GET .*/tree/": {},
    "GET .*/resolve/.*/README.md": {},
    "GET .*/resolve/.*/hubtweets.json": {},
    "POST /api/validate-yaml": {},
    "POST .*/preupload/main": {},
    "POST .*/objects/batch": {},
    "PUT /_lfs/.*/0": {},
    "GET .*/xet-write-token/main": {},
    "POST .*/xorbs/": {},
    "POST .*/shards": {},
    "POST .*/commit/main": {},
    "POST .*/tag/": {},
    "GET .*/discussions$": {"create_pr": True},
    "POST .*/discussions$": {"create_pr": True},
    "GET .*/revision/refs": {"create_pr": True},
    "POST .*/commit/refs": {"create_pr": True},
    "POST .*/discussions/1/status": {"create_pr": True},
}
XET = ("GET .*/xet-write-token/main", "POST .*/xorbs/", "POST .*/shards")
# What changes nothing is asked again after each of these, so one push meets them all.
READING = ("GET", "POST /api/validate-yaml", "POST .*/preupload", "POST .*/objects/batch")


def list_cases() -> list[tuple[str, str]]:
    found = []
    for step in STEPS:
        passing: tuple[str, ...] = (
            PASSING[:-1] if step in XET else PASSING
        )  # hf_xet has its own patience
        if step.startswith(READING):
            passing = (PASSING[0], ", ".join(passing[1:]))
        found += [(step, what) for what in (*passing, *LASTING)]
    return found


CASES = list_cases()


@pytest.mark.parametrize(("step", "what"), CASES)
def test_a_fault_at_each_step(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    step: str,
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options, lasting, old = STEPS[step], what in LASTING, ["v1", "v0"]
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", step not in XET)
    if "create" in step:
        storage, old = serve(served[0], tmp_path / "another", monkeypatch), ["v0"]
    if "hang" in what:
        monkeypatch.setattr(retry, "REQUEST_TIMEOUT", httpx2.Timeout(0.3))
    if lasting:  # test_publisher counts the attempts
        monkeypatch.setattr(retry, "WAIT_SECONDS", (1.0,))
    faulty = Faulty(create_app(storage))
    faulty.faults = [
        Fault(step, kind.removesuffix(" for good"), 99 if lasting else 1)
        for kind in what.split(", ")
    ]
    served[0].app = faulty
    checked = {"pr": options.get("create_pr", False), "branch": options.get("revision", "main")}
    line = ""
    try:
        push(served[0], folders["v2"], **options)
    except HubtweetsError as error:
        line = str(error)
    done = not line
    assert done or re.fullmatch(
        f"{served[0].server.endpoint}.*; (free some disk space there and )?run the command again.*",
        line,
    )
    assert done is not lasting and all(
        fault.times < (99 if lasting else 1) for fault in faulty.faults
    )
    check(storage, old, done, **checked)
    faulty.faults = []
    push(served[0], folders["v2"], **options)
    check(storage, old, True, **checked)
    assert list((storage.root / "tmp").iterdir()) == []


class Noting:
    """An application that notes the requests that it gets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.requests = app, list[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append(f"{scope['method']} {scope['raw_path'].decode()}")
        await self.app(scope, receive, send)


@pytest.mark.parametrize(("pr", "request_line"), [(False, "main"), (True, "refs")])
def test_no_commit_is_read_twice(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    pr: bool,
    request_line: str,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    faulty = Faulty(create_app(storage))
    faulty.faults = [Fault(f"POST .*/commit/{request_line}", "500")]
    served[0].app = noting = Noting(faulty)
    push(served[0], folders["v2"], create_pr=pr)
    expected = {
        "/tree/": 2,  # of the commit before, and of the new one
        "README.md": 1,
        "hubtweets.json": 1,
        "/commit/": 2,
        "/commits/": 1,
    }
    found = {part: len([one for one in noting.requests if part in one]) for part in expected}
    assert found == expected
    check(storage, ["v1", "v0"], True, pr)


@pytest.mark.parametrize("what", ["500", "cut answer"])
def test_a_commit_that_can_not_be_read_back_is_found_by_the_next_attempt(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    served[0].app = faulty = Faulty(create_app(storage))
    faulty.faults = [Fault("GET .*/commits/main", what)]
    push(served[0], folders["v2"])
    assert faulty.faults[0].times == 0
    check(storage, ["v1", "v0"], True)


class Revoking:
    """An application whose tokens are all taken back when a request comes."""

    def __init__(self, storage: Storage, request: str) -> None:
        self.app, self.storage, self.request = create_app(storage), storage, request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if re.search(self.request, f"{scope['method']} {scope['raw_path'].decode()}"):
            for token in (self.storage.root / "tokens").iterdir():
                token.unlink()
        await self.app(scope, receive, send)


@pytest.mark.parametrize(
    "step",
    [
        "GET .*/tree/",
        "POST .*/preupload",
        "GET .*/xet-write-token",
        "PUT /_lfs/",
        "POST .*/commit",
        "POST .*/tag",
    ],
)
def test_a_token_that_is_revoked_on_the_way(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", "xet" not in step)
    served[0].app = Revoking(storage, step)
    with pytest.raises(
        HubtweetsError,
        match=r"refused \(401: .*\); log in with a token that is valid there: "
        r"HF_ENDPOINT=http://127\.0\.0\.1:\d+ hf auth login$",
    ):
        push(served[0], folders["v2"])
    check(storage, ["v1", "v0"], None)
    monkeypatch.setenv("HF_TOKEN", create_token(storage.blobs, "write"))
    served[0].app = create_app(storage)
    push(served[0], folders["v2"])
    check(storage, ["v1", "v0"], True)


LOST = "the Hub reported a commit"
AGAIN = "run the command again"
# What a push says at last to a Hub that pretends, and the commits that are there then.
PRETENDED: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "lost commit": ({}, f": {LOST} to main, which is still at HEAD; {AGAIN}", []),
    "lost file": ({}, f": {LOST}, but training.bin is not as it was sent; {AGAIN}", [TITLE] * 6),
    "ignored gated": (
        {"gated": "auto"},
        f"/{REPO}: the Hub did not take --gated auto, so nothing was pushed; "
        "leave --gated out, or pass --private",
        [],
    ),
}


@pytest.mark.parametrize("quirk", PRETENDED)
def test_a_hub_that_pretends(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    quirk: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    (options, expected, titles), said = PRETENDED[quirk], list[str]()
    repo = storage.find_repo("models", REPO)
    assert repo
    head = storage.resolve(repo, "main").id
    served[0].app = Quirky(create_app(storage), quirk)
    with pytest.raises(HubtweetsError) as caught:
        push(served[0], folders["v2"], said, **options)
    endpoint = served[0].server.endpoint
    assert str(caught.value) == endpoint + expected.replace("HEAD", head[:8])
    tries = [one.rpartition("; ")[2] for one in said if "trying again" in one]
    waits = [] if options else [1, 2, 4, 8, 8]
    assert tries == [f"trying again in {seconds} s" for seconds in waits]
    commits = storage.walk_history(repo, storage.resolve(repo, "main"))
    assert [one.title for one in commits] == [*titles, TITLE, "initial commit"]
    assert list(storage.list_refs(repo, "tags")) == ["v1"]


@pytest.mark.parametrize("quirk", ["ignored parent", "no commits", "foreign blob ids"])
def test_a_hub_that_differs(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    quirk: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    served[0].app = Quirky(create_app(storage), quirk)
    published = push(served[0], folders["v2"])
    check(storage, ["v1", "v0"], True)
    assert push(served[0], folders["v2"], last=published) == published
    check(storage, ["v1", "v0"], True)


class Editing:
    """An application whose repo gets another README.md just before its next commit."""

    def __init__(self, storage: Storage, text: str, *quirks: str) -> None:
        self.app, self.storage, self.text = Quirky(create_app(storage), *quirks), storage, text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "/commit/" in scope["path"] and self.text:
            entry = self.storage.blobs.add_regular(self.text.encode())
            repo = self.storage.find_repo("models", REPO)
            assert repo
            self.storage.create_commit(
                repo, "main", lambda files: {**files, "README.md": entry}, "mine", "", "me"
            )
            self.text = ""
        await self.app(scope, receive, send)


CARD_OF_V2 = files_of("v2")["README.md"].decode()


@pytest.mark.parametrize(
    ("edit", "card", "titles", "lines"),
    [
        (
            "---\ntags: [v1]\n---\nv1\n\nMine.\n",
            CARD_OF_V2 + "\nMine.\n",
            [TITLE, TITLE, "mine"],
            [],
        ),
        (
            "---\ntags: [v1]\n---\nnot v1\n",
            CARD_OF_V2,
            [TITLE, "mine"],
            [
                "README.md: an edit was replaced, which is kept at "
                f"ENDPOINT/{REPO}/blob/PARENT/README.md: "
                'line 4: on the Hub "not v1", new "v2"'
            ],
        ),
    ],
    ids=["merged", "said"],
)
def test_an_edit_that_a_hub_lets_slip_in_between(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    edit: str,
    card: str,
    titles: list[str],
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    served[0].app = Editing(storage, edit, "ignored parent")
    said: list[str] = []
    published = push(served[0], folders["v2"], said)
    repo = storage.find_repo("models", REPO)
    assert repo
    commits = list(storage.walk_history(repo, storage.resolve(repo, "v2")))
    assert [one.title for one in commits] == [*titles, TITLE, "initial commit"]
    assert (published.commit, published.parent) == (commits[0].id, commits[1].id)
    there = commits[0].files
    assert storage.blobs.path(there["README.md"].sha256).read_text() == card
    assert storage.blobs.path(there["training.bin"].sha256).read_text()[:2] == "v2"
    endpoint = served[0].server.endpoint
    assert [
        one.replace(endpoint, "ENDPOINT").replace(commits[1].id, "PARENT") for one in said[1:]
    ] == lines
    assert push(served[0], folders["v2"], last=published) == published


PUSHER = """
import os, sys
from pathlib import Path
from huggingface_hub import constants
from hubtweets.publishing import push as publisher
from hubtweets.publishing.connection import connect
from hubtweets.record.run_record import Target

while line := sys.stdin.readline():
    endpoint, os.environ["HF_TOKEN"], folder, xet, pr = line.split("|")
    constants.HF_HUB_DISABLE_XET = not int(xet)
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        sys.stdin.readline()
        with connect(endpoint) as hub:
            publisher.push(
                hub,
                Target(hub.endpoint, "huggingtweets/bot"),
                Path(folder),
                publisher.PushOptions(create_pr=bool(int(pr))),
                lambda _: None,
            )
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Deadly:
    """An application that kills the process that sends its Nth request.

    It does so when the request is done and before it is answered. Requests count from the first
    that matches the pattern `since`.
    """

    def __init__(self, app: ASGIApp, left: int, pid: int, since: str) -> None:
        self.app, self.left, self.pid, self.since = app, left, pid, since
        self.counts = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.counts = self.counts or bool(re.search(self.since, scope["raw_path"].decode()))
        self.left -= self.counts
        if self.left:
            await self.app(scope, receive, send)
            return

        async def unanswered(_: Any) -> None:
            pass

        await self.app(scope, receive, unanswered)
        os.kill(self.pid, signal.SIGKILL)
        await hang_up(receive, send)


@pytest.mark.parametrize(
    ("xet", "pr", "since", "least"),
    [
        (False, False, "", 15),
        (True, False, "/xet-write-token/", 12),  # until then they ask the same
        (False, True, "/discussions", 14),
    ],
    ids=["lfs", "xet", "pull request"],
)
def test_a_push_that_is_killed_at_each_request(
    served: tuple[Served, Path],
    folders: dict[str, Path],
    xet: bool,
    pr: bool,
    since: str,
    least: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", not xet)
    with subprocess.Popen(
        [sys.executable, "-c", PUSHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as pusher:
        assert pusher.stdin and pusher.stdout
        for number in count(1):
            storage = serve(served[0], tmp_path / f"{number}", monkeypatch)
            print(
                served[0].server.endpoint,
                storage.token,
                folders["v2"],
                int(xet),
                int(pr),
                sep="|",
                file=pusher.stdin,
                flush=True,
            )
            served[0].app = deadly = Deadly(
                create_app(storage), number, int(pusher.stdout.readline()), since
            )
            print(file=pusher.stdin, flush=True)
            code = int(pusher.stdout.readline())
            assert code == (0 if deadly.left > 0 else -signal.SIGKILL)
            check(storage, ["v0"], code == 0 or None, pr)
            served[0].app = create_app(storage)
            push(served[0], folders["v2"], create_pr=pr)
            check(storage, ["v0"], True, pr)
            if code == 0:
                break
        pusher.stdin.close()
    assert number >= least


def test_a_record_that_can_not_be_written_after_the_push(
    served: tuple[Served, Path], storage: Storage, folders: dict[str, Path], tmp_path: Path
) -> None:
    run = RunFolder(
        tmp_path / "run", replace(RECORD, target=Target(served[0].server.endpoint, REPO))
    )
    shutil.copytree(folders["v2"], run.repo)
    (run.folder / "run.json" / "in the way").mkdir(parents=True)
    with connect(served[0].server.endpoint) as hub:
        with pytest.raises(OSError, match=r"run\.json"):
            push_repo(run, hub, PushOptions())
        shutil.rmtree(run.folder / "run.json")
        run.record = replace(run.record, published=None)
        published = push_repo(run, hub, PushOptions())
    check(storage, ["v1", "v0"], True)
    assert (
        json.loads((run.folder / "run.json").read_text())["published"]["commit"] == published.commit
    )
    assert [path.name for path in run.folder.iterdir() if path.name.startswith(".")] == []


def test_a_hub_without_xet_gets_large_files_by_lfs(
    served: tuple[Served, Path],
    storage: Storage,
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    served[0].app = noting = Noting(Quirky(create_app(storage), "no Xet"))
    said: list[str] = []
    push(served[0], folders["v2"], said)
    assert "push: the Hub has no Xet, so large files are sent by LFS" in said
    assert not any("trying again" in line for line in said)
    assert len([one for one in noting.requests if "xet-write-token" in one]) == 1
    assert constants.HF_HUB_DISABLE_XET is False
    check(storage, ["v1", "v0"], True)


@pytest.mark.parametrize("pr", [False, True])
def test_a_hub_with_ids_of_64_digits(
    served: tuple[Served, Path], storage: Storage, folders: dict[str, Path], pr: bool
) -> None:
    served[0].app = Quirky(create_app(storage), "foreign commit ids")
    published = push(served[0], folders["v2"], create_pr=pr)
    assert len(published.commit) == len(published.parent) == 64
    check(storage, ["v1", "v0"], True, pr)
