"""The audience of a table's rows, by the columns that tell.

In: the names of a table's columns, then its rows. Out: each row's visibility. Only a short list of
values is public; any other value, an empty cell and a nested value are private. If several columns
tell, the narrowest audience counts. Names are compared without case, blanks and punctuation.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from hubtweets.posts.pii.scrub import scrub
from hubtweets.posts.post import Visibility, narrowest

NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
OWNER_PREFIX = re.compile(
    "^(?:(?:user|author|account|owner|creator|profile|post|tweet|status|note|toot)(?:is)?|is)"
)
# objects that may have such columns
AUTHORS = ("user", "author", "account", "owner", "creator", "profile")
MAX_REASONS = 5
MAX_REASON = 40  # characters of a value or a name that is shown
MAX_SCRUBBED = 1000  # characters; a key is masked before it is cut


class Sense(NamedTuple):
    """The visibility that a column's values mean: known ones, an empty cell, all others."""

    known: dict[str, Visibility]
    empty: Visibility = "private"
    other: Visibility = "private"


YES: dict[str, Visibility] = dict.fromkeys(("true", "t", "yes", "y", "1"), "public")
NO: dict[str, Visibility] = dict.fromkeys(("false", "f", "no", "n", "0"), "public")
LEVEL = Sense(
    {
        "public": "public",
        "everyone": "public",
        "world": "public",
        "unlisted": "unlisted",
        "home": "unlisted",
    }
)
PRIVATE_FLAG, PUBLIC_FLAG = Sense(NO), Sense(YES)
UNLISTED_FLAG = Sense(NO | dict.fromkeys(YES, "unlisted"))
# these don't tell the audience of a published row, and many tools leave their cells empty then
GONE_FLAG = Sense(NO, empty="public")
GONE = (
    *("deleted", "removed", "trash", "trashed", "draft", "auto-draft", "pending", "scheduled"),
    *("future", "hidden", "private", "protected"),
)
STATUS = Sense(dict.fromkeys(GONE, "private"), empty="public", other="public")
EMPTY = ("", "nan", "none", "null")

SENSES: dict[str, Sense] = {"status": STATUS, "unlisted": UNLISTED_FLAG}
for sense, names in (
    (LEVEL, "visibility visibilitylevel visibleto viewableby privacy privacylevel privacysetting"),
    (LEVEL, "privacytype audience audiencetype scope access accesslevel sharedwith sharing"),
    (PRIVATE_FLAG, "private protected direct directmessage dm followersonly friendsonly"),
    (PRIVATE_FLAG, "membersonly subscribersonly mutualonly onlyme localonly limited restricted"),
    (PRIVATE_FLAG, "secret confidential closefriends closefriendsonly circle circleonly"),
    (PRIVATE_FLAG, "notpublic nonpublic privateaccount"),
    (PUBLIC_FLAG, "public visible ispublished unprotected"),
    (GONE_FLAG, "deleted deletedat draft removed removedat trashed hidden unpublished withheld"),
    (GONE_FLAG, "withheldincountries withheldcopyright"),
):
    SENSES |= dict.fromkeys(names.split(), sense)

# for names that end so
SUFFIXES: dict[str, Sense] = {
    "visibility": LEVEL,
    "privacy": LEVEL,
    "audience": LEVEL,
    "protected": PRIVATE_FLAG,
    "isprivate": PRIVATE_FLAG,
}

# a column that tells, with its sense; None: an author, whose own columns tell if it is an object
Column = tuple[str, Sense | None]


@lru_cache(maxsize=64)
def find_columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns that tell who can read a row."""
    found: list[Column] = []
    for name in names:
        plain = NOT_ALPHANUMERIC.sub("", name).casefold()
        sense = SENSES.get(plain) or SENSES.get(OWNER_PREFIX.sub("", plain))
        sense = sense or find_suffix_sense(plain)
        if sense or plain in AUTHORS:
            found.append((name, sense))
    return tuple(found)


def find_suffix_sense(plain: str) -> Sense | None:
    return next((sense for suffix, sense in SUFFIXES.items() if plain.endswith(suffix)), None)


def find_cells(row: dict, columns: Iterable[Column]) -> Iterator[tuple[str, Any, Sense]]:
    """Yield the name, value and sense of each cell that tells, including those of the author."""
    for name, sense in columns:
        value = row.get(name)
        if sense:
            yield name, value, sense
        elif isinstance(value, dict):
            for inner, inner_sense in find_columns(tuple(value)):
                if inner_sense:
                    yield f"{name}.{inner}", value[inner], inner_sense


def has_audience(row: dict, columns: Iterable[Column]) -> bool:
    """Return whether a row has a column that must name its audience."""
    return any(sense.empty == "private" for _, _, sense in find_cells(row, columns))


def read_value(value: Any, sense: Sense) -> Visibility:
    """Return the visibility that one cell gives.

    A number other than 0 and 1, a list and an object are unknown values.
    """
    if isinstance(value, bool | int | float) and value in (0, 1):
        word = str(int(value))
    elif value is None or value in ([], {}) or value != value:  # the last is a NaN
        word = ""
    else:
        word = value.strip().casefold() if isinstance(value, str) else "?"
    return sense.empty if word in EMPTY else sense.known.get(word, sense.other)


class AudienceFilter:
    """Decides who can read each row, and counts the private ones with some of the reasons."""

    def __init__(self, told: bool) -> None:
        # if any row of the table names its audience, a row that doesn't may not be public
        self.told = told
        self.number = 0
        self.reasons: dict[str, None] = {}

    def judge(self, row: Any, columns: Iterable[Column]) -> Visibility:
        """Return a row's visibility, and remember why it is private."""
        cells = list(find_cells(row, columns)) if isinstance(row, dict) else []
        visibility: Visibility = "public"
        reason = "nothing says who can read it"
        for name, value, sense in cells:
            found = read_value(value, sense)
            if found == "private" and visibility != "private":
                reason = f"{shorten(name)}: {shorten(value)}"
            visibility = narrowest(visibility, found)
        if self.told and not any(sense.empty == "private" for _, _, sense in cells):
            visibility = "private"
        if visibility == "private":
            self.number += 1
            if len(self.reasons) <= MAX_REASONS:
                self.reasons[reason] = None
        return visibility

    def warnings(self, source: str) -> Iterator[str]:
        """Yield one line if there were such rows."""
        if self.number:
            more = ", ..." if len(self.reasons) > MAX_REASONS else ""
            reasons = ", ".join(list(self.reasons)[:MAX_REASONS]) + more
            yield (
                f"{source}: left out {self.number:,} not known to be public ({reasons}); "
                f"public are only: {', '.join(LEVEL.known)}"
            )


def shorten(value: Any) -> str:
    """Return a name or value for an error: on one line, short, without personal data."""
    if isinstance(value, str):
        return repr(scrub(value[:MAX_SCRUBBED])[0][:MAX_REASON])
    if value is None or isinstance(value, bool | int | float):
        return str(value)[:MAX_REASON]
    return f"a {type(value).__name__}"
