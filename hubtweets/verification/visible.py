"""A card as a reader sees it.

In: the Markdown of a card's body. Out: its lines: paragraphs, headings, list items and table rows, with the addresses of its links and pictures.
Text that a reader may not see is marked as hidden: comments are gone, and whatever stands in an element with a style, a class or an attribute that
the card's own elements do not have, or in an element that folds, strikes or hides its content, counts as hidden.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt

# elements that leave their text as it is; each one's attributes that do so too
PLAIN = {"a", "b", "bdi", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "strong"}
PLAIN |= {"table", "tbody", "td", "th", "thead", "tr", "ul", "wbr"}
BLOCKS = {"div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "table", "tr", "ul", "br", "blockquote", "details", "summary"}
VOID = {"br", "hr", "img", "wbr"}
SHOWN_ATTRIBUTES = {"href", "src", "alt", "title", "align", "width", "height", "start"}
LOOKS = {"style", "class"}
OTHER_ATTRIBUTES = {"hidden", "id", "dir", "aria-hidden", "color", "bgcolor", "background", "open", "face", "size", "popover", "inert"}
FOLDING = {
    "details",
    "summary",
    "blockquote",
    "del",
    "s",
    "strike",
    "sub",
    "sup",
    "small",
    "q",
    "cite",
    "ins",
    "kbd",
    "mark",
    "span",
    "font",
    "center",
}
REMOVED = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title", "textarea", "select", "noembed", "noframes"}

MAX_CHARACTERS = 2**17
MAX_ELEMENTS = 5000  # the parser's time grows with the square of how deep they are nested

Looks = frozenset[tuple[str, str]]

markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class TooLongError(Exception):
    """A card that is too long to be compared."""


class Line(NamedTuple):
    """A line as it reads, the heading that it stands under, the number of the table that it is a row of, and whether a reader sees it."""

    text: str
    heading: str = ""
    table: int | None = None
    hidden: bool = False


def read_lines(body: str, looks: Looks = frozenset()) -> list[Line]:
    """Return the lines of a card's body; `looks` are the styles and classes that hide nothing, for they are the rendered card's own.

    Raises TooLongError for a body that would take too long.
    """
    html = markdown.render(body)
    if len(body) > MAX_CHARACTERS or html.count("<") > 2 * MAX_ELEMENTS:
        raise TooLongError(f"a card of more than {MAX_CHARACTERS:,} characters or {MAX_ELEMENTS:,} elements")
    html = nh3.clean(
        html,
        tags=PLAIN | FOLDING,
        clean_content_tags=REMOVED,
        attributes={"*": SHOWN_ATTRIBUTES | LOOKS | OTHER_ATTRIBUTES},
        strip_comments=True,
        link_rel=None,
    )
    reader = Reader(looks)
    reader.feed(html)
    reader.close()
    reader.end_line()
    return reader.lines


def looks_of(body: str) -> Looks:
    """Return the styles and classes that a card's own elements have, as (attribute, value)."""
    found: set[tuple[str, str]] = set()

    class Attributes(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            found.update((name, value or "") for name, value in attributes if name in LOOKS)

    Attributes().feed(markdown.render(body))
    return frozenset(found)


class Reader(HTMLParser):
    """Gathers the lines of clean HTML."""

    def __init__(self, looks: Looks) -> None:
        super().__init__(convert_charrefs=True)
        self.looks = looks
        self.lines: list[Line] = []
        self.parts: list[str] = []
        self.heading, self.tables = "", 0
        self.open: list[tuple[str, bool, str]] = []  # elements: their tag, whether they hide, the address of a link
        self.hides = False  # whether any part of this line is hidden

    def is_hidden(self) -> bool:
        return any(hides for _, hides, _ in self.open)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.hides = self.hides or (bool(text.strip()) and self.is_hidden())

    def is_plain(self, name: str, value: str) -> bool:
        return (name, value) in self.looks if name in LOOKS else name in SHOWN_ATTRIBUTES

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        hides = tag not in PLAIN or any(not self.is_plain(name, value) for name, value in values.items())
        if tag in BLOCKS:
            self.end_line()
        self.tables += tag == "table"
        if tag not in VOID:
            self.open.append((tag, hides, values.get("href", "")))
        if tag == "img":
            self.open.append((tag, hides, ""))
            self.add(f"[{values.get('alt', '')}]({values.get('src', '')})")
            self.open.pop()
        if tag in ("td", "th") and "".join(self.parts).strip():
            self.parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.open and self.open[-1][2]:
            self.add(f" ({self.open[-1][2]})")
        if tag in BLOCKS:
            self.end_line(heading=tag[0] == "h" and tag[1:].isdigit())
        if tag not in VOID and self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(tag == "pre" for tag, _, _ in self.open):
            self.add(data)
            return
        for line in data.splitlines():
            self.add(line)
            self.end_line()

    def end_line(self, heading: bool = False) -> None:
        text = " ".join("".join(self.parts).split())
        if text:
            table = self.tables if any(tag == "table" for tag, _, _ in self.open) else None
            self.lines.append(Line(text, self.heading, table, self.hides))
        if heading:
            self.heading = text
        self.parts, self.hides = [], False


def tables_of(lines: list[Line]) -> Iterator[list[Line]]:
    """Yield the rows of each table."""
    rows: dict[int, list[Line]] = {}
    for line in lines:
        if line.table is not None:
            rows.setdefault(line.table, []).append(line)
    yield from rows.values()
