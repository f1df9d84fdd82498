"""How many posts were kept, and why the others were dropped: the stats table."""

from collections.abc import Sequence
from dataclasses import dataclass

# The outcomes of a post, in the order of the stats table, and their labels in it.
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
    """The number of one author's posts by outcome.

    `masked` of the kept posts have masked data in them; `characters` are those of the kept posts.
    Raises ValueError if the outcomes do not add up to the downloaded posts.
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
        """Return the number of posts by outcome, in the order of the stats table."""
        return {outcome: getattr(self, outcome) for outcome in OUTCOMES}


def build_stats_rows(
    counts: Sequence[Counts], of_tweets: bool = True
) -> list[tuple[str, list[int]]]:
    """Return the rows of the stats table, with a number for each author.

    The four rows of the original are always there, the other outcomes only if a post has them.
    Posts that are not all tweets are called posts.
    """
    always = ("reposts", "short", "kept")
    rows = [(label_posts("Tweets downloaded", of_tweets), [count.downloaded for count in counts])]
    for outcome, label in OUTCOMES.items():
        numbers = [getattr(count, outcome) for count in counts]
        if outcome in always or any(numbers):
            rows.append((label_posts(label, of_tweets), numbers))
    return rows


def label_posts(label: str, of_tweets: bool) -> str:
    """Return a label of the stats table; posts that are not all tweets are called posts."""
    if of_tweets:
        return label
    return (
        label.replace("Retweets", "Reposts").replace("Tweets", "Posts").replace("tweets", "posts")
    )
