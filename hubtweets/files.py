"""Atomic writes, hashes and sizes of files, and free disk space."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hubtweets.errors import HubtweetsError

# In fp32: the best weights twice, and two checkpoints (the last and the next) with the two moments
# of Adam.
TRAINING_BYTES_PER_PARAMETER = 8 * 4
UNITS = ("bytes", "KB", "MB", "GB", "TB")


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to.

    If the block succeeds, the written file replaces `path`; if not, it is removed.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that its path always holds the whole old content or the whole new one."""
    with replace_atomically(path) as partial:
        partial.write_bytes(content)


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' bytes one after the other, in hex."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def format_size(size: float) -> str:
    """Format a number of bytes in powers of 1,000."""
    unit = 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 or size >= 100 else f"{size:.1f} {UNITS[unit]}"


def check_training_space(folder: Path, parameters: int) -> None:
    """Raise HubtweetsError if the run folder's disk is too full to train so many parameters.

    What the checkpoints there take already counts as free.
    """
    taken = sum(
        path.stat().st_size for path in (folder / "checkpoints").rglob("*") if path.is_file()
    )
    check_free_space(
        folder,
        TRAINING_BYTES_PER_PARAMETER * parameters - taken,
        "training takes",
        "free some, or use --runs DIR",
    )


def check_download_space(folder: Path, size: int) -> None:
    """Raise HubtweetsError if the disk of a folder, which need not exist yet, is too full."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    check_free_space(
        there, size, "the base takes", "free some, or choose another folder: export HF_HOME=DIR"
    )


def check_free_space(folder: Path, needed: int, what: str, remedy: str) -> None:
    if (free := shutil.disk_usage(folder).free) < needed:
        raise HubtweetsError(
            f"{folder}: {free >> 20:,} MiB are free, {what} {needed >> 20:,} MiB; {remedy}"
        )
