"""Foreign text made safe for the place it lands in.

Names, posts and generated texts are anybody's. `plain` takes out what no place can show; then each place has its own escape: `markdown` for
Markdown and the HTML inside it, `description` for a picture in it, `address` for the target of a link, `typst_string` for Typst. YAML is dumped by
PyYAML, and HTML pages are autoescaped by Jinja.
"""

import re
from urllib.parse import quote, urlsplit

from markupsafe import Markup

# control characters, bidirectional overrides (which would reverse the text around them) and lone surrogates
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
MARKUP = re.compile(r'[\\`*_{}\[\]<>#|&~:"$]')
# Where GFM (spec 0.29, section 6.9) and linkify-it find a link in plain text: a dot before the letters that end a host, the dot of `www.`, an @
# between two words, the second of two slashes.
LINK = re.compile(r"\.(?=[^\W\d])|(?<=www)(?:\.|\Z)|(?<=\S)@(?=\S)|(?<=/)/", re.IGNORECASE)


def to_plain_text(text: str, length: int | None = None) -> str:
    """Return the text without what can't be printed, on one line, cut to `length` characters with an ellipsis."""
    text = " ".join(UNPRINTABLE.sub(" ", text).split())
    return text if length is None or len(text) <= length else text[: length - 1].rstrip() + "…"


def escape_markdown(value: object) -> object:
    """Escape a text for Markdown and HTML, so that no part of it becomes a link either; a template's `|safe` stays.

    An entity does not keep a renderer from making a link of a text, for some look for links after decoding. So a `<wbr>` splits each possible one:
    it shows nothing, and is not copied.
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return LINK.sub(lambda match: f"<wbr>{match[0]}", escape_alt_text(value))


def escape_alt_text(text: str) -> Markup:
    """Escape a text for a picture's description in Markdown: what Markdown or HTML could act on becomes a numeric entity."""
    return Markup(MARKUP.sub(lambda match: f"&#{ord(match[0])};", to_plain_text(text)))


def to_link_target(url: str) -> Markup | None:
    """Return a web address as the target of a Markdown link, or None for what is none; a query is cut off, for trackers put keys there."""
    url = to_plain_text(url).partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return Markup(quote(url, safe=":/%"))


def to_typst_literal(value: object) -> str:
    """Write a value as Typst code: a number as it is, anything else as a string literal."""
    if isinstance(value, int | float):
        return repr(value)
    return '"' + to_plain_text(str(value)).replace("\\", "\\\\").replace('"', '\\"') + '"'


LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 file can hold, by U+FFFD."""
    return text if text.isascii() else LONE_SURROGATE.sub("\ufffd", text)
