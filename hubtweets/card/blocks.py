"""A front matter as blocks of lines, one per key, so that one can change and the others stay.

In: YAML. Out: for each key its lines, the comments and blank lines before them, and its value. Each
block is parsed again on its own and must have the value that it has in the whole, so text whose
lines can't be split by keys is refused, never misread.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hubtweets.card.card_parser import CardLoader, FrontMatterError, parse_front_matter
from hubtweets.card.metadata import Dumper

# The line breaks of libyaml: YAML 1.1, section 5.4
LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]|\\Z")


@dataclass(frozen=True)
class Block:
    """The lines of a key, the comments and blank lines before them, and the key's value.

    The value is JSON with sorted keys.
    """

    lead: str
    text: str
    value: str


def read_blocks(text: str) -> tuple[dict[str, Block], str]:
    """Return the blocks of a front matter by their keys, and the text after the last one.

    Raises FrontMatterError if the lines can't be split by keys.
    """
    values = read_values(text)
    root = yaml.compose(text, CardLoader) if values else None
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    chunks, rest = split_lines(text, pairs)
    blocks: dict[str, Block] = {}
    for lead, own in chunks:
        for key, value in read_values(own).items():
            if key in blocks:
                raise FrontMatterError(f"{key!r} shares a line with another key, or is repeated")
            blocks[key] = Block(lead, own, value)
    if {key: block.value for key, block in blocks.items()} != values:
        raise FrontMatterError("the lines can't be split by keys")
    return blocks, rest


def read_values(text: str) -> dict[str, str]:
    """Return the values of a front matter by their keys, as JSON with sorted keys.

    Raises FrontMatterError if it is not a YAML mapping.
    """
    values = parse_front_matter(f"---\n{text}---\n") if text else {}
    return {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def split_lines(
    text: str, spans: Sequence[tuple[yaml.Node, yaml.Node]]
) -> tuple[list[tuple[str, str]], str]:
    """Split a text by spans of YAML nodes, each given by its first and last node.

    Return (lines before, own lines) for each span, and the lines after the last one.
    """
    chunks, start = [], 0
    for first, last in spans:
        begin = first.start_mark.index - first.start_mark.column
        end = find_end(text, last)
        chunks.append((text[start:begin], text[begin:end]))
        start = end
    return chunks, text[start:]


def find_end(text: str, node: yaml.Node) -> int:
    """Return the index after the last line of a node, including a comment on that line."""
    # libyaml ends a block collection only at the next key, after the comments: take its last item
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    mark = node.end_mark
    if mark.column == 0:  # a literal or folded scalar, which includes its last line break
        return int(mark.index)
    match = LINE_END.search(text, mark.index)
    return match.end() if match else len(text)


def edit_list(block: Block, removed: Collection[str], added: Sequence[str]) -> str:
    """Return the lines of a block with items of its list removed and others appended.

    `removed` and `added` are JSON. The other items keep their text. A block that holds a single
    plain value is written anew as a list.
    """
    root = yaml.compose(block.text, CardLoader)
    assert isinstance(root, yaml.MappingNode)
    [(key, node)] = root.value
    if not isinstance(node, yaml.SequenceNode):
        values = [value for value in [block.value] if value not in removed]
        return dump_list(key.value, [*values, *added])
    items = [json.dumps(item, sort_keys=True) for item in json.loads(block.value)]
    kept = [item not in removed for item in items]
    if not any(kept):
        return dump_list(key.value, added)
    edit = edit_flow_list if node.flow_style else edit_block_list
    return edit(block.text, node, kept, added)


def edit_flow_list(
    text: str, node: yaml.SequenceNode, kept: Sequence[bool], added: Sequence[str]
) -> str:
    """Edit a list in brackets, `[a, b]`."""
    items = [
        text[item.start_mark.index : item.end_mark.index]
        for item, is_kept in zip(node.value, kept, strict=True)
        if is_kept
    ]
    items += map(dump_item, added)
    before = text[: node.value[0].start_mark.index]
    return before + ", ".join(items) + text[node.value[-1].end_mark.index :]


def edit_block_list(
    text: str, node: yaml.SequenceNode, kept: Sequence[bool], added: Sequence[str]
) -> str:
    """Edit a list with a dash and a line for each item; comments of removed items stay."""
    chunks, rest = split_lines(text, [(item, item) for item in node.value])
    lines = [lead + own * is_kept for (lead, own), is_kept in zip(chunks, kept, strict=True)]
    dash = chunks[0][1][: node.value[0].start_mark.column]
    lines += [f"{dash}{dump_item(item)}\n" for item in added]
    return "".join(lines) + rest


def dump_list(key: str, items: Sequence[str]) -> str:
    """Return a key with a list of JSON items as YAML."""
    return dump({key: [json.loads(item) for item in items]})


def dump_item(item: str) -> str:
    """Return a JSON item as YAML in a list of one line."""
    return dump([json.loads(item)], flow=True).strip()[1:-1]


def dump(value: Any, flow: bool = False) -> str:
    text = yaml.dump(
        value,
        Dumper=Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=10**9,
        default_flow_style=flow,
    )
    return str(text)
