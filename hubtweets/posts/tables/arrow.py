"""Rows of Parquet files and Arrow streams.

In: a file of a container. Out: its rows, few at a time, with no column that is not needed. A Parquet file inside an archive is read at once.
"""

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, describe_file, get_suffix
from hubtweets.posts.parsing import SECONDS_UNTIL_5138
from hubtweets.posts.post import Columns
from hubtweets.posts.tables.rows import Row, list_columns, require_columns

MAX_TABLE = 64 * 2**20  # bytes of a Parquet file inside an archive
MAX_GROUP = 128 * 2**20  # bytes of a row group, without the columns that are not read
ROWS_AT_ONCE = 20


def read_table_rows(container: Container, name: str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a Parquet file or an Arrow stream, some thousand at a time, with no column that is not needed."""
    import pyarrow
    from pyarrow import parquet

    source = describe_file(container, name)
    with container.open(name) as file, translate_errors(source):
        if get_suffix(name) == ".arrow":
            stream = pyarrow.ipc.open_stream(file)
            fields = require_columns(stream.schema.names, columns, source)
            batches = (batch.select(list_columns(fields)) for batch in stream)
        else:  # read from its end, which an archive's members can't be at a fair price
            seekable = (
                file
                if container.path.name == name or container.path.is_dir()
                else io.BytesIO(container.read(name, MAX_TABLE))
            )
            schema = parquet.ParquetFile(seekable, pre_buffer=False).schema_arrow
            fields = require_columns(schema.names, columns, source)
            texts = [
                name
                for name in list_columns(fields)
                if pyarrow.types.is_string(schema.field(name).type)
            ]
            table = parquet.ParquetFile(
                seekable, pre_buffer=False, read_dictionary=texts
            )  # else a text that recurs is unpacked each time
            check_row_groups(table.metadata, set(list_columns(fields)), source)
            batches = table.iter_batches(1000, columns=list_columns(fields))
        number = itertools.count(1)
        for batch in batches:
            batch.validate(full=True)
            for start in range(0, len(batch), ROWS_AT_ONCE):
                piece = batch.slice(start, ROWS_AT_ONCE)
                for row in zip(*(to_python(column) for column in piece.columns), strict=True):
                    yield next(number), dict(zip(batch.schema.names, row, strict=True)), fields


def check_row_groups(metadata: Any, names: set[str], source: str) -> None:
    """Raise HubtweetsError where a row group's columns unpack to more than is read at once."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = [group.column(index) for index in range(group.num_columns)]
        if (
            sum(
                chunk.total_uncompressed_size
                for chunk in chunks
                if chunk.path_in_schema.split(".")[0] in names
            )
            > MAX_GROUP
        ):
            raise HubtweetsError(
                f"{source}: row group {number} holds more than {MAX_GROUP >> 20} MiB; write it in smaller ones, or as .jsonl"
            )


def to_python(column: Any) -> list:
    """Return a column's values, dates as seconds since 1970: a datetime can't hold all that a column can."""
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
    """Turn whatever a library makes of a hurt table, or of one that is not there, into one line."""
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
