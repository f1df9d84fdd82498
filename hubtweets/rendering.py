"""Templates, and foreign text made safe for the place it lands in.

Names, posts and generated texts are anybody's. `plain` takes out what no place can show; then each place has its own escape: `markdown` for
Markdown and the HTML inside it, `address` for the target of a link, `typst_string` for Typst. YAML is dumped by PyYAML, and HTML pages are
autoescaped by Jinja.
"""

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PACKAGED = Path(__file__).parent / "templates"
TEMPLATES = PACKAGED if PACKAGED.is_dir() else Path(__file__).parent.parent / "templates"

# control characters, bidirectional overrides (which would reverse the text around them) and lone surrogates
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
MARKUP = re.compile(r'[\\`*_{}\[\]<>#|&~:"$]')


def plain(text: str, length: int | None = None) -> str:
    """Return the text without what can't be printed, on one line, cut to `length` characters with an ellipsis."""
    text = " ".join(UNPRINTABLE.sub(" ", text).split())
    return text if length is None or len(text) <= length else text[: length - 1].rstrip() + "…"


def markdown(value: object) -> object:
    """Write every character that Markdown or HTML could act on as a numeric entity, which both read back as text; a template's `|safe` stays."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", plain(value))


def address(url: str) -> Markup | None:
    """Return a web address as the target of a Markdown link, or None for what is none; a query is cut off, for trackers put keys there."""
    url = plain(url).partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return Markup(quote(url, safe=":/%"))


def typst_string(value: object) -> str:
    """Write a value as Typst code: a number as it is, anything else as a string literal."""
    if isinstance(value, int | float):
        return repr(value)
    return '"' + plain(str(value)).replace("\\", "\\\\").replace('"', '\\"') + '"'


def environment(**options: object) -> Environment:
    """Return a Jinja environment over templates/ that refuses a missing variable."""
    settings: dict = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    jinja = Environment(loader=FileSystemLoader(TEMPLATES), **settings, **options)  # type: ignore[arg-type]
    jinja.filters["thousands"] = lambda number: f"{number:,}"
    return jinja
