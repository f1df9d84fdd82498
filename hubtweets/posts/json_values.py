"""The JSON values of a file of saved responses: an array, JSON Lines, or one response alone.

In: a file in a container. Out: its values, one at a time; one response alone is read at once.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name, describe_file
from hubtweets.posts.json_stream import stream_items

# a name that starts with a dot is a Mac's shadow of another file
FILE = re.compile(r"[^.].*\.(json|jsonl)", re.IGNORECASE)
MAX_LINE = 8 * 2**20  # bytes; a page of 500 tweets with its includes has some million
HEAD_BYTES = 4096


def find_json_file(
    container: Container, page: re.Pattern[str], is_first: Callable[[Any], bool]
) -> list[str]:
    """Return the name of the one JSON file in the container, if its first value is wanted."""
    names = [name for name in container.names if FILE.fullmatch(base_name(name))]
    if len(names) != 1:
        return []
    try:
        first = next(read_values(container, names[0], page), None)
    except (ValueError, RecursionError):
        return []
    return names if is_first(first) else []


def read_saved_values(container: Container, name: str, page: re.Pattern[str]) -> Iterator[Any]:
    """Yield the file's values; raise HubtweetsError if it is damaged."""
    try:
        yield from read_values(container, name, page)
    except (ValueError, RecursionError) as error:
        where = describe_file(container, name)
        raise HubtweetsError(f"{where} is cut or not JSON ({error}); save it again") from None


def read_values(container: Container, name: str, page: re.Pattern[str]) -> Iterator[Any]:
    """Yield the file's values: the items of an array or of one in each line, or each line's value.

    `page` matches the beginning of a response, which may be the only value, over many lines. Raises
    ValueError if the file is not JSON.
    """
    with container.open(name) as file:
        line, rest = file.readline(MAX_LINE), file.read(HEAD_BYTES)
    head = (line + rest).decode("utf-8-sig", errors="replace")
    is_array = head.lstrip().startswith("[")
    if is_array and not (line.rstrip().endswith(b"]") and rest.strip() and is_json(line)):
        with container.open(name) as file:
            array = stream_items(file)
            next(array)
            yield from array
    elif page.match(head) and not line.rstrip().endswith(b"}"):  # one response, over many lines
        yield json.loads(container.read(name).decode("utf-8-sig", errors="replace"))
    else:
        yield from read_json_lines(container, name)


def is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return False
    return True


def read_json_lines(container: Container, name: str) -> Iterator[Any]:
    with container.open(name) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise ValueError(f"line {number} has more than {MAX_LINE >> 20} MiB")
            text = line.decode("utf-8-sig", errors="replace").strip()
            if not text:
                continue
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number}: {getattr(error, 'msg', error)}") from None
            yield from value if isinstance(value, list) else [value]
