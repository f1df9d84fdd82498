"""The storage side of Xet: takes xorbs and shards, gives back whole files.

A client with hf_xet installed cuts files into chunks, uploads chunks in xorbs, and then a shard that lists for each file which chunk ranges of
which xorbs it is made of. Here a file is put together as soon as its shard arrives, checked against the SHA-256 in the shard, and kept as an
ordinary blob: downloads never need Xet. Formats: https://huggingface.co/docs/xet, little-endian throughout.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow

from hubtweets.hub.storage import SHA256, HubError, Storage

MAX_XORB = 2**26  # bytes, as in the specification
RECORD = 48  # bytes: a shard's header and every record after it
END = b"\xff" * 32
HAS_VERIFICATION, HAS_METADATA = 1 << 31, 1 << 30


class Term(NamedTuple):
    """A run of chunks [start, end) of a xorb."""

    xorb: str
    start: int
    end: int


class ShardFile(NamedTuple):
    sha256: str
    terms: list[Term]


def add_xorb(storage: Storage, name: str, body: bytes) -> None:
    """Keep a xorb under its hash; raise HubError 400 where it is none."""
    if not SHA256.fullmatch(name) or not body or len(body) > MAX_XORB:
        raise HubError(400, f"a xorb needs a hash for a name and at most {MAX_XORB} bytes")
    for _ in chunks(body):
        pass
    with storage.temporary() as file:
        file.write(body)
        storage.keep(file, storage.root / "xorbs" / name)


def add_shard(storage: Storage, body: bytes) -> None:
    """Put a shard's files together; raise HubError 400 where a xorb is missing or a file has another SHA-256 than the shard says."""
    try:
        files = list(parse_shard(body))
    except struct.error:
        raise HubError(400, "the shard is cut") from None
    for file in files:
        if not storage.blob(file.sha256).exists():
            sha256, _ = storage.add_blob(data(storage, file.terms))
            if sha256 != file.sha256:
                raise HubError(400, f"the chunks give a file with sha256 {sha256}, the shard says {file.sha256}")


def data(storage: Storage, terms: list[Term]) -> Iterator[bytes]:
    """Yield a file's bytes chunk by chunk."""
    for xorb, start, end in terms:
        path = storage.root / "xorbs" / xorb
        if not path.exists():
            raise HubError(400, f"xorb {xorb} was never uploaded here")
        for index, chunk in enumerate(chunks(path.read_bytes())):
            if start <= index < end:
                yield chunk


def chunks(xorb: bytes) -> Iterator[bytes]:
    """Yield the plain chunks of a xorb: an 8-byte header each (version, packed length, scheme, plain length), then the packed bytes."""
    position = 0
    while position < len(xorb):
        header = xorb[position : position + 8]
        packed_size, scheme, size = int.from_bytes(header[1:4], "little"), header[4:5], int.from_bytes(header[5:8], "little")
        packed = xorb[position + 8 : position + 8 + packed_size]
        position += 8 + packed_size
        try:
            chunk = packed if scheme == b"\0" else pyarrow.decompress(packed, size, codec="lz4", asbytes=True) if packed else b""
        except (OSError, pyarrow.ArrowException) as error:
            raise HubError(400, f"a chunk can't be unpacked: {error}") from None
        if scheme == b"\2":
            chunk = ungroup(chunk)
        if len(header) < 8 or len(packed) != packed_size or len(chunk) != size or scheme not in (b"\0", b"\1", b"\2"):
            raise HubError(400, "a chunk of the xorb is cut or of an unknown scheme")
        yield chunk


def ungroup(grouped: bytes) -> bytes:
    """Undo the byte grouping of scheme 2: byte 0 of every four first, then byte 1, and so on."""
    plain, position = bytearray(len(grouped)), 0
    for lane in range(4):
        size = len(range(lane, len(grouped), 4))
        plain[lane::4] = grouped[position : position + size]
        position += size
    return bytes(plain)


def parse_shard(body: bytes) -> Iterator[ShardFile]:
    """Yield a shard's files: after a 48-byte header, per file its head, its terms, their verification records and its metadata."""
    position = RECORD
    while (head := body[position : position + RECORD])[:32] != END:
        flags, count = struct.unpack_from("<II", head, 32)
        position += RECORD
        terms = []
        for offset in range(position, position + count * RECORD, RECORD):
            _, _, start, end = struct.unpack_from("<IIII", body, offset + 32)
            terms.append(Term(hex_of(body[offset : offset + 32]), start, end))
        position += count * RECORD * (2 if flags & HAS_VERIFICATION else 1)
        if not flags & HAS_METADATA or len(body) < position + RECORD:
            raise HubError(400, "the shard does not say its files' sha256")
        yield ShardFile(hex_of(body[position : position + 32]), terms)
        position += RECORD


def hex_of(raw: bytes) -> str:
    """Write a hash as Xet does: four 64-bit little-endian words."""
    return "".join(raw[i : i + 8][::-1].hex() for i in range(0, 32, 8))
