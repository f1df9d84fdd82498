"""The exports of Threads and Instagram, Reddit, and Telegram.

In: the zip or folder that the service made, or its one file of posts. Out: its posts. Only those files are opened; the messages, addresses and
numbers beside them are not. Reddit's and Telegram's are streamed, those of Threads and Instagram are read at once, up to 8 MiB a file. The
formats are documented nowhere, and none of them says whose it is.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import Kind, Post, Profile, Reading, SourceKind, dig, json_stream, list_at, text_at, to_utc, well_formed
from hubtweets.posts.container import Container, base_name, place
from hubtweets.posts.files import csv_dicts

THREADS = "threads_and_replies.json"
INSTAGRAM = re.compile(r"posts_\d+\.json")
INSTAGRAM_HEAD = re.compile(rb'\s*\[?\s*\{\s*"(media|title|creation_timestamp)"\s*:')
REDDIT = ("comments.csv", "posts.csv")
TELEGRAM_CHAT = re.compile(rb'(?:\xef\xbb\xbf)?(\s*\{.*?"messages"\s*:\s*)\[', re.DOTALL)
TELEGRAM_TYPE = re.compile(rb'"type"\s*:\s*"(saved_messages|(personal|bot)_chat|(private|public)_(group|supergroup|channel))"')
TELEGRAM_ACCOUNT = re.compile(rb'"personal_information"\s*:\s*\{\s*"user_id"')
HEAD = 4096  # bytes that tell one export from another, and from any other file of its name
DELETED = ("[deleted]", "[removed]")
QUOTED = re.compile(r"^[ \t]*(>(?!!)|&gt;(?!!)).*\n?", re.MULTILINE)  # other people's words; with ! it is a spoiler
MARKDOWN_LINK = re.compile(r"\[([^\[\]]*)\]\(https?:[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)")


def files(container: Container) -> list[str]:
    """Return the export's files of posts."""
    for is_wanted in (is_threads, is_reddit, is_telegram):
        if names := sorted(name for name in container.names if is_wanted(container, name)):
            return names
    return []


def read(container: Container) -> Reading:
    """Read an export; raise HubtweetsError where it is damaged, or holds messages and not posts."""
    names = files(container)
    if len({base_name(name) for name in names}) < len(names):
        raise HubtweetsError(f"{container.path}: more than one export in it ({', '.join(names[:4])}); give one of them")
    if is_reddit(container, names[0]):
        return Reading("reddit", Profile("", ""), None, read_reddit(container, names))
    if is_telegram(container, names[0]):
        return read_telegram(container, names[0])
    kind: SourceKind = "threads" if any(base_name(name) == THREADS for name in names) else "instagram"
    return Reading(kind, Profile("", ""), None, read_threads(container, names))


def head(container: Container, name: str) -> bytes:
    with container.open(name) as file:
        return file.read(HEAD)


# ---- Threads and Instagram


def is_threads(container: Container, name: str) -> bool:
    base = base_name(name)
    return base == THREADS or (INSTAGRAM.fullmatch(base) is not None and INSTAGRAM_HEAD.match(head(container, name)) is not None)


def read_threads(container: Container, names: Iterable[str]) -> Iterator[Post]:
    """Yield posts, which have no ids: they get their numbers. A post of one picture has its text and date with the picture."""
    number = 0
    for name in names:
        try:
            document = json.loads(container.read(name).decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError) as error:
            raise hurt(container, name, error) from None
        for item in document if isinstance(document, list) else list_at(document, "text_post_app_text_posts") or [document]:
            media = [one for one in list_at(item, "media") if isinstance(one, dict)]
            if not media and text_at(item, "title") is None:
                continue
            number += 1
            first = media[0] if media else {}
            text = repair(text_at(item, "title") or text_at(first, "title") or "")
            date = dig(item, "creation_timestamp") or first.get("creation_timestamp")
            kind: Kind = "reply" if any(dig(one, "text_app_post", "is_reply") is True for one in media) else "post"
            yield Post(str(number), text, to_utc(date), None, kind)


def repair(text: str) -> str:
    """Undo what these exports do to every text: its UTF-8 bytes are written as if each were a character."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text


# ---- Reddit


def is_reddit(container: Container, name: str) -> bool:
    if base_name(name) not in REDDIT:
        return False
    columns = head(container, name).partition(b"\n")[0]
    return b"permalink" in columns and b"subreddit" in columns


def read_reddit(container: Container, names: Iterable[str]) -> Iterator[Post]:
    """Yield comments and posts, of whose rows the id, the date, the title and the body are read. Links and what others are quoted with are cut."""
    for name in names:
        kind: Kind = "reply" if base_name(name) == "comments.csv" else "post"
        for number, row in csv_dicts(container, name):
            title, body = row.get("title", ""), row.get("body", "")
            if body.strip() in DELETED or title.strip() in DELETED:
                continue
            text, links = MARKDOWN_LINK.subn(r"\1", QUOTED.sub("", body))
            text = "\n".join(part for part in (title, text) if part)
            yield Post(well_formed(row.get("id") or str(number)), well_formed(text), to_utc(row.get("date")), None, kind, link=bool(links))


# ---- Telegram


def is_telegram(container: Container, name: str) -> bool:
    """Tell what Telegram Desktop writes: result.json, or a file alone whatever it is called, lest a chat be read as a list of posts."""
    if base_name(name) != "result.json" and not (len(container.names) == 1 and name.endswith(".json")):
        return False
    begins = head(container, name)
    return TELEGRAM_ACCOUNT.search(begins) is not None or (TELEGRAM_CHAT.match(begins) is not None and TELEGRAM_TYPE.search(begins) is not None)


def read_telegram(container: Container, name: str) -> Reading:
    begin = TELEGRAM_CHAT.match(head(container, name))
    try:
        chat = json.loads(begin[1].decode("utf-8", "replace") + "[]}") if begin else None
    except (ValueError, RecursionError):  # of the whole account: the messages are those of a chat in a list of chats
        chat = None
    if not begin or dig(chat, "type") != "public_channel":
        what = f"a {dig(chat, 'type')}" if isinstance(dig(chat, "type"), str) else "of a whole account"
        advice = "only a public channel's posts are read, not messages; export the channel alone: its menu, Export chat history, JSON"
        raise HubtweetsError(f"{container.path}: {name} is {what}; {advice}")
    profile = Profile("", text_at(chat, "name") or "", account_id=text_at(chat, "id"))
    return Reading("telegram", profile, None, read_channel(container, name, begin.end(1)))


def read_channel(container: Container, name: str, start: int) -> Iterator[Post]:
    """Yield the channel's own messages and, as reposts, those that it forwards; what a user writes there is that user's."""
    with container.open(name) as file:
        file.read(start)
        items = json_stream.items(file)
        try:
            next(items)
            for number, item in enumerate(items, 1):
                if dig(item, "type") == "message" and not (text_at(item, "from_id") or "").startswith("user"):
                    text, link = flatten(item.get("text"))
                    date = to_utc(item.get("date_unixtime")) or to_utc(item.get("date"))
                    yield Post(text_at(item, "id") or str(number), text, date, None, kind_of(item), link=link)
        except ValueError as error:
            raise hurt(container, name, error) from None


def kind_of(message: dict) -> Kind:
    if "forwarded_from" in message:  # null where the author is gone
        return "repost"
    if message.get("reply_to_message_id") is None:
        return "post"
    return "reply" if message.get("reply_to_peer_id") else "self_reply"


def flatten(text: Any) -> tuple[str, bool]:
    """Return a text, which may be in pieces, without the pieces that are bare links, and whether there was one."""
    pieces = text if isinstance(text, list) else [text]
    link = any(dig(piece, "type") == "link" for piece in pieces)
    words = (piece if isinstance(piece, str) else dig(piece, "text") for piece in pieces if dig(piece, "type") != "link")
    return well_formed("".join(word for word in words if isinstance(word, str))), link


def hurt(container: Container, name: str, error: Exception) -> HubtweetsError:
    return HubtweetsError(f"{place(container, name)} is cut, or is not what its service writes ({error}); ask for the export again")
