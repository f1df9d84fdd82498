"""The front matter and the body of a card.

The front matter is YAML as the Hub reads it, between two lines of dashes. It may be anyone's, so
its size, its depth and what YAML can expand to are limited.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FRONT_MATTER = re.compile(r"\A\ufeff?\s*---\r?\n(.*?)\r?\n---(\r?\n|\Z)", re.DOTALL)
MAX_FRONT_MATTER_BYTES = 64 * 2**10
FENCE_BYTES = 32  # a byte order mark and the two lines of dashes take 15
MAX_YAML_DEPTH = 50


# The core schema of YAML 1.2.2, section 10.3.2, which the Hub reads: `no`, `on`, `12:30:45` and
# dates are strings, 01234 is a decimal number.
CORE_SCHEMA = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}


class CardLoader(yaml.CSafeLoader):
    """Reads YAML 1.2 with libyaml."""

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        return int(node.value, 0 if node.value.startswith(("0o", "0x")) else 10)


CardLoader.yaml_implicit_resolvers = {}
for name, (pattern, first) in CORE_SCHEMA.items():
    CardLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), first
    )
CardLoader.add_constructor("tag:yaml.org,2002:int", CardLoader.construct_integer)


class FrontMatterError(ValueError):
    """Raised for a front matter that the Hub would refuse."""


def strip_front_matter(card: str) -> str:
    """Return a card without its front matter."""
    return FRONT_MATTER.sub("", card, count=1)


def parse_front_matter(card: str) -> dict[str, Any]:
    """Return the metadata of a card as JSON types, {} if it has none.

    Raises FrontMatterError if it is not a YAML mapping, or over MAX_FRONT_MATTER_BYTES.
    """
    match = FRONT_MATTER.match(card)
    if match is None:
        return {}
    if len(match[1].encode(errors="surrogatepass")) > MAX_FRONT_MATTER_BYTES:
        raise FrontMatterError(f"the front matter is over {MAX_FRONT_MATTER_BYTES} bytes")
    text = match[1] + "\n"  # without it, libyaml reads the last line of a literal as unfinished
    try:
        check_yaml(text)
        metadata = yaml.load(text, CardLoader)
        metadata = json.loads(
            json.dumps(metadata, default=str, allow_nan=False, ensure_ascii=False).encode()
        )
    except Exception as error:  # constructors of PyYAML raise AttributeError, IndexError, KeyError
        raise FrontMatterError(f"the front matter can't be read as JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise FrontMatterError("the front matter is not a YAML mapping")
    return metadata


def check_yaml(text: str) -> None:
    """Raise ValueError for YAML that is not read here.

    That is an alias, with which ten lines can expand to gigabytes; a merge key, which only some
    readers follow (YAML 1.2 has none); and a depth that would overflow libyaml's stack.
    """
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases are not read here")
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            raise ValueError("merge keys are not read here")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_YAML_DEPTH:
            raise ValueError(f"nested more than {MAX_YAML_DEPTH} levels deep")


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a stored card, {} if the Hub would refuse it.

    It reads no more of the file than a front matter may have.
    """
    return json.loads(read_metadata_json(path))


# A stored content never changes. JSON, for the largest front matter takes 200 KB as JSON and
# several MB as objects.
@lru_cache(256)
def read_metadata_json(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(MAX_FRONT_MATTER_BYTES + FENCE_BYTES).decode("utf-8", "replace")
    try:
        return json.dumps(parse_front_matter(start), ensure_ascii=False)
    except FrontMatterError:
        return "{}"
