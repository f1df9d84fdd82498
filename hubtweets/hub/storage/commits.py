"""A commit: its metadata, and the entry of each of its files.

A commit is one JSON file and never changes. Its id is the SHA-1 of that JSON.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from hubtweets.hub.storage.blobs import Entry

SHORT_SHA = re.compile(r"[0-9a-f]{5,40}")  # an id or its first digits, as the client documents it
FULL_SHA = re.compile(r"[0-9a-f]{40}")

Files = Mapping[str, Entry]


@dataclass(frozen=True)
class Commit:
    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    files: Files


@lru_cache(64)  # a commit never changes, and one of 10,000 files takes 50 ms to read
def read_commit(path: Path) -> Commit:
    """Read a commit from its JSON file."""
    body = json.loads(path.read_text())
    files = {name: Entry(**entry) for name, entry in body["files"].items()}
    return Commit(**{**body, "id": path.stem, "files": MappingProxyType(files)})


def compute_commit_id(body: Mapping[str, object]) -> str:
    """Return a commit's id: the SHA-1 of its JSON with sorted keys."""
    return hashlib.sha1(json.dumps(body, sort_keys=True).encode()).hexdigest()
