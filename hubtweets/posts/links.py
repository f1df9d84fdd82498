"""Links in a text: finding them, and tidying up where one was removed.

In: a text as it was posted. Out: the text without its links, and without what led to one: a colon,
a dash or a pointing hand at its end, empty brackets, the space before a comma.
"""

import re

# a link ends in a letter or the like, not in the bracket, quote or full stop around it, and before
# the next letter that is not Latin
TAIL = r"[!#-;=?-~À-ɏ…]*[0-9A-Za-zÀ-ɏ_/=&#%+…-]"
# IANA's root zone; `node.js` and `and.or` have none of these
COUNTRIES = (
    "a[cdefgilmoqrstuwxz]|b[abdefghijmnorstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[cegrstu]"
    "|f[ijkmor]|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]"
    "|m[acdeghklmnopqrstuvwxyz]|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]"
    "|s[abcdeghijklmnorstuvxyz]|t[cdfghjklmnortvwz]|u[agksyz]|v[aceginu]|w[fs]|y[et]|z[amw]"
)
GENERIC = (
    "com|net|org|edu|gov|info|biz|app|dev|page|blog|news|site|online|tech|store|shop|xyz|club|live"
    "|art|wiki|world|cloud|design|social|link|media|network|space|today|video|studio|email|pub|lol"
)
LINK = re.compile(
    rf"""
    (?:https?:|\bwww\.){TAIL}
    # without its scheme, as networks shorten it: a host, a path and maybe an ellipsis
    |(?<![0-9A-Za-zÀ-ɏ_@/\\~-])(?<![0-9A-Za-zÀ-ɏ_-]\.)(?:[0-9A-Za-zÀ-ɏ][0-9A-Za-zÀ-ɏ_-]{{0,62}}\.){{0,5}}
        (?=[0-9_-]*[A-Za-zÀ-ɏ])[0-9A-Za-zÀ-ɏ_-]{{1,63}}\.
        (?!(?:py|rs|sh|md|pl|ps|cc)/\w*\.\w+(?![/\w]))  # two files of the author's
        (?-i:{COUNTRIES}|{GENERIC})
        /(?:{TAIL})?(?:\.{{3}})?
    """,
    re.VERBOSE | re.IGNORECASE,
)
SHORT_LINK = re.compile(r"https?://t\.co/[A-Za-z0-9]+")  # X's, which says nothing
MAX_LEFTOVER = 40  # characters at the end of a text that may have led to a link
LED_TO_LINK = re.compile(
    r"""(?:
        \s*[👉👇👈➡⬇⬅⤵▶►🔗→↓][\U0001f3fb-\U0001f3ff]?\ufe0f?  # a hand may have a colour
        |\s*(?<!\bD)[:：]                     # no face
        |(?:\s|(?<=[^\W_]))[-–—]+>?           # no `-_-`
        |\s(?:[|([“"„]|[=>]+>|//)
    )+\s*$""",
    re.VERBOSE,
)
EMPTY_BRACKETS = re.compile(
    r"""
    (?:^|(?<=\s))(?:\((?:via)?\s?\)|\[\s?\]|<\s?>|"\s?"|“\s?”|«\s?»)\s?
    |（\s?）|「\s?」|【\s?】
    """,
    re.VERBOSE,
)
# the space before a comma or a full stop, and the second of two dashes around a link
REMAINS = re.compile(r"(?<=[^\s.])\s(?=,|\.(?!\S))|(?<=[-–—|:,])\s[-–—|](?=\s)")
BEFORE_TEXT = re.compile(r"^[,;:|–—-]+\s")


def remove_links(text: str) -> tuple[str, bool]:
    """Return a text with a space in place of each link, and True if it had one."""
    lower = text.lower()
    if "/" not in text and "http" not in lower and "www." not in lower:  # a cheap test
        return text, False
    text, links = LINK.subn(" ", text)
    return text, links > 0


def remove_short_links(text: str | None) -> str | None:
    """Return a profile's text without X's short links; None if nothing else is in it."""
    if not text or not SHORT_LINK.search(text):
        return text
    return tidy_up(SHORT_LINK.sub(" ", text)) or None


def tidy_up(text: str) -> str:
    """Tidy up a text out of which links were cut, and write it on one line."""
    link_came_first = text[:1].isspace()
    text = " ".join(text.split())
    text = REMAINS.sub("", EMPTY_BRACKETS.sub("", text)).strip()
    if link_came_first:
        text = BEFORE_TEXT.sub("", text)
    return trim_end(text)


def trim_end(text: str) -> str:
    """Remove what leads to a link, or to others' words, from the end of a text."""
    start = max(0, len(text) - MAX_LEFTOVER)
    return text[:start] + LED_TO_LINK.sub("", text[start:])
