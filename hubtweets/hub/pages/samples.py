"""What a repo's model wrote when it was published, from the repo's hubtweets.json.

In: a commit, whose files are anybody's. Out: samples to show by the numbers that `hubtweets sample NAME --pick` takes.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hubtweets.hub.storage.storage import Commit, Storage

MAX_RECORD_BYTES = 2**22  # bytes; a record that is longer is not read
MAX_SAMPLES, MAX_SAMPLE_CHARS = 1000, 2000  # samples that are shown, and characters of each


class RecordedSample(NamedTuple):
    """A sample by its number in the record, and whether it stands on the card."""

    number: int
    text: str
    picked: bool


def find_samples(storage: Storage, commit: Commit) -> list[RecordedSample]:
    """Return the samples in a commit's record, none where it has no record or a foreign one."""
    entry = commit.files.get("hubtweets.json")
    return (
        read_samples(storage.blobs.path(entry.sha256))
        if entry and entry.size <= MAX_RECORD_BYTES
        else []
    )


@lru_cache(32)
def read_samples(path: Path) -> list[RecordedSample]:
    try:
        return parse_samples(json.loads(path.read_bytes()))
    except (ValueError, RecursionError):
        return []


def parse_samples(record: Any) -> list[RecordedSample]:
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
        for one in (listed[:MAX_SAMPLES] if isinstance(listed, list) else [])
    ]
    return [
        RecordedSample(number, text[:MAX_SAMPLE_CHARS], number in picked)
        for number, text in enumerate(texts, 1)
        if isinstance(text, str)
    ]
