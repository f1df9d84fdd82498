"""Posts on disk, and kept posts to a training and a validation set.

In: each author's kept posts, oldest first, those without a date before them. Out: two datasets with the columns of POSTS. By time, the last tenth
of each author's posts is held out, which is how the bot will be judged: by what the author says next. By hash, one text in ten is, whichever its
own hash decides, so that a post stays on its side when others come or go.
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
MAX_EXAMPLES, MAX_EXAMPLES_EACH = (
    3,
    2,
)  # posts that the card shows of one author, of each of several
ROWS_PER_BATCH = 20_000
POSTS_SCHEMA = pa.schema(
    [
        ("author", pa.string()),
        *(
            (name, pa.bool_() if Post._field_defaults.get(name) is False else pa.string())
            for name in Post._fields
        ),
    ]
)


def choose_split(
    kept: Mapping[str, Sequence[Post]], wanted: Literal["time", "hash"] | None
) -> Literal["time", "hash"]:
    """Return the split to use: by time, unless `hash` is wanted or an author's dates are missing for more than a tenth of the posts.

    Raises HubtweetsError where `time` is wanted and can't be.
    """
    undated = {handle: sum(not post.created_at for post in posts) for handle, posts in kept.items()}
    unsure = next(
        (handle for handle, number in undated.items() if number * 10 > len(kept[handle])), None
    )
    if wanted == "time" and unsure:
        raise HubtweetsError(
            f"@{unsure}: {undated[unsure]:,} of {len(kept[unsure]):,} kept posts have no date to split them by; type: --split hash"
        )
    return wanted or ("hash" if unsure else "time")


def split_posts(
    kept: Mapping[str, Sequence[Post]], by: Literal["time", "hash"]
) -> tuple[dict[str, list[Post]], dict[str, list[Post]]]:
    """Return (train, validation), the posts of each author in their order; raise HubtweetsError where one side has none of somebody's."""
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
                f"@{handle}: {len(posts)} kept posts are too few to hold some out; give more posts with --posts"
            )
    return train, validation


def is_held_out(text: str) -> bool:
    """Tell a text's side in a split by hash: one text in ten is held out."""
    return int.from_bytes(hash_text(text)[:8], "big") % 10 < VALIDATION_TENTHS


def choose_examples(
    train: Mapping[str, Sequence[Post]], handles: Container[str]
) -> tuple[Row, ...]:
    """Return some of the posts of these authors that were trained on, three of one or two of each: public ones, with nothing masked in them.

    Those whose hash is smallest, so that they are the same each time and nobody's choice.
    """
    rows = []
    for handle in train:
        shown = [
            post.text
            for post in train[handle]
            if handle in handles and post.visibility == "public" and not post.masked
        ]
        rows += [
            Row(handle, text)
            for text in sorted(shown, key=hash_text)[
                : MAX_EXAMPLES if len(train) == 1 else MAX_EXAMPLES_EACH
            ]
        ]
    return tuple(rows)


def hash_text(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def hash_posts(authors: Mapping[str, Iterable[Post]]) -> str:
    """Return the SHA-256, in hex, of each author's handle and texts, each followed by a NUL: the same whatever file they lie in."""
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
    """Yield the pairs of author and post as they come, and write them as Parquet in passing."""
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
    """Copy a Parquet file of posts with one more column, each post's fate, from places in FATES."""
    fates = list(OUTCOMES)
    with (
        replace_atomically(path) as partial,
        parquet.ParquetFile(source) as file,
        parquet.ParquetWriter(
            partial, POSTS_SCHEMA.append(pa.field("verdict", pa.string())), compression="zstd"
        ) as writer,
    ):
        start = 0
        for batch in file.iter_batches(ROWS_PER_BATCH):
            values = pa.array(
                [fates[code] for code in verdicts[start : start + len(batch)]], pa.string()
            )
            writer.write_batch(batch.append_column("verdict", values))
            start += len(batch)


def read_rows(path: Path) -> Iterator[dict]:
    """Yield the rows of a Parquet file, a piece at a time in memory."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_PER_BATCH):
            yield from batch.to_pylist()


def read_texts(path: Path) -> dict[str, list[str]]:
    """Read each author's texts from a file that `write` wrote."""
    table = parquet.read_table(path, columns=["author", "text"])
    texts: dict[str, list[str]] = {}
    for author, text in zip(table["author"].to_pylist(), table["text"].to_pylist(), strict=True):
        texts.setdefault(author, []).append(text)
    return texts
