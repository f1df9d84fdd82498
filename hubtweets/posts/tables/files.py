"""Plain files of posts, and datasets: JSON Lines, JSON, CSV, Parquet, Arrow, and text with one post a line.

In: one file; a folder or zip that holds a table in one or more files and nothing else, such as datasets' `save_to_disk` writes; or the train split
of a dataset on the Hub. Out: its posts. All but two are streamed: a JSON object that holds its posts in a list, and a Parquet file inside an
archive, are read at once, up to 8 and 64 MiB.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import json_stream
from hubtweets.posts.container import Container, base_name, place, suffix
from hubtweets.posts.post import Columns, Post, Profile, Reading
from hubtweets.posts.tables.arrow import refused, table_rows
from hubtweets.posts.tables.audience import is_told
from hubtweets.posts.tables.rows import Fields, Format, Row, chosen, find, locate, to_posts
from hubtweets.posts.text_lines import csv_dicts, lines

NO_POSTS = re.compile(
    r"(^|.*/)(\.|__MACOSX/|cache-|(README|LICENSE|dataset_infos?\.json|dataset_dict\.json|state\.json)).*"
)


def files(container: Container) -> list[str]:
    """Return the files of a table: of one kind, with nothing beside them but what describes them."""
    names = sorted(
        name for name in container.names if base_name(name) and not NO_POSTS.fullmatch(name)
    )
    suffixes = {suffix(name) for name in names}
    return names if len(suffixes) == 1 and suffixes <= set(FORMATS) else []


def read(container: Container, columns: Columns) -> Reading:
    """Read the table of a container; raise HubtweetsError where it has no such column, or is damaged."""
    names = files(container)
    warnings: list[str] = []
    return Reading(
        FORMATS[suffix(names[0])].kind,
        Profile("", ""),
        None,
        read_files(container, names, columns, warnings),
        warnings,
    )


def fetch(name: str, columns: Columns) -> Reading:
    """Read the train split of a dataset on the Hub; raise HubtweetsError where there is none, or none for us, or it has no such column."""
    import datasets
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
        validate_repo_id,
    )

    source = f"dataset:{name}"
    try:
        validate_repo_id(name)
    except HFValidationError:
        name = ""
    if "/" not in name:
        raise HubtweetsError(f"{source}: no dataset can be called so; write dataset:NAMESPACE/NAME")
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # what it logs, it raises too
    logging.set_verbosity_error()
    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with refused(source):  # by its name alone, a folder of this machine would come first
            table = datasets.load_dataset(f"hf://datasets/{name}", split="train", streaming=True)
            fields = locate(table.column_names or list(next(iter(table), {})), columns, source)
            table = table.select_columns(chosen(fields))
    finally:
        if shown:  # a push shows them
            enable_progress_bars()
    warnings: list[str] = []
    posts = to_posts(
        dataset_rows(table, fields, source),
        columns,
        source,
        Format("dataset", table_rows),
        warnings,
    )
    return Reading(
        "dataset", Profile("", ""), None, posts, warnings, name if is_public(name) else None
    )


def is_public(name: str) -> bool:
    """Tell whether anybody can read a dataset on the Hub, without a token; where the Hub does not say, nobody is taken to."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return not HfApi(token=False).dataset_info(name).gated
    except (HfHubHTTPError, httpx2.TransportError, ConnectionError):
        return False


def read_files(
    container: Container, names: Sequence[str], columns: Columns, warnings: list[str]
) -> Iterator[Post]:
    count = 0
    told = tells_audience(container, names, columns)
    for name in names:
        format = FORMATS[suffix(name)]
        for post in to_posts(
            format.rows(container, name, columns),
            columns,
            place(container, name),
            format,
            warnings,
            count,
            told,
        ):
            count += 1
            yield post


def tells_audience(container: Container, names: Iterable[str], columns: Columns) -> bool:
    """Tell whether any row names its audience; in JSON, the first one that does may be the last of all."""
    for name in names:
        format = FORMATS[suffix(name)]
        for _, row, fields in format.rows(container, name, columns):
            if isinstance(row, dict) and is_told(row, fields.audience):
                return True
            if format.is_regular:
                break
    return False


# ---- text files


def text_lines(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    with container.open(name) as file:
        for number, line in lines(file, place(container, name)):
            if text := line.strip():
                yield number, text, Fields()


def json_lines(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    source = place(container, name)
    with container.open(name) as file:
        for number, line in lines(file, source):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise HubtweetsError(
                    f"{source}: line {number} is not JSON ({error}); write one object a line"
                ) from None
            if number > 1 or not is_meta(row, columns):
                yield number, *as_row(row, columns)


def as_row(value: Any, columns: Columns) -> tuple[Any, Fields]:
    """Return an object with its fields; anything else has none."""
    return (value, find(tuple(value), columns)) if isinstance(value, dict) else ({}, Fields())


def is_meta(row: Any, columns: Columns) -> bool:
    """Tell the line that some write before the posts, about them."""
    return isinstance(row, dict) and "_meta" in row and find(tuple(row), columns).text is None


def json_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of an array of objects or texts, of an object that holds one, or of the JSON Lines that datasets calls JSON."""
    source = place(container, name)
    with container.open(name) as file:
        head = file.readline(1 << 20).decode("utf-8-sig", "replace")
    try:
        if head.lstrip().startswith("["):
            yield from number_items(array(container, name), columns)
        elif is_line(head, columns):
            yield from json_lines(container, name, columns)
        else:
            yield from number_items(
                held(json.loads(container.read(name).decode("utf-8-sig", "replace")), columns),
                columns,
            )
    except (ValueError, RecursionError) as error:
        raise HubtweetsError(
            f"{source}: cut, or no JSON with a list of posts ({error}); {FORMATS['.json'].advice}"
        ) from None


def array(container: Container, name: str) -> Iterator[Any]:
    with container.open(name) as file:
        items = json_stream.items(file)
        next(items)  # what is before the array
        yield from items


def number_items(items: Iterable[Any], columns: Columns) -> Iterator[Row]:
    for number, item in enumerate(items, 1):
        yield (
            (number, item, Fields()) if isinstance(item, str) else (number, *as_row(item, columns))
        )


def is_line(head: str, columns: Columns) -> bool:
    try:
        row = json.loads(head)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and (
        is_meta(row, columns) or find(tuple(row), columns).text is not None
    )


def held(document: Any, columns: Columns) -> list:
    """Return the first list of a document whose items are posts, or else texts; raise ValueError where there is none."""
    values = document.values() if isinstance(document, dict) else [document]
    lists = [value for value in values if isinstance(value, list) and value]
    for items in lists:
        if as_row(items[0], columns)[1].text is not None:
            return items
    for items in lists:
        if isinstance(items[0], str):
            return items
    raise ValueError("no list of posts in it")


def csv_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    fields = None
    for number, row in csv_dicts(container, name):
        fields = fields or locate(list(row), columns, place(container, name))
        yield number, row, fields


def dataset_rows(table: Any, fields: Fields, source: str) -> Iterator[Row]:
    with refused(source):
        for number, row in enumerate(table, 1):
            yield number, row, fields


LINES = Format(
    "jsonl",
    json_lines,
    "line",
    'write one object a line, such as {"text": "my post"}',
    is_regular=False,
)
JSON = Format(
    "json",
    json_rows,
    "item",
    'write an array of objects such as {"text": "my post"}',
    is_regular=False,
)
CSV = Format("csv", csv_rows, "line")
FORMATS = {
    ".jsonl": LINES,
    ".json": JSON,
    ".csv": CSV,
    ".tsv": CSV,
    ".parquet": Format("parquet", table_rows),
    ".arrow": Format("dataset", table_rows),
    ".txt": Format("text", text_lines, "line"),
}
