"""Which posts a model learns from.

In: one author's posts. Out: the kept posts, their text made ready, and Counts, a funnel that adds up. The rules are those of the original
huggingtweets: reposts out, links and line breaks out, texts of fewer than three plain words out.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from hubtweets.errors import HubtweetsError
from hubtweets.posts import Post
from hubtweets.record import Counts

MIN_CHARACTERS = 6_000  # the original's: with fewer, a model repeats them and learns nothing
FEW_CHARACTERS = 40_000
LINK = re.compile(r"https?:\S+")
MARKED = ("http", "@", "#")


def clean(text: str) -> str:
    """Take links out and fold all white space, line breaks too, into single spaces."""
    return " ".join(LINK.sub(" ", text).split())


def is_short(text: str) -> bool:
    """Tell whether fewer than three words carry neither a link, a mention nor a hashtag."""
    plain = (word for word in text.lower().split() if not any(mark in word for mark in MARKED))
    return sum(1 for _ in plain) < 3


def curate(handle: str, posts: Sequence[Post]) -> tuple[list[Post], Counts]:
    """Keep the public posts worth learning from, each with its cleaned text, and count every other one under one reason."""
    kept: list[Post] = []
    reposts = private = superseded = short = 0
    for post in posts:
        if post.kind == "repost":
            reposts += 1
        elif post.visibility == "private":
            private += 1
        elif post.superseded:
            superseded += 1
        elif is_short(text := clean(post.text)):
            short += 1
        else:
            kept.append(replace(post, text=text))
    counts = Counts(
        handle=handle,
        downloaded=len(posts),
        reposts=reposts,
        private=private,
        superseded=superseded,
        short=short,
        kept=len(kept),
        characters=sum(len(post.text) for post in kept),
    )
    return kept, counts


def check_amount(counts: Counts) -> str | None:
    """Raise HubtweetsError under 6,000 characters, return a warning under 40,000, else None."""
    found = f"@{counts.handle}: {counts.characters:,} characters in {counts.kept:,} kept posts"
    if counts.characters < MIN_CHARACTERS:
        dropped = ", ".join(f"{number:,} {name}" for name, number in counts.funnel().items() if number and name != "kept")
        raise HubtweetsError(f"{found} ({dropped}) are too few, {MIN_CHARACTERS:,} are needed; give more posts with --posts")
    if counts.characters < FEW_CHARACTERS:
        return f"{found} are few, and the model may repeat them; from {FEW_CHARACTERS:,} on it writes more of its own"
    return None
