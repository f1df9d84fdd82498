"""Rows of Parquet files and Arrow streams.

In: a file of a container. Out: its rows, a few at a time, with the needed columns only. A Parquet
file inside an archive is read at once.
"""

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, describe_file, get_suffix
from hubtweets.posts.parsing import SECONDS_UNTIL_5138
from hubtweets.posts.post import Columns
from hubtweets.posts.tables.rows import Fields, Row, list_columns, require_columns

MAX_TABLE = 64 * 2**20  # bytes of a Parquet file inside an archive
MAX_GROUP = 128 * 2**20  # bytes of a row group, without the columns that are not read
ROWS_AT_ONCE = 20


def read_table_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a Parquet file or an Arrow stream, with the needed columns only."""
    source = describe_file(container, name)
    with container.open(name) as file, translate_errors(source):
        if get_suffix(name) == ".arrow":
            fields, batches = open_arrow(file, columns, source)
        else:  # it is read from its end; seeking in an archive's member is slow
            is_alone = container.path.name == name or container.path.is_dir()
            seekable = file if is_alone else io.BytesIO(container.read(name, MAX_TABLE))
            fields, batches = open_parquet(seekable, columns, source)
        number = itertools.count(1)
        for batch in batches:
            batch.validate(full=True)
            for row in to_dicts(batch):
                yield next(number), row, fields


def open_arrow(file: IO[bytes], columns: Columns, source: str) -> tuple[Fields, Iterator[Any]]:
    """Return the fields and the record batches of an Arrow stream."""
    import pyarrow

    stream = pyarrow.ipc.open_stream(file)
    fields = require_columns(stream.schema.names, columns, source)
    return fields, (batch.select(list_columns(fields)) for batch in stream)


def open_parquet(file: IO[bytes], columns: Columns, source: str) -> tuple[Fields, Iterator[Any]]:
    """Return the fields and the record batches, of some thousand rows, of a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    schema = parquet.ParquetFile(file, pre_buffer=False).schema_arrow
    fields = require_columns(schema.names, columns, source)
    needed = list_columns(fields)
    # read as a dictionary, so that a text that recurs is unpacked once
    texts = [name for name in needed if pyarrow.types.is_string(schema.field(name).type)]
    table = parquet.ParquetFile(file, pre_buffer=False, read_dictionary=texts)
    check_row_groups(table.metadata, set(needed), source)
    return fields, table.iter_batches(1000, columns=needed)


def to_dicts(batch: Any) -> Iterator[dict]:
    """Yield a batch's rows, of which ROWS_AT_ONCE are Python objects at a time."""
    names = batch.schema.names
    for start in range(0, len(batch), ROWS_AT_ONCE):
        columns = (to_python(column) for column in batch.slice(start, ROWS_AT_ONCE).columns)
        for row in zip(*columns, strict=True):
            yield dict(zip(names, row, strict=True))


def check_row_groups(metadata: Any, names: set[str], source: str) -> None:
    """Raise HubtweetsError if a row group's needed columns unpack to more than MAX_GROUP bytes."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = [group.column(index) for index in range(group.num_columns)]
        needed = [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] in names]
        if sum(chunk.total_uncompressed_size for chunk in needed) > MAX_GROUP:
            raise HubtweetsError(
                f"{source}: row group {number} holds more than {MAX_GROUP >> 20} MiB; "
                "write smaller row groups, or .jsonl"
            )


def to_python(column: Any) -> list:
    """Return a column's values, dates as seconds since 1970, since datetime holds fewer years."""
    import pyarrow

    if pyarrow.types.is_timestamp(column.type) or pyarrow.types.is_date(column.type):
        microseconds = column.cast(pyarrow.timestamp("us"), safe=False).cast(pyarrow.int64())
        return [
            value / 1e6 if value is not None and abs(value) < SECONDS_UNTIL_5138 * 10**6 else None
            for value in microseconds.to_pylist()
        ]
    return column.to_pylist()


@contextmanager
def translate_errors(source: str) -> Iterator[None]:
    """Raise HubtweetsError for any error of a library over a damaged or missing table."""
    try:
        yield
    except HubtweetsError:
        raise
    except Exception as error:
        what = (str(error) or type(error).__name__).strip().partition("\n")[0][:300]
        if type(error).__name__ == "DatasetNotFoundError":
            advice = "check the name, accept its terms on its page, or type: hf auth login"
        elif isinstance(error, ConnectionError):
            advice = "try again later"
        else:
            advice = "download it again, or give its posts as a .csv or .jsonl file"
        raise HubtweetsError(f"{source}: can't be read ({what}); {advice}") from None
