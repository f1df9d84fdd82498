"""Renders an untrusted card as HTML without anything harmful.

A card is untrusted Markdown and HTML. The output holds no script, event handler, frame, form or
absolute position. Images from other hosts are blocked by the page's policy, not here: a style has
too many ways to name one. Long cards are cut, and cards of many elements shown as text, because the
parser's time grows with the square of the nesting depth.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt

MAX_CARD_CHARS = 2**17
MAX_ELEMENTS = 5000
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
ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "*": {"align", "style"}, "details": {"open"}}
EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:|[/\\]{2}", re.IGNORECASE)  # a scheme or another host
STYLE_URL = re.compile(r"url\(\s*+[\"']?+(?!/[^/\\])", re.IGNORECASE)

markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class RenderedCard(NamedTuple):
    """A card's HTML, its number of images on other hosts, and whether it is complete.

    It is incomplete if it was cut, or shown as text.
    """

    html: str
    external_images: int
    is_complete: bool


class LinkRewriter:
    """Rewrites a card's links to files of its own repo, and counts images on other hosts.

    The files of the repo at `path` are shown from here, whatever host the card names for them.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        pattern = rf"https?://[^/\s\"'()\\]+{re.escape(path)}/resolve/"
        self.own_url = re.compile(pattern, re.IGNORECASE)
        self.external_images = 0

    def filter_attribute(self, tag: str, attribute: str, value: str) -> str:
        """Return the value that an attribute is to have."""
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
    html = markdown.render(text[:MAX_CARD_CHARS])
    if html.count("<") - html.count("</") > MAX_ELEMENTS:
        return RenderedCard(f"<pre>{nh3.clean_text(text[:MAX_CARD_CHARS])}</pre>", 0, False)
    links = LinkRewriter(path)
    html = nh3.clean(
        html,
        attributes=ATTRIBUTES,
        filter_style_properties=STYLES,
        attribute_filter=links.filter_attribute,
    )
    return RenderedCard(html, links.external_images, len(text) <= MAX_CARD_CHARS)
