"""The storage side of Xet: takes xorbs and shards, gives back whole files.

A client with hf_xet installed cuts files into chunks, uploads chunks in xorbs, and then a shard that lists for each file which chunk ranges of
which xorbs it is made of. Here a file is put together as soon as its shard arrives, checked against the SHA-256 in the shard, and kept as an
ordinary content: downloads never need Xet. Formats: https://huggingface.co/docs/xet, little-endian throughout.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow

from hubtweets.hub.blobs import BLOCK, SHA256
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import Storage

MAX_XORB = 2**26  # bytes, as in the specification
MAX_SHARD = 2**26  # bytes, of about 600,000 chunks
MAX_CHUNK = 2**24  # bytes, what a header can say
RECORD = 48  # bytes: a shard's header and every record after it
END = b"\xff" * 32
HAS_VERIFICATION, HAS_METADATA = 1 << 31, 1 << 30


class Term(NamedTuple):
    """A run of chunks [start, end) of a xorb."""

    xorb: str
    start: int
    end: int


class Chunk(NamedTuple):
    """A chunk's place in its xorb's file, its packing scheme and its plain size."""

    offset: int
    packed_size: int
    scheme: int
    size: int


def add_xorb(storage: Storage, name: str, file: IO[bytes]) -> None:
    """Keep a xorb under its hash; raise HubError 400 where it is none."""
    if not SHA256.fullmatch(name):
        raise HubError(400, "a xorb needs a hash for a name")
    file.flush()
    if not index(Path(file.name)):
        raise HubError(400, "the xorb is empty")
    storage.blobs.keep(file, storage.root / "xorbs" / name)


def add_shard(storage: Storage, file: IO[bytes]) -> None:
    """Put a shard's files together; raise HubError 400 where a xorb is missing or a file has another SHA-256 than the shard says."""
    file.seek(0)
    for sha256, terms in parse_shard(file):
        if not storage.blobs.has(sha256):
            found, _ = storage.blobs.add(data(storage, terms))
            if found != sha256:
                raise HubError(400, f"the chunks give a file with sha256 {found}, the shard says {sha256}")


def data(storage: Storage, terms: list[Term]) -> Iterator[bytes]:
    """Yield a file's bytes chunk by chunk."""
    indexes: dict[str, list[Chunk]] = {}
    for name, start, end in terms:
        path = storage.root / "xorbs" / name
        try:
            chunks = indexes.get(name) or indexes.setdefault(name, index(path))
        except FileNotFoundError:
            raise HubError(400, f"xorb {name} was never uploaded here") from None
        if not start < end <= len(chunks):
            raise HubError(400, f"xorb {name} has {len(chunks)} chunks, the shard wants {start} to {end}")
        with path.open("rb") as xorb:
            for chunk in chunks[start:end]:
                xorb.seek(chunk.offset)
                yield unpack(chunk, xorb.read(chunk.packed_size))


def index(path: Path) -> list[Chunk]:
    """Return where a xorb's chunks are: an 8-byte header each (version, packed length, scheme, plain length), then the packed bytes."""
    found, position, end = [], 0, path.stat().st_size
    with path.open("rb", buffering=BLOCK) as xorb:
        while position < end:
            xorb.seek(position)
            header = xorb.read(8)
            packed_size, scheme, size = int.from_bytes(header[1:4], "little"), header[4:5], int.from_bytes(header[5:8], "little")
            position += 8 + packed_size
            if position > end or scheme not in (b"\0", b"\1", b"\2"):
                raise HubError(400, "a chunk of the xorb is cut or of an unknown scheme")
            found.append(Chunk(position - packed_size, packed_size, scheme[0], size))
    return found


def unpack(chunk: Chunk, packed: bytes) -> bytes:
    """Return a chunk as it was before it was packed: raw (0), LZ4 (1), or its bytes in four groups, then LZ4 (2)."""
    try:
        plain = pyarrow.decompress(packed, chunk.size, codec="lz4", asbytes=True) if chunk.scheme and packed else packed
    except (OSError, pyarrow.ArrowException) as error:
        raise HubError(400, f"a chunk can't be unpacked: {error}") from None
    if len(plain) != chunk.size:
        raise HubError(400, f"a chunk has {len(plain)} bytes, its header says {chunk.size}")
    return ungroup(plain) if chunk.scheme == 2 else plain


def ungroup(grouped: bytes) -> bytes:
    """Undo the byte grouping of scheme 2: byte 0 of every four first, then byte 1, and so on."""
    plain, position = bytearray(len(grouped)), 0
    for lane in range(4):
        size = len(range(lane, len(grouped), 4))
        plain[lane::4] = grouped[position : position + size]
        position += size
    return bytes(plain)


def parse_shard(shard: IO[bytes]) -> Iterator[tuple[str, list[Term]]]:
    """Yield each file's SHA-256 and terms: after a 48-byte header its head, its terms, their verification records and its metadata."""

    def record() -> bytes:
        found = shard.read(RECORD)
        if len(found) < RECORD:
            raise HubError(400, "the shard is cut")
        return found

    record()
    while (head := record())[:32] != END:
        flags, count = struct.unpack_from("<II", head, 32)
        terms = []
        for _ in range(count):
            term = record()
            _, _, start, end = struct.unpack_from("<IIII", term, 32)
            terms.append(Term(hex_of(term[:32]), start, end))
        for _ in range(count if flags & HAS_VERIFICATION else 0):
            record()
        if not flags & HAS_METADATA:
            raise HubError(400, "the shard does not say its files' sha256")
        yield hex_of(record()[:32]), terms


def hex_of(raw: bytes) -> str:
    """Write a hash as Xet does: four 64-bit little-endian words."""
    return "".join(raw[i : i + 8][::-1].hex() for i in range(0, 32, 8))
