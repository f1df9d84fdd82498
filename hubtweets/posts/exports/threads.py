"""Threads and Instagram exports.

In: the zip or folder that the service made, or one of its files of posts. Out: a Reading without a
profile, since nothing in the export says whose it is. Only the files of posts are opened, and each
is read at once, up to 8 MiB. The formats are not documented.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from hubtweets.posts.container import (
    Container,
    base_name,
    check_single_export,
    corrupt_error,
    read_head,
)
from hubtweets.posts.parsing import dig, get_list, get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading
from hubtweets.posts.source_kinds import SourceKind

AGAIN = "ask for the export again"
THREADS = "threads_and_replies.json"
INSTAGRAM = re.compile(r"posts_\d+\.json")
INSTAGRAM_HEAD = re.compile(rb'\s*\[?\s*\{\s*"(media|title|creation_timestamp)"\s*:')


def find_files(container: Container) -> list[str]:
    """Return the names of the files of posts."""
    return sorted(name for name in container.names if is_threads(container, name))


def read(container: Container) -> Reading:
    """Read an export; raise HubtweetsError if it is damaged or there is more than one."""
    names = find_files(container)
    check_single_export(container, names)
    is_of_threads = any(base_name(name) == THREADS for name in names)
    kind: SourceKind = "threads" if is_of_threads else "instagram"
    return Reading(kind, Profile("", ""), None, read_posts(container, names))


def is_threads(container: Container, name: str) -> bool:
    """Return whether a file holds the posts of Threads or Instagram."""
    base = base_name(name)
    if base == THREADS:
        return True
    return (
        INSTAGRAM.fullmatch(base) is not None
        and INSTAGRAM_HEAD.match(read_head(container, name)) is not None
    )


def read_posts(container: Container, names: Iterable[str]) -> Iterator[Post]:
    """Yield the posts, which have no ids: they are numbered."""
    number = 0
    for name in names:
        for item in read_items(container, name):
            media = [one for one in get_list(item, "media") if isinstance(one, dict)]
            if media or get_text(item, "title") is not None:
                number += 1
                yield to_post(item, media, number)


def read_items(container: Container, name: str) -> list:
    """Return a file's posts: a list, the list of Threads, or one post alone."""
    try:
        document = json.loads(container.read(name).decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise corrupt_error(container, name, error, "Threads or Instagram", AGAIN) from None
    if isinstance(document, list):
        return document
    return get_list(document, "text_post_app_text_posts") or [document]


def to_post(item: Any, media: list[dict], number: int) -> Post:
    """Return the Post of an item; a post of one picture has its text and date with the picture."""
    first = media[0] if media else {}
    text = get_text(item, "title") or get_text(first, "title") or ""
    date = dig(item, "creation_timestamp") or first.get("creation_timestamp")
    is_reply = any(dig(one, "text_app_post", "is_reply") is True for one in media)
    kind: Kind = "reply" if is_reply else "post"
    return Post(str(number), fix_encoding(text), to_utc(date), None, kind)


def fix_encoding(text: str) -> str:
    """Decode a text of these exports, which write each UTF-8 byte as if it were a character."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text
