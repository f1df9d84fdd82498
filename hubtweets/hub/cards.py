"""A card's front matter and body."""

import json
import re
from typing import Any

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hubtweets.hub.errors import HubError
from hubtweets.hub.metadata import faults
from hubtweets.hub.requests import json_of

FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---(\r?\n|\Z)", re.DOTALL)


class NoAliases(yaml.SafeLoader):
    """Reads YAML without aliases, with which ten lines can stand for gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise HubError(400, "aliases are not read here")
        return super().compose_node(parent, index)


def body(card: str) -> str:
    """Return a card without its front matter."""
    return FRONT_MATTER.sub("", card, count=1)


def front_matter(card: str) -> dict[str, Any]:
    """Return a card's metadata as JSON knows it; raise HubError 400 where it is no YAML mapping."""
    match = FRONT_MATTER.match(card)
    if match is None:
        return {}
    try:
        metadata = yaml.load(match[1], NoAliases)
        metadata = json.loads(json.dumps(metadata, default=str, allow_nan=False, ensure_ascii=False).encode())
    except Exception as error:  # PyYAML lets through what its constructors raise: AttributeError, IndexError, KeyError
        raise HubError(400, f"the front matter is no YAML that JSON could hold: {error}") from None
    if not isinstance(metadata, dict):
        raise HubError(400, "the front matter is no YAML mapping")
    return metadata


async def validate(request: Request) -> Response:
    """Say what the Hub would refuse in a card; in plain text to a client that wants no JSON."""
    body, warnings = await json_of(request), []
    content = body.get("content") if isinstance(body.get("content"), str) else ""
    try:
        metadata = front_matter(str(content))
        errors = await run_in_threadpool(faults, metadata, str(body.get("repoType") or "model"))
        if not metadata:
            errors, warnings = [], ["empty or missing yaml metadata in repo card"]
    except HubError as error:
        errors = [error.message]
    if errors and request.headers.get("accept") == "text/plain":
        return PlainTextResponse("\n".join(f"- {error}" for error in errors), 400)
    lists = {"errors": [{"message": error} for error in errors], "warnings": [{"message": warning} for warning in warnings]}
    return JSONResponse(lists, 400 if errors else 200)
