"""A model tried out on its page: the prompts that its card gives with recorded outputs, and texts that it makes now.

One thread makes texts, for one model at a time is all that a machine should hold; who asks meanwhile waits. It stops where nobody listens.
"""

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hubtweets.hub.errors import HubError
from hubtweets.hub.requests import check_gate, json_of, repo_of, storage_of
from hubtweets.hub.storage import Repo, Storage

MOST_EXAMPLES = 20
MOST_TEXTS = 5
LONGEST = 1000  # characters of a prompt

thread = ThreadPoolExecutor(1, "generation")


class Example(NamedTuple):
    title: str
    prompt: str
    output: str


class GoneError(Exception):
    """Nobody listens any more."""


def examples(metadata: dict[str, Any]) -> list[Example]:
    """Return the prompts of a card's front matter; what has not the shape that the Hub documents is left out."""
    widget = metadata.get("widget")
    found = []
    for one in widget[:MOST_EXAMPLES] if isinstance(widget, list) else []:
        prompt = one.get("text") if isinstance(one, dict) else None
        if isinstance(prompt, str):
            title, output = one.get("example_title"), one.get("output")
            recorded = output.get("text") if isinstance(output, dict) else None
            found.append(Example(title if isinstance(title, str) else prompt, prompt, recorded if isinstance(recorded, str) else ""))
    return found


async def generate(request: Request) -> Response:
    """Answer with texts as they come, a line of JSON for each piece; raise HubError for what no page of this Hub would send."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":  # a form elsewhere can't send that
        raise HubError(415, "a prompt comes as application/json")
    repo, body = repo_of(request), await json_of(request)
    check_gate(request, repo)
    prompt, count = body.get("prompt"), body.get("count")
    if not isinstance(prompt, str) or len(prompt) > LONGEST:
        raise HubError(400, f"a prompt is a text of at most {LONGEST:,} characters")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST_TEXTS:
        raise HubError(400, f"count is a number from 1 to {MOST_TEXTS}")
    return StreamingResponse(stream(work(storage_of(request), repo, prompt, count)), media_type="application/x-ndjson")


Say = Callable[[dict[str, Any]], None]


def work(storage: Storage, repo: Repo, prompt: str, count: int) -> Callable[[Say], None]:
    def make(say: Say) -> None:
        seed = secrets.randbelow(2**31)
        say({"seed": seed})
        from hubtweets.hub import generation  # loads torch, which nobody needs who only reads

        commit = storage.resolve(repo, "main")
        generation.generate(storage, repo, commit, prompt, count, seed, lambda index, text: say({"index": index, "text": text}))

    return make


async def stream(make: Callable[[Say], None]) -> AsyncIterator[str]:
    """Yield a line for all that is said in the thread, at last that it is done, or an error."""
    loop, lines, gone = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]](), threading.Event()

    def say(line: dict[str, Any]) -> None:
        if gone.is_set():
            raise GoneError
        loop.call_soon_threadsafe(lines.put_nowait, line)

    def make_all() -> None:
        try:
            make(say)
            last: dict[str, Any] = {"done": True}
        except Exception as error:  # a model is anybody's, and breaks in its own way
            last = {"error": str(error).strip().partition("\n")[0][:500] or type(error).__name__}
        say(last)

    thread.submit(make_all)
    try:
        while True:
            line = await lines.get()
            yield json.dumps(line) + "\n"
            if "done" in line or "error" in line:
                return
    finally:
        gone.set()
