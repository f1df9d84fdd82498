"""A front matter as blocks of lines, one for each key, so that a key can change while the text of all others stays as it is.

In: YAML. Out: for each key its own lines, the comments and blank lines before them, and its value. Each block is read again on its own and must say
what it says as a part of the whole, so a text whose lines can't be split by keys is refused, never misread.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hubtweets.card.front_matter import CardLoader, FrontMatterError, parse_front_matter
from hubtweets.card.metadata import Dumper

LINE_END = re.compile(
    "\r\n|[\n\r\x85\u2028\u2029]|\\Z"
)  # what libyaml ends a line with: YAML 1.1, section 5.4


@dataclass(frozen=True)
class Block:
    """A key's own lines, the comments and blank lines before them, and its value as JSON with sorted keys."""

    lead: str
    text: str
    value: str


def read_blocks(text: str) -> tuple[dict[str, Block], str]:
    """Return a front matter's blocks by their keys, and the text after the last one; raise FrontMatterError if its lines can't be split by keys."""
    values = read_values(text)
    root = yaml.compose(text, CardLoader) if values else None
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    chunks, rest = split_lines(text, pairs)
    blocks: dict[str, Block] = {}
    for lead, own in chunks:
        for key, value in read_values(own).items():
            if key in blocks:
                raise FrontMatterError(f"{key!r} is not alone on its lines, or is there twice")
            blocks[key] = Block(lead, own, value)
    if {key: block.value for key, block in blocks.items()} != values:
        raise FrontMatterError("its lines can't be split by keys")
    return blocks, rest


def read_values(text: str) -> dict[str, str]:
    """Return the values in a front matter by their keys, as JSON with sorted keys; raise FrontMatterError if it is no YAML mapping."""
    values = parse_front_matter(f"---\n{text}---\n") if text else {}
    return {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def split_lines(
    text: str, spans: Sequence[tuple[yaml.Node, yaml.Node]]
) -> tuple[list[tuple[str, str]], str]:
    """Return, for each pair of a first and a last node, the lines before them and their own, and then the lines after all of them."""
    chunks, start = [], 0
    for first, last in spans:
        begin, end = first.start_mark.index - first.start_mark.column, find_end(text, last)
        chunks.append((text[start:begin], text[begin:end]))
        start = end
    return chunks, text[start:]


def find_end(text: str, node: yaml.Node) -> int:
    """Return where the last line of a node ends, with the comment on it."""
    while (
        isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style
    ):  # libyaml ends it only at the next key, after the comments
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    mark = node.end_mark
    if mark.column == 0:  # a literal or folded text, which ends with its own line
        return int(mark.index)
    match = LINE_END.search(text, mark.index)
    return match.end() if match else len(text)


def edit_list(block: Block, removed: Collection[str], added: Sequence[str]) -> str:
    """Return the lines of a block without some items of its list, and with others after the rest, which stay as they are written.

    `removed` and `added` are JSON. A block that holds one plain value is written anew as a list.
    """
    text = block.text
    root = yaml.compose(text, CardLoader)
    assert isinstance(root, yaml.MappingNode)
    [(key, node)] = root.value
    if not isinstance(node, yaml.SequenceNode):
        values = [value for value in [block.value] if value not in removed]
        return dump_list(key.value, [*values, *added])
    items = [json.dumps(item, sort_keys=True) for item in json.loads(block.value)]
    kept = [item not in removed for item in items]
    if not any(kept):
        return dump_list(key.value, added)
    if node.flow_style:
        pieces = [
            text[item.start_mark.index : item.end_mark.index]
            for item, keep in zip(node.value, kept, strict=True)
            if keep
        ]
        pieces += map(dump_item, added)
        return (
            text[: node.value[0].start_mark.index]
            + ", ".join(pieces)
            + text[node.value[-1].end_mark.index :]
        )
    chunks, rest = split_lines(text, [(item, item) for item in node.value])
    lines = [lead + own * keep for (lead, own), keep in zip(chunks, kept, strict=True)]
    dash = chunks[0][1][: node.value[0].start_mark.column]
    lines += [f"{dash}{dump_item(item)}\n" for item in added]
    return "".join(lines) + rest


def dump_list(key: str, items: Sequence[str]) -> str:
    return dump({key: [json.loads(item) for item in items]})


def dump_item(item: str) -> str:
    return dump([json.loads(item)], flow=True).strip()[1:-1]


def dump(value: Any, flow: bool = False) -> str:
    return str(
        yaml.dump(
            value,
            Dumper=Dumper,
            allow_unicode=True,
            sort_keys=False,
            width=10**9,
            default_flow_style=flow,
        )
    )
