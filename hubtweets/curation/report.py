"""What curation kept and dropped, as a table and examples for a terminal."""

from collections.abc import Sequence

from hubtweets.errors import HubtweetsError
from hubtweets.record.counts import OUTCOMES, Counts, build_stats_rows, label_posts
from hubtweets.text import to_plain_text

MIN_CHARACTERS = 6_000  # as in the original: a model only repeats fewer
FEW_CHARACTERS = 40_000
ADD_POSTS = "give more posts with --posts"  # what to do about too few


def check_amount(counts: Counts, advice: str = ADD_POSTS) -> str | None:
    """Return a warning if an author has under 40,000 characters, None if there are enough.

    Raises HubtweetsError, with the advice, under 6,000 characters.
    """
    if not counts.downloaded:
        raise HubtweetsError(f"@{counts.handle}: no posts in the source; give another with --posts")
    found = f"@{counts.handle}: {counts.characters:,} characters in {counts.kept:,} kept posts"
    if counts.characters < MIN_CHARACTERS:
        dropped = ", ".join(
            f"{number:,} {label}" for label, (number,) in build_stats_rows([counts])[1:-1] if number
        )
        raise HubtweetsError(
            f"{found} ({dropped or 'none dropped'}) are too few, "
            f"{MIN_CHARACTERS:,} are needed; {advice}"
        )
    if counts.characters < FEW_CHARACTERS:
        return (
            f"{found} are few, so the model may repeat them; {FEW_CHARACTERS:,} or more are better"
        )
    return None


def format_table(counts: Sequence[Counts], of_tweets: bool) -> list[str]:
    """Return the stats table as lines for a terminal."""
    cells = [
        ("", [f"@{count.handle}" for count in counts]),
        *(
            (label, [f"{number:,}" for number in numbers])
            for label, numbers in build_stats_rows(counts, of_tweets)
        ),
    ]
    label_width = max(len(label) for label, _ in cells)
    widths = [max(len(line[column]) for _, line in cells) for column in range(len(counts))]
    return [
        f"{label:<{label_width}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        for label, line in cells
    ]


def format_preview(shown: Sequence[tuple[str, str]], of_tweets: bool) -> list[str]:
    """Return a preview as lines for a terminal."""
    labels = [label_posts(OUTCOMES[outcome], of_tweets) for outcome, _ in shown]
    width = max(map(len, labels), default=0)
    return [
        f"{label:<{width}}  {to_plain_text(text, 100)}"
        for label, (_, text) in zip(labels, shown, strict=True)
    ]
