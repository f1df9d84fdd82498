"""Make untrusted text safe for the place it is written to.

Names, posts and generated texts come from other people. `to_plain_text` removes what no place can
show. Each place then has its own escape: `escape_markdown` for Markdown, `escape_alt_text` for an
image's alt text in it, `escape_html` for an HTML block in it, `to_link_target` for the target of a
link, `to_typst_literal` for Typst. PyYAML writes the YAML, and Jinja autoescapes the HTML pages.
"""

import re
from urllib.parse import quote, urlsplit

from markupsafe import Markup

# control characters, lone surrogates and bidirectional overrides, which would reverse other text
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
# What can be markup inside a line. `_`, `*`, `~` and `|` get a backslash, so names stay readable.
# The others become entities, since a backslash before them could begin a formula.
MARKUP = re.compile(r"_+|[*~|]|[\\`\[\]<$]|&(?=[#\w]+;)")
HTML = re.compile(r"[\\<>&$]")
# Where GFM (spec 0.29, section 6.9) and linkify-it find a link in plain text: a dot before the
# letters that end a host, the dot of `www.`, an @ between two words, the second of two slashes.
LINK = re.compile(r"\.(?=[^\W\d])|(?<=www)(?:\.|\Z)|(?<=\S)@(?=\S)|(?<=/)/", re.IGNORECASE)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def to_plain_text(text: str, length: int | None = None) -> str:
    """Return the printable text on one line, cut to `length` characters with an ellipsis."""
    text = " ".join(UNPRINTABLE.sub(" ", text).split())
    return text if length is None or len(text) <= length else text[: length - 1].rstrip() + "…"


def escape_markdown(value: object) -> object:
    """Escape a text inside a line of Markdown, and keep renderers from making links of it.

    A value that a template marked as `|safe` is returned unchanged.
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return split_links(escape_alt_text(value))


def escape_alt_text(text: str) -> Markup:
    """Escape a text for an image's alt text: only what Markdown could take for markup."""
    return Markup(MARKUP.sub(escape_markup, to_plain_text(text)))


def escape_markup(match: re.Match[str]) -> str:
    """Escape what MARKUP found; `_` between letters or digits is never markup."""
    found, text = match[0], match.string
    around = (text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1])
    if found[0] == "_" and all(character.isalnum() for character in around):
        return found
    return re.sub(".", r"\\\g<0>", found) if found[0] in "_*~|" else encode_entity(match)


def escape_html(text: str) -> Markup:
    """Escape a text for an HTML block of Markdown, in which a backslash escapes nothing."""
    return split_links(Markup(HTML.sub(encode_entity, to_plain_text(text))))


def encode_entity(match: re.Match[str]) -> str:
    """Return a character as an entity."""
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(match[0], f"&#{ord(match[0])};")


def split_links(text: Markup) -> Markup:
    """Split each possible link in an escaped text by a `<wbr>`.

    It is invisible and is not copied. An entity does not prevent a link, because some renderers
    look for links after decoding.
    """
    return Markup(LINK.sub(lambda match: f"<wbr>{match[0]}", text))


def to_link_target(url: str) -> Markup | None:
    """Return a web address as the target of a Markdown link, or None if it isn't one.

    The query is cut off, because trackers put keys there.
    """
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


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which can't be written as UTF-8, by U+FFFD."""
    return text if text.isascii() else LONE_SURROGATE.sub("\ufffd", text)
