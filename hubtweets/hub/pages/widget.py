"""Lets a visitor try a model on its page: recorded examples, settings, and text generation."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hubtweets.hub.api.requests import check_gate, get_repo, get_storage, read_json
from hubtweets.hub.errors import HubError
from hubtweets.hub.generation.workers import WorkerPool
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.storage import Storage

MAX_EXAMPLES = 20
MAX_TEXTS = 5
MAX_PROMPT_CHARS = 1000
MAX_SETTINGS_BYTES = 2**16


class Setting(NamedTuple):
    """A setting that a visitor may change: its bounds, and its value if the model has none."""

    least: float
    most: float
    default: float


SETTINGS = {"temperature": Setting(0.1, 2, 1), "max_new_tokens": Setting(16, 512, 160)}


class Example(NamedTuple):
    title: str
    prompt: str
    output: str


def parse_examples(metadata: dict[str, Any]) -> list[Example]:
    """Return the prompts in a card's front matter.

    Items that don't have the form that the Hub documents are left out.
    """
    items = metadata.get("widget")
    found = []
    for item in items[:MAX_EXAMPLES] if isinstance(items, list) else []:
        prompt = item.get("text") if isinstance(item, dict) else None
        if isinstance(prompt, str):
            title, output = item.get("example_title"), item.get("output")
            text = output.get("text") if isinstance(output, dict) else None
            found.append(
                Example(
                    title if isinstance(title, str) else prompt,
                    prompt,
                    text if isinstance(text, str) else "",
                )
            )
    return found


def read_settings(storage: Storage, commit: Commit) -> dict[str, float]:
    """Return the model's own value of each setting, or the default if it has no usable one."""
    found: Any = None
    entry = commit.files.get("generation_config.json")
    if entry and entry.size <= MAX_SETTINGS_BYTES:
        with suppress(ValueError, RecursionError):
            found = json.loads(storage.blobs.path(entry.sha256).read_bytes())
    values = found if isinstance(found, dict) else {}
    return {
        name: values[name] if is_within(values.get(name), setting) else setting.default
        for name, setting in SETTINGS.items()
    }


def is_within(value: object, setting: Setting) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and setting.least <= value <= setting.most
    )


async def generate_texts(request: Request) -> Response:
    """Stream generated texts, one line of JSON for each piece."""
    content_type = request.headers.get("content-type", "").partition(";")[0]
    if content_type != "application/json":  # which a form on another site can't send
        raise HubError(415, "send the prompt as application/json")
    repo, body = get_repo(request), await read_json(request)
    check_gate(request, repo)
    (prompt, count), settings = parse_prompt(body), parse_settings(body)
    storage = get_storage(request)
    commit = await run_in_threadpool(storage.resolve, repo, "main")
    files = {
        path: str(storage.blobs.path(entry.sha256).absolute())
        for path, entry in commit.files.items()
        if "/" not in path
    }
    asked = {
        "repo_id": repo.id,
        "commit": commit.id,
        "prompt": prompt,
        "count": count,
        "seed": secrets.randbelow(2**31),
        "settings": settings,
        "files": files,
    }
    lines = stream_lines(request.app.state.workers, asked)
    return ClosingStream(lines, media_type="application/x-ndjson")


def parse_prompt(body: dict[str, Any]) -> tuple[str, int]:
    """Return the prompt and the number of texts; raise HubError 400 if they are invalid."""
    prompt, count = body.get("prompt"), body.get("count")
    if not isinstance(prompt, str) or len(prompt) > MAX_PROMPT_CHARS:
        raise HubError(400, f"prompt must be a text of at most {MAX_PROMPT_CHARS:,} characters")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MAX_TEXTS:
        raise HubError(400, f"count must be a number from 1 to {MAX_TEXTS}")
    return prompt, count


def parse_settings(body: dict[str, Any]) -> dict[str, float]:
    """Return the settings of a request; raise HubError 400 if one is out of its bounds."""
    given = {name: body[name] for name in SETTINGS if name in body}
    for name, value in given.items():
        setting = SETTINGS[name]
        if not is_within(value, setting):
            raise HubError(
                400, f"{name} must be a number from {setting.least:g} to {setting.most:g}"
            )
    return given


class ClosingStream(StreamingResponse):
    """A streaming response that closes its generator.

    starlette leaves it to the garbage collector if the client disconnects.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)


async def stream_lines(workers: WorkerPool, asked: dict[str, Any]) -> AsyncIterator[str]:
    """Yield a line with the seed, then one for each message; the last has `done` or `error`."""
    yield json.dumps({"seed": asked["seed"]}) + "\n"
    async with aclosing(workers.generate(asked["repo_id"], asked)) as messages:
        async for message in messages:
            yield json.dumps(message) + "\n"
