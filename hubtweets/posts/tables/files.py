"""Plain files of posts: JSON Lines, JSON, CSV, Parquet, Arrow, and text with one post per line.

In: one file, or a folder or zip that holds one table in one or more files and nothing else, as
`save_to_disk` of datasets writes. Out: its posts. All files are streamed but two: a JSON object
that holds its posts in a list, and a Parquet file inside an archive, are read at once, up to 8 and
64 MiB.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import json_stream
from hubtweets.posts.authors import choose_author, warn_of_others
from hubtweets.posts.container import Container, base_name, describe_file, get_suffix
from hubtweets.posts.post import Columns, Post, Profile, Reading
from hubtweets.posts.tables.arrow import read_table_rows
from hubtweets.posts.tables.audience import has_audience
from hubtweets.posts.tables.rows import (
    Fields,
    Format,
    Row,
    get_author,
    match_columns,
    require_columns,
    to_posts,
)
from hubtweets.posts.text_lines import read_csv_dicts, read_lines

NO_POSTS = re.compile(
    r"(^|.*/)(\.|__MACOSX/|cache-"
    r"|(README|LICENSE|dataset_infos?\.json|dataset_dict\.json|state\.json)).*"
)


def find_files(container: Container) -> list[str]:
    """Return the files of a table: of one format, beside files that describe them only."""
    names = (name for name in container.names if base_name(name))
    names_of_posts = sorted(name for name in names if not NO_POSTS.fullmatch(name))
    suffixes = {get_suffix(name) for name in names_of_posts}
    return names_of_posts if len(suffixes) == 1 and suffixes <= set(FORMATS) else []


def read(container: Container, columns: Columns, handle: str) -> Reading:
    """Read the posts of `handle` from a table.

    Raises HubtweetsError if a column is missing, the table is damaged, or it has several authors
    and none of them is `handle`.
    """
    names = find_files(container)
    told, counts = survey(container, names, columns)
    author = choose_author(str(container.path), counts, {}, handle)
    warnings = warn_of_others(str(container.path), counts, {}, author)
    wanted = author if len(counts) > 1 else None
    posts = read_files(container, names, columns, warnings, told, wanted)
    kind = FORMATS[get_suffix(names[0])].kind
    return Reading(kind, Profile("", ""), None, posts, warnings)


def read_files(
    container: Container,
    names: Sequence[str],
    columns: Columns,
    warnings: list[str],
    told: bool,
    wanted: str | None,
) -> Iterator[Post]:
    count = 0
    for name in names:
        format = FORMATS[get_suffix(name)]
        rows = format.rows(container, name, columns)
        if wanted:
            rows = (row for row in rows if get_author(*row[1:]) == wanted)
        source = describe_file(container, name)
        for post in to_posts(rows, columns, source, format, warnings, count, told):
            count += 1
            yield post


def survey(
    container: Container, names: Iterable[str], columns: Columns
) -> tuple[bool, Counter[str]]:
    """Return whether any row names its audience, and how many rows each author has.

    In JSON, only the last row may tell either.
    """
    told, counts = False, Counter[str]()
    for name in names:
        format = FORMATS[get_suffix(name)]
        for _, row, fields in format.rows(container, name, columns):
            told = told or (isinstance(row, dict) and has_audience(row, fields.audience))
            if author := get_author(row, fields):
                counts[author] += 1
            if format.is_regular and not fields.author:
                break
    return told, counts


# ---- text files


def read_text_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    with container.open(name) as file:
        for number, line in read_lines(file, describe_file(container, name)):
            if text := line.strip():
                yield number, text, Fields()


def read_jsonl_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    source = describe_file(container, name)
    with container.open(name) as file:
        for number, line in read_lines(file, source):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise HubtweetsError(
                    f"{source}: line {number} is not JSON ({error}); write one object per line"
                ) from None
            if number > 1 or not is_metadata(row, columns):
                yield number, *to_row(row, columns)


def to_row(value: Any, columns: Columns) -> tuple[Any, Fields]:
    """Return an object with its fields, or {} without any for another value."""
    return (
        (value, match_columns(tuple(value), columns)) if isinstance(value, dict) else ({}, Fields())
    )


def is_metadata(row: Any, columns: Columns) -> bool:
    """Return whether a line is the one about the posts that some tools write before them."""
    return (
        isinstance(row, dict) and "_meta" in row and match_columns(tuple(row), columns).text is None
    )


def read_json_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of an array of objects or texts, or of an object that holds one.

    The file may also be JSON Lines, which datasets calls JSON.
    """
    source = describe_file(container, name)
    with container.open(name) as file:
        head = file.readline(1 << 20).decode("utf-8-sig", "replace")
    try:
        if head.lstrip().startswith("["):
            yield from number_items(read_array(container, name), columns)
        elif is_json_line(head, columns):
            yield from read_jsonl_rows(container, name, columns)
        else:
            document = json.loads(container.read(name).decode("utf-8-sig", "replace"))
            yield from number_items(find_post_list(document, columns), columns)
    except (ValueError, RecursionError) as error:
        raise HubtweetsError(
            f"{source}: cut, or not JSON with a list of posts ({error}); {FORMATS['.json'].advice}"
        ) from None


def read_array(container: Container, name: str) -> Iterator[Any]:
    with container.open(name) as file:
        items = json_stream.stream_items(file)
        next(items)  # the text before the array
        yield from items


def number_items(items: Iterable[Any], columns: Columns) -> Iterator[Row]:
    for number, item in enumerate(items, 1):
        if isinstance(item, str):
            yield number, item, Fields()
        else:
            yield number, *to_row(item, columns)


def is_json_line(head: str, columns: Columns) -> bool:
    try:
        row = json.loads(head)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and (
        is_metadata(row, columns) or match_columns(tuple(row), columns).text is not None
    )


def find_post_list(document: Any, columns: Columns) -> list:
    """Return the first list of a document whose items are posts, or else texts.

    Raises ValueError if there is none.
    """
    values = document.values() if isinstance(document, dict) else [document]
    lists = [value for value in values if isinstance(value, list) and value]
    for items in lists:
        if to_row(items[0], columns)[1].text is not None:
            return items
    for items in lists:
        if isinstance(items[0], str):
            return items
    raise ValueError("no list of posts in it")


def read_csv_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    fields = None
    for number, row in read_csv_dicts(container, name):
        fields = fields or require_columns(list(row), columns, describe_file(container, name))
        yield number, row, fields


LINES = Format(
    "jsonl",
    read_jsonl_rows,
    "line",
    'write one object per line, such as {"text": "my post"}',
    is_regular=False,
)
JSON = Format(
    "json",
    read_json_rows,
    "item",
    'write an array of objects such as {"text": "my post"}',
    is_regular=False,
)
CSV = Format("csv", read_csv_rows, "line")
FORMATS = {
    ".jsonl": LINES,
    ".json": JSON,
    ".csv": CSV,
    ".tsv": CSV,
    ".parquet": Format("parquet", read_table_rows),
    ".arrow": Format("dataset", read_table_rows),
    ".txt": Format("text", read_text_rows, "line"),
}
