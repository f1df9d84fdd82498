"""The text of a post that is written in HTML."""

import html
import re

from hubtweets.posts.mastodon.archive import (
    Seen,
)
from hubtweets.text import well_formed

TOKEN = re.compile(
    r"""
    <!--(?:-?>|.*?(?:--!?>|\Z))                                             # a comment
    |<(?:[!?]|/(?![a-z]))[^>]*(?:>|\Z)                                      # what a browser takes for one
    |<(?P<raw>script|style|title|iframe|noscript|noembed|noframes)(?=[\s/>]|\Z)  # an element that holds no HTML, with what is in it
        (?:(?:[^>"']|"[^"]*"|'[^']*')*+>.*?(?:</(?P=raw)(?=[\s/>])[^>]*(?:>|\Z)|\Z)|.*)
    |<(?P<closing>/?)(?P<tag>[a-z][^\s<>/"']*)(?P<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*+)>
    |(?P<data>[^<]+|<)
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
ATTRIBUTE = re.compile(r"""(?<![\w-])(class|href)\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)""", re.IGNORECASE)
BLOCKS = {"p", "div", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "hr", "tr", "h1", "h2", "h3", "h4", "h5", "h6"}


def to_text(content: str) -> tuple[str, bool]:
    """Return the text of a post's HTML as its readers see it, and whether a link was cut out of it: one whose words are its address.

    Mentions and hashtags stay. A line break is a newline, a paragraph's end a blank line. What others are quoted with (blockquote, and the link of
    class quote-inline) is cut too. Time is linear in the length and any input has a text, neither of which holds for html.parser.
    """
    seen = Seen()
    for token in TOKEN.finditer(content):
        if token["data"]:
            seen.add(unescape(token["data"]))
        elif token["closing"]:
            seen.close(token["tag"].lower())
        elif token["tag"]:
            seen.open(token["tag"].lower(), token["attributes"])
    seen.end_link()
    return well_formed("".join(seen.parts).strip()), seen.cut


def end_line(parts: list[str], block: bool = True) -> None:
    if block and parts and not parts[-1].endswith("\n"):
        parts.append("\n")


def unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # the number of a character has more digits than Python reads
        return text
