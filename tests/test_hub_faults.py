"""What a push leaves when anything fails: server errors, lost answers, cut bodies, kills, races.

It leaves a complete commit, the old one or the new one, and the same push succeeds when repeated.
"""

import io
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, file_download
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import _http

from hubtweets.hub import local
from hubtweets.hub.api import lfs
from hubtweets.hub.errors import HubError
from hubtweets.hub.server import create_app
from hubtweets.hub.storage import integrity, pull_requests
from hubtweets.hub.storage.moves import move_repo
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import GITATTRIBUTES, Storage
from tests.faults import Fault, Faulty

REPO = "huggingtweets/bot"
Files = dict[str, bytes]


def make_files(version: str) -> Files:
    """Return a push's files, small and large; each names its version, so a mixture shows."""
    return {
        "README.md": f"---\ntags: [{version}]\n---\n{version}".encode(),
        "config.json": json.dumps({"version": version}).encode(),
        "training.bin": version.encode() * 1000,
        "model.safetensors": version.encode() * 50_000,
    }


def push_files(
    api: HfApi, version: str, repo_id: str = REPO, xet: bool = False, parent: str | None = None
) -> str:
    """Push in one commit, by Xet, or by LFS, which the client chooses for open files."""
    operations = [
        CommitOperationAdd(name, content if xet else io.BytesIO(content))
        for name, content in make_files(version).items()
    ]
    return api.create_commit(repo_id, operations, commit_message=version, parent_commit=parent).oid


def publish(api: HfApi, version: str, xet: bool) -> None:
    """Make every request that publishing makes."""
    api.create_repo(REPO, exist_ok=True)
    push_files(api, version, xet=xet)
    api.create_tag(REPO, tag=version, exist_ok=True)


def download(api: HfApi, cache: Path) -> Files:
    folder = Path(api.snapshot_download(REPO, cache_dir=cache))
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".gitattributes"
    }


def read_history(storage: Storage, repo_id: str = REPO) -> dict[str, str]:
    """Return main's commits by id, newest first; each must hold exactly the files of its title."""
    repo = storage.find_repo("models", repo_id)
    if repo is None:
        return {}
    found = {}
    for commit in storage.walk_history(repo, storage.resolve(repo, "main")):
        files = {
            name: storage.blobs.path(entry.sha256).read_bytes()
            for name, entry in commit.files.items()
        }
        assert files.pop(".gitattributes").decode() == GITATTRIBUTES
        assert files == (make_files(commit.title) if commit.parent else {})
        found[commit.id] = commit.title
    return found


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Faulty, str, Path]]:
    """An application with faults, its endpoint, and a Hub's folder with version 1 published."""
    folder = tmp_path_factory.mktemp("hub")
    storage = Storage(folder)
    app = Faulty(create_app(storage))
    server = local.Server(app, port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    publish(HfApi(endpoint=server.endpoint, token=storage.token), "v1", False)
    yield app, server.endpoint, folder
    server.should_exit = True
    thread.join()


# + the client recovers, - it fails, ? either: a HEAD has no body to cut, so the next request may or
# may not find the connection closed
FAULTS = ("408", "429", "500", "503", "lost", "cut request", "cut answer", "500 for good")
STEPS = {
    "POST /api/repos/create": "--------",
    "POST /api/validate-yaml": "--------",
    "POST .*/preupload/main": "+++++++-",
    "POST .*/objects/batch": "+++++++-",
    "PUT /_lfs/.*/0": "+++++++-",
    "PUT /_lfs/.*/2": "+++++++-",
    "POST /_lfs/.*/0": "+++++++-",
    "GET .*/xet-write-token/main": "+++++++-",
    "POST .*/xorbs/": "+++++++-",
    "POST .*/shards": "+++++++-",
    "POST .*/commit/main": "--------",
    "POST .*/tag/main": "--------",
    "GET .*/revision/main": "--------",
    "GET .*/tree/": "+++++++-",
    "HEAD .*/resolve/.*/README": "++++--?-",
    "GET .*/resolve/.*/model": "++--+++-",
}


def list_cases() -> list[tuple[str, tuple[str, ...], str]]:
    """Return the cases: a step, faults one after the other, and how each ends.

    A push meets all the faults that the client recovers from. A push that an error status ended
    has changed nothing, so the next one meets the next.
    """
    found = []
    for step, ends in STEPS.items():
        outcomes = dict(zip(FAULTS, ends, strict=True))
        for some in (FAULTS[:4], FAULTS[4:7], FAULTS[7:]):
            groups: dict[object, list[str]] = {}
            for what in some:
                together = outcomes[what] == "+" or what.isdigit()
                groups.setdefault(outcomes[what] if together else what, []).append(what)
            found += [(step, tuple(group), outcomes[group[0]]) for group in groups.values()]
    return found


CASES = list_cases()


@pytest.mark.parametrize(
    ("step", "faults", "wanted"), CASES, ids=[f"{case[0]}-{', '.join(case[1])}" for case in CASES]
)
def test_a_fault_at_each_step(
    faulty: tuple[Faulty, str, Path],
    step: str,
    faults: tuple[str, ...],
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(lfs, "PART_BYTES", 40_000)
    app, endpoint, published = faulty
    monkeypatch.setattr(file_download, "time", _http.time)
    xet, creating, reading = (
        any(word in step for word in words)
        for words in (("xet", "xorbs", "shards"), ("create",), ("GET", "HEAD"))
    )
    if not creating:
        shutil.copytree(published, tmp_path / "hub", copy_function=os.link)  # no file is changed
        (tmp_path / "hub" / "instance").unlink()
        (tmp_path / "hub" / "instance").write_text(
            secrets.token_hex(20)
        )  # for hf_xet another Hub than the last case's
    storage = Storage(tmp_path / "hub")
    app.app = create_app(storage)
    api = HfApi(endpoint=endpoint, token=storage.token)
    old = ["initial commit"] if creating else ["v1", "initial commit"]
    for together in [faults] if wanted == "+" else [(one,) for one in faults]:
        times = 99 if together[0].endswith("for good") else 1
        app.faults = [Fault(step, what.removesuffix(" for good"), times) for what in together]
        try:
            publish(api, "v2", xet)
            outcome = (
                "+"
                if not reading or download(api, tmp_path / together[0]) == make_files("v2")
                else "another content"
            )
        except Exception:
            outcome = "-"
        assert all(fault.times < times for fault in app.faults) and wanted in (outcome, "?")
        assert list(read_history(storage).values()) in ([], old, ["v2", *old])
        assert integrity.check_storage(storage).faults == []
    app.faults = []
    publish(api, "v2", xet)
    assert list(read_history(storage).values()) == ["v2", *old]
    assert not reading or download(api, tmp_path / "again") == make_files("v2")
    assert list((tmp_path / "hub" / "tmp").iterdir()) == []


def test_one_of_twenty_pushes_on_one_parent_wins(hub: tuple[str, str], tmp_path: Path) -> None:
    api, storage = HfApi(endpoint=hub[0], token=hub[1]), Storage(tmp_path / "hub")
    api.create_repo(REPO)
    parent, together = api.model_info(REPO).sha, threading.Barrier(20)

    def attempt(number: int) -> int:
        together.wait()
        try:
            push_files(api, f"v{number}", parent=parent)
        except HfHubHTTPError as error:
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(attempt, range(20)))
    assert sorted(answers) == [200] + [412] * 19
    assert list(read_history(storage).values()) == [f"v{answers.index(200)}", "initial commit"]


RACERS = """
import multiprocessing, sys, threading
from pathlib import Path
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.storage import Storage

folder, context = Path(sys.argv[1]), multiprocessing.get_context("fork")
storage = Storage(folder)
repo = storage.create_repo("models", "huggingtweets/bot", False, "huggingtweets")
parent, together = storage.resolve(repo, "main").id, context.Barrier(20)

def attempt():
    own = Storage(folder)
    for number in range(10):
        together.wait()
        head = own.resolve(repo, "main").id
        together.wait()
        try:
            own.create_commit(repo, "main", dict, "title", "", "huggingtweets", parent=head)
            print("won\\n", end="", flush=True)
        except HubError as error:
            print(f"{error.status}\\n", end="", flush=True)

def process():
    threads = [threading.Thread(target=attempt) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

processes = [context.Process(target=process) for _ in range(4)]
for one in processes:
    one.start()
for one in processes:
    one.join()
"""


def test_the_lock_holds_between_processes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACERS, str(tmp_path / "hub")],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert sorted(done.stdout.split()) == ["412"] * 190 + ["won"] * 10, done.stderr
    storage = Storage(tmp_path / "hub")
    repo = storage.find_repo("models", REPO)
    assert repo and len(list(storage.walk_history(repo, storage.resolve(repo, "main")))) == 11


LATE: dict[str, Callable[[Storage, Repo], object]] = {
    "commit": lambda storage, repo: storage.create_commit(repo, "main", dict, "late", "", "x"),
    "resolve": lambda storage, repo: storage.resolve(repo, "main"),
    "change_settings": lambda storage, repo: storage.change_settings(repo, True, None),
    "delete_repo": lambda storage, repo: storage.delete_repo(repo),
    "move_repo": lambda storage, repo: move_repo(storage, repo, "huggingtweets/other"),
    "create_ref": lambda storage, repo: storage.create_ref(repo, "tags", "late", "main"),
    "delete_ref": lambda storage, repo: storage.delete_ref(repo, "branches", "main"),
    "open_discussion": lambda storage, repo: pull_requests.open_discussion(
        storage, repo, "late", "", "x", None, None
    ),
    "add_events": lambda storage, repo: pull_requests.add_events(
        storage, repo, 1, pull_requests.create_comment("x", "late")
    ),
    "merge": lambda storage, repo: pull_requests.merge_pull_request(storage, repo, 1, "x", ""),
}


@pytest.mark.parametrize("call", LATE)
def test_who_comes_after_a_repo_was_removed_writes_nothing(tmp_path: Path, call: str) -> None:
    storage = Storage(tmp_path)
    repo = storage.create_repo("models", REPO, False, "x")
    pull_requests.open_discussion(
        storage, repo, "x", "", "x", storage.resolve(repo, "main"), storage.resolve(repo, "main")
    )
    storage.delete_repo(repo)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(HubError) as caught:
        LATE[call](storage, repo)
    assert caught.value.status == 404 and sorted(tmp_path.rglob("*")) == before


def test_everything_at_once(tmp_path: Path) -> None:
    """Eight clients of two servers of one folder do everything at once.

    They create, push, move, merge, remove, read and collect garbage. Each is served, or gets an
    error that says what was in its way.
    """
    storage, chance = Storage(tmp_path), random.Random(0)

    def client(api: HfApi, number: int) -> set[int]:
        repo_id, other, version, found = (
            f"{REPO}{number % 3}",
            f"{REPO}{number % 2}",
            f"v{number}",
            set(),
        )
        calls: list[Callable[[], object]] = [
            lambda: push_files(api, version, repo_id),
            lambda: push_files(api, version, repo_id),
            lambda: api.create_commit(
                repo_id,
                [CommitOperationAdd("a", version.encode())],
                commit_message=version,
                create_pr=True,
            ),
            lambda: api.create_tag(repo_id, tag=version),
            lambda: api.list_repo_commits(repo_id),
            lambda: list(api.list_models()),
            lambda: api.merge_pull_request(repo_id, 1),
            lambda: integrity.collect_garbage(storage),
            lambda: integrity.check_storage(storage),
            lambda: api.delete_repo(repo_id),
            lambda: api.move_repo(repo_id, other),
        ]
        for call in chance.sample(calls, len(calls)):
            for one in (lambda: api.create_repo(repo_id), call):
                try:
                    one()
                except HfHubHTTPError as error:
                    found.add(error.response.status_code)
        return found

    with (
        local.serve_in_thread(storage) as one,
        local.serve_in_thread(Storage(tmp_path)) as two,
        ThreadPoolExecutor(8) as pool,
    ):
        apis = [HfApi(endpoint=endpoint, token=storage.token) for endpoint in (one, two)]
        statuses = set().union(
            *pool.map(lambda number: client(apis[number % 2], number), range(24))
        )
    assert statuses == {404, 409}
    assert integrity.check_storage(storage).faults == []
    assert integrity.collect_garbage(storage, min_age=0).old
    assert integrity.check_storage(storage).orphans.young == {}


KILLS = 50
MORTAL = """
import os, signal, sys
from pathlib import Path
from hubtweets.hub import local
from hubtweets.hub.server import create_app, list_routes
from hubtweets.hub.storage.storage import Storage

EVENTS = ("open", "os.rename", "os.remove", "os.utime", "os.mkdir")

def count(event, arguments):
    global left
    if event in EVENTS and str(arguments[0]).startswith(folder):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

folder, port = sys.argv[1], int(sys.argv[2])
list_routes()  # once for all children
while line := sys.stdin.readline():
    child = os.fork()
    if child == 0:
        left = int(line)
        sys.addaudithook(count)
        server = local.Server(create_app(Storage(Path(folder))), port=port)
        print("up", os.getpid(), flush=True)
        server.run()
    status = os.waitpid(child, 0)[1]
    print("down", os.waitstatus_to_exitcode(status), flush=True)
"""


def test_a_server_killed_at_any_moment_has_whole_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill a server under eight clients, two for each repo.

    It dies at its Nth file operation, or after a random time. The clients retry until they succeed.
    """
    pause, up = threading.Event(), threading.Event()
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _: up.wait()))
    chance, over = random.Random(0), threading.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    storage = Storage(tmp_path / "hub")
    api = HfApi(endpoint=f"http://127.0.0.1:{port}", token=storage.token)

    def client(number: int) -> list[str]:
        repo_id, failed, left = f"{REPO}{number % 4}", True, 20  # tries, once it stays up
        acknowledged: list[str] = []
        while not over.is_set() or (failed and left):
            up.wait()  # to be refused again and again would keep the cores busy
            left -= over.is_set()
            try:
                api.create_repo(repo_id, exist_ok=True)
                acknowledged.append(
                    push_files(api, f"v{number}.{len(acknowledged)}", repo_id, xet=number > 5)
                )
                failed = False
            except Exception:
                failed = True
        return [] if failed else acknowledged

    command = [sys.executable, "-c", MORTAL, str(tmp_path / "hub"), str(port)]
    with (
        ThreadPoolExecutor(8) as pool,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as mortal,
    ):
        assert mortal.stdin and mortal.stdout
        clients = [pool.submit(client, number) for number in range(8)]
        try:
            for kill in range(KILLS):
                itself = kill % 2
                print(chance.randrange(1, 300) if itself else 0, file=mortal.stdin, flush=True)
                said = mortal.stdout.readline().split()
                if said[0] == "up":
                    up.set()
                if not itself:
                    pause.wait(chance.uniform(0, 0.15))
                    os.kill(int(said[1]), signal.SIGKILL)
                if said[0] == "up":
                    said = mortal.stdout.readline().split()
                assert said == ["down", "-9"]
                up.clear()
            print(0, file=mortal.stdin, flush=True)
            assert mortal.stdout.readline().startswith("up")
            over.set()
            up.set()
            wait(clients)
        finally:
            over.set()
            up.set()
            os.killpg(mortal.pid, signal.SIGKILL)
    histories = [read_history(storage, f"{REPO}{number}") for number in range(4)]
    for number, one in enumerate(clients):
        assert one.result() and set(one.result()) <= histories[number % 4].keys()
    found = integrity.check_storage(storage)
    assert found.faults == [] and found.orphans.young
    integrity.collect_garbage(storage, min_age=0)
    found = integrity.check_storage(storage)
    assert found.faults == [] and found.orphans.young == {}
    assert [read_history(storage, f"{REPO}{number}") for number in range(4)] == histories
