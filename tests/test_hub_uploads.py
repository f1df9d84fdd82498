"""Uploads to the embedded Hub: in parts, cut off, forged, too large, and many at once.

Rejected uploads leave nothing behind.
"""

import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import _http
from starlette.requests import Request

from hubtweets.hub.api import lfs, requests
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import xet
from hubtweets.hub.storage.blobs import Blobs
from hubtweets.hub.storage.storage import Storage
from hubtweets.publishing.retry import choose_wait
from tests.test_hub_xet import WRONG, XORB, limit_memory, list_uploads, make_chunk, make_shard

Hub = tuple[str, str]
REPO = "huggingtweets/bot"
CONTENT = os.urandom(3500)
WEB = httpx2.Client()


@pytest.fixture
def api(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """A client without Xet, and a repo."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo(REPO)
    return api


@pytest.fixture
def root(api: HfApi, tmp_path: Path) -> Path:
    """The folder of the Hub."""
    return tmp_path / "hub"


def request_urls(hub: Hub, *objects: tuple[str, int]) -> list[dict]:
    """Request the upload URLs of objects."""
    body = {
        "operation": "upload",
        "objects": [{"oid": sha256, "size": size} for sha256, size in objects],
    }
    answer = WEB.post(
        f"{hub[0]}/{REPO}.git/info/lfs/objects/batch",
        json=body,
        headers={"Authorization": f"Bearer {hub[1]}"},
    )
    answer.raise_for_status()
    return answer.json()["objects"]


def hash_content(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ---- parts ----


def test_a_file_in_parts_goes_on_from_the_part_that_failed(
    api: HfApi, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client repeats only what failed.

    The third part gets a 503 once, and the answer to the last request is lost.
    """
    came: list[str] = []
    save_body, join = lfs.save_body, lfs.assemble_object

    async def save(request: Request, *arguments: object) -> int:
        came.append(requests.get_path_param(request, "number"))
        if came == ["1", "2", "3"]:
            raise HubError(503, "not now")
        return await save_body(request, *arguments)  # type: ignore[arg-type]

    def join_and_be_lost(*arguments: object) -> None:
        came.append("joined")
        join(*arguments)  # type: ignore[arg-type]
        if came.count("joined") == 1:
            raise HubError(503, "lost")

    monkeypatch.setattr(lfs, "PART_BYTES", 1000)
    monkeypatch.setattr(lfs, "save_body", save)
    monkeypatch.setattr(lfs, "assemble_object", join_and_be_lost)
    api.create_commit(
        REPO, [CommitOperationAdd("model.safetensors", CONTENT)], commit_message="parts"
    )
    assert came == ["1", "2", "3", "3", "4", "joined", "joined"]
    assert (
        Path(
            api.hf_hub_download(REPO, "model.safetensors", cache_dir=tmp_path / "cache")
        ).read_bytes()
        == CONTENT
    )
    assert not [name for name in list_uploads(root) if name.startswith(("parts", "tmp"))]


def list_part_urls(item: dict) -> tuple[dict[int, str], str]:
    """Return the URLs for the parts of an object, and the one to join them."""
    upload = item["actions"]["upload"]
    assert upload["header"].pop("chunk_size") == "1000"
    return {int(number): href for number, href in upload["header"].items()}, upload["href"]


def put(href: str, content: bytes) -> int:
    return WEB.put(href, content=content).status_code


def test_parts_are_checked_and_kept_until_all_are_there(
    api: HfApi, hub: Hub, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lfs, "PART_BYTES", 1000)
    pieces = {number: CONTENT[1000 * (number - 1) : 1000 * number] for number in range(1, 5)}
    sha256 = hash_content(CONTENT)
    before = list_uploads(root)
    hrefs, last = list_part_urls(request_urls(hub, (sha256, 3500))[0])
    assert sorted(hrefs) == [1, 2, 3, 4]
    assert [put(hrefs[1], pieces[1]), put(hrefs[3], pieces[3]), put(hrefs[4], pieces[4])] == [
        200,
        200,
        200,
    ]
    assert [put(hrefs[2], wrong) for wrong in (pieces[2][:-1], pieces[2] + b"x", b"")] == [
        400,
        413,
        400,
    ]
    assert put(hrefs[4], pieces[1]) == 413  # the last one is shorter
    answer = WEB.post(last, json={})
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        f"part 2 of {sha256} was never uploaded",
    )
    assert list_uploads(root) - before == {f"parts/{sha256}/{number}" for number in (1, 3, 4)}
    hrefs, last = list_part_urls(request_urls(hub, (sha256, 3500))[0])  # another time
    assert put(hrefs[2], pieces[2]) == 200
    assert [WEB.post(last, json={}).status_code for _ in range(2)] == [200, 200]
    assert list_uploads(root) - before == {f"blobs/{sha256[:2]}/{sha256}"}
    assert "actions" not in request_urls(hub, (sha256, 3500))[0]


def test_parts_that_are_something_else_are_thrown_away(
    api: HfApi, hub: Hub, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lfs, "PART_BYTES", 1000)
    before = list_uploads(root)
    hrefs, last = list_part_urls(request_urls(hub, (WRONG, 1500))[0])
    assert [
        put(hrefs[1], bytes(1000)),
        put(hrefs[2], bytes(500)),
        WEB.post(last, json={}).status_code,
    ] == [200, 200, 400]
    assert list_uploads(root) == before


def test_two_who_join_the_same_parts_are_both_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, sha256, add = Storage(tmp_path), hash_content(b"onetwo"), Blobs.add
    folder = tmp_path / "parts" / sha256
    folder.mkdir()
    for number, content in enumerate((b"one", b"two"), 1):
        (folder / str(number)).write_bytes(content)

    def add_after_another(
        blobs: Blobs, chunks: Iterable[bytes | memoryview], expected: str | None = None
    ) -> tuple[str, int]:
        monkeypatch.setattr(Blobs, "add", add)
        lfs.assemble_object(storage, sha256, 2)
        return add(blobs, chunks, expected)

    monkeypatch.setattr(Blobs, "add", add_after_another)
    lfs.assemble_object(storage, sha256, 2)
    assert storage.blobs.path(sha256).read_bytes() == b"onetwo" and not folder.exists()


def test_a_signature_is_for_one_thing(
    api: HfApi, hub: Hub, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lfs, "PART_BYTES", 1000)
    sha256 = hash_content(CONTENT)
    before = list_uploads(root)
    href = list_part_urls(request_urls(hub, (sha256, 3500))[0])[0][2]
    changes = [
        ("/2?", "/1?"),
        ("/2?", "/0?"),
        ("size=3500", "size=3501"),
        ("size=3500", "size=03500"),
        (sha256, WRONG),
    ]
    changes += [
        (sha256, f"{sha256}%202"),
        ("signature=", "signature=9"),
        ("signature=", "signature=9999999999-"),
        ("signature=", ""),
    ]
    for old, new in changes:
        assert put(href.replace(old, new), CONTENT[1000:2000]) == 403, new
    for method in ("GET", "DELETE"):
        assert WEB.request(method, href).status_code in (404, 501)
    assert WEB.post(href).json() == {
        "error": "this object does not come in parts"
    }  # a part's address takes no last word
    assert list_uploads(root) == before


# ---- sizes ----


def test_objects_that_the_disk_has_no_room_for(
    api: HfApi, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert request_urls(hub, (WRONG, 10**18)) == [
        {
            "oid": WRONG,
            "size": 10**18,
            "error": {"code": 507, "message": f"{10**18} bytes are more than the disk has left"},
        }
    ]
    monkeypatch.setattr(Blobs, "count_free_bytes", lambda self: 100)
    answers = request_urls(hub, ("a" * 64, 60), ("b" * 64, 60), ("c" * 64, 40))
    assert ["error" in answer for answer in answers] == [False, True, False]


@pytest.mark.parametrize("without_xet", [True, False])
def test_a_push_that_the_disk_has_no_room_for_says_so_at_once(
    api: HfApi, monkeypatch: pytest.MonkeyPatch, without_xet: bool
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", without_xet)
    monkeypatch.setattr(
        _http, "time", SimpleNamespace(sleep=lambda _: pytest.fail("it was tried again"))
    )
    monkeypatch.setattr(Blobs, "count_free_bytes", lambda self: 100)
    for content, reason in (
        (b"\0" * 1000, "1000 bytes are more than the 100 that the disk has left"),
        (b"\0" * 90, ""),
    ):
        operations = [
            CommitOperationAdd("model.safetensors", content),
            CommitOperationAdd("README.md", b"x" * 1000),
        ]
        if not reason:
            api.create_commit(REPO, operations, commit_message="fits")
            continue
        with pytest.raises(HfHubHTTPError, match=reason) as caught:
            api.create_commit(REPO, operations, commit_message="does not")
        assert caught.value.response.status_code == 507


@pytest.mark.parametrize("step", ["add_xorb", "add_shard"])
def test_a_disk_that_fills_up_during_xet_is_not_tried_again(
    api: HfApi, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    calls: list[str] = []

    def fill_up(*_: object) -> None:
        calls.append(step)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.setattr(xet, step, fill_up)
    with pytest.raises(ConnectionError, match="413") as caught:
        api.create_commit(
            REPO, [CommitOperationAdd("model.safetensors", os.urandom(1000))], commit_message="x"
        )
    assert calls == [step] and choose_wait(caught.value, 1) is None


def test_by_lfs_a_disk_that_fills_up_says_so_at_once(
    api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        _http, "time", SimpleNamespace(sleep=lambda _: pytest.fail("it was tried again"))
    )
    sizes = iter([10**9, 10])
    monkeypatch.setattr(Blobs, "count_free_bytes", lambda self: next(sizes))
    with pytest.raises(ValueError, match="1000 bytes are more than the disk has left"):
        api.create_commit(
            REPO, [CommitOperationAdd("model.safetensors", os.urandom(1000))], commit_message="x"
        )
    monkeypatch.undo()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(
        Blobs, "keep", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(RuntimeError) as caught:
        api.create_commit(
            REPO, [CommitOperationAdd("model.safetensors", os.urandom(1000))], commit_message="x"
        )
    assert "No space left on device" in str(caught.value.__cause__)


def test_sizes_that_are_none(api: HfApi, hub: Hub) -> None:
    headers = {"Authorization": f"Bearer {hub[1]}"}
    for size in ("1e400", "-1e400", "NaN", '"x"', "null"):
        file = f'{{"path":"x","sample":"","size":{size}}}'
        body = f'{{"files":[{file}],"objects":[{{"oid":"{WRONG}","size":{size}}}]}}'
        for path in (f"/api/models/{REPO}/preupload/main", f"/{REPO}.git/info/lfs/objects/batch"):
            assert WEB.post(hub[0] + path, content=body, headers=headers).status_code == 400, size


# ---- .gitignore ----

IGNORED = b"# secrets\n.env\n*.log\n!keep.log\n/build/\n**/cache/**\n"
FOLDER = {
    ".env": b"HF_TOKEN=hf_secret",
    "deep/.env": b"x",
    "a.log": b"x",
    "keep.log": b"x",
    "build/a.txt": b"x",
    "deep/build/a.txt": b"x",
    "deep/cache/b/c.bin": b"\0x",
    "README.md": b"# x",
}
LEFT = {".gitattributes", ".gitignore", "README.md", "deep/build/a.txt", "keep.log"}


@pytest.mark.parametrize("without_xet", [True, False])
def test_a_folder_is_uploaded_without_what_gitignore_names(
    api: HfApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_xet: bool
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", without_xet)
    for name, content in {**FOLDER, ".gitignore": IGNORED}.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    api.upload_folder(repo_id=REPO, folder_path=tmp_path / "folder")
    assert set(api.list_repo_files(REPO)) == LEFT
    (tmp_path / "folder" / ".gitignore").unlink()  # then the repo's own one counts
    api.upload_folder(repo_id=REPO, folder_path=tmp_path / "folder")
    assert set(api.list_repo_files(REPO)) == LEFT
    api.create_branch(
        REPO, branch="all", revision=api.list_repo_commits(REPO)[-1].commit_id
    )  # which has none
    api.upload_folder(repo_id=REPO, folder_path=tmp_path / "folder", revision="all")
    assert set(api.list_repo_files(REPO, revision="all")) == {".gitattributes", *FOLDER}


HOSTILE: list[tuple[object, int, str]] = [
    ("*" * 1000 + "b", 200, ""),
    ("*a" * 1000 + "b", 200, ""),  # for ever with Python's regular expressions
    ("**/" * 1000 + "b", 200, ""),
    (
        "\n".join(f"*{number}*" for number in range(4500)),
        400,
        ".gitignore can't be read: failed to compile Set; correct that line, or use simpler",
    ),
    ("[z-a]", 400, ".gitignore can't be read: bad character range z-a"),
    (
        "!",
        400,
        ".gitignore can't be read: Invalid git pattern: '!'"
        "; correct that line, or use simpler patterns",
    ),
    ("x" * 2**15 + "x", 400, ".gitignore is over 32768 bytes; shorten it"),
    ("\ud800", 400, ".gitignore can't be read: "),
    (5, 400, "gitIgnore must be a text"),
    (["a"], 400, "gitIgnore must be a text"),
]


@pytest.mark.parametrize(
    ("gitignore", "status", "error"), HOSTILE, ids=[str(one)[:12] for one, _, _ in HOSTILE]
)
def test_a_gitignore_that_no_one_would_write(
    api: HfApi, hub: Hub, gitignore: object, status: int, error: str
) -> None:
    body = {"files": [{"path": "a" * 1000, "size": 1}] * 256, "gitIgnore": gitignore}
    address = f"{hub[0]}/api/models/{REPO}/preupload/main"
    answer = WEB.post(
        address, content=json.dumps(body), headers={"Authorization": f"Bearer {hub[1]}"}, timeout=30
    )
    assert (answer.status_code, answer.json().get("error", "")[: len(error)]) == (status, error)


# ---- bodies ----


def exchange(endpoint: str, sent: bytes) -> bytes:
    """Send raw bytes and return the first line of the answer."""
    host, port = endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        return connection.makefile("rb").readline()


HEADS: list[tuple[str, bytes, int]] = [
    ("Content-Length: 5", b"hello", 200),
    ("Transfer-Encoding: chunked", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200),
    ("Content-Length: 5", b"jello", 400),
    ("Content-Length: 4", b"hell", 400),
    ("Content-Length: 0", b"", 400),
    ("Content-Length: 6", b"", 413),
    ("Content-Length: 1000000000000000000", b"", 413),
    ("Content-Length: 99999999999999999999999999", b"", 400),
    ("Content-Length: " + "9" * 5000, b"", 400),
    ("Content-Length: -5", b"hello", 400),
    ("Content-Length: +5", b"hello", 400),
    ("Content-Length: 5\r\nContent-Length: 6", b"hello", 400),
    ("Content-Length: 5\r\nTransfer-Encoding: chunked", b"hello\r\n", 400),
    ("Transfer-Encoding: chunked", b"6\r\nhello!\r\n0\r\n\r\n", 413),
    ("Transfer-Encoding: chunked", b"5\r\nhel\r\n0\r\n\r\n", 400),
    ("Transfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n", 400),
    ("Transfer-Encoding: chunked", b"0\r\n\r\n", 400),
]


def test_lengths(api: HfApi, hub: Hub, root: Path) -> None:
    sha256, before = hash_content(b"hello"), list_uploads(root)
    blob = f"blobs/{sha256[:2]}/{sha256}"
    href = request_urls(hub, (sha256, 5))[0]["actions"]["upload"]["href"].removeprefix(hub[0])
    for head, body, status in HEADS:
        answer = exchange(
            hub[0], f"PUT {href} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body
        )
        assert answer.split()[1] == b"%d" % status, (head[:60], body)
        added = {blob} if status == 200 else set()
        wait_until(lambda added=added: list_uploads(root) - before == added)  # type: ignore[misc]
        (root / blob).unlink(missing_ok=True)


def wait_until(condition: Callable[[], bool]) -> None:
    began = monotonic()
    while not condition():
        assert monotonic() - began < 10


def test_a_body_that_is_cut_leaves_nothing(api: HfApi, hub: Hub, root: Path) -> None:
    before = list_uploads(root)
    href = request_urls(hub, (WRONG, 2**22))[0]["actions"]["upload"]["href"].removeprefix(hub[0])
    host, port = hub[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"PUT {href} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**22}\r\n\r\n".encode()
            + bytes(2**21)
        )
        wait_until(lambda: any(path.stat().st_size for path in (root / "tmp").iterdir()))
    wait_until(lambda: list_uploads(root) == before)


def test_what_follows_a_body_is_not_of_it(api: HfApi, hub: Hub, root: Path) -> None:
    sha256, before = hash_content(b"hello"), list_uploads(root)
    href = request_urls(hub, (sha256, 5))[0]["actions"]["upload"]["href"].removeprefix(hub[0])
    exchange(
        hub[0],
        f"PUT {href} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 5\r\n\r\nhello and more".encode(),
    )
    wait_until(lambda: list_uploads(root) - before in (set(), {f"blobs/{sha256[:2]}/{sha256}"}))
    assert api.repo_exists(REPO)


# ---- Xet ----


@pytest.fixture
def cas(api: HfApi, hub: Hub) -> Iterator[httpx2.Client]:
    """A client of the Xet storage."""
    about = WEB.get(
        f"{hub[0]}/api/models/{REPO}/xet-write-token/main",
        headers={"Authorization": f"Bearer {hub[1]}"},
    ).json()
    with httpx2.Client(
        base_url=about["casUrl"], headers={"Authorization": f"Bearer {about['accessToken']}"}
    ) as client:
        yield client


def test_xet_by_hand(cas: httpx2.Client, hub: Hub, root: Path) -> None:
    content, before = b"hello " * 5, list_uploads(root)
    good, elsewhere = f"/v1/xorbs/default/{XORB}", f"{hub[0]}/cas-{'0' * 12}/v1"
    made = make_shard(hash_content(content), *[(XORB, 6, 0, 1)] * 5)
    refused: list[tuple[str, bytes, int]] = [
        ("/v1/xorbs/default/..%2F..%2Fsecret", make_chunk(b"hello ", 0), 400),
        ("/v1/xorbs/default/" + "x" * 64, make_chunk(b"hello ", 0), 400),
        (good, b"", 400),
        (good, make_chunk(b"hello ", 0)[:-1], 400),
        ("/v1/shards", made, 400),
        ("/v1/shards", make_shard(WRONG, count=2**32 - 1), 400),
        (f"{elsewhere}/xorbs/default/{XORB}", make_chunk(b"hello ", 0), 404),
        (f"{elsewhere}/shards", made, 404),
    ]
    for path, body, status in refused:
        assert cas.post(path, content=body).status_code == status, path
        assert list_uploads(root) == before, path
    assert (
        cas.post(
            "/v1/shards", content=made, headers={"Authorization": f"Bearer {hub[1]}"}
        ).status_code
        == 403
    )
    assert [
        cas.post(good, content=make_chunk(b"hello ", 0)).status_code,
        cas.post("/v1/shards", content=made).status_code,
    ] == [200, 200]
    assert list_uploads(root) - before == {
        f"xorbs/{XORB}",
        f"blobs/{hash_content(content)[:2]}/{hash_content(content)}",
    }


def test_a_xorb_may_be_64_mib_of_what_cannot_be_packed(cas: httpx2.Client, root: Path) -> None:
    """Clients count the plain bytes of at most 8,192 chunks; headers come on top."""
    path, piece = f"/v1/xorbs/default/{XORB}", make_chunk(bytes(2**13), 0)
    assert cas.post(path, content=(piece for _ in range(2**13))).status_code == 200
    (root / "xorbs" / XORB).unlink()
    before = list_uploads(root)
    assert cas.post(path, content=(piece for _ in range(2**13 + 1))).status_code == 413
    assert list_uploads(root) == before


def test_eight_xorbs_at_once_are_not_held_in_memory(cas: httpx2.Client, root: Path) -> None:
    piece = make_chunk(bytes(2**20), 0)

    def send(number: int) -> int:
        return cas.post(
            f"/v1/xorbs/default/{number:064}", content=(piece for _ in range(16))
        ).status_code

    with ThreadPoolExecutor(8) as pool, limit_memory(2**25):
        assert list(pool.map(send, range(8))) == [200] * 8
    assert {path.stat().st_size for path in (root / "xorbs").iterdir()} == {16 * len(piece)}
