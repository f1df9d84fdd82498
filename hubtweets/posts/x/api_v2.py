"""A tweet and its author as X's API v2 writes them, to a Post and a Profile.

In: an item of `data`, from the API itself or from a file of its saved answers. Out: a Post, with
the note's text if the tweet is a long one.
Format: https://docs.x.com/x-api/fundamentals/data-dictionary
"""

import re
from typing import Any

from hubtweets.posts.links import remove_short_links
from hubtweets.posts.parsing import dig, get_list, get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile
from hubtweets.posts.x.tweet import REPOST, cut_links, read_app, unescape

HANDLE = re.compile(r"\w{1,20}", re.ASCII)
WITHHELD = re.compile(
    r"@\w{1,20}['’]s account has been withheld in .+ in response to a legal demand", re.ASCII
)
# the last two are API v1.1's
WITHHELD_KEYS = ("withheld", "withheld_in_countries", "withheld_copyright")


def to_post(tweet: dict, account_id: str | None) -> Post:
    """Return the Post of a tweet of the account, without text if any country withholds it."""
    note = tweet.get("note_tweet")
    source = note if isinstance(dig(note, "text"), str) else tweet  # a note has its own entities
    written = get_text(source, "text") or ""
    places = [
        {"indices": [dig(url, "start"), dig(url, "end")]}
        for url in get_list(source, "entities", "urls")
    ]
    text, link = cut_links(written, {"entities": {"urls": places}})
    id = get_text(tweet, "id") or ""
    versions = get_list(tweet, "edit_history_tweet_ids")
    post = Post(
        id=id,
        text=unescape(text),
        created_at=to_utc(tweet.get("created_at")),
        lang=get_text(tweet, "lang"),
        kind=get_kind(tweet, written, get_text(tweet, "author_id") or account_id),
        superseded=bool(versions) and str(versions[-1]) != id,
        link=link,
        app=read_app(tweet),
    )
    return hide_text(post) if is_withheld(tweet, written) else post


def get_kind(tweet: dict, text: str, author_id: str | None) -> Kind:
    """Return the kind of a tweet by what it refers to.

    The text of a withheld repost does not start with `RT @`.
    """
    types = [dig(reference, "type") for reference in get_list(tweet, "referenced_tweets")]
    if "retweeted" in types or REPOST.match(text):
        return "repost"
    if "replied_to" in types:
        is_own = author_id and get_text(tweet, "in_reply_to_user_id") == author_id
        return "self_reply" if is_own else "reply"
    return "quote" if "quoted" in types else "post"


def is_withheld(tweet: dict, text: str) -> bool:
    return any(tweet.get(key) for key in WITHHELD_KEYS) or bool(WITHHELD.match(text))


def hide_text(post: Post) -> Post:
    """Return the post as a private one, which is counted and never kept."""
    return post._replace(text="", lang=None, visibility="private", link=False, app=None)


def to_profile(user: Any) -> Profile:
    """Return the Profile of a user as API v2 or v1.1 writes one; all but the id may be missing."""
    handle = get_text(user, "username", "screen_name") or ""
    if not HANDLE.fullmatch(handle):
        handle = ""
    return Profile(
        handle=handle,
        name=get_text(user, "name") or handle,
        network="X",
        bio=remove_short_links(get_text(user, "description")),
        account_id=get_text(user, "id_str", "id"),
        url=f"https://x.com/{handle}" if handle else None,
    )
