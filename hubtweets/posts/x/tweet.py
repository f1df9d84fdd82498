"""A tweet as X's archives and API v1.1 write it, to a Post.

Entities give their positions in code points of the escaped text, so links are cut out before the
text is unescaped, once. Archives since 2019 have no repost metadata, only the text `RT @name: `;
older ones and the API have `retweeted_status`.
"""

import html
import re
from functools import lru_cache
from typing import Any

from hubtweets.posts.parsing import dig, get_list, get_text, to_utc
from hubtweets.posts.post import Kind, Post
from hubtweets.text import replace_surrogates, to_plain_text

REPOST = re.compile(r"RT @\w{1,20}: ")
# X cuts a text to 140 or 280 characters, with or without the link to the whole one that it adds
CUT_LENGTHS = (*range(115, 145), *range(250, 306))
LAST_LINK = re.compile(r"\s*https?://t\.co/\w*\s*$")
QUOTE = re.compile(r"//(mobile\.)?(twitter|x)\.com/\w+/status/\d+", re.IGNORECASE)


HTML_TAG = re.compile(r"<[^<>]*>?")
MAX_SOURCE_CHARS, MAX_APP_CHARS = 1_000, 60
MAX_APPS_IN_MEMORY = 256


def is_tweet(item: Any) -> bool:
    return isinstance(dig(item, "full_text"), str) and get_text(item, "id_str", "id") is not None


def to_post(
    tweet: dict, account_id: str | None, escaped_text: str, reposts_are_marked: bool = False
) -> Post:
    """Return the Post of a tweet of the account; `escaped_text` is its text as X wrote it.

    If the source marks every repost, an `RT @` without the mark was typed by hand.
    """
    id = get_text(tweet, "id_str", "id") or ""
    text, link = cut_links(escaped_text, tweet)
    versions = list_versions(tweet)
    return Post(
        id=id,
        text=replace_surrogates(unescape(text)),
        created_at=to_utc(tweet.get("created_at")),
        lang=get_text(tweet, "lang"),
        kind=get_kind(tweet, "" if reposts_are_marked else escaped_text, account_id),
        superseded=bool(versions) and versions[-1] != id,
        link=link,
        app=read_app(tweet),
    )


def read_app(tweet: dict) -> str | None:
    """Return the name of a tweet's app, from its `source`: a link in HTML or a bare name."""
    return parse_app((get_text(tweet, "source") or "")[:MAX_SOURCE_CHARS])


@lru_cache(MAX_APPS_IN_MEMORY)
def parse_app(source: str) -> str | None:
    return to_plain_text(html.unescape(HTML_TAG.sub("", source)), MAX_APP_CHARS) or None


def cut_links(text: str, tweet: dict) -> tuple[str, bool]:
    """Cut out the links that a tweet's entities mark, and return whether there was one.

    A position that holds no link is left unchanged.
    """
    if "http" not in text:
        return text, False
    cut = False
    for start, end in sorted(find_link_positions(tweet), reverse=True):
        if text.startswith("http", start, end) and " " not in text[start:end]:
            text, cut = text[:start] + text[end:], True
    return text, cut


def find_link_positions(tweet: dict) -> set[tuple[int, int]]:
    """Return where a tweet's links and media begin and end in its escaped text."""
    entities = [
        *get_list(tweet, "entities", "urls"),
        *get_list(tweet, "entities", "media"),
        *get_list(tweet, "extended_entities", "media"),
    ]
    positions = set()
    for entity in entities:
        indices = [str(index) for index in get_list(entity, "indices")]
        if len(indices) == 2 and all(map(is_index, indices)):
            positions.add((int(indices[0]), int(indices[1])))
    return positions


def is_index(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 8


def is_cut(text: str) -> bool:
    """Return whether X seems to have cut an unescaped text: it ends in … near a limit."""
    if "…" not in text:
        return False
    text = LAST_LINK.sub("", text).rstrip()
    return text.endswith("…") and len(text) in CUT_LENGTHS


def unescape(text: str) -> str:
    """Undo the three escapes that X writes and the two that it wrote before 2019, once.

    Any other, such as a typed `&copy;`, is the author's own.
    """
    if "&" not in text:
        return text
    return (
        text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", '"')
        .replace("&#39;", "'")
        .replace("&amp;", "&")
    )


def get_kind(tweet: dict, text: str, account_id: str | None) -> Kind:
    if REPOST.match(text) or isinstance(tweet.get("retweeted_status"), dict):
        return "repost"
    replied = get_text(tweet, "in_reply_to_user_id_str", "in_reply_to_user_id")
    # a mention at the beginning has the user only
    if replied or get_text(tweet, "in_reply_to_status_id_str", "in_reply_to_status_id"):
        return "self_reply" if account_id and replied == account_id else "reply"
    if tweet.get("is_quote_status") is True:
        return "quote"
    urls = [get_text(url, "expanded_url") or "" for url in get_list(tweet, "entities", "urls")]
    return "quote" if any(QUOTE.search(url) for url in urls) else "post"


def list_versions(tweet: dict) -> list[str]:
    """Return the ids of a post's versions, oldest first.

    Each version is an item of its own, and only the last one counts.
    """
    if not tweet.get("edit_info"):
        return []
    first = get_list(tweet, "edit_info", "initial", "editTweetIds")
    later = get_list(tweet, "edit_info", "edit", "editControlInitial", "editTweetIds")
    return [str(id) for id in first or later]
