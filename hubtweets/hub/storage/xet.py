"""The storage side of Xet: takes xorbs and shards, gives back whole files.

A client with hf_xet installed cuts files into chunks, uploads chunks in xorbs, and then a shard that lists for each file which chunk ranges of
which xorbs it is made of. Here a file is put together as soon as its shard arrives, checked against the SHA-256 in the shard, and kept as an
ordinary content: downloads never need Xet. Formats: https://huggingface.co/docs/xet, little-endian throughout.
"""

import struct
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import SHA256
from hubtweets.hub.storage.storage import Storage

CHUNK_HEADER_BYTES = 8  # bytes before each chunk: version, packed length, scheme, plain length
MAX_CHUNKS = 2**13  # of a xorb, as clients have it
MAX_XORB_BYTES = (
    2**26 + MAX_CHUNKS * CHUNK_HEADER_BYTES
)  # bytes: clients count 64 MiB of plain chunks, what can't be packed has its headers besides
MAX_SHARD_BYTES = 2**26  # bytes, of about 600,000 chunks
MAX_CACHED_INDEXES = 2**10  # of xorbs, kept while a shard's files are put together: 32 MiB at most
RECORD_BYTES = 48  # bytes: a shard's header and every record after it
END = b"\xff" * 32
HAS_VERIFICATION, HAS_METADATA = 1 << 31, 1 << 30


class Term(NamedTuple):
    """A run of chunks [start, end) of a xorb, and their plain size."""

    xorb: str
    size: int
    start: int
    end: int


def add_xorb(storage: Storage, name: str, file: IO[bytes]) -> None:
    """Keep a xorb under its hash; raise HubError 400 where it is none."""
    if not SHA256.fullmatch(name):
        raise HubError(400, "a xorb needs a hash for a name")
    file.flush()
    if len(index_chunks(Path(file.name))) < 2:
        raise HubError(400, "the xorb is empty")
    storage.blobs.keep(file, storage.root / "xorbs" / name)


def add_shard(storage: Storage, file: IO[bytes]) -> None:
    """Put a shard's files together.

    Raises HubError 400 where a xorb is missing or a file has another SHA-256 than the shard says, 413 where the disk has no room for it.
    """
    index_of = lru_cache(MAX_CACHED_INDEXES)(
        index_chunks
    )  # a xorb has chunks of thousands of files where these are small
    for sha256, position, count in list_files(file):
        if storage.blobs.has(sha256):
            continue
        size = sum(term.size for term in read_terms(file, position, count))
        if size > storage.blobs.room():
            raise HubError(413, f"a file of {size} bytes is more than the disk has left")
        storage.blobs.add(read_file(storage, read_terms(file, position, count), index_of), sha256)


def read_file(
    storage: Storage, terms: Iterator[Term], index_of: Callable[[Path], "array[int]"]
) -> Iterator[bytes | memoryview]:
    """Yield a file's bytes chunk by chunk."""
    for name, size, start, end in terms:
        path = storage.root / "xorbs" / name
        try:
            places, xorb = index_of(path), path.open("rb", buffering=0)
        except FileNotFoundError:
            raise HubError(400, f"xorb {name} was never uploaded here") from None
        with xorb:
            if not start < end < len(places):
                raise HubError(
                    400,
                    f"xorb {name} has {len(places) - 1} chunks, the shard wants {start} to {end}",
                )
            xorb.seek(places[start])
            for begin, stop in pairwise(places[start : end + 1]):
                plain = decompress_chunk(xorb.read(stop - begin))
                size -= len(plain)
                if size < 0:
                    break
                yield plain
        if size:
            raise HubError(
                400,
                f"the chunks {start} to {end} of xorb {name} have not the size that the shard says",
            )


def index_chunks(path: Path) -> "array[int]":
    """Return where a xorb's chunks begin, and where the last one ends."""
    places, position, end = array("I"), 0, path.stat().st_size
    with path.open("rb", buffering=0) as xorb:  # of each chunk only the header is read
        while position < end and len(places) < MAX_CHUNKS:
            places.append(position)
            xorb.seek(position)
            header = xorb.read(CHUNK_HEADER_BYTES)
            if header[4:5] not in (b"\0", b"\1", b"\2"):
                raise HubError(400, "a chunk of the xorb is cut or of an unknown scheme")
            position += CHUNK_HEADER_BYTES + int.from_bytes(header[1:4], "little")
    if position != end:
        raise HubError(
            400, f"the last chunk of the xorb is cut, or there are more than {MAX_CHUNKS}"
        )
    places.append(end)
    return places


def decompress_chunk(chunk: bytes) -> bytes | memoryview:
    """Return a chunk as it was before it was packed: raw (0), LZ4 (1), or its bytes in four groups, then LZ4 (2)."""
    scheme, size, packed = (
        chunk[4:5],
        int.from_bytes(chunk[5:CHUNK_HEADER_BYTES], "little"),
        memoryview(chunk)[CHUNK_HEADER_BYTES:],
    )
    try:
        plain = (
            pyarrow.decompress(packed, size, codec="lz4", asbytes=True)
            if scheme != b"\0" and packed
            else packed
        )
    except (OSError, pyarrow.ArrowException) as error:
        raise HubError(400, f"a chunk can't be unpacked: {error}") from None
    if len(plain) != size:
        raise HubError(400, f"a chunk has {len(plain)} bytes, its header says {size}")
    return ungroup_bytes(plain) if scheme == b"\2" else plain


def ungroup_bytes(grouped: bytes | memoryview) -> bytes:
    """Undo the byte grouping of scheme 2: byte 0 of every four first, then byte 1, and so on."""
    plain, position = bytearray(len(grouped)), 0
    for lane in range(4):
        size = len(range(lane, len(grouped), 4))
        plain[lane::4] = grouped[position : position + size]
        position += size
    return bytes(plain)


def list_files(shard: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    """Yield of each file in a shard the SHA-256, where its terms begin and how many they are.

    After a 48-byte header each file has its head, its terms, their verification records and its metadata.
    """
    position = RECORD_BYTES
    while (head := read_record(shard, position))[:32] != END:
        flags, count = struct.unpack_from("<II", head, 32)
        if not flags & HAS_METADATA:
            raise HubError(400, "the shard does not say its files' sha256")
        metadata = position + RECORD_BYTES * (1 + count * (2 if flags & HAS_VERIFICATION else 1))
        yield format_hash(read_record(shard, metadata)), position + RECORD_BYTES, count
        position = metadata + RECORD_BYTES


def read_terms(shard: IO[bytes], position: int, count: int) -> Iterator[Term]:
    """Yield a file's terms; they are never all in memory, for a shard has room for a million."""
    for number in range(count):
        term = read_record(shard, position + RECORD_BYTES * number)
        yield Term(format_hash(term), *struct.unpack_from("<III", term, 36))


def read_record(shard: IO[bytes], position: int) -> bytes:
    shard.seek(position)
    found = shard.read(RECORD_BYTES)
    if len(found) < RECORD_BYTES:
        raise HubError(400, "the shard is cut")
    return found


def format_hash(record: bytes) -> str:
    """Write the hash at a record's beginning as Xet does: four 64-bit little-endian words."""
    return "".join(record[i : i + 8][::-1].hex() for i in range(0, 32, 8))
