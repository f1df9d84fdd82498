"""File contents, kept by their SHA-256.

    blobs/ab/abcd...    one file a content
    tmp/                what is still being written

A content is written beside its place and renamed into it: it is there whole, or not at all.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hubtweets.hub.errors import HubError

SHA256 = re.compile(r"[0-9a-f]{64}")
BLOCK_BYTES = 2**20  # bytes that are read and written at once
SPARE_BYTES = 2**26  # bytes of the disk that uploads leave free


@dataclass(frozen=True)
class Entry:
    """A file in a commit; `oid` is git's SHA-1 of the blob, of the pointer where the file is large (`lfs`)."""

    sha256: str
    size: int
    oid: str
    lfs: bool


class Blobs:
    """A folder of contents; any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("blobs", "tmp"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256[:2] / sha256

    @contextmanager
    def temporary(self) -> Iterator[IO[bytes]]:
        """Give a file to write to, which only its owner can read; it is gone afterwards unless it was kept."""
        with tempfile.NamedTemporaryFile(dir=self.root / "tmp", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def keep(self, file: IO[bytes], path: Path) -> None:
        """Give a temporary file its place."""
        file.flush()
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file.name, path)

    def room(self) -> int:
        """Return the bytes that an upload may have."""
        return shutil.disk_usage(self.root).free - SPARE_BYTES

    def add(
        self, chunks: Iterable[bytes | memoryview], expected: str | None = None
    ) -> tuple[str, int]:
        """Keep a content and return its SHA-256 and size in bytes; raise HubError 400 where another SHA-256 was expected."""
        digest, size = hashlib.sha256(), 0
        with self.temporary() as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
            if expected not in (None, digest.hexdigest()):
                raise HubError(400, f"what came has sha256 {digest.hexdigest()}, not {expected}")
            self.keep(file, self.path(digest.hexdigest()))
        return digest.hexdigest(), size

    def has(self, sha256: str) -> bool:
        """Tell whether a content is here, and note that it is wanted: what was asked for lately is never removed."""
        try:
            os.utime(self.path(sha256))
        except FileNotFoundError:
            return False
        return True

    def regular(self, content: bytes) -> Entry:
        """Keep a small file and return its entry."""
        sha256, size = self.add([content])
        return Entry(sha256, size, compute_git_oid(content), lfs=False)

    def large(self, sha256: str) -> Entry:
        """Return the entry of a kept content as Git LFS has it; raise HubError 400 where it was never uploaded."""
        if not SHA256.fullmatch(sha256) or not self.has(sha256):
            raise HubError(400, f"no upload with sha256 {sha256}")
        size = self.path(sha256).stat().st_size
        return Entry(sha256, size, compute_git_oid(format_lfs_pointer(sha256, size)), lfs=True)


def compute_git_oid(content: bytes) -> str:
    """Return git's id of a blob: SHA-1 of "blob SIZE NUL content"."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def format_lfs_pointer(sha256: str, size: int) -> bytes:
    """Return the text that git keeps in a large file's place (git-lfs specification, version 1)."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    )


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, block by block."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block
