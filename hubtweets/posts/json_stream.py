"""JSON arrays of any length, one item at a time.

In: a file that holds a JSON array, maybe after some text (`window.x = [`, `module.exports = [`).
Out: its items. The memory holds one item and one block of the file, whatever its size.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

BLOCK_BYTES = 1 << 20  # bytes
MAX_ITEM = 2**20  # characters; the largest posts have some thousands
MAX_PREFIX = 4096
BETWEEN = re.compile(r"[\s,]*")


def stream_items(file: IO[bytes], key: str | None = None) -> Iterator[Any]:
    """Yield the text before the array, then the array's items.

    With a key it is the array that an object holds under it, within the first mebibyte. Raises
    ValueError if it is not JSON, is cut, or has an item of more than MAX_ITEM characters.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    decode = json.JSONDecoder().raw_decode
    text, position, at_end = decoder.decode(file.read(BLOCK_BYTES)), 0, False

    def refill() -> None:
        nonlocal text, position, at_end
        rest = text[position:]
        if len(rest) > MAX_ITEM:
            raise ValueError(f"an item of more than {MAX_ITEM:,} characters")
        # doubled, so that a long item is not parsed over and over
        block = file.read(max(BLOCK_BYTES, len(rest)))
        at_end = not block
        text, position = rest + decoder.decode(block, final=at_end), 0

    if key is None:
        position = text.find("[", 0, MAX_PREFIX) + 1
    # within a string its last quote would be escaped
    elif found := re.search(rf'"{key}"\s*:\s*\[', text):
        position = found.end()
    if not position:
        raise ValueError("no list in it")
    yield text[: position - 1]
    while True:
        position = BETWEEN.match(text, position).end()  # type: ignore[union-attr]
        if position == len(text):
            if at_end:
                raise ValueError("cut before its end")
            refill()
            continue
        if text[position] == "]":
            return
        try:
            item, end = decode(text, position)
        except (ValueError, RecursionError) as error:
            if at_end:
                raise ValueError(str(error)) from None
            refill()
            continue
        if end == len(text) and not at_end:  # a number may continue
            refill()
            continue
        position = end
        yield item
