"""The tags of a repo's versions: v1, v2, ..."""

import re
from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import HfApi

from hubtweets.publishing.diff import CARD, RemoteTree

VERSION_TAG = re.compile(r"v(\d+)")


def find_release_tag(
    api: HfApi,
    repo_id: str,
    head: str,
    tags: dict[str, str],
    files: dict[str, Path],
    wanted: str | None,
) -> str | None:
    """Return the tag under which the Hub has these files, `wanted` or the newest; None without one.

    The card is not compared, as its owner may have edited it.
    """
    candidates = [tag for tag in tags if wanted in (None, tag)]
    if not candidates:
        return None
    tag = max(candidates, key=lambda tag: (tags[tag] == head, parse_version_tag(tag)))
    if tags[tag] == head:
        return tag
    there = RemoteTree(api, repo_id, tags[tag])
    for name, path in files.items():
        if name != CARD and not there.has(name, path):
            return None
    return tag


def choose_next_version(tags: Iterable[str]) -> str:
    """Return the tag after the highest of v1, v2, ..."""
    return f"v{max(map(parse_version_tag, tags), default=0) + 1}"


def parse_version_tag(tag: str) -> int:
    """Return the number of a tag such as v3, 0 of any other tag."""
    match = VERSION_TAG.fullmatch(tag)
    return int(match[1]) if match else 0
