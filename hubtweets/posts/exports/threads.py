"""Threads and Instagram exports."""

import json
import re
from collections.abc import Iterable, Iterator

from hubtweets.posts.container import Container, base_name, corrupt_error, read_head
from hubtweets.posts.parsing import dig, get_list, get_text, to_utc
from hubtweets.posts.post import Kind, Post

THREADS = "threads_and_replies.json"
INSTAGRAM = re.compile(r"posts_\d+\.json")
INSTAGRAM_HEAD = re.compile(rb'\s*\[?\s*\{\s*"(media|title|creation_timestamp)"\s*:')


def is_threads(container: Container, name: str) -> bool:
    base = base_name(name)
    return base == THREADS or (
        INSTAGRAM.fullmatch(base) is not None
        and INSTAGRAM_HEAD.match(read_head(container, name)) is not None
    )


def read_threads(container: Container, names: Iterable[str]) -> Iterator[Post]:
    """Yield posts, which have no ids: they get their numbers. A post of one picture has its text and date with the picture."""
    number = 0
    for name in names:
        try:
            document = json.loads(container.read(name).decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError) as error:
            raise corrupt_error(container, name, error) from None
        for item in (
            document
            if isinstance(document, list)
            else get_list(document, "text_post_app_text_posts") or [document]
        ):
            media = [one for one in get_list(item, "media") if isinstance(one, dict)]
            if not media and get_text(item, "title") is None:
                continue
            number += 1
            first = media[0] if media else {}
            text = fix_encoding(get_text(item, "title") or get_text(first, "title") or "")
            date = dig(item, "creation_timestamp") or first.get("creation_timestamp")
            kind: Kind = (
                "reply"
                if any(dig(one, "text_app_post", "is_reply") is True for one in media)
                else "post"
            )
            yield Post(str(number), text, to_utc(date), None, kind)


def fix_encoding(text: str) -> str:
    """Undo what these exports do to every text: its UTF-8 bytes are written as if each were a character."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text
