"""The text of a post that is written in HTML."""

import html
import re

from hubtweets.posts.parsing import is_address
from hubtweets.text import replace_surrogates

TOKEN = re.compile(
    r"""
    <!--(?:-?>|.*?(?:--!?>|\Z))                          # a comment
    |<(?:[!?]|/(?![a-z]))[^>]*(?:>|\Z)                   # a comment too, as browsers read it
    # an element that holds no HTML, with its content
    |<(?P<raw>script|style|title|iframe|noscript|noembed|noframes)(?=[\s/>]|\Z)
        (?:(?:[^>"']|"[^"]*"|'[^']*')*+>.*?(?:</(?P=raw)(?=[\s/>])[^>]*(?:>|\Z)|\Z)|.*)
    |<(?P<closing>/?)(?P<tag>[a-z][^\s<>/"']*)(?P<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*+)>
    |(?P<data>[^<]+|<)
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)

ATTRIBUTE = re.compile(
    r"""(?<![\w-])(class|href)\s*=\s*("[^"]*"|'[^']*'|[^\s"']+)""", re.IGNORECASE
)
BLOCKS = {
    *("p", "div", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "hr", "tr"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
LEFT_OUT = {"blockquote", "template"}
CLASSES_LEFT_OUT = {"invisible", "quote-inline"}
VOID = {  # elements without an end tag
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"),
    *("source", "track", "wbr"),
}


def html_to_text(content: str) -> tuple[str, bool]:
    """Return a post's text as its readers see it, and whether a link was cut out of it.

    A link is cut out if its words are its address; mentions and hashtags stay. A line break is a
    newline, a paragraph's end a blank line. Quotes of others (blockquote, and the link of class
    quote-inline) are cut out too. Time is linear in the length and any input has a text; neither is
    true of html.parser.
    """
    seen = VisibleText()
    for token in TOKEN.finditer(content):
        if token["data"]:
            seen.add(unescape_html(token["data"]))
        elif token["closing"]:
            seen.close(token["tag"].lower())
        elif token["tag"]:
            seen.open(token["tag"].lower(), token["attributes"])
    seen.end_link()
    return replace_surrogates("".join(seen.parts).strip()), seen.cut


class VisibleText:
    """The text of a post's HTML, tag by tag.

    Mastodon marks the beginning and the end of a link's address as invisible. Readers don't see
    them, but they show that the words are an address.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.cut = False
        self.link_from: int | None = None  # the part in which an open link's words begin
        self.link_words: list[str] = []  # the same words, with the invisible ones
        self.href = ""
        self.hidden = ""  # the tag of an element that is left out
        self.depth = 0  # the number of open elements of its kind
        self.is_marked = False  # it is left out because it is marked as invisible

    def add(self, words: str) -> None:
        if not self.depth:
            self.parts.append(words)
        if self.link_from is not None and (self.is_marked or not self.depth):
            self.link_words.append(words)

    def open(self, tag: str, attributes: str) -> None:
        if self.depth:
            self.depth += tag == self.hidden
        elif tag == "br":
            self.parts.append("\n")
        else:
            end_line(self.parts, tag in BLOCKS)
            classes, href = read_attributes(attributes)
            if tag not in VOID and (tag in LEFT_OUT or classes & CLASSES_LEFT_OUT):
                self.hidden, self.depth, self.is_marked = tag, 1, "invisible" in classes
            elif tag == "a":
                self.end_link()
                self.href = href
                # a hashtag is a mention too
                self.link_from = None if "mention" in classes else len(self.parts)

    def close(self, tag: str) -> None:
        if self.depth:
            self.depth -= tag == self.hidden
        elif tag == "a":
            self.end_link()
        else:
            end_line(self.parts, tag in BLOCKS)
            self.parts += ["\n"] * (tag == "p")

    def end_link(self) -> None:
        if self.link_from is not None and is_address("".join(self.link_words), self.href):
            del self.parts[self.link_from :]
            self.cut = True
        self.link_from = None
        self.link_words = []


def read_attributes(attributes: str) -> tuple[set[str], str]:
    """Return a tag's classes and its link."""
    classes: set[str] = set()
    href = ""
    for name, value in ATTRIBUTE.findall(attributes):
        value = unescape_html(value.strip("\"'"))
        if name.lower() == "class":
            classes |= set(value.lower().split())
        else:
            href = href or value
    return classes, href


def end_line(parts: list[str], block: bool = True) -> None:
    if block and parts and not parts[-1].endswith("\n"):
        parts.append("\n")


def unescape_html(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # the number of a character has more digits than Python reads
        return text
