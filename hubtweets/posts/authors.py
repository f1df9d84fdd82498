"""The authors of a file that may hold posts of many, such as a saved timeline or a table.

In: how many posts each author has. Out: the one whose posts are read. A bot learns from the author
that was typed and from nobody else, so a file of several authors without that one is refused.
"""

import re
from collections import Counter
from collections.abc import Mapping

from hubtweets.errors import HubtweetsError
from hubtweets.posts.pii.scrub import scrub
from hubtweets.text import to_plain_text

HANDLE = re.compile(r"[\w.-]{1,96}", re.ASCII)
MAX_NAMED = 5  # authors in an error or a warning
MAX_NAME = 40  # characters


def choose_author(
    where: str, counts: Counter[str], names: Mapping[str, str], handle: str
) -> str | None:
    """Return the author whose posts are read: `handle`, or the only one; None if none is named.

    `names` are the handles of authors that are counted by another id. Raises HubtweetsError, with
    the authors and the number of their posts, if there are several and `handle` is none of them.
    """
    if len(counts) < 2:
        return next(iter(counts), None)
    handles = {author: to_handle(names.get(author, author)) for author in counts}
    for author, name in handles.items():
        if name == handle.lower():
            return author
    typed = [handles[author] for author, _ in counts.most_common()]
    known = next((name for name in typed if HANDLE.fullmatch(name)), None)
    advice = "keep the posts of one of them"
    if known:
        advice = f"type {known} in place of {handle} to read only theirs"
    raise HubtweetsError(
        f"{where}: posts of {len(counts):,} authors ({list_authors(counts, names)}), "
        f"none of them {handle}; {advice}"
    )


def warn_of_others(
    where: str, counts: Counter[str], names: Mapping[str, str], author: str | None
) -> list[str]:
    """Return a warning if the posts of other authors than the chosen one are left out."""
    others = Counter({other: count for other, count in counts.items() if other != author})
    if not others:
        return []
    listed = list_authors(others, names)
    return [f"{where}: left out {others.total():,} by other authors ({listed})"]


def to_handle(name: str) -> str:
    return name.removeprefix("@").lower()


def list_authors(counts: Counter[str], names: Mapping[str, str]) -> str:
    """Return the authors with the most posts, each with their number."""
    named = [
        f"{to_plain_text(scrub(names.get(author, author))[0], MAX_NAME)} {count:,}"
        for author, count in counts.most_common(MAX_NAMED)
    ]
    more = len(counts) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")
