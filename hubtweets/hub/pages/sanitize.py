"""A card as HTML that can do no harm, shown from this Hub.

A card is anybody's Markdown and HTML. What comes out holds no script, event handler, frame, form or position of its own; the page's policy, not
this, keeps pictures from elsewhere away, for a style has too many ways to name one. Long cards and those of many elements are not laid out whole:
the parser's time grows with the square of how deep they are nested.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt

MAX_CARD_CHARS = 2**17  # characters that are laid out
MAX_ELEMENTS = 5000  # elements
STYLES = {
    "width",
    "height",
    "max-width",
    "max-height",
    "color",
    "display",
    "text-align",
    "vertical-align",
    "float",
    "line-height",
    "white-space",
}
STYLES |= {
    "margin",
    "padding",
    *(
        f"{what}-{side}"
        for what in ("margin", "padding")
        for side in ("top", "right", "bottom", "left")
    ),
}
STYLES |= {
    "border",
    "border-radius",
    "border-color",
    "border-style",
    "border-width",
    "border-collapse",
}
STYLES |= {"font-size", "font-weight", "font-style", "font-family", "text-decoration"}
STYLES |= {
    "background",
    *(f"background-{what}" for what in ("color", "image", "position", "repeat", "size")),
}
ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "*": {"align", "style"}, "details": {"open"}}
EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:|[/\\]{2}", re.IGNORECASE)
STYLE_URL = re.compile(r"url\(\s*+[\"']?+(?!/[^/\\])", re.IGNORECASE)

markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class RenderedCard(NamedTuple):
    """`elsewhere` counts the pictures that other hosts have; `whole` is false where the card was too long, or too much, to be laid out."""

    html: str
    elsewhere: int
    whole: bool


@lru_cache(32)  # a hostile card takes a second or two, so that is not done for each look at it
def render_card(text: str, path: str) -> RenderedCard:
    """Lay out a card's Markdown; the files of the repo at `path` are shown from here, whatever host the card names for them."""
    own = re.compile(rf"https?://[^/\s\"'()\\]+{re.escape(path)}/resolve/", re.IGNORECASE)
    elsewhere = 0

    def keep(tag: str, attribute: str, value: str) -> str:
        nonlocal elsewhere
        if attribute == "style":
            value = own.sub(f"{path}/resolve/", value)
            elsewhere += len(STYLE_URL.findall(value))
        elif attribute in ("src", "href"):
            value = (
                own.sub(f"{path}/resolve/", value.strip(), count=1)
                if own.match(value.strip())
                else value.strip()
            )
            if not EXTERNAL.match(value) and value[:1] not in ("/", "\\", "#", "?"):
                value = f"{path}/{'resolve' if attribute == 'src' else 'blob'}/main/{value}"
            elsewhere += tag == "img" and bool(EXTERNAL.match(value))
        return value

    html = markdown.render(text[:MAX_CARD_CHARS])
    if html.count("<") - html.count("</") > MAX_ELEMENTS:
        return RenderedCard(f"<pre>{nh3.clean_text(text[:MAX_CARD_CHARS])}</pre>", 0, False)
    html = nh3.clean(
        html, attributes=ATTRIBUTES, filter_style_properties=STYLES, attribute_filter=keep
    )
    return RenderedCard(html, elsewhere, len(text) <= MAX_CARD_CHARS)
