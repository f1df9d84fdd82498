"""The samples that a repo's model generated when it was published, from its hubtweets.json.

In: a commit, whose files are untrusted. Out: samples with the numbers that
`hubtweets sample NAME --pick` takes.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.storage import Storage

MAX_RECORD_BYTES = 2**22  # a longer record is not read
MAX_SAMPLES = 1000
MAX_SAMPLE_CHARS = 2000


class RecordedSample(NamedTuple):
    """A sample with its number in the record; a picked one is on the card."""

    number: int
    text: str
    picked: bool


def find_samples(storage: Storage, commit: Commit) -> list[RecordedSample]:
    """Return the samples in a commit's record, [] if the record is missing or invalid."""
    entry = commit.files.get("hubtweets.json")
    if entry is None or entry.size > MAX_RECORD_BYTES:
        return []
    return read_samples(storage.blobs.path(entry.sha256))


@lru_cache(32)
def read_samples(path: Path) -> list[RecordedSample]:
    try:
        return parse_samples(json.loads(path.read_bytes()))
    except (ValueError, RecursionError):
        return []


def parse_samples(record: Any) -> list[RecordedSample]:
    """Return a record's samples, without those that withhold their text or are malformed."""
    section = record.get("samples") if isinstance(record, dict) else None
    if not isinstance(section, dict):
        return []
    items, numbers = section.get("samples"), section.get("picked")
    picked = set()
    if isinstance(numbers, list):
        picked = {number for number in numbers if isinstance(number, int)}
    found = []
    for number, item in enumerate(items[:MAX_SAMPLES] if isinstance(items, list) else [], 1):
        text = item.get("text") if isinstance(item, dict) else None
        if isinstance(text, str):
            found.append(RecordedSample(number, text[:MAX_SAMPLE_CHARS], number in picked))
    return found
