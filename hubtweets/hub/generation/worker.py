"""The process that generates texts with untrusted models, so that none of them can harm the Hub.

In, on stdin: one line of JSON for each request, with the arguments of `generate.generate`, and an
empty line to stop it. Out, on stdout: one line of JSON for each piece of text, and at the end
{"done": true} or {"error": ...}. It exits when stdin closes, so it never outlives the Hub.
"""

import json
import os
import resource
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import psutil

from hubtweets.errors import HubtweetsError
from hubtweets.hub.generation import generate
from hubtweets.models.inspection import ADAPTER_CONFIG
from hubtweets.models.limits import count_weights
from hubtweets.models.untrusted import localize_adapter_base

# memory besides the weights: for a cache of 512 tokens, a tokenizer, and Python itself
SPARE_BYTES = 2**30
BYTES_PER_WEIGHT = 12  # 4 in fp32, and twice that for loading and use
MAX_TEXT_CHARS = 2**16


class StoppedError(Exception):
    """The client no longer listens."""


def main() -> None:
    requests, stop = SimpleQueue[str](), threading.Event()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    threading.Thread(target=read_requests, args=(requests, stop), daemon=True).start()
    used = psutil.Process().memory_info().data if sys.platform == "linux" else 0
    while True:
        request = json.loads(requests.get())
        try:
            answer_request(request, answers, stop, used)
            last: dict[str, Any] = {"done": True}
        except Exception as error:  # an untrusted model can raise anything
            last = {"error": describe_error(error, request["repo_id"])}
        print(json.dumps(last), file=answers, flush=True)


def read_requests(requests: SimpleQueue[str], stop: threading.Event) -> None:
    """Queue requests as they come; exit when the Hub exits or closes stdin."""
    for line in sys.stdin:
        if line.strip():
            stop.clear()  # the last request may have ended before it was stopped
            requests.put(line)
        else:
            stop.set()
    os._exit(0)


def answer_request(
    request: dict[str, Any], answers: IO[str], stop: threading.Event, used: int
) -> None:
    """Generate a request's texts; `used` is the memory in bytes that this process began with."""
    repo_id = request["repo_id"]
    lengths: dict[int, int] = {}

    def send_text(index: int, text: str) -> None:
        lengths[index] = lengths.get(index, 0) + len(text)
        if lengths[index] > MAX_TEXT_CHARS:
            raise HubtweetsError(f"{repo_id}: its text has over {MAX_TEXT_CHARS:,} characters")
        print(json.dumps({"index": index, "text": text}), file=answers, flush=True)

    def raise_if_stopped() -> None:
        if stop.is_set():
            raise StoppedError

    files = {path: Path(file) for path, file in request["files"].items()}
    limit_memory(used + SPARE_BYTES + BYTES_PER_WEIGHT * count_model_weights(files))
    generate.generate(
        files,
        repo_id,
        request["commit"],
        request["prompt"],
        request["count"],
        request["seed"],
        send_text,
        raise_if_stopped,
        **request.get("settings", {}),
    )


def count_model_weights(files: Mapping[str, Path]) -> int:
    """Return the number of a model's weights, including those of an adapter's base.

    It is 0 if they can't be read; loading them then raises the error.
    """
    try:
        paths = [file for path, file in files.items() if path.endswith(".safetensors")]
        if ADAPTER_CONFIG in files:
            config = localize_adapter_base(
                json.loads(files[ADAPTER_CONFIG].read_text(encoding="utf-8"))
            )
            paths += Path(config["base_model_name_or_path"]).glob("*.safetensors")
        return count_weights(paths)
    except Exception:
        return 0


def limit_memory(size: int) -> None:
    """Limit this process to `size` bytes, and to half of the machine's memory.

    Only Linux enforces it.
    """
    half = psutil.virtual_memory().total // 2
    # RLIMIT_AS would also count the address space of CUDA and of memory maps
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (min(size, half), hard))


def describe_error(error: Exception, repo_id: str) -> str:
    """Return an error as one short line."""
    text = str(error)
    if isinstance(error, MemoryError) or "allocate memory" in text or "bad_alloc" in text:
        return f"{repo_id}: its model takes more memory than its size explains"
    return text.strip().partition("\n")[0][:500] or type(error).__name__


if __name__ == "__main__":
    main()
