"""Whether there is room on the disk for a training."""

import shutil
from pathlib import Path

from hubtweets.errors import HubtweetsError

BYTES = 8 * 4  # a parameter: the best weights twice, and a checkpoint with Adam's two moments while the last one is there, in fp32


def check_training(folder: Path, parameters: int) -> None:
    """Raise HubtweetsError where the run folder's disk has not the bytes that training so many parameters takes, besides what it took already."""
    taken = sum(path.stat().st_size for path in (folder / "checkpoints").rglob("*") if path.is_file())
    check(folder, BYTES * parameters - taken, "training takes", "free some, or use --runs DIR")


def check_download(folder: Path, size: int) -> None:
    """Raise HubtweetsError where a folder, which need not be there yet, has not so many bytes left for a download."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    check(there, size, "the base takes", "free some, or choose another folder: export HF_HOME=DIR")


def check(folder: Path, needed: int, what: str, remedy: str) -> None:
    if (free := shutil.disk_usage(folder).free) < needed:
        raise HubtweetsError(f"{folder}: {free >> 20:,} MiB are free, {what} {needed >> 20:,} MiB; {remedy}")
