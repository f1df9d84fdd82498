"""What is left of a post's text when all that the author did not write is cut out of it.

In: a post. Out: its text on one line, without invisible characters, quoted lines, links, the
@mentions that lead a reply, and the post of another that a comment stands before.
"""

import re
from typing import NamedTuple

import regex

from hubtweets.posts.links import remove_links, tidy_up, trim_end
from hubtweets.posts.post import Post

# Characters without a width. Emojis are joined by U+200D; the scripts of Persian, Hindi and their
# neighbours need it, and U+200C, between letters.
INVISIBLE = regex.compile(
    r"""
    [\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]
    |\u200d(?<![\p{Extended_Pictographic}\ufe0f\U0001f3fb-\U0001f3ff]\u200d
        (?=\p{Extended_Pictographic}))(?<![[\p{L}\p{M}]--[\u0000-\u05ff]]\u200d)
    |\u200c(?<![[\p{L}\p{M}]--[\u0000-\u05ff]]\u200c(?=[\p{L}\p{M}]))
    """,
    regex.VERBOSE | regex.VERSION1,
)
MAYBE_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
# `> 5` is a comparison
QUOTED_LINE = re.compile(r"^[ \t]*>[> \t]*+(?<=[ \t])(?![\d$€£]).*\n?", re.MULTILINE)
LEADING_MENTIONS = re.compile(
    r"^(?:\.?@[\w.@-]+(?:[:,：，、]\s?|\s))*\.?@[\w.@-]+(?:[:,：，、]\s?|\s|$)", re.ASCII
)
REPOST = re.compile(r"(?:RT|MT)[\s:]{0,3}@\w|[Rr]t[\s:]{0,3}@\w+:\s")
# a repost after a comment: `RT @bob words`, `RT: @bob: words`, `“@bob: words”`
REPOST_AFTER = re.compile(
    r"""
    (?<![\w@\#&/])RT[\s:]{0,3}@\w[\w.-]*(?:@[\w.-]+)?(?P<colon>:)?(?=(?:\s@\w+)*\s[^\s@])
    |(?<=\s)(?:MT|[Rr]t)[\s:]{0,3}@\w[\w.-]*(?P<other>:)(?=\s)
    |(?<=\s)[“"«„](?:RT\s)?@\w+(?P<quote>:)(?=\s)
    """,
    re.VERBOSE,
)
# after these `RT` is a verb or a noun: `please RT @bob`
BEFORE_VERB = re.compile(
    r"""(?:\b(?:
        please|pls|plz|kindly|just|always|never|also|and|or|to|not|don[’']t|if|who|will|would|could
        |can|should|must|I|you|we|they|an?|the|this|that|my|your|his|her|our|their|no|for|of|by|via
        |with|per|un|el|den|dale|dar|dá|favor|por|haz|faites|bitte|do
    )|&)\s$""",
    re.VERBOSE | re.IGNORECASE,
)
MAX_WORD = 20  # characters


class Cleaned(NamedTuple):
    """A post's own text, whether it had a link, and whether others' words were cut out of it."""

    text: str
    has_link: bool
    has_quote: bool = False
    is_repost: bool = False  # it begins with a repost by hand


def clean(post: Post, keep_mentions: bool) -> Cleaned:
    """Cut out of a post's text what its author did not write."""
    text = INVISIBLE.sub("", post.text) if MAYBE_INVISIBLE.search(post.text) else post.text
    text, quoted = QUOTED_LINE.subn("", text) if ">" in text else (text, 0)
    text, has_link = remove_links(text)
    has_link = has_link or post.link
    text = tidy_up(text) if has_link else " ".join(text.split())
    if post.kind in ("reply", "self_reply") and not keep_mentions:
        text = LEADING_MENTIONS.sub("", text)
    if "@" not in text:
        return Cleaned(text, has_link, has_quote=quoted > 0)
    if REPOST.match(text):
        return Cleaned("", has_link, is_repost=True)
    comment = cut_repost(text)
    return Cleaned(comment, has_link, has_quote=quoted > 0 or comment != text)


def cut_repost(text: str) -> str:
    """Return the comment that stands before the post of another, or the whole text."""
    for found in REPOST_AFTER.finditer(text):
        before = text[max(0, found.start() - MAX_WORD) : found.start()]
        if any(found.groups()) or not BEFORE_VERB.search(before):
            return trim_end(text[: found.start()].rstrip())
    return text
