"""Rows of a table to posts.

In: rows by column name, from any file. Out: posts. Columns are found by the names that other tools
give them, in any case, or are named by the user.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container
from hubtweets.posts.parsing import dig, get_text, to_utc
from hubtweets.posts.pii.scrub import scrub
from hubtweets.posts.post import Columns, Kind, Post, Visibility
from hubtweets.posts.source_kinds import SourceKind
from hubtweets.posts.tables.audience import AudienceFilter, Column, find_columns
from hubtweets.posts.x.tweet import REPOST as REPOST_TEXT
from hubtweets.posts.x.tweet import is_cut, unescape
from hubtweets.text import replace_surrogates

TEXT = ("text", "full_text", "content", "body", "post", "tweet", "message", "caption", "title")
DATE = (
    *("created_at", "createdat", "published", "published_at_utc", "date", "timestamp"),
    *("created_utc", "date_time", "datetime"),
)
ID = ("id_str", "id", "tweet_id", "tweetid", "status_id", "post_id")
REPOST = ("is_retweet", "retweet", "isretweet", "post_type", "reblog", "referenced_tweets")
# what tells the authors of a table's rows apart; as an object it has one of the first four
AUTHOR = (
    *("screen_name", "username", "handle", "acct", "user_name", "user_screen_name", "user_handle"),
    *("author_username", "author_handle", "author_screen_name", "author.username"),
    *("user.screen_name", "user.username", "twitter_handle", "account_handle"),
    *("author", "user", "account", "author_id", "user_id"),
)
OPTIONS = ("text", "date", "id", "repost")
REPLY = (
    "in_reply_to_status_id",
    "in_reply_to_status_id_str",
    "in_reply_to_user_id",
    "in_reply_to_screen_name",
    "in_reply_to_id",
    "in_reply_to",
)
# columns of tweets, whose texts X escapes
X = (*REPLY[:4], "full_text", "id_str", "tweet_id", "isretweet", "retweet_count", "retweets")
YES = ("true", "t", "yes", "1", "retweet", "repost")


class Fields(NamedTuple):
    """The names of a table's columns, None if it has no such one."""

    text: str | None = None
    date: str | None = None
    id: str | None = None
    repost: str | None = None
    lang: str | None = None
    reply: str | None = None
    from_x: bool = False
    selftext: str | None = None  # the text under the title of Reddit's posts
    audience: tuple[Column, ...] = ()
    author: str | None = None


Row = tuple[int, Any, Fields]  # the number of the line or item, a dict or a text, its fields


class Format(NamedTuple):
    """A format of tables: how its rows are read, and how errors speak of them."""

    kind: SourceKind
    rows: Callable[[Container, str, Columns], Iterator[Row]]
    unit: str = "row"
    advice: str = "name the column of the texts with --text-column"
    is_regular: bool = True  # every row of a file has the same columns


@lru_cache(maxsize=16)
def match_columns(names: tuple[str, ...], columns: Columns) -> Fields:
    """Return a table's fields: the given columns, else the first that has a usual name."""
    by_name = {name.lower(): name for name in names}

    def first(given: str | None, *candidates: str) -> str | None:
        if given in names:
            return given
        for name in (given.lower(),) if given else candidates:
            if name in by_name:
                return by_name[name]
        return None

    text = first(columns.text, *TEXT)
    meant = {
        "text": text,
        "date": first(columns.date, *DATE),
        "id": first(columns.id, *ID),
        "repost": first(columns.repost, *REPOST),
    }
    return Fields(
        **meant,
        lang=first(None, "lang", "language"),
        reply=first(None, *REPLY),
        from_x=any(name in by_name for name in X),
        selftext=first(None, "selftext") if text and text.lower() == "title" else None,
        audience=find_columns(tuple(name for name in names if name not in meant.values())),
        author=first(None, *(name for name in AUTHOR if by_name.get(name) not in meant.values())),
    )


def require_columns(names: Sequence[str], columns: Columns, source: str) -> Fields:
    """Return the fields of a table.

    Raises HubtweetsError if it has no texts, or lacks a column that was given.
    """
    fields = match_columns(tuple(names), columns)
    for option in OPTIONS:
        if getattr(fields, option) is None and (getattr(columns, option) or option == "text"):
            raise missing_column_error(source, option, columns, names)
    return fields


def missing_column_error(
    source: str, option: str, columns: Columns, names: Iterable[str]
) -> HubtweetsError:
    given = getattr(columns, option)
    wanted = "can't tell which column holds the texts"
    if given:
        wanted = f"no column is called {given!r}"
    there = ", ".join(replace_surrogates(name[:40]) for name in itertools.islice(names, 30))
    return HubtweetsError(
        f"{source}: {wanted} (there are: {there or 'none'}); "
        f"name one of them with --{option}-column"
    )


def list_columns(fields: Fields) -> list[str]:
    """Return the names of the columns to read."""
    named = [name for name in fields if isinstance(name, str)]
    return list(dict.fromkeys([*named, *(name for name, _ in fields.audience)]))


def get_author(row: Any, fields: Fields) -> str | None:
    """Return the name or id of a row's author, None if nothing in the row tells it."""
    if not fields.author:
        return None
    cell = row.get(fields.author)
    name = get_text(cell, *AUTHOR[:4]) if isinstance(cell, dict) else get_text(row, fields.author)
    return (name or "").strip().removeprefix("@").lower() or None


# ---- rows to posts


def to_posts(
    rows: Iterable[Row],
    columns: Columns,
    source: str,
    format: Format,
    warnings: list[str],
    count: int = 0,
    told: bool = False,
) -> Iterator[Post]:
    """Yield a post of each row; one without an id is numbered, after `count`.

    Adds warnings of dates that can't be read, of cut texts and of posts left out. `told`: some row
    of the table names its audience, so that a row that doesn't is private.
    """
    cut, bad_dates = 0, BadDates()
    audience = AudienceFilter(told)
    missing, names = {option for option in OPTIONS if getattr(columns, option)}, list[str]()
    for id, (number, row, fields) in enumerate(rows, count + 1):
        text = get_row_text(row, fields)
        if text is None:
            column = fields.text or columns.text or "text"
            raise HubtweetsError(
                f'{source}: {format.unit} {number} has no "{column}"; {format.advice}'
            )
        if missing:
            missing = {option for option in missing if getattr(fields, option) is None}
            names = list(row) if isinstance(row, dict) else []
        post = to_post(row, fields, text, id) if isinstance(row, dict) else Post(str(id), text)
        if fields.date and post.created_at is None:
            bad_dates.add(row[fields.date])
        cut += post.kind != "repost" and is_cut(post.text)
        yield restrict(post, audience.judge(row, fields.audience))
    warnings.extend(audience.warnings(source))
    warnings.extend(bad_dates.warnings(source))
    if cut:
        warnings.append(
            f"{source}: {cut:,} of its posts are cut (as long as X allows, with … at the end); "
            "the model learns to break off, too; give them whole, such as with X's own archive"
        )
    if missing and names:
        raise missing_column_error(source, sorted(missing)[0], columns, names)


class BadDates:
    """Counts the dates that can't be read, and keeps the first."""

    def __init__(self) -> None:
        self.number, self.first = 0, ""

    def add(self, date: Any) -> None:
        if date in (None, ""):
            return
        if not self.number:
            self.first = str(date)[:40]
        self.number += 1

    def warnings(self, source: str) -> Iterator[str]:
        """Yield one line if there were such dates."""
        if self.number:
            yield (
                f"{source}: {self.number:,} dates are not understood, "
                f"such as {scrub(self.first)[0]!r}; write them as 2015-01-31 or 31.01.2015"
            )


def restrict(post: Post, visibility: Visibility) -> Post:
    """Return the post with this visibility, without its text if that is private."""
    if visibility == "private":
        return post._replace(text="", lang=None, visibility=visibility)
    return post._replace(visibility=visibility)


def get_row_text(row: Any, fields: Fields) -> str | None:
    """Return the text of a row, "" if its cell is empty, or None if it has no text."""
    if isinstance(row, str):
        return replace_surrogates(row)
    if fields.text is None:
        return None
    if row[fields.text] in (None, ""):
        return ""
    text, more = get_text(row, fields.text), get_text(row, fields.selftext or "")
    return f"{text}\n{more}" if text and more else text


def to_post(row: dict, fields: Fields, text: str, number: int) -> Post:
    id = get_text(row, fields.id or "") or str(number)
    when = row[fields.date] if fields.date else None
    return Post(
        id=id,
        text=unescape(text) if fields.from_x else text,
        created_at=to_utc(when.isoformat() if isinstance(when, date) else when),
        lang=get_text(row, fields.lang or ""),
        kind=get_kind(row, fields, text),
    )


def get_kind(row: dict, fields: Fields, text: str) -> Kind:
    marked = is_repost(row[fields.repost]) if fields.repost else bool(REPOST_TEXT.match(text))
    if marked:
        return "repost"
    if fields.reply and row.get(fields.reply) not in (None, "", False, 0, "nan"):
        return "reply"
    return "post"


def is_repost(value: Any) -> bool:
    """Return whether a cell marks a repost.

    It holds a yes, the reposted post itself, or X's list of the posts that it refers to.
    """
    if isinstance(value, str):
        return value.strip().lower() in YES or "retweeted" in value
    if isinstance(value, list):
        return any(dig(item, "type") in (None, "retweeted") for item in value)
    return bool(value) if isinstance(value, dict | bool) else value == 1
