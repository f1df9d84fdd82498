"""Renders an untrusted card as HTML without anything harmful.

A card is untrusted Markdown and HTML. The output holds no script, event handler, frame, form or
absolute position. Images from other hosts are blocked by the page's policy, not here: a style has
too many ways to name one. Long cards are cut, and cards of many elements shown as text, because the
parser's time grows with the square of the nesting depth.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from itertools import pairwise
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hubtweets.hub.pages.highlight import LANGUAGES, format_code

MAX_CARD_CHARS = 2**17
MAX_ELEMENTS = 5000
MAX_COLOURED_BLOCKS = 10
SIDES = ("top", "right", "bottom", "left")
STYLES = {
    *("width", "height", "max-width", "max-height", "color", "display", "text-align", "float"),
    *("vertical-align", "line-height", "white-space"),
    *("margin", *(f"margin-{side}" for side in SIDES)),
    *("padding", *(f"padding-{side}" for side in SIDES)),
    *("border", "border-radius", "border-color", "border-style", "border-width"),
    "border-collapse",
    *("font-size", "font-weight", "font-style", "font-family", "text-decoration"),
    *("background", "background-color", "background-image", "background-position"),
    *("background-repeat", "background-size"),
}
ATTRIBUTES = {
    **nh3.ALLOWED_ATTRIBUTES,
    **{f"h{level}": {"id"} for level in range(1, 7)},
    "*": {"align", "style"},
    "details": {"open"},
}
CLASSES = {"a": {"anchor"}, "code": {f"language-{name}" for name in LANGUAGES}}
EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:|[/\\]{2}", re.IGNORECASE)  # a scheme or another host
STYLE_URL = re.compile(r"url\(\s*+[\"']?+(?!/[^/\\])", re.IGNORECASE)
# In sanitized HTML only: an attribute's value, which may hold "<", has no quote there.
CODE_BLOCK = re.compile(r'<pre><code class="language-(\w+)">([^<]*)</code></pre>')

markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class RenderedCard(NamedTuple):
    """A card's HTML, its number of images on other hosts, and whether it is complete.

    It is incomplete if it was cut, or shown as text. `intro` is what comes before the first
    second-level heading, and `html` the rest.
    """

    html: str
    external_images: int = 0
    is_complete: bool = True
    intro: str = ""


class LinkRewriter:
    """Rewrites a card's links to files of its own repo, and counts images on other hosts.

    The files of the repo at `path` are shown from here, whatever host the card names for them.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        pattern = rf"https?://[^/\s\"'()\\]+{re.escape(path)}/resolve/"
        self.own_url = re.compile(pattern, re.IGNORECASE)
        self.external_images = 0

    def filter_attribute(self, tag: str, attribute: str, value: str) -> str | None:
        """Return the value that an attribute is to have, None if it is to go."""
        if attribute == "id" and not re.fullmatch(r"[\w-]+", value):
            return None  # a page's own ids have a colon
        if attribute == "style":
            value = self.own_url.sub(f"{self.path}/resolve/", value)
            self.external_images += len(STYLE_URL.findall(value))
        elif attribute in ("src", "href"):
            value = self.rewrite_link(attribute, value.strip())
            self.external_images += tag == "img" and bool(EXTERNAL.match(value))
        return value

    def rewrite_link(self, attribute: str, value: str) -> str:
        if own := self.own_url.match(value):
            value = f"{self.path}/resolve/{value[own.end() :]}"
        if not EXTERNAL.match(value) and value[:1] not in ("/", "\\", "#", "?"):
            value = f"{self.path}/{'resolve' if attribute == 'src' else 'blob'}/main/{value}"
        return value


@lru_cache(32)  # a hostile card takes a second or two
def render_card(text: str, path: str) -> RenderedCard:
    """Render the Markdown of a card of the repo at `path`."""
    tokens = markdown.parse(text[:MAX_CARD_CHARS])
    mark_headings(tokens)
    for token in tokens:
        if token.type == "fence":
            name = token.info.strip().lower()
            token.info = name if name in LANGUAGES else "text"
    first = find_first_section(tokens)
    parts = [
        markdown.renderer.render(part, markdown.options, {})
        for part in (tokens[:first], tokens[first:])
    ]
    if sum(part.count("<") - part.count("</") for part in parts) > MAX_ELEMENTS:
        return RenderedCard(f"<pre>{nh3.clean_text(text[:MAX_CARD_CHARS])}</pre>", 0, False)
    links = LinkRewriter(path)
    intro, html = (clean(part, links) for part in parts)
    return RenderedCard(html, links.external_images, len(text) <= MAX_CARD_CHARS, intro)


def mark_headings(tokens: Sequence[Token]) -> None:
    """Give each heading an id, which is the Hub's, and a link to itself."""
    taken: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        slug = re.sub(r"<[^>]*>|[^\w -]", "", inline.content.lower()).strip().replace(" ", "-")
        if opening.type != "heading_open" or not slug or inline.children is None:
            continue
        number = taken[slug] = taken.get(slug, -1) + 1
        slug += f"-{number}" if number else ""
        opening.attrSet("id", slug)
        link = f'<a class="anchor" href="#{slug}"></a>'
        inline.children.append(Token("html_inline", "", 0, content=link))


def find_first_section(tokens: Sequence[Token]) -> int:
    """Return the index of the first heading of the second level, 0 if there is none."""
    for index, token in enumerate(tokens):
        if (token.type, token.tag, token.level) == ("heading_open", "h2", 0):
            return index
    return 0


def clean(html: str, links: LinkRewriter) -> str:
    """Return HTML without anything harmful, with coloured code."""
    safe = nh3.clean(
        html,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        filter_style_properties=STYLES,
        attribute_filter=links.filter_attribute,
    )
    return CODE_BLOCK.sub(
        lambda block: format_code(unescape(block[2]), block[1]), safe, MAX_COLOURED_BLOCKS
    )
