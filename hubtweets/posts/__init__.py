"""Where posts come from.

In: a source, which is a path or the name of an account at a service (`bluesky:alice.example`). Out: a Reading, the same for every place: one
Profile and the Posts. One module per place reads its format; nothing after this package knows which one it was.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

Kind = Literal["post", "reply", "self_reply", "quote", "repost"]
Visibility = Literal["private", "unlisted", "public"]  # the narrowest first
SourceKind = Literal[
    "x-archive",
    "x-grailbird",
    "x-api",
    "x-json",
    "mastodon-archive",
    "mastodon-api",
    "misskey",
    "bluesky-archive",
    "bluesky-api",
    "threads",
    "instagram",
    "reddit",
    "telegram",
    "dataset",
    "csv",
    "json",
    "jsonl",
    "parquet",
    "text",
]

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
X_DATE = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d):(\d\d):(\d\d) \+0000 (\d{4})", re.ASCII)
YEAR_FIRST = re.compile(r"\d{4}/\d\d/\d\d\b", re.ASCII)
GERMAN = re.compile(r"^(\d\d)\.(\d\d)\.(\d{4})\b", re.ASCII)
ADDRESS = re.compile(r"[\w-]+(\.[\w-]+)+/\S*")  # a shortened one need not be in the link
MONTHS = {name: number for number, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)}
SECONDS_UNTIL_5138 = 10**11  # a larger number of seconds is one of milliseconds


class Post(NamedTuple):
    """One post as its author's readers saw it: unescaped, line breaks still in it, the links that the place itself marks cut out.

    A private post (followers-only, direct, withheld) has no text: it is counted and never kept.
    """

    id: str
    text: str
    created_at: str | None = None  # ISO 8601, UTC
    lang: str | None = None  # what the place itself says, not measured
    kind: Kind = "post"
    visibility: Visibility = "public"
    superseded: bool = False  # an older version of a post that was edited later
    link: bool = False  # a link was cut out of the text
    warning: bool = False  # it stood behind a content warning
    masked: bool = False  # an e-mail address, a phone number, a key or a token in it is masked
    secret: bool = False  # among them a key or a token


@dataclass(frozen=True)
class Profile:
    """The public face of an author."""

    handle: str
    name: str
    network: str | None = None
    bio: str | None = None
    account_id: str | None = None
    avatar: str | None = None  # a file in the run's repo/ folder
    url: str | None = None  # where the account's readers find it; https


@dataclass(frozen=True)
class Reading:
    """What a source gives: its kind, one author's profile, avatar (an image file's bytes) and posts, in no order, to be gone through once.

    `warnings` grows while the posts are gone through; so may HubtweetsError be raised. `dataset` is the id of a dataset that anybody can read.
    The posts of a protected account are for its followers alone.
    """

    kind: SourceKind
    profile: Profile
    avatar: bytes | None
    posts: Iterable[Post]
    warnings: list[str] = field(default_factory=list)
    dataset: str | None = None
    protected: bool = False


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are meant; None: found by its name."""

    text: str | None = None
    date: str | None = None
    id: str | None = None
    repost: str | None = None


def well_formed(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 file can hold, by U+FFFD."""
    return text if text.isascii() else LONE_SURROGATE.sub("\ufffd", text)


def to_utc(date: object) -> str | None:
    """Return a date as ISO 8601 in UTC, or None where it is none.

    It may be written as ISO 8601, as X writes it ("Sat Jul 25 08:26:58 +0000 2026", "2015-10-01 15:59:20 +0000"), as "2025-05-18 04:35:32 UTC",
    as "2015/01/31 08:00" or "31.01.2015 08:00", as seconds or milliseconds since 1970, or be a datetime. 01/02/2015 is two days, and none.
    """
    try:
        if isinstance(date, str):
            if found := X_DATE.fullmatch(date):
                month, day, hour, minute, second, year = found.groups()
                when = datetime(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
            elif date.isascii() and date.isdecimal() and len(date) > 8:  # fewer digits are a day or a year
                return to_utc(int(date))
            else:
                date = GERMAN.sub(r"\3-\2-\1", date.replace("/", "-") if YEAR_FIRST.match(date) else date)
                when = datetime.fromisoformat(date.removesuffix(" UTC").replace(" +", "+").replace(" -", "-"))
        elif isinstance(date, datetime):
            when = date
        elif isinstance(date, int | float) and not isinstance(date, bool):
            when = datetime.fromtimestamp(date / 1000 if abs(date) > SECONDS_UNTIL_5138 else date, UTC)
        else:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def dig(value: Any, *keys: str) -> Any:
    """Return `value[key][key]...`, or None where the way leads nowhere: a hurt field costs itself, not the posts."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def list_at(value: Any, *keys: str) -> list:
    """Return what `dig` finds where that is a list, else an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def text_at(item: Any, *keys: str) -> str | None:
    """Return the first of the keys' values that is a text or a whole number, as text."""
    if not isinstance(item, dict):
        return None
    for key in keys:
        value = item.get(key)
        if isinstance(value, str):
            if value:
                return well_formed(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            return str(value) if -(10**30) < value < 10**30 else None
    return None


def narrowest(*visibilities: Visibility) -> Visibility:
    """Return the one with the smallest audience."""
    return min(visibilities, key=get_args(Visibility).index)


def is_address(words: str, href: str) -> bool:
    """Tell whether a link's words are its address, whole or shortened, not words of the author's."""
    words = words.strip().lower()
    if not words or " " in words:
        return not words
    short = words.removesuffix("…").removesuffix("...")
    return (
        words.startswith(("http:", "https:", "www."))
        or ADDRESS.fullmatch(short) is not None
        or (("." in short or "/" in short) and short in href.lower())
    )


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' bytes one after the other, in hex."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
