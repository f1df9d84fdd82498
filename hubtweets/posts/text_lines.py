"""Lines and CSV rows of text files, with bounds on their length."""

import csv
import io
import itertools
from collections.abc import Iterator
from typing import IO

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, describe_file, get_suffix
from hubtweets.posts.tables.audience import find_columns

MAX_LINE = 4 * 2**20  # characters
LINE_BREAK = " ⏎ "  # as some tools write one in a cell


def read_lines(
    file: IO[bytes], source: str, newline: str | None = None
) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a text.

    Raises HubtweetsError if one is too long, or has a NUL, which only other encodings have.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", newline=newline)
    for number in itertools.count(1):
        try:
            line = text.readline(MAX_LINE + 1)
        except UnicodeDecodeError as error:
            raise HubtweetsError(
                f"{source}: near line {number} is not UTF-8 ({error.reason}); "
                "save the file as UTF-8"
            ) from None
        if len(line) > MAX_LINE:
            raise HubtweetsError(
                f"{source}: line {number} is longer than {MAX_LINE >> 20} Mi characters; "
                "write one post per line"
            )
        if "\0" in line:
            raise HubtweetsError(
                f"{source}: line {number} is not UTF-8 (it holds a NUL); save the file as UTF-8"
            )
        if not line:
            return
        yield number, line


def read_csv_dicts(container: Container, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield a CSV file's rows by column name, each with the number of its last line.

    The delimiter is the comma, semicolon or tab that is most often in the first line. Raises
    HubtweetsError if a row has more cells than the first, a quote is not closed, or something
    follows it.
    """
    source = describe_file(container, name)
    csv.field_size_limit(MAX_LINE)
    with container.open(name) as file:
        texts = (line for _, line in read_lines(file, source, newline=""))
        first = next(texts, "")
        delimiter = "\t" if get_suffix(name) == ".tsv" else max(",;\t", key=first.count)
        reader = csv.reader(itertools.chain([first], texts), delimiter=delimiter, strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
            check_audience_columns(names, source)
            for cells in reader:
                if cells:
                    yield reader.line_num, to_dict(names, cells)
        except csv.Error as error:
            raise HubtweetsError(
                f"{source}: line {reader.line_num} is not CSV ({error}); "
                "put texts in quotes, and double the quotes in them"
            ) from None


def check_audience_columns(names: list[str], source: str) -> None:
    """Raise HubtweetsError if two columns of the same name tell who can read a post."""
    for name, _ in find_columns(tuple(names)):
        if names.count(name) > 1:
            raise HubtweetsError(
                f"{source}: two columns are called {name!r}, and both may tell who can read "
                "a post; rename or remove one"
            )


def to_dict(names: list[str], cells: list[str]) -> dict[str, str]:
    if any(cells[len(names) :]):
        raise csv.Error(f"{len(cells)} cells, but the first row has {len(names)}")
    texts = (cell.replace(LINE_BREAK, "\n") for cell in cells[: len(names)])
    return dict(itertools.zip_longest(names, texts, fillvalue=""))
