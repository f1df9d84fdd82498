"""File contents, stored by their SHA-256.

    blobs/ab/abcd...    one file for each content
    tmp/                unfinished files

A content is written to tmp/ and renamed into place, so it is complete or absent.
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
BLOCK_BYTES = 2**20  # read and written at once
SPARE_BYTES = 2**26  # of the disk, which uploads leave free


@dataclass(frozen=True)
class Entry:
    """A file in a commit.

    `oid` is git's SHA-1 of the blob, or of the pointer if the file is large (`lfs`).
    """

    sha256: str
    size: int
    oid: str
    lfs: bool


class Blobs:
    """A folder of contents; several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("blobs", "tmp"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return the path of a content, whether it exists or not."""
        return self.root / "blobs" / sha256[:2] / sha256

    @contextmanager
    def open_temporary(self) -> Iterator[IO[bytes]]:
        """Open a file that only its owner can read, and delete it afterwards unless it was kept."""
        with tempfile.NamedTemporaryFile(dir=self.root / "tmp", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def keep(self, file: IO[bytes], path: Path) -> None:
        """Move a temporary file to its place."""
        file.flush()
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file.name, path)

    def count_free_bytes(self) -> int:
        """Return how many bytes an upload may take."""
        return shutil.disk_usage(self.root).free - SPARE_BYTES

    def add(
        self, chunks: Iterable[bytes | memoryview], expected: str | None = None
    ) -> tuple[str, int]:
        """Store a content and return its SHA-256 and size in bytes.

        Raises HubError 400 if its SHA-256 is not the expected one.
        """
        digest, size = hashlib.sha256(), 0
        with self.open_temporary() as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
            if expected not in (None, digest.hexdigest()):
                raise HubError(400, f"the upload has sha256 {digest.hexdigest()}, not {expected}")
            self.keep(file, self.path(digest.hexdigest()))
        return digest.hexdigest(), size

    def has(self, sha256: str) -> bool:
        """Check whether a content exists, and mark it as used.

        Contents that were used recently are never removed.
        """
        try:
            os.utime(self.path(sha256))
        except FileNotFoundError:
            return False
        return True

    def add_regular(self, content: bytes) -> Entry:
        """Store a small file and return its entry."""
        sha256, size = self.add([content])
        return Entry(sha256, size, compute_git_oid(content), lfs=False)

    def get_large(self, sha256: str) -> Entry:
        """Return the Git LFS entry of a stored content; raise HubError 400 if it is missing."""
        if not SHA256.fullmatch(sha256) or not self.has(sha256):
            raise HubError(400, f"no upload with sha256 {sha256}")
        size = self.path(sha256).stat().st_size
        return Entry(sha256, size, compute_git_oid(format_lfs_pointer(sha256, size)), lfs=True)


def compute_git_oid(content: bytes) -> str:
    """Return git's id of a blob: SHA-1 of "blob SIZE NUL content"."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def format_lfs_pointer(sha256: str, size: int) -> bytes:
    """Return the text that git stores in a large file's place (git-lfs spec, version 1)."""
    lines = ("version https://git-lfs.github.com/spec/v1", f"oid sha256:{sha256}", f"size {size}")
    return "".join(f"{line}\n" for line in lines).encode()


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in blocks of BLOCK_BYTES."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block
