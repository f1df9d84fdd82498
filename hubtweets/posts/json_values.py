"""The JSON values of a file of saved responses: an array, JSON Lines, or one response alone.

In: a file in a container. Out: its values, one at a time; one response alone is read at once.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from hubtweets.posts.container import Container
from hubtweets.posts.json_stream import stream_items

MAX_LINE = 8 * 2**20  # bytes; a page of 500 tweets with its includes has some million
HEAD_BYTES = 4096


def read_values(container: Container, name: str, page: re.Pattern[str]) -> Iterator[Any]:
    """Yield the file's values: an array's items, each line's, or the file's only one.

    `page` matches the beginning of a response, which may be the only value, over many lines. Raises
    ValueError if the file is not JSON.
    """
    with container.open(name) as file:
        line = file.readline(MAX_LINE)
        head = (line + file.read(HEAD_BYTES)).decode("utf-8-sig", errors="replace")
    if head.lstrip().startswith("["):
        with container.open(name) as file:
            array = stream_items(file)
            next(array)
            yield from array
    elif page.match(head) and not line.rstrip().endswith(b"}"):  # one response, over many lines
        yield json.loads(container.read(name).decode("utf-8-sig", errors="replace"))
    else:
        yield from read_json_lines(container, name)


def read_json_lines(container: Container, name: str) -> Iterator[Any]:
    with container.open(name) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise ValueError(f"line {number} has more than {MAX_LINE >> 20} MiB")
            text = line.decode("utf-8-sig", errors="replace").strip()
            try:
                if text:
                    yield json.loads(text)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number}: {getattr(error, 'msg', error)}") from None
