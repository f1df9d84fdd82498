"""A card's front matter and body."""

import json
import re
from typing import Any

import yaml

from hubtweets.hub.storage import HubError

FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---(\r?\n|\Z)", re.DOTALL)


def body(card: str) -> str:
    """Return a card without its front matter."""
    return FRONT_MATTER.sub("", card, count=1)


def front_matter(card: str) -> dict[str, Any]:
    """Return a card's metadata as JSON knows it; raise HubError 400 where it is no YAML mapping."""
    match = FRONT_MATTER.match(card)
    if match is None:
        return {}
    try:
        metadata = yaml.safe_load(match[1])
        metadata = json.loads(json.dumps(metadata, default=str, allow_nan=False))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise HubError(400, f"the front matter is no YAML that JSON could hold: {error}") from None
    if not isinstance(metadata, dict):
        raise HubError(400, "the front matter is no YAML mapping")
    return metadata
