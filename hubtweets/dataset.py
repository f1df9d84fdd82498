"""Kept posts to a training and a validation set.

In: posts with their final text. Out: two datasets of the columns id, text, created_at, kind. A text's own hash decides its side, so that equal
texts never straddle the split, and a post stays on its side when others come or go.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from datasets import Dataset, disable_progress_bars
from pyarrow import parquet

from hubtweets.atomic import replacing
from hubtweets.posts import Post

VALIDATION_TENTHS = 1

disable_progress_bars()


def is_validation(text: str) -> bool:
    """Tell a text's side: one text in ten is held out."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 10 < VALIDATION_TENTHS


def split(posts: Sequence[Post]) -> tuple[list[Post], list[Post]]:
    """Return (train, validation), each in the order of the posts."""
    train = [post for post in posts if not is_validation(post.text)]
    return train, [post for post in posts if is_validation(post.text)]


def fingerprint(posts: Iterable[Post]) -> str:
    """Return the SHA-256 of the texts, each followed by a NUL, in hex: the same whatever file they lie in."""
    digest = hashlib.sha256()
    for post in posts:
        digest.update(post.text.encode() + b"\0")
    return digest.hexdigest()


def write(posts: Sequence[Post], path: Path) -> None:
    """Write posts as Parquet."""
    columns = ("id", "text", "created_at", "lang", "kind", "visibility", "superseded")
    table = Dataset.from_dict({column: [getattr(post, column) for post in posts] for column in columns})
    with replacing(path) as partial:
        table.to_parquet(partial)


def read_texts(path: Path) -> list[str]:
    """Read the texts of a file that `write` wrote."""
    return parquet.read_table(path, columns=["text"])["text"].to_pylist()
