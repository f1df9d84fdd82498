"""The posts as Parquet files, and the split into a training and a validation set.

In: each author's kept posts, oldest first, those without a date before them. Out: two datasets with
the columns of POSTS_SCHEMA. By time, the last tenth of each author's posts is held out: the bot is
judged by what the author says next. By hash, one text in ten is held out by its own hash, so a post
stays on its side when other posts come or go.
"""

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pyarrow import parquet

from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically
from hubtweets.posts.post import Post
from hubtweets.record.counts import OUTCOMES
from hubtweets.record.run_record import Row

VALIDATION_TENTHS = 1
MAX_EXAMPLES = 3  # posts that the card shows, of a single author
MAX_EXAMPLES_EACH = 2  # and of each of several authors
ROWS_PER_BATCH = 20_000


def build_schema() -> pa.Schema:
    """Return the columns of the Parquet files: the author and the fields of a Post."""
    columns = [("author", pa.string())]
    for name in Post._fields:
        is_flag = Post._field_defaults.get(name) is False
        columns.append((name, pa.bool_() if is_flag else pa.string()))
    return pa.schema(columns)


POSTS_SCHEMA = build_schema()


def choose_split(
    kept: Mapping[str, Sequence[Post]], wanted: Literal["time", "hash"] | None
) -> Literal["time", "hash"]:
    """Return the split to use.

    It is by time, unless `hash` is wanted or more than a tenth of an author's posts have no date.
    Raises HubtweetsError if `time` is wanted and not possible.
    """
    for handle, posts in kept.items():
        undated = sum(not post.created_at for post in posts)
        if undated * 10 <= len(posts):
            continue
        if wanted == "time":
            raise HubtweetsError(
                f"@{handle}: {undated:,} of {len(posts):,} kept posts have no date to split them "
                "by; type: --split hash"
            )
        return "hash"
    return wanted or "time"


def split_posts(
    kept: Mapping[str, Sequence[Post]], by: Literal["time", "hash"]
) -> tuple[dict[str, list[Post]], dict[str, list[Post]]]:
    """Return (train, validation), each author's posts in their order.

    Raises HubtweetsError if one of them has no posts of an author.
    """
    train: dict[str, list[Post]] = {}
    validation: dict[str, list[Post]] = {}
    for handle, posts in kept.items():
        if by == "time":
            end = len(posts) - max(1, len(posts) * VALIDATION_TENTHS // 10)
            train[handle], validation[handle] = list(posts[:end]), list(posts[end:])
        else:
            train[handle] = [post for post in posts if not is_held_out(post.text)]
            validation[handle] = [post for post in posts if is_held_out(post.text)]
        if not train[handle] or not validation[handle]:
            raise HubtweetsError(
                f"@{handle}: {len(posts)} kept posts are too few to hold some out; "
                "give more posts with --posts"
            )
    return train, validation


def is_held_out(text: str) -> bool:
    """Return True if a split by hash holds a text out, which it does with one in ten."""
    return int.from_bytes(hash_text(text)[:8], "big") % 10 < VALIDATION_TENTHS


def choose_examples(
    train: Mapping[str, Sequence[Post]], handles: Container[str]
) -> tuple[Row, ...]:
    """Return some training posts of these authors for the card, public and with nothing masked.

    There are three of a single author, and two of each of several. They are those with the smallest
    hashes, so they stay the same and are not picked by hand.
    """
    limit = MAX_EXAMPLES if len(train) == 1 else MAX_EXAMPLES_EACH
    rows = []
    for handle, posts in train.items():
        if handle in handles:
            public = [
                post.text for post in posts if post.visibility == "public" and not post.masked
            ]
            rows += [Row(handle, text) for text in sorted(public, key=hash_text)[:limit]]
    return tuple(rows)


def hash_text(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def hash_posts(authors: Mapping[str, Iterable[Post]]) -> str:
    """Return the SHA-256, in hex, of each author's handle and texts, each followed by a NUL.

    It does not depend on the file that holds them.
    """
    digest = hashlib.sha256()
    for handle, posts in authors.items():
        digest.update(handle.encode() + b"\0")
        for post in posts:
            digest.update(post.text.encode() + b"\0")
    return digest.hexdigest()


def list_pairs(authors: Mapping[str, Iterable[Post]]) -> Iterator[tuple[str, Post]]:
    """Yield (author's handle, post), author by author."""
    for handle, posts in authors.items():
        for post in posts:
            yield handle, post


def write_posts(posts: Iterable[tuple[str, Post]], path: Path) -> None:
    """Write pairs of author and post as Parquet."""
    with replace_atomically(path) as partial:
        for _ in write_while_reading(posts, partial):
            pass


def write_while_reading(
    posts: Iterable[tuple[str, Post]], path: Path
) -> Iterator[tuple[str, Post]]:
    """Write pairs of author and post as Parquet, and yield each of them."""
    rows: list[tuple] = []
    with parquet.ParquetWriter(path, POSTS_SCHEMA, compression="zstd") as writer:
        for handle, post in posts:
            rows.append((handle, *post))
            if len(rows) == ROWS_PER_BATCH:
                writer.write_table(build_table(rows))
                rows.clear()
            yield handle, post
        writer.write_table(build_table(rows))


def build_table(rows: list[tuple]) -> pa.Table:
    columns: list = list(zip(*rows, strict=True)) or [[] for _ in POSTS_SCHEMA]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, POSTS_SCHEMA, strict=True)],
        schema=POSTS_SCHEMA,
    )


def add_verdicts(source: Path, path: Path, verdicts: bytes | bytearray) -> None:
    """Copy a Parquet file of posts with the column `verdict`; `verdicts` are places in OUTCOMES."""
    outcomes = list(OUTCOMES)
    schema = POSTS_SCHEMA.append(pa.field("verdict", pa.string()))
    with (
        replace_atomically(path) as partial,
        parquet.ParquetFile(source) as file,
        parquet.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):
        start = 0
        for batch in file.iter_batches(ROWS_PER_BATCH):
            codes = verdicts[start : start + len(batch)]
            values = pa.array([outcomes[code] for code in codes], pa.string())
            writer.write_batch(batch.append_column("verdict", values))
            start += len(batch)


def read_rows(path: Path) -> Iterator[dict]:
    """Yield the rows of a Parquet file, with one batch in memory at a time."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_PER_BATCH):
            yield from batch.to_pylist()


def read_texts(path: Path) -> dict[str, list[str]]:
    """Return each author's texts from a file of `write_posts`."""
    table = parquet.read_table(path, columns=["author", "text"])
    texts: dict[str, list[str]] = {}
    for author, text in zip(table["author"].to_pylist(), table["text"].to_pylist(), strict=True):
        texts.setdefault(author, []).append(text)
    return texts
