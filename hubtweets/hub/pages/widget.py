"""A model tried out on its page: the prompts that its card gives with recorded outputs, and texts that it writes now."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hubtweets.hub.api.requests import check_gate, get_repo, get_storage, read_json
from hubtweets.hub.errors import HubError
from hubtweets.hub.generation.workers import WorkerPool

MAX_EXAMPLES = 20
MAX_TEXTS = 5
MAX_PROMPT_CHARS = 1000  # characters of a prompt


class Example(NamedTuple):
    title: str
    prompt: str
    output: str


def parse_examples(metadata: dict[str, Any]) -> list[Example]:
    """Return the prompts of a card's front matter; what has not the shape that the Hub documents is left out."""
    widget = metadata.get("widget")
    found = []
    for one in widget[:MAX_EXAMPLES] if isinstance(widget, list) else []:
        prompt = one.get("text") if isinstance(one, dict) else None
        if isinstance(prompt, str):
            title, output = one.get("example_title"), one.get("output")
            recorded = output.get("text") if isinstance(output, dict) else None
            found.append(
                Example(
                    title if isinstance(title, str) else prompt,
                    prompt,
                    recorded if isinstance(recorded, str) else "",
                )
            )
    return found


async def generate_texts(request: Request) -> Response:
    """Answer with texts as they come, a line of JSON for each piece; raise HubError for what no page of this Hub would send."""
    if (
        request.headers.get("content-type", "").partition(";")[0] != "application/json"
    ):  # a form elsewhere can't send that
        raise HubError(415, "a prompt comes as application/json")
    repo, body = get_repo(request), await read_json(request)
    check_gate(request, repo)
    prompt, count = body.get("prompt"), body.get("count")
    if not isinstance(prompt, str) or len(prompt) > MAX_PROMPT_CHARS:
        raise HubError(400, f"a prompt is a text of at most {MAX_PROMPT_CHARS:,} characters")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MAX_TEXTS:
        raise HubError(400, f"count is a number from 1 to {MAX_TEXTS}")
    commit = await run_in_threadpool(get_storage(request).resolve, repo, "main")
    workers: WorkerPool = request.app.state.workers
    asked = {
        "repo_id": repo.id,
        "commit": commit.id,
        "prompt": prompt,
        "count": count,
        "seed": secrets.randbelow(2**31),
    }
    files = {
        path: str(get_storage(request).blobs.path(entry.sha256).absolute())
        for path, entry in commit.files.items()
        if "/" not in path
    }
    return ClosingStream(
        stream_lines(workers, {**asked, "files": files}), media_type="application/x-ndjson"
    )


class ClosingStream(StreamingResponse):
    """A streamed answer whose generator ends with it: starlette leaves that of a client that has left to the garbage collector."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)


async def stream_lines(workers: WorkerPool, asked: dict[str, Any]) -> AsyncIterator[str]:
    """Yield the seed, and then a line for all that the model writes, at last that it is done, or an error."""
    yield json.dumps({"seed": asked["seed"]}) + "\n"
    async with aclosing(workers.write(asked["repo_id"], asked)) as lines:
        async for line in lines:
            yield json.dumps(line) + "\n"
