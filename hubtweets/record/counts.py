"""What becomes of the posts that were read: the stats table."""

from collections.abc import Sequence
from dataclasses import dataclass

# what becomes of a post, in the order of the stats table, and what the table calls it
OUTCOMES = {
    "reposts": "Retweets",
    "private": "Not public",
    "superseded": "Older versions of edited tweets",
    "warned": "Behind a content warning",
    "duplicates": "Said before",
    "quoted": "Said by others",
    "automated": "Posted by apps",
    "scrubbed": "With a key or token",
    "short": "Short tweets",
    "kept": "Tweets kept",
}


@dataclass(frozen=True)
class Counts:
    """One author's funnel in posts, how many of the kept ones are masked in part, and the characters of the kept ones.

    Raises ValueError where the funnel does not add up.
    """

    handle: str
    downloaded: int
    reposts: int
    private: int
    superseded: int
    warned: int
    duplicates: int
    quoted: int
    automated: int
    scrubbed: int
    short: int
    kept: int
    masked: int
    characters: int

    def __post_init__(self) -> None:
        if sum(self.funnel().values()) != self.downloaded:
            raise ValueError(f"{self} does not add up")

    def funnel(self) -> dict[str, int]:
        """Return every fate of a post with its number, in the order of the stats table."""
        return {fate: getattr(self, fate) for fate in OUTCOMES}


def build_stats_rows(counts: Sequence[Counts]) -> list[tuple[str, list[int]]]:
    """Return the stats table, a number for each author: the original's four rows, and between them what else was left out, where there was any."""
    always = ("reposts", "short", "kept")
    fates = [
        fate for fate in OUTCOMES if fate in always or any(getattr(count, fate) for count in counts)
    ]
    return [
        ("Tweets downloaded", [count.downloaded for count in counts]),
        *((OUTCOMES[fate], [getattr(count, fate) for count in counts]) for fate in fates),
    ]
