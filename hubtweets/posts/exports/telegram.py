"""Telegram Desktop exports of a channel."""

import json
import re
from collections.abc import Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import json_stream
from hubtweets.posts.container import Container, base_name, corrupt_error, read_head
from hubtweets.posts.parsing import dig, get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading
from hubtweets.text import replace_surrogates

TELEGRAM_CHAT = re.compile(rb'(?:\xef\xbb\xbf)?(\s*\{.*?"messages"\s*:\s*)\[', re.DOTALL)
TELEGRAM_TYPE = re.compile(
    rb'"type"\s*:\s*"(saved_messages|(personal|bot)_chat|(private|public)_(group|supergroup|channel))"'
)
TELEGRAM_ACCOUNT = re.compile(rb'"personal_information"\s*:\s*\{\s*"user_id"')


def is_telegram(container: Container, name: str) -> bool:
    """Tell what Telegram Desktop writes: result.json, or a file alone whatever it is called, lest a chat be read as a list of posts."""
    if base_name(name) != "result.json" and not (
        len(container.names) == 1 and name.endswith(".json")
    ):
        return False
    begins = read_head(container, name)
    return TELEGRAM_ACCOUNT.search(begins) is not None or (
        TELEGRAM_CHAT.match(begins) is not None and TELEGRAM_TYPE.search(begins) is not None
    )


def read_telegram(container: Container, name: str) -> Reading:
    begin = TELEGRAM_CHAT.match(read_head(container, name))
    try:
        chat = json.loads(begin[1].decode("utf-8", "replace") + "[]}") if begin else None
    except (
        ValueError,
        RecursionError,
    ):  # of the whole account: the messages are those of a chat in a list of chats
        chat = None
    if not begin or dig(chat, "type") != "public_channel":
        what = (
            f"a {dig(chat, 'type')}" if isinstance(dig(chat, "type"), str) else "of a whole account"
        )
        advice = "only a public channel's posts are read, not messages; export the channel alone: its menu, Export chat history, JSON"
        raise HubtweetsError(f"{container.path}: {name} is {what}; {advice}")
    profile = Profile("", get_text(chat, "name") or "", account_id=get_text(chat, "id"))
    return Reading("telegram", profile, None, read_channel(container, name, begin.end(1)))


def read_channel(container: Container, name: str, start: int) -> Iterator[Post]:
    """Yield the channel's own messages and, as reposts, those that it forwards; what a user writes there is that user's."""
    with container.open(name) as file:
        file.read(start)
        items = json_stream.stream_items(file)
        try:
            next(items)
            for number, item in enumerate(items, 1):
                if dig(item, "type") == "message" and not (
                    get_text(item, "from_id") or ""
                ).startswith("user"):
                    text, link = join_pieces(item.get("text"))
                    date = to_utc(item.get("date_unixtime")) or to_utc(item.get("date"))
                    yield Post(
                        get_text(item, "id") or str(number),
                        text,
                        date,
                        None,
                        get_kind(item),
                        link=link,
                    )
        except ValueError as error:
            raise corrupt_error(container, name, error) from None


def get_kind(message: dict) -> Kind:
    if "forwarded_from" in message:  # null where the author is gone
        return "repost"
    if message.get("reply_to_message_id") is None:
        return "post"
    return "reply" if message.get("reply_to_peer_id") else "self_reply"


def join_pieces(text: Any) -> tuple[str, bool]:
    """Return a text, which may be in pieces, without the pieces that are bare links, and whether there was one."""
    pieces = text if isinstance(text, list) else [text]
    link = any(dig(piece, "type") == "link" for piece in pieces)
    words = (
        piece if isinstance(piece, str) else dig(piece, "text")
        for piece in pieces
        if dig(piece, "type") != "link"
    )
    return replace_surrogates("".join(word for word in words if isinstance(word, str))), link
