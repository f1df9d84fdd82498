"""The process that writes texts with models of unknown origin, so that none of them can harm the Hub.

In, on stdin: a line of JSON for each request, with the arguments of `generation.generate`, and an empty line to stop it. Out, on stdout: a line of
JSON for each piece of text, at last {"done": true} or {"error": ...}. It ends when stdin does, so it never outlives the Hub.
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

SPARE_BYTES = (
    2**30
)  # of memory besides the weights: for a cache of 512 tokens, a tokenizer, and what Python needs
BYTES_PER_WEIGHT = 12  # in fp32, and twice that for what is held while they are loaded and used
MAX_TEXT_CHARS = 2**16


class StoppedError(Exception):
    """Nobody listens any more."""


def main() -> None:
    requests, stop = SimpleQueue[str](), threading.Event()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints something must not be taken for a text
    threading.Thread(target=read_requests, args=(requests, stop), daemon=True).start()
    used = psutil.Process().memory_info().data if sys.platform == "linux" else 0
    while True:
        request = json.loads(requests.get())
        try:
            answer_request(request, answers, stop, used)
            last: dict[str, Any] = {"done": True}
        except Exception as error:  # a model is anybody's, and breaks in its own way
            last = {"error": describe_error(error, request["repo_id"])}
        print(json.dumps(last), file=answers, flush=True)


def read_requests(requests: SimpleQueue[str], stop: threading.Event) -> None:
    """Pass on requests as they come; end the process with the Hub's, or when the Hub closes its end."""
    for line in sys.stdin:
        if line.strip():
            stop.clear()  # the last request may have ended before it was told to
            requests.put(line)
        else:
            stop.set()
    os._exit(0)


def answer_request(
    request: dict[str, Any], answers: IO[str], stop: threading.Event, used: int
) -> None:
    length: dict[int, int] = {}

    def say(index: int, text: str) -> None:
        length[index] = length.get(index, 0) + len(text)
        if length[index] > MAX_TEXT_CHARS:
            raise HubtweetsError(
                f"{request['repo_id']}: its text has over {MAX_TEXT_CHARS:,} characters"
            )
        print(json.dumps({"index": index, "text": text}), file=answers, flush=True)

    def check() -> None:
        if stop.is_set():
            raise StoppedError

    files = {path: Path(file) for path, file in request["files"].items()}
    limit_memory(used + SPARE_BYTES + BYTES_PER_WEIGHT * count_model_weights(files))
    model, texts = (
        (files, request["repo_id"], request["commit"]),
        (request["prompt"], request["count"], request["seed"]),
    )
    generate.generate(*model, *texts, say, check)


def count_model_weights(files: Mapping[str, Path]) -> int:
    """Return how many weights a model has, those of an adapter's base included; 0 if they can't be read, which loading them will tell."""
    try:
        paths = [file for path, file in files.items() if path.endswith(".safetensors")]
        if ADAPTER_CONFIG in files:
            base = localize_adapter_base(
                json.loads(files[ADAPTER_CONFIG].read_text(encoding="utf-8"))
            )["base_model_name_or_path"]
            paths += Path(base).glob("*.safetensors")
        return count_weights(paths)
    except Exception:
        return 0


def limit_memory(size: int) -> None:
    """Let this process have no more than `size` bytes, nor half of the machine's memory; only Linux keeps to that."""
    half = psutil.virtual_memory().total // 2
    _, hard = resource.getrlimit(
        resource.RLIMIT_DATA
    )  # of RLIMIT_AS, CUDA and memory maps would take any amount
    resource.setrlimit(resource.RLIMIT_DATA, (min(size, half), hard))


def describe_error(error: Exception, repo_id: str) -> str:
    """Return an error as one short line."""
    if (
        isinstance(error, MemoryError)
        or "allocate memory" in str(error)
        or "bad_alloc" in str(error)
    ):
        return f"{repo_id}: its model takes more memory than its size explains"
    return str(error).strip().partition("\n")[0][:500] or type(error).__name__


if __name__ == "__main__":
    main()
