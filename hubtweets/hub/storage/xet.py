"""The storage side of Xet: takes xorbs and shards, stores whole files.

A client with hf_xet installed cuts files into chunks and uploads the chunks in xorbs. Then it sends
a shard, which lists for each file the chunk ranges and xorbs that it is made of. Here a file is put
together as soon as its shard arrives, checked against the SHA-256 in the shard, and stored as an
ordinary content: downloads never need Xet. Formats: https://huggingface.co/docs/xet, little-endian
throughout.
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

CHUNK_HEADER_BYTES = 8  # version, packed length (3), scheme, plain length (3)
RAW, LZ4, GROUPED_LZ4 = b"\0", b"\1", b"\2"  # schemes of chunks
MAX_CHUNKS = 2**13  # of a xorb, as clients have it
# clients count 64 MiB of plain chunks; incompressible ones have their headers on top
MAX_XORB_BYTES = 2**26 + MAX_CHUNKS * CHUNK_HEADER_BYTES
MAX_SHARD_BYTES = 2**26  # about 600,000 chunks
MAX_CACHED_INDEXES = 2**10  # of xorbs, while a shard's files are put together: at most 32 MiB
RECORD_BYTES = 48  # a shard's header and every record after it
END = b"\xff" * 32
HAS_VERIFICATION, HAS_METADATA = 1 << 31, 1 << 30


class Term(NamedTuple):
    """A run of chunks [start, end) of a xorb, and their plain size in bytes."""

    xorb: str
    size: int
    start: int
    end: int


def add_xorb(storage: Storage, name: str, file: IO[bytes]) -> None:
    """Store a xorb under its hash; raise HubError 400 if it is invalid."""
    if not SHA256.fullmatch(name):
        raise HubError(400, "the name of a xorb must be a hash")
    file.flush()
    if len(index_chunks(Path(file.name))) < 2:
        raise HubError(400, "the xorb is empty")
    storage.blobs.keep(file, storage.root / "xorbs" / name)


def add_shard(storage: Storage, file: IO[bytes]) -> None:
    """Put a shard's files together.

    Raises HubError 400 if a xorb is missing or a file does not have the SHA-256 in the shard, 413
    if the disk has too little space for it.
    """
    # files that are small share xorbs by the thousand
    get_index = lru_cache(MAX_CACHED_INDEXES)(index_chunks)
    for sha256, position, count in list_files(file):
        if storage.blobs.has(sha256):
            continue
        size = sum(term.size for term in read_terms(file, position, count))
        if size > storage.blobs.count_free_bytes():
            raise HubError(413, f"a file of {size} bytes is more than the disk has left")
        chunks = read_file(storage, read_terms(file, position, count), get_index)
        storage.blobs.add(chunks, sha256)


def read_file(
    storage: Storage, terms: Iterator[Term], get_index: Callable[[Path], "array[int]"]
) -> Iterator[bytes | memoryview]:
    """Yield a file's bytes chunk by chunk."""
    for term in terms:
        path = storage.root / "xorbs" / term.xorb
        try:
            offsets, xorb = get_index(path), path.open("rb", buffering=0)
        except FileNotFoundError:
            raise HubError(400, f"xorb {term.xorb} was never uploaded here") from None
        with xorb:
            yield from read_term(term, offsets, xorb)


def read_term(term: Term, offsets: "array[int]", xorb: IO[bytes]) -> Iterator[bytes | memoryview]:
    """Yield a term's chunks; raise HubError 400 if they are missing or have another size."""
    name, left, start, end = term
    if not start < end < len(offsets):
        count = len(offsets) - 1
        raise HubError(400, f"xorb {name} has {count} chunks, the shard wants {start} to {end}")
    xorb.seek(offsets[start])
    for begin, stop in pairwise(offsets[start : end + 1]):
        plain = decompress_chunk(xorb.read(stop - begin))
        left -= len(plain)
        if left < 0:
            break
        yield plain
    if left:
        raise HubError(
            400, f"chunks {start} to {end} of xorb {name} don't have the size that the shard says"
        )


def index_chunks(path: Path) -> "array[int]":
    """Return the offsets in bytes at which a xorb's chunks begin, and where the last one ends."""
    offsets, position, end = array("I"), 0, path.stat().st_size
    with path.open("rb", buffering=0) as xorb:  # only the chunks' headers are read
        while position < end and len(offsets) < MAX_CHUNKS:
            offsets.append(position)
            xorb.seek(position)
            header = xorb.read(CHUNK_HEADER_BYTES)
            if header[4:5] not in (RAW, LZ4, GROUPED_LZ4):
                raise HubError(400, "a chunk of the xorb is cut off or has an unknown scheme")
            position += CHUNK_HEADER_BYTES + int.from_bytes(header[1:4], "little")
    if position != end:
        raise HubError(
            400, f"the last chunk of the xorb is cut off, or there are more than {MAX_CHUNKS}"
        )
    offsets.append(end)
    return offsets


def decompress_chunk(chunk: bytes) -> bytes | memoryview:
    """Return a chunk's plain bytes; raise HubError 400 if it is corrupt.

    Schemes: raw (0), LZ4 (1), LZ4 of the bytes in four groups (2).
    """
    scheme, size = chunk[4:5], int.from_bytes(chunk[5:CHUNK_HEADER_BYTES], "little")
    plain: bytes | memoryview = memoryview(chunk)[CHUNK_HEADER_BYTES:]
    try:
        if scheme != RAW and plain:
            plain = pyarrow.decompress(plain, size, codec="lz4", asbytes=True)
    except (OSError, pyarrow.ArrowException) as error:
        raise HubError(400, f"a chunk can't be unpacked: {error}") from None
    if len(plain) != size:
        raise HubError(400, f"a chunk has {len(plain)} bytes, its header says {size}")
    return ungroup_bytes(plain) if scheme == GROUPED_LZ4 else plain


def ungroup_bytes(grouped: bytes | memoryview) -> bytes:
    """Undo the byte grouping of scheme 2: byte 0 of every four first, then byte 1, and so on."""
    plain, position = bytearray(len(grouped)), 0
    for lane in range(4):
        size = len(range(lane, len(grouped), 4))
        plain[lane::4] = grouped[position : position + size]
        position += size
    return bytes(plain)


def list_files(shard: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    """Yield for each file of a shard its SHA-256, the position of its terms and their number.

    After the shard's header, each file has a header, its terms, their verification records and its
    metadata, all of RECORD_BYTES.
    """
    position = RECORD_BYTES
    while (head := read_record(shard, position))[:32] != END:
        flags, count = struct.unpack_from("<II", head, 32)
        if not flags & HAS_METADATA:
            raise HubError(400, "the shard does not say its files' sha256")
        records = count * (2 if flags & HAS_VERIFICATION else 1)
        metadata = position + RECORD_BYTES * (1 + records)
        yield format_hash(read_record(shard, metadata)), position + RECORD_BYTES, count
        position = metadata + RECORD_BYTES


def read_terms(shard: IO[bytes], position: int, count: int) -> Iterator[Term]:
    """Yield a file's terms one by one: a shard may hold a million."""
    for number in range(count):
        term = read_record(shard, position + RECORD_BYTES * number)
        yield Term(format_hash(term), *struct.unpack_from("<III", term, 36))


def read_record(shard: IO[bytes], position: int) -> bytes:
    shard.seek(position)
    found = shard.read(RECORD_BYTES)
    if len(found) < RECORD_BYTES:
        raise HubError(400, "the shard is cut off")
    return found


def format_hash(record: bytes) -> str:
    """Format the hash at a record's beginning as Xet does: four 64-bit little-endian words."""
    return "".join(record[i : i + 8][::-1].hex() for i in range(0, 32, 8))
