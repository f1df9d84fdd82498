"""A card's front matter and body."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FRONT_MATTER = re.compile(r"\A\ufeff?---\r?\n(.*?)\r?\n---(\r?\n|\Z)", re.DOTALL)
MAX_FRONT_MATTER_BYTES = 64 * 2**10
FENCE_BYTES = 32  # a byte order mark and the two lines of dashes take 15
MAX_YAML_DEPTH = 50


# The core schema of YAML 1.2.2, section 10.3.2, which the Hub reads: `no`, `on`, `12:30:45` and dates are texts, 01234 is a decimal number.
CORE_SCHEMA = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
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
    """A front matter that the Hub would refuse."""


def strip_front_matter(card: str) -> str:
    """Return a card without its front matter."""
    return FRONT_MATTER.sub("", card, count=1)


def parse_front_matter(card: str) -> dict[str, Any]:
    """Return a card's metadata as JSON knows it; raise FrontMatterError if it is no YAML mapping, or over MAX_FRONT_MATTER_BYTES."""
    match = FRONT_MATTER.match(card)
    if match is None:
        return {}
    if len(match[1].encode(errors="surrogatepass")) > MAX_FRONT_MATTER_BYTES:
        raise FrontMatterError(f"the front matter is over {MAX_FRONT_MATTER_BYTES} bytes")
    try:
        text = (
            match[1] + "\n"
        )  # without it libyaml takes the last line of a literal text for one that has no end
        check_yaml(text)
        metadata = yaml.load(text, CardLoader)
        metadata = json.loads(
            json.dumps(metadata, default=str, allow_nan=False, ensure_ascii=False).encode()
        )
    except Exception as error:  # PyYAML lets through what its constructors raise: AttributeError, IndexError, KeyError
        raise FrontMatterError(
            f"the front matter is no YAML that JSON could hold: {error}"
        ) from None
    if not isinstance(metadata, dict):
        raise FrontMatterError("the front matter is no YAML mapping")
    return metadata


def check_yaml(text: str) -> None:
    """Raise ValueError for YAML that isn't read here.

    That is an alias, with which ten lines can stand for gigabytes, a merge key, which only some readers follow (YAML 1.2 has none), and a depth that
    would overflow libyaml's stack.
    """
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases are not read here")
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            raise ValueError("merge keys are not read here")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if depth > MAX_YAML_DEPTH:
            raise ValueError(f"nested more than {MAX_YAML_DEPTH} levels deep")


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a kept card, {} if the Hub would refuse it; of the file no more is read than front matter may have."""
    return json.loads(read_metadata_json(path))


@lru_cache(
    256
)  # a content never changes; as JSON, the largest front matter takes 200 KB, as objects several MB
def read_metadata_json(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(MAX_FRONT_MATTER_BYTES + FENCE_BYTES).decode("utf-8", "replace")
    try:
        return json.dumps(parse_front_matter(start), ensure_ascii=False)
    except FrontMatterError:
        return "{}"
