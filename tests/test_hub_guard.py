"""Access to the Hub: other sites' pages, slow bodies, tokens and their roles, private repos."""

import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from huggingface_hub import HfApi

from hubtweets.hub import connections, local, middleware
from hubtweets.hub.server import create_app
from hubtweets.hub.storage.storage import Storage
from hubtweets.hub.storage.tokens import create_token, get_token_path
from tests.conftest import environment, run
from tests.zygote import find_forked

Hub = tuple[str, str]
REPO, SECRET, MISSING = "huggingtweets/bot", "huggingtweets/secret", "huggingtweets/absent"


@pytest.fixture
def api(hub: Hub) -> HfApi:
    """A client of a Hub with one bot."""
    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo(REPO)
    return api


@contextmanager
def serve_hub(storage: Storage, name: str, address: str = "127.0.0.1") -> Iterator[str]:
    """Serve a Hub with a name at an address."""
    server = local.Server(create_app(storage, name), address, 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.endpoint
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("hub.example", False),
    ],
)
def test_samples_are_picked_only_where_no_other_machine_comes(host: str, expected: bool) -> None:
    assert local.is_loopback(host) == expected


def dial(endpoint: str) -> socket.socket:
    host, _, port = endpoint.removeprefix("http://").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=30)


def send_raw(endpoint: str, *lines: str) -> int:
    """Send a raw request and return the status, 0 if the server closed the connection."""
    with dial(endpoint) as connection:
        try:
            connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            return int(connection.recv(100).split()[1])
        except ConnectionError:
            return 0


# ---- foreign pages ----

HOSTS = [
    ("127.0.0.1:{port}", 200),
    ("127.0.0.1", 200),
    ("localhost:{port}", 200),
    ("LOCALHOST:{port}", 200),
    ("[::1]:{port}", 200),
    ("192.168.7.7:{port}", 200),
    ("my-machine.lan:{port}", 200),
    ("attacker.example:{port}", 403),
    ("127.0.0.1.attacker.example:{port}", 403),
    ("localhost.attacker.example", 403),
    ("attacker.example@127.0.0.1:{port}", 200),  # the part before an @ is no host
    ("127.0.0.1@attacker.example:{port}", 403),
    ("[::1", 403),
    ("0x7f000001:{port}", 403),
    ("", 403),
]


def test_a_host_that_is_a_strangers_name_is_refused(tmp_path: Path) -> None:
    with serve_hub(Storage(tmp_path), "My-Machine.lan") as endpoint:
        port = endpoint.rpartition(":")[2]
        assert [
            (host, send_raw(endpoint, "GET / HTTP/1.1", f"Host: {host.format(port=port)}"))
            for host, _ in HOSTS
        ] == HOSTS
        assert send_raw(endpoint, "GET / HTTP/1.0") == 403


ORIGINS = [
    (None, 200, 200),
    ("http://127.0.0.1:{port}", 200, 200),
    ("https://127.0.0.1:{port}", 200, 403),
    ("http://localhost:{port}", 200, 403),
    ("http://127.0.0.1:1", 200, 403),
    ("http://127.0.0.1", 200, 403),
    ("http://attacker.example", 200, 403),
    ("http://127.0.0.1:{port}.attacker.example", 200, 403),
    ("null", 200, 403),
    ("", 200, 403),
]


def test_a_foreign_page_may_not_write_nor_read(api: HfApi, hub: Hub) -> None:
    found, client = (
        [],
        httpx2.Client(
            base_url=f"{hub[0]}/api/models/huggingtweets",
            headers={"Authorization": f"Bearer {hub[1]}"},
        ),
    )
    for origin, _, _ in ORIGINS:
        headers = (
            {} if origin is None else {"Origin": origin.format(port=hub[0].rpartition(":")[2])}
        )
        read = client.get("bot", headers=headers)
        wrote = client.put("bot/settings", json={"private": False}, headers=headers)
        asked = client.options(
            "bot/settings", headers=headers | {"Access-Control-Request-Method": "PUT"}
        )
        assert not [
            name
            for answer in (read, wrote, asked)
            for name in answer.headers
            if name.startswith("access-control")
        ]
        found.append((origin, read.status_code, wrote.status_code))
    assert found == ORIGINS


# ---- bodies that do not come ----


def build_upload_head(hub: Hub, size: int) -> list[str]:
    """Return the head of a commit with a body of `size` bytes."""
    head = [
        f"POST /api/models/{REPO}/commit/main HTTP/1.1",
        f"Host: {hub[0].removeprefix('http://')}",
        f"Authorization: Bearer {hub[1]}",
    ]
    return [*head, f"Content-Length: {size}"]


def send_slowly(hub: Hub, size: int, pieces: Iterable[bytes], pause: float) -> int:
    """Send a body in pieces with pauses, and return the status as soon as an answer comes."""
    with dial(hub[0]) as connection:
        connection.sendall("\r\n".join([*build_upload_head(hub, size), "", ""]).encode())
        for piece in pieces:
            connection.sendall(piece)
            if select.select([connection], [], [], pause)[0]:
                break
        return int(connection.recv(100).split()[1])


BODY = (
    b'{"key":"header","value":{"summary":"slow"}}\n'
    b'{"key":"file","value":{"path":"a.txt","content":"aGVsbG8="}}\n'
)
SLOW: dict[
    str, tuple[list[bytes], float, int]
] = {  # the first takes longer than PATIENCE, but always some of it comes
    "comes in pieces": ([BODY[at : at + 10] for at in range(0, len(BODY), 10)], 0.05, 200),
    "never comes": ([], 0, 408),
    "stalls": ([b" " * 100_000], 0, 408),
    "drips": ([BODY[at : at + 1] for at in range(len(BODY))], 0.02, 408),
}


@pytest.mark.parametrize("how", SLOW)
def test_a_body_must_come(
    api: HfApi, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    pieces, pause, status = SLOW[how]
    before = api.model_info(REPO).sha
    monkeypatch.setattr(middleware, "MAX_STALL_SECONDS", 0.3)
    monkeypatch.setattr(middleware, "MIN_BYTES_PER_SECOND", 100)
    assert send_slowly(hub, len(BODY) if status == 200 else 2**20, pieces, pause) == status
    assert (api.model_info(REPO).sha == before) is (status == 408)
    assert list((tmp_path / "hub" / "tmp").iterdir()) == []


def test_an_answer_may_be_read_slowly(
    api: HfApi, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(2**24)
    api.upload_file(path_or_fileobj=content, path_in_repo="a.bin", repo_id=REPO)
    monkeypatch.setattr(middleware, "MAX_STALL_SECONDS", 0.1)
    with dial(hub[0]) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        connection.sendall(
            f"GET /{REPO}/resolve/main/a.bin HTTP/1.1\r\n"
            "Host: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        threading.Event().wait(0.5)
        assert connection.makefile("rb").read().endswith(content)


def test_a_client_that_hangs_up_leaves_nothing(api: HfApi, hub: Hub, tmp_path: Path) -> None:
    before = api.model_info(REPO).sha
    with dial(hub[0]) as connection:
        connection.sendall(
            "\r\n".join([*build_upload_head(hub, 2**22), "", ""]).encode() + b"x" * 2**21
        )
        wait_until(lambda: any((tmp_path / "hub" / "tmp").iterdir()))
    wait_until(lambda: not any((tmp_path / "hub" / "tmp").iterdir()))
    assert api.model_info(REPO).sha == before


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end


@pytest.mark.parametrize("length", ["0", "-1", "1e3", "5, 6", str(2**31), str(2**70)])
def test_absurd_lengths_are_refused(api: HfApi, hub: Hub, length: str) -> None:
    assert send_raw(hub[0], *build_upload_head(hub, 0)[:3], f"Content-Length: {length}") in (
        400,
        413,
    )


def test_absurd_headers_are_refused(hub: Hub) -> None:
    assert send_raw(hub[0], "GET / HTTP/1.1", "Host: localhost", "X-Long: " + "x" * 2**17) in (
        0,
        400,
        431,
    )
    assert send_raw(
        hub[0],
        "GET / HTTP/1.1",
        "Host: localhost",
        *(f"X-{number}: {'x' * 1000}" for number in range(100)),
    ) in (0, 400, 431)


def test_many_connections_that_send_nothing_block_no_client(api: HfApi, hub: Hub) -> None:
    with ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(dial(hub[0]))
            connection.sendall(
                "\r\n".join(build_upload_head(hub, 100)).encode() + b"\r\n" * (number % 3)
            )  # a half head, a whole one, a bit of a body
        assert api.model_info(REPO).sha


HALF_HEADS = [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "]


@pytest.mark.parametrize("sent", HALF_HEADS)
@pytest.mark.parametrize(
    "before",
    [b"", b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ids=["at once", "after another"],
)
def test_a_head_that_does_not_come_is_hung_up_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, before: bytes, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "MAX_HEAD_SECONDS", 0.3)
    with dial(hub[0]) as connection:
        connection.sendall(before + sent)
        answer = connection.makefile("rb").read()  # until the server closes
    assert answer.startswith(b"HTTP/1.1 200" if before else b"") and answer.count(
        b"HTTP/1.1"
    ) == bool(before)


def test_a_head_that_drips_is_hung_up_on(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_HEAD_SECONDS", 0.3)
    with dial(hub[0]) as connection, suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        while not select.select([connection], [], [], 0.02)[0]:
            connection.sendall(b"x")
        assert connection.recv(1) == b""


def test_a_head_limit_is_none_of_the_answer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the head has a deadline: the body may take longer."""
    monkeypatch.setattr(connections, "MAX_HEAD_SECONDS", 0.1)
    body = b'{"content": "# a card"}'
    with dial(hub[0]) as connection:
        connection.sendall(
            b"POST /api/validate-yaml HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            % len(body)
        )
        threading.Event().wait(0.3)
        connection.sendall(body)
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_of_too_many_connections_that_wait_the_oldest_is_closed(
    api: HfApi, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_WAITING_CONNECTIONS", 3)
    with ExitStack() as stack:
        busy = stack.enter_context(dial(hub[0]))
        busy.sendall(
            "\r\n".join(
                [*build_upload_head(hub, len(BODY)), "Expect: 100-continue", "", ""]
            ).encode()
        )
        assert b"HTTP/1.1 100" in busy.recv(100)  # its head is there, so it does not wait
        waiting = [stack.enter_context(dial(hub[0])) for _ in range(10)]
        assert [connection.recv(1) for connection in waiting[:7]] == [b""] * 7
        waiting[9].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert waiting[9].recv(12) == b"HTTP/1.1 200"
        busy.sendall(BODY)
        assert b"HTTP/1.1 200" in busy.recv(100)


UPGRADES = [
    ("websocket", "Upgrade", b"501"),
    ("WebSocket", "keep-alive, Upgrade", b"501"),
    ("h2c", "Upgrade, HTTP2-Settings", b"200"),
]


@pytest.mark.parametrize(("protocol", "connection", "status"), UPGRADES)
def test_websockets_are_refused_without_a_word_in_the_log(
    hub: Hub, caplog: pytest.LogCaptureFixture, protocol: str, connection: str, status: bytes
) -> None:
    head = (
        f"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: {protocol}\r\n"
        f"Connection: {connection}\r\nSec-WebSocket-Version: 13\r\n"
    )
    with dial(hub[0]) as dialled:
        dialled.sendall(f"{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        assert dialled.recv(12).split()[1] == status
    assert caplog.records == []


# ---- tokens ----


def list_requests(storage: Storage, repo_id: str, kind: str) -> list[tuple[str, str]]:
    """Return the method and path of every route about a repo."""
    app: Any = create_app(storage)
    namespace, name = repo_id.split("/")
    values = {
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "revision": "main",
        "path": "README.md",
        "num": "1",
        "number": "0",
        "slug": "c-" + "a" * 24,
        "item": "a" * 24,
        "user": namespace,
    }
    values |= {"sha256": "a" * 64, "hash": "a" * 64, "instance": storage.instance}
    known = [(method, route.path) for route in app.app.app.routes for method in route.methods]
    return sorted(
        (method, re.sub(r"\{(\w+)(:\w+)?\}", lambda match: values[match[1]], path))
        for method, path in known
    )


# allowed without a token, because it changes nothing
OPEN = {
    "/api/validate-yaml",
    f"/api/models/{REPO}/paths-info/main",
    "/v1/telemetry",
    "/cas-{instance}/README.md",
    f"/_generate/{REPO}",
}


def test_only_a_token_that_may_write_changes_anything(api: HfApi, hub: Hub, tmp_path: Path) -> None:
    storage = Storage(tmp_path / "hub")
    api.create_discussion(REPO, title="x")
    reading = create_token(storage.blobs, "read")
    before, answered = read_files(storage), set()
    with httpx2.Client(base_url=hub[0]) as client:
        for method, path in list_requests(storage, REPO, "models"):
            for token in (None, reading, "hf_" + "0" * 40) if method not in ("GET", "HEAD") else ():
                answer = client.request(
                    method,
                    path,
                    json={},
                    headers={"Authorization": f"Bearer {token}"} if token else {},
                )
                if answer.status_code not in (401, 403, 501):
                    answered.add(path)
    assert answered == {path.format(instance=storage.instance) for path in OPEN}
    assert read_files(storage) == before


def read_files(storage: Storage) -> dict[str, bytes]:
    return {
        path.relative_to(storage.root).as_posix(): path.read_bytes()
        for path in storage.root.rglob("*")
        if path.is_file()
    }


def test_private_repos_look_like_none(hub: Hub, tmp_path: Path) -> None:
    api, storage = HfApi(endpoint=hub[0], token=hub[1]), Storage(tmp_path / "hub")
    for kind in ("model", "dataset", "space"):
        api.create_repo(
            SECRET, repo_type=kind, private=True, space_sdk="static" if kind == "space" else None
        )
        api.upload_file(
            path_or_fileobj=b"---\nsdk: static\n---\n",
            path_in_repo="README.md",
            repo_id=SECRET,
            repo_type=kind,
        )
        api.create_discussion(SECRET, title="x", repo_type=kind)
    with httpx2.Client(base_url=hub[0]) as client:
        for kind in ("models", "datasets", "spaces"):
            for (method, secret), (_, absent) in zip(
                list_requests(storage, SECRET, kind),
                list_requests(storage, MISSING, kind),
                strict=True,
            ):
                hidden, missing = client.request(method, secret), client.request(method, absent)
                assert (hidden.status_code, hidden.text.replace("secret", "absent")) == (
                    missing.status_code,
                    missing.text,
                ), (method, secret)
                assert hidden.headers.keys() == missing.headers.keys(), (method, secret)
                assert "secret" in secret or "secret" not in hidden.text, (method, secret)


PRIVACY: list[tuple[dict[str, object], int, bool]] = [
    ({}, 200, False),
    ({"private": True}, 200, True),  # clients before huggingface_hub 1.0
    ({"private": False}, 200, False),
    ({"private": None}, 200, False),
    ({"visibility": "private"}, 200, True),
    ({"visibility": "public"}, 200, False),
    ({"private": True, "visibility": "private"}, 200, True),
    ({"private": False, "visibility": "public"}, 200, False),
    ({"private": True, "visibility": "public"}, 400, False),
    ({"private": False, "visibility": "private"}, 400, False),
    ({"private": "true"}, 400, False),
    ({"private": 1}, 400, False),
    ({"private": []}, 400, False),
    ({"visibility": "protected"}, 400, False),
    ({"visibility": "Private"}, 400, False),
    ({"visibility": True}, 400, False),
    ({"visibility": ["private"]}, 400, False),
]


@pytest.mark.parametrize(("body", "status", "private"), PRIVACY)
def test_who_asks_for_a_private_repo_gets_one_whatever_the_client(
    api: HfApi, hub: Hub, body: dict, status: int, private: bool
) -> None:
    with httpx2.Client(base_url=hub[0], headers={"Authorization": f"Bearer {hub[1]}"}) as client:
        created = client.post("/api/repos/create", json={"name": "secret", **body})
        changed = client.put(f"/api/models/{REPO}/settings", json=body)
        assert [created.status_code, changed.status_code] == [status] * 2
        assert api.repo_exists(SECRET) is (status == 200)
        seen = {
            name: httpx2.get(f"{hub[0]}/api/models/{name}").status_code for name in (REPO, SECRET)
        }
        assert seen == {
            REPO: 401 if private else 200,
            SECRET: 401 if private or status != 200 else 200,
        }


def test_only_the_hash_of_a_token_is_kept(hub: Hub, tmp_path: Path) -> None:
    done = run(tmp_path, "hub", "token", "--role", "read")
    token = done.stdout.strip()
    kept = get_token_path(tmp_path / "hub", token)
    assert (
        re.fullmatch("hf_[0-9a-f]{40}\n", done.stdout)
        and done.stderr == f"To take it back: rm {kept}\n"
    )
    files = read_files(Storage(tmp_path / "hub"))
    assert [name for name, content in files.items() if hub[1].encode() in content] == ["token"]
    assert [name for name, content in files.items() if token.encode() in content] == []
    assert {
        stat.S_IMODE((tmp_path / "hub" / name).stat().st_mode) for name in files if name != "lock"
    } == {0o600}
    assert HfApi(endpoint=hub[0], token=token).whoami()["auth"]["accessToken"]["role"] == "read"
    kept.unlink()
    assert (
        httpx2.get(
            f"{hub[0]}/api/whoami-v2", headers={"Authorization": f"Bearer {token}"}
        ).status_code
        == 401
    )


# ---- the command ----

MARKED = "hf_" + "5ecce7" * 6


def test_it_listens_where_it_was_told_and_its_log_holds_no_token(tmp_path: Path) -> None:
    found = {}
    with ExitStack() as stack:
        servers = {}
        for host in ("127.0.0.1", "0.0.0.0", "::1"):  # all start at once
            command = [
                *(sys.executable, "-m", "hubtweets", "hub"),
                *("--port", str(find_free_port())),
                *(["--host", host] if host != "127.0.0.1" else []),
            ]
            servers[host] = stack.enter_context(
                subprocess.Popen(
                    command,
                    env=environment(tmp_path),
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            )
            stack.callback(servers[host].kill)
        for host, process in servers.items():
            assert process.stdout
            endpoint = process.stdout.readline().split()[0]
            found[host] = {
                connection.laddr.ip
                for connection in psutil.Process(find_forked(process.pid)).net_connections()
                if connection.status == "LISTEN"
            }
            own = (tmp_path / "hub" / "token").read_text()
            with httpx2.Client(base_url=endpoint) as client:
                for method, path in list_requests(Storage(tmp_path / "hub"), REPO, "models"):
                    for token in (MARKED, own):
                        answer = client.request(
                            method,
                            f"{path}?token={token}",
                            headers={"Authorization": f"Bearer {token}"},
                            content=b"[",
                        )
                        assert token not in answer.text
                assert (
                    client.get("/api/nothing/of/the/kind", params={"token": MARKED}).status_code
                    == 404
                )
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            assert "/api/nothing/of/the/kind" in err and "Traceback" not in err
            assert [text for text in (out, err) if MARKED in text or own in text] == []
    assert found == {host: {host} for host in found}


def find_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
