"""Telegram Desktop exports of a public channel: result.json.

In: the folder or zip with result.json, or that file alone under any name; it is streamed. Out: a
Reading whose profile has the channel's name. Exports of chats, groups and whole accounts are
refused, since they hold other people's messages. The format is not documented.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import json_stream
from hubtweets.posts.container import (
    Container,
    base_name,
    check_single_export,
    corrupt_error,
    read_head,
)
from hubtweets.posts.parsing import dig, get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading
from hubtweets.text import replace_surrogates

CHAT = re.compile(rb'(?:\xef\xbb\xbf)?(\s*\{.*?"messages"\s*:\s*)\[', re.DOTALL)
TYPE = re.compile(
    rb'"type"\s*:\s*"'
    rb'(saved_messages|(personal|bot)_chat|(private|public)_(group|supergroup|channel))"'
)
ACCOUNT = re.compile(rb'"personal_information"\s*:\s*\{\s*"user_id"')


def find_files(container: Container) -> list[str]:
    """Return the names of the chats: result.json."""
    return sorted(name for name in container.names if is_telegram(container, name))


def read(container: Container) -> Reading:
    """Read a channel's export; raise HubtweetsError if it holds messages instead of posts."""
    names = find_files(container)
    check_single_export(container, names)
    name = names[0]
    begin = CHAT.match(read_head(container, name))
    chat = parse_chat(begin[1]) if begin else None
    if not begin or dig(chat, "type") != "public_channel":
        raise not_public_error(container, name, dig(chat, "type"))
    profile = Profile("", get_text(chat, "name") or "", account_id=get_text(chat, "id"))
    return Reading("telegram", profile, None, read_posts(container, name, begin.end(1)))


def is_telegram(container: Container, name: str) -> bool:
    """Return whether a file is a chat or an account that Telegram Desktop wrote.

    A file alone may have any name, so that a chat is not mistaken for a list of posts.
    """
    is_alone = len(container.names) == 1 and name.endswith(".json")
    if base_name(name) != "result.json" and not is_alone:
        return False
    head = read_head(container, name)
    if ACCOUNT.search(head):
        return True
    return CHAT.match(head) is not None and TYPE.search(head) is not None


def parse_chat(head: bytes) -> Any:
    """Return what an export says of its chat before the messages; None for a whole account.

    A whole account has its messages in a list of chats.
    """
    try:
        return json.loads(head.decode("utf-8", "replace") + "[]}")
    except (ValueError, RecursionError):
        return None


def not_public_error(container: Container, name: str, type: Any) -> HubtweetsError:
    what = f"a {type}" if isinstance(type, str) else "of a whole account"
    return HubtweetsError(
        f"{container.path}: {name} is {what}; only a public channel's posts are read, "
        "not messages; export the channel alone: its menu, Export chat history, JSON"
    )


def read_posts(container: Container, name: str, start: int) -> Iterator[Post]:
    """Yield the channel's own messages and, as reposts, those that it forwards.

    Messages that a user wrote in the channel are left out.
    """
    with container.open(name) as file:
        file.read(start)
        items = json_stream.stream_items(file)
        try:
            next(items)
            for number, item in enumerate(items, 1):
                is_message = dig(item, "type") == "message"
                if is_message and not (get_text(item, "from_id") or "").startswith("user"):
                    yield to_post(item, number)
        except ValueError as error:
            raise corrupt_error(container, name, error, "Telegram", "export it again") from None


def to_post(message: dict, number: int) -> Post:
    text, link = join_pieces(message.get("text"))
    date = to_utc(message.get("date_unixtime")) or to_utc(message.get("date"))
    id = get_text(message, "id") or str(number)
    return Post(id, text, date, None, get_kind(message), link=link)


def get_kind(message: dict) -> Kind:
    if "forwarded_from" in message:  # null if the author's account was deleted
        return "repost"
    if message.get("reply_to_message_id") is None:
        return "post"
    return "reply" if message.get("reply_to_peer_id") else "self_reply"


def join_pieces(text: Any) -> tuple[str, bool]:
    """Return a text, which may be in pieces, without bare links, and whether there was one."""
    pieces = text if isinstance(text, list) else [text]
    words, has_link = [], False
    for piece in pieces:
        if dig(piece, "type") == "link":
            has_link = True
            continue
        word = piece if isinstance(piece, str) else dig(piece, "text")
        if isinstance(word, str):
            words.append(word)
    return replace_surrogates("".join(words)), has_link
