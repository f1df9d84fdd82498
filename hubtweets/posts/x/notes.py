"""The whole texts of long posts, which X keeps in note-tweet.js.

A long post's text is cut in tweets.js; its note has an id made some milliseconds before the
post's own. In: the items of note-tweet.js. Out: a post's whole text, by its id and cut text.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from hubtweets.posts.links import SHORT_LINK
from hubtweets.posts.parsing import dig, get_text

LEADING_MENTIONS = re.compile(r"^(@\w+\s+)+")


class Notes:
    """The long posts of note-tweet.js, matched to posts by time and by how they begin."""

    def __init__(self, notes: Iterable[Any]) -> None:
        self.by_second: dict[int, list[dict]] = defaultdict(list)
        for item in notes:
            note = dig(item, "noteTweet")
            id, text = get_text(note, "noteTweetId"), get_text(dig(note, "core"), "text")
            if id and is_snowflake(id) and text:
                text, links = SHORT_LINK.subn("", text)
                note = {"id": id, "text": text, "link": links > 0}
                self.by_second[get_milliseconds(id) // 1000].append(note)

    def take(self, tweet_id: str, text: str) -> tuple[str, bool] | None:
        """Remove and return the whole text of a post, and whether a link was cut out of it.

        Its note was made up to a second before the post, and begins as the post does.
        """
        if not self.by_second or not is_snowflake(tweet_id):
            return None
        moment = get_milliseconds(tweet_id)
        beginning = normalize_text(text)
        if not beginning:  # a picture or a link alone begins every note
            return None
        for second in (moment // 1000, moment // 1000 - 1):
            for note in self.by_second.get(second, ()):
                is_just_before = 0 < moment - get_milliseconds(note["id"]) < 1000
                if is_just_before and normalize_text(note["text"]).startswith(beginning):
                    self.by_second[second].remove(note)
                    return note["text"], note["link"]
        return None

    def count(self) -> int:
        """Return how many notes were not taken."""
        return sum(map(len, self.by_second.values()))


def is_snowflake(id: str) -> bool:
    return id.isascii() and id.isdecimal() and len(id) <= 20


def get_milliseconds(snowflake: str) -> int:
    """Return the time part of an X id: milliseconds in its bits from 22 up."""
    return int(snowflake) >> 22


def normalize_text(text: str) -> str:
    """Reduce a text to what a post and its note share.

    Links, leading mentions and a final ellipsis are removed, and blanks become single spaces.
    """
    text = " ".join(SHORT_LINK.sub("", text).split())
    return LEADING_MENTIONS.sub("", text + " ").strip().removesuffix("…").rstrip()
