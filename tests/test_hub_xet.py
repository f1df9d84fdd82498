"""Xet's formats as the embedded Hub reads them: valid and rejected xorbs and shards."""

import hashlib
import io
import os
import struct
import tracemalloc
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pyarrow
import pytest

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import xet
from hubtweets.hub.storage.blobs import Blobs
from hubtweets.hub.storage.storage import Storage

XORB, ABSENT, WRONG = "0123456789abcdef" * 4, "a" * 64, "f" * 64
BOTH = xet.HAS_METADATA | xet.HAS_VERIFICATION


def make_chunk(data: bytes, scheme: int) -> bytes:
    grouped = b"".join(data[lane::4] for lane in range(4)) if scheme == 2 else data
    packed = pyarrow.compress(grouped, codec="lz4", asbytes=True) if scheme else data
    return (
        bytes([0])
        + len(packed).to_bytes(3, "little")
        + bytes([scheme])
        + len(data).to_bytes(3, "little")
        + packed
    )


def encode_hash(name: str) -> bytes:
    return b"".join(bytes.fromhex(name[i : i + 16])[::-1] for i in range(0, 64, 16))


def make_shard(
    sha256: str, *terms: tuple[str, int, int, int], flags: int = BOTH, count: int | None = None
) -> bytes:
    """Return a shard of one file, whose terms are (xorb, plain size, start, end)."""
    head = bytes(32) + struct.pack("<IIQ", flags, len(terms) if count is None else count, 0)
    records = b"".join(encode_hash(term[0]) + struct.pack("<IIII", 0, *term[1:]) for term in terms)
    verification = bytes(48 * len(terms)) if flags & xet.HAS_VERIFICATION else b""
    return (
        bytes(48)
        + head
        + records
        + verification
        + encode_hash(sha256)
        + bytes(16)
        + b"\xff" * 32
        + bytes(16)
    )


def add_xorb(storage: Storage, body: bytes, name: str = XORB) -> None:
    with storage.blobs.open_temporary() as file:
        file.write(body)
        xet.add_xorb(storage, name, file)


def add_shard(storage: Storage, body: bytes) -> None:
    xet.add_shard(storage, io.BytesIO(body))


def list_uploads(root: Path) -> set[str]:
    """Return the paths of all uploads."""
    return {
        path.relative_to(root).as_posix()
        for name in ("blobs", "xorbs", "parts", "tmp")
        for path in (root / name).rglob("*")
        if path.is_file()
    }


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A storage that has one xorb of three chunks: 6, 4 and 5 bytes."""
    storage = Storage(tmp_path)
    add_xorb(storage, make_chunk(b"hello ", 0) + make_chunk(b"big ", 1) + make_chunk(b"world", 2))
    return storage


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1001])
def test_chunks_of_every_scheme(size: int, tmp_path: Path) -> None:
    path = tmp_path / "xorb"
    pieces = [os.urandom(size), b"a" * size, bytes(range(256))[:size]]
    path.write_bytes(b"".join(make_chunk(piece, scheme) for scheme, piece in enumerate(pieces)))
    assert [
        xet.decompress_chunk(path.read_bytes()[begin:end])
        for begin, end in pairwise(xet.index_chunks(path))
    ] == pieces


@pytest.mark.parametrize("flags", [BOTH, xet.HAS_METADATA])
def test_a_file_is_put_together(storage: Storage, flags: int) -> None:
    content = b"big worldhello big "
    sha256 = hashlib.sha256(content).hexdigest()
    add_shard(storage, make_shard(sha256, (XORB, 9, 1, 3), (XORB, 10, 0, 2), flags=flags))
    assert storage.blobs.path(sha256).read_bytes() == content


def test_the_files_of_a_shard_share_what_is_known_of_their_xorb(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A xorb can hold thousands of small files; indexing it for each would take minutes."""
    read: list[Path] = []
    index = xet.index_chunks

    def index_once(path: Path) -> "array[int]":
        read.append(path)
        return index(path)

    monkeypatch.setattr(xet, "index_chunks", index_once)
    contents = {
        hashlib.sha256(content).hexdigest(): content for content in (b"hello ", b"big ", b"world")
    }
    shards = [
        make_shard(sha256, (XORB, len(content), number, number + 1))
        for number, (sha256, content) in enumerate(contents.items())
    ]
    add_shard(storage, shards[0][:-48] + shards[1][48:-48] + shards[2][48:])
    assert {sha256: storage.blobs.path(sha256).read_bytes() for sha256 in contents} == contents
    assert read == [storage.root / "xorbs" / XORB]


def test_a_file_that_is_here_already_needs_no_xorb(storage: Storage) -> None:
    sha256, _ = storage.blobs.add([b"content"])
    add_shard(storage, make_shard(sha256, (ABSENT, 7, 0, 1)))


XORBS = [
    b"",
    b"\0",
    make_chunk(b"hello", 0)[:-1],
    make_chunk(b"hello", 3),
    make_chunk(b"hello", 1)[:-1],
    bytes(8 * (xet.MAX_CHUNKS + 1)),
]


@pytest.mark.parametrize(
    "corrupt",
    XORBS,
    ids=["empty", "header cut", "chunk cut", "unknown scheme", "LZ4 cut", "too many chunks"],
)
def test_corrupt_xorbs_are_refused(tmp_path: Path, corrupt: bytes) -> None:
    storage = Storage(tmp_path)
    before = list_uploads(tmp_path)
    with pytest.raises(HubError) as caught:
        add_xorb(storage, corrupt)
    assert caught.value.status == 400 and list_uploads(tmp_path) == before


@pytest.mark.parametrize("name", ["", "../../secret", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_a_xorbs_name_is_a_hash(tmp_path: Path, name: str) -> None:
    with pytest.raises(HubError, match="hash"):
        add_xorb(Storage(tmp_path), make_chunk(b"hello", 0), name)


CHUNKS = [
    b"\0\5\0\0\1\5\0\0hello",
    *(
        make_chunk(b"hello", scheme)[:5] + b"\6\0\0" + make_chunk(b"hello", scheme)[8:]
        for scheme in range(3)
    ),
]


@pytest.mark.parametrize(
    "corrupt", CHUNKS, ids=["no LZ4", "raw and longer", "LZ4 and longer", "grouped and longer"]
)
def test_a_chunk_that_is_not_what_its_header_says_is_refused(
    tmp_path: Path, corrupt: bytes
) -> None:
    storage = Storage(tmp_path)
    add_xorb(storage, corrupt)
    before = list_uploads(tmp_path)
    for size in (5, 6):
        with pytest.raises(HubError) as caught:
            add_shard(storage, make_shard(hashlib.sha256(b"hello").hexdigest(), (XORB, size, 0, 1)))
        assert caught.value.status == 400 and list_uploads(tmp_path) == before


SHARDS = {
    "empty": (b"", "the shard is cut off"),
    "text": (b"x" * 500, "the shard is cut off"),
    "cut": (make_shard(WRONG, (XORB, 6, 0, 1))[:150], "the shard is cut off"),
    "2**32-1 terms": (make_shard(WRONG, (XORB, 6, 0, 1), count=2**32 - 1), "the shard is cut off"),
    "no sha256": (
        make_shard(WRONG, (XORB, 6, 0, 1), flags=0),
        "the shard does not say its files' sha256",
    ),
    "another sha256": (
        make_shard(WRONG, (XORB, 9, 1, 3)),
        f"the upload has sha256 {hashlib.sha256(b'big world').hexdigest()}, not {WRONG}",
    ),
    "no xorb": (make_shard(WRONG, (ABSENT, 6, 0, 1)), f"xorb {ABSENT} was never uploaded here"),
    "no chunk": (
        make_shard(WRONG, (XORB, 0, 1, 1)),
        f"xorb {XORB} has 3 chunks, the shard wants 1 to 1",
    ),
    "a chunk too many": (
        make_shard(WRONG, (XORB, 9, 1, 4)),
        f"xorb {XORB} has 3 chunks, the shard wants 1 to 4",
    ),
    "chunks that can't be": (
        make_shard(WRONG, (XORB, 9, 2, 2**32 - 1)),
        f"xorb {XORB} has 3 chunks, the shard wants 2 to 4294967295",
    ),
    "backwards": (
        make_shard(WRONG, (XORB, 9, 2, 0)),
        f"xorb {XORB} has 3 chunks, the shard wants 2 to 0",
    ),
    "more than it says": (
        make_shard(WRONG, (XORB, 8, 1, 3)),
        f"chunks 1 to 3 of xorb {XORB} don't have the size that the shard says",
    ),
    "less than it says": (
        make_shard(WRONG, (XORB, 10, 1, 3)),
        f"chunks 1 to 3 of xorb {XORB} don't have the size that the shard says",
    ),
}


@pytest.mark.parametrize(("corrupt", "message"), SHARDS.values(), ids=SHARDS.keys())
def test_corrupt_shards_are_refused(storage: Storage, corrupt: bytes, message: str) -> None:
    before = list_uploads(storage.root)
    with pytest.raises(HubError) as caught:
        add_shard(storage, corrupt)
    assert (caught.value.status, caught.value.message) == (400, message)
    assert list_uploads(storage.root) == before


ZEROS = make_chunk(bytes(2**24 - 1), 1)  # 16 MiB in 66 KB


@contextmanager
def limit_memory(size: int) -> Iterator[None]:
    """Fail if a block of code allocates more bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


def test_a_chunk_that_comes_20_000_times_is_refused_unwritten(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_xorb(storage, ZEROS)
    before, body = (
        list_uploads(storage.root),
        make_shard(WRONG, *[(XORB, 2**24 - 1, 0, 1)] * 20_000),
    )
    monkeypatch.setattr(Blobs, "count_free_bytes", lambda self: 2**38)
    monkeypatch.setattr(Blobs, "add", lambda *_: pytest.fail("something was written"))
    with limit_memory(2**20), pytest.raises(HubError) as caught:
        add_shard(storage, body)
    assert (caught.value.status, caught.value.message) == (
        413,
        "a file of 335544300000 bytes is more than the disk has left",
    )
    assert list_uploads(storage.root) == before


def test_no_more_is_unpacked_than_the_shard_says(storage: Storage) -> None:
    with pytest.raises(HubError, match="don't have the size"):
        next(xet.read_file(storage, iter([xet.Term(XORB, 5, 0, 3)]), xet.index_chunks))


def test_a_file_is_never_in_memory(storage: Storage) -> None:
    add_xorb(storage, ZEROS)
    sha256 = hashlib.sha256(bytes(8 * (2**24 - 1))).hexdigest()
    with limit_memory(3 * 2**24):
        add_shard(storage, make_shard(sha256, *[(XORB, 2**24 - 1, 0, 1)] * 8))
    assert storage.blobs.has(sha256)
