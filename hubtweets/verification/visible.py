"""A card as a reader sees it.

In: the Markdown of a card's body. Out: its lines: paragraphs, headings, list items and table rows,
with the addresses of its links and pictures. Text that a reader may not see is marked as hidden:
comments are gone, and whatever stands in an element that is not in PLAIN, or that has an attribute
that neither SHOWN_ATTRIBUTES nor the card's own elements have, counts as hidden. What is folded is
marked with the summary that a reader opens it by.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html.parser import HTMLParser
from itertools import groupby
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt

# Elements that leave their text as it is, and attributes that do so on any of them.
PLAIN = {
    "a",
    "b",
    "bdi",
    "br",
    "code",
    "details",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "p",
    "pre",
    "span",
    "strong",
    "summary",
}
PLAIN |= {"table", "tbody", "td", "th", "thead", "tr", "ul", "wbr"}
SHOWN_ATTRIBUTES = {"href", "src", "alt", "title", "align", "open"}
# The styles of a column of a Markdown table.
ALIGNED = {("style", f"text-align:{side}") for side in ("left", "center", "right")}
# Elements that begin a line. Others, known or not, are in the middle of one: a browser shows
# "9,<x></x>778" as 9,778.
BLOCKS = {
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "tr",
    "ul",
    "br",
    "blockquote",
    "details",
    "summary",
}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"}
VOID |= {"source", "track", "wbr"}
REMOVED = {
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "svg",
    "math",
    "title",
    "textarea",
    "select",
    "noembed",
    "noframes",
}
NAME = re.compile(r"""[^\s"'<>/=]+""")  # of a tag or an attribute

# What the Hub renders and CommonMark does not know: footnotes, which take in the lines under them,
# and formulas.
FOOTNOTE = re.compile(r"^[ \t>*+\-\d.)]*\[\^[^\]\n]+\]:.*\n(?!\s*\n|\s*\[\^|\s*\Z)", re.MULTILINE)
FORMULAS = (("$$", "$$"), ("\\\\(", "\\\\)"), ("\\\\[", "\\\\]"))
MORE_THAN_A_FORMULA = re.compile(r"\n\s*\n|<[a-zA-Z!/?]|```|~~~")

MAX_CHARACTERS = 2**17
MAX_ELEMENTS = 5000  # the parser's time grows with the square of how deep they are nested

Looks = frozenset[tuple[str, str, str]]  # tag, attribute, value

markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class UnclearCardError(Exception):
    """A card of which it can't be told what a reader sees."""


class Line(NamedTuple):
    """A line as it reads.

    `heading` is the heading that it stands under, `code` says whether it is code, `table` is the
    number of its table if it is a row, `hidden` says whether it is hidden, and `folds` are the
    summaries of the `<details>` that it is folded in.
    """

    text: str
    heading: str = ""
    code: bool = False
    table: int | None = None
    hidden: bool = False
    folds: tuple[str | None, ...] = ()

    @property
    def shown(self) -> tuple[str, bool, bool]:
        """The line as it looks: its text, whether it is code, and whether it is a table's row."""
        return self.text, self.code, self.table is not None


@lru_cache(4)
def read_lines(body: str, looks: Looks = frozenset()) -> tuple[Line, ...]:
    """Return the lines of a card's body.

    `looks` are the styles, classes and sizes that hide nothing because they are the rendered card's
    own. Raises UnclearCardError if the body would take too long, or if a footnote or a formula in
    it may hide other lines.
    """
    if len(body) > MAX_CHARACTERS:
        raise UnclearCardError(f"has more than {MAX_CHARACTERS:,} characters")
    check_extensions(body)
    html = render_markdown(body)
    if html.count("<") > 2 * MAX_ELEMENTS:
        raise UnclearCardError(f"has more than {MAX_ELEMENTS:,} elements")
    # Every tag and attribute stays, to be judged by the reader.
    names = set(NAME.findall(html.lower()))
    html = nh3.clean(
        html,
        tags=names - REMOVED,
        clean_content_tags=REMOVED,
        attributes={"*": names},
        strip_comments=True,
        link_rel=None,
    )
    reader = Reader(looks)
    reader.feed(html)
    reader.close()
    reader.end_line()
    return tuple(reader.lines)


# A card is read by several checks, and as a rule the published one is the rendered one.
@lru_cache(4)
def render_markdown(body: str) -> str:
    return markdown.render(body)


def check_extensions(body: str) -> None:
    """Raise UnclearCardError if a footnote or a formula may take in what stands around it."""
    if FOOTNOTE.search(body):
        raise UnclearCardError(
            "has a footnote with lines right under it; put an empty line between them"
        )
    for start, end in FORMULAS:
        pieces = body.split(start)[1:]
        if start == end:
            pieces, is_open = pieces[::2], len(pieces) % 2 == 1
        else:
            is_open = any(end not in piece for piece in pieces)
        if is_open or any(MORE_THAN_A_FORMULA.search(piece.partition(end)[0]) for piece in pieces):
            raise UnclearCardError(f"has {start} that is not the start of a short formula")


@lru_cache(4)
def looks_of(body: str) -> Looks:
    """Return the styles, classes and sizes that a card's own elements have.

    Each is given as (tag, attribute, value).
    """
    found: set[tuple[str, str, str]] = set()

    class Attributes(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            found.update((tag, name, value or "") for name, value in attributes)

    Attributes().feed(render_markdown(body))
    return frozenset(found)


class Reader(HTMLParser):
    """Gathers the lines of clean HTML."""

    def __init__(self, looks: Looks) -> None:
        super().__init__(convert_charrefs=True)
        self.looks = looks
        self.lines: list[Line] = []
        self.parts: list[str] = []
        self.heading, self.tables, self.cells = "", 0, 0
        # Elements: their tag, whether they hide, the address of a link.
        self.open: list[tuple[str, bool, str]] = []
        self.hides = False  # whether any part of this line is hidden
        self.folds: list[str | None] = []  # the summary of each open <details>, None before it
        self.in_summary = False

    def is_hidden(self) -> bool:
        return any(hides for _, hides, _ in self.open)

    def is_in(self, element: str) -> bool:
        return any(tag == element for tag, _, _ in self.open)

    def add(self, text: str) -> None:
        # A bar alone stands between cells.
        self.parts.append(text.replace("|", "\\|") if self.is_in("table") else text)
        self.hides = self.hides or (bool(text.strip()) and self.is_hidden())

    def is_plain(self, tag: str, name: str, value: str) -> bool:
        return (
            name in SHOWN_ATTRIBUTES
            or (tag, name, value) in self.looks
            or (tag in ("td", "th") and (name, value) in ALIGNED)
        )

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        hides = tag not in PLAIN or any(
            not self.is_plain(tag, name, value) for name, value in values.items()
        )
        if tag in BLOCKS:
            self.end_line()
        if tag in ("col", "colgroup") and values:  # which may hide a column of the table
            self.open = [
                (other, hides or other == "table", address) for other, hides, address in self.open
            ]
        if tag == "details":
            self.folds.append(None)
        if tag == "summary" and self.open[-1:] and self.open[-1][0] == "details":
            self.start_summary()
        self.tables += tag == "table"
        if tag not in VOID:
            self.open.append((tag, hides, values.get("href", "")))
        if tag == "img":
            self.open.append((tag, hides, ""))
            self.add(f"[{values.get('alt', '')}]({values.get('src', '')})")
            self.open.pop()
        if tag == "tr":
            self.cells = 0
        if tag in ("td", "th"):
            self.cells += 1
            if self.cells > 1:
                self.parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.open and self.open[-1][2]:
            self.add(f" ({self.open[-1][2]})")
        if tag in BLOCKS:
            self.end_line(heading=tag[0] == "h" and tag[1:].isdigit())
        if tag == "details" and self.folds:
            self.folds.pop()
        if tag == "summary":
            self.in_summary = False
        if tag not in VOID and self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.is_in("pre"):
            self.add(data)
            return
        for line in data.splitlines():
            self.add(line)
            self.end_line()

    def start_summary(self) -> None:
        """Begin the summary of the innermost <details>; a second one in it is folded text."""
        if self.folds[-1] is None:
            self.folds[-1], self.in_summary = "", True

    def end_line(self, heading: bool = False) -> None:
        text = " ".join("".join(self.parts).split())
        if text:
            table = self.tables if self.is_in("table") else None
            folds = tuple(self.folds)
            if self.in_summary:
                self.folds[-1], folds = f"{self.folds[-1]}{text}", folds[:-1]
            self.lines.append(Line(text, self.heading, self.is_in("pre"), table, self.hides, folds))
        if heading:
            self.heading = text
        self.parts, self.hides = [], False


def hide_folded(lines: Sequence[Line], rendered: Sequence[Line]) -> list[Line]:
    """Return lines, of which those are hidden that are folded in another way than rendered."""
    known = {(line.shown, line.folds) for line in rendered}
    return [
        line._replace(hidden=True) if line.folds and (line.shown, line.folds) not in known else line
        for line in lines
    ]


def shows_code(lines: Sequence[Line], block: str) -> bool:
    """Tell whether a reader sees a block of code, whole and as code.

    No other code may be right before or after it.
    """
    wanted = [" ".join(line.split()) for line in block.splitlines() if line.strip()]
    groups = [
        list(group) for is_code, group in groupby(lines, key=lambda line: line.code) if is_code
    ]
    return any(
        [line.text for line in group] == wanted and not any(line.hidden for line in group)
        for group in groups
    )


def tables_of(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield the rows of each table."""
    rows: dict[int, list[Line]] = {}
    for line in lines:
        if line.table is not None:
            rows.setdefault(line.table, []).append(line)
    yield from rows.values()
