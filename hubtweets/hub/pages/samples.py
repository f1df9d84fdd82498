"""What a repo's model wrote when it was published, from the repo's hubtweets.json.

In: a commit, whose files are anybody's. Out: samples to show by the numbers that `hubtweets sample NAME --pick` takes.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hubtweets.hub.storage.storage import Commit, Storage

RECORD_SIZE = 2**22  # bytes; a record that is longer is not read
MOST, LONGEST = 1000, 2000  # samples that are shown, and characters of each


class Recorded(NamedTuple):
    """A sample by its number in the record, and whether it stands on the card."""

    number: int
    text: str
    picked: bool


def of_commit(storage: Storage, commit: Commit) -> list[Recorded]:
    """Return the samples in a commit's record, none where it has no record or a foreign one."""
    entry = commit.files.get("hubtweets.json")
    return read(storage.blobs.path(entry.sha256)) if entry and entry.size <= RECORD_SIZE else []


@lru_cache(32)
def read(path: Path) -> list[Recorded]:
    try:
        return parse(json.loads(path.read_bytes()))
    except (ValueError, RecursionError):
        return []


def parse(record: Any) -> list[Recorded]:
    """Return a record's samples without those whose text it keeps back; what has not the shape that it should is left out."""
    section = record.get("samples") if isinstance(record, dict) else None
    listed, numbers = (
        section.get(name) if isinstance(section, dict) else None for name in ("samples", "picked")
    )
    picked = (
        {number for number in numbers if isinstance(number, int)}
        if isinstance(numbers, list)
        else set()
    )
    texts = [
        one.get("text") if isinstance(one, dict) else None
        for one in (listed[:MOST] if isinstance(listed, list) else [])
    ]
    return [
        Recorded(number, text[:LONGEST], number in picked)
        for number, text in enumerate(texts, 1)
        if isinstance(text, str)
    ]
