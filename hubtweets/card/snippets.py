"""The Python of a card, run as its reader would run it.

In: a card and the folder of its repo. Out: what each snippet printed. They run in a fresh interpreter, in an empty folder in which the repo's id is
a path to that folder, without network, token or the user's settings; only the cache of the Hub is there, for an adapter's base.
"""

import ast
import json
import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from hubtweets.errors import HubtweetsError

TIMEOUT_MINUTES = 30  # for all of a card's snippets
KEPT_VARIABLES = (
    "PATH",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "TMPDIR",
)  # what Python and torch need to start

# runs each snippet of a list in a namespace of its own, and says as a line of JSON what it printed and how it failed
RUNNER = """
import contextlib, io, json, os, sys, traceback
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for snippet in json.load(sys.stdin):
    printed, error = io.StringIO(), None
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(snippet, "<snippet>", "exec"), {"__name__": "__main__"})
    except BaseException as failure:
        error = traceback.format_exception_only(failure)[-1].strip()
    print(json.dumps([printed.getvalue(), error]), file=answer, flush=True)
"""


def find_snippets(card: str) -> list[str]:
    """Return the Python snippets of a card, in their order."""
    return [
        token.content
        for token in MarkdownIt("commonmark").parse(card)
        if token.type == "fence" and token.info.strip() == "python"
    ]


def strip_constants(snippet: str) -> str:
    """Return what a snippet does, whatever the strings and numbers in it: two of the same shape differ in those alone.

    Raises SyntaxError for what is no Python.
    """
    tree = ast.parse(snippet)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = type(node.value).__name__
    return ast.dump(tree)


def run_snippets(snippets: Sequence[str], repo_id: str, repo: Path) -> list[str]:
    """Run snippets, one after the other, and return what each printed; raise HubtweetsError for one that fails or prints nothing."""
    from huggingface_hub import constants

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / repo_id).parent.mkdir(parents=True, exist_ok=True)
        (folder / repo_id).symlink_to(repo.resolve(), target_is_directory=True)
        environment = {
            **{kept: os.environ[kept] for kept in KEPT_VARIABLES if kept in os.environ},
            **{"HOME": name, "PYTHONUSERBASE": site.getuserbase(), "PYTHONUTF8": "1"},
            **{
                "HF_HOME": f"{name}/.hf",
                "HF_HUB_CACHE": constants.HF_HUB_CACHE,
                "HF_HUB_OFFLINE": "1",
            },
        }
        command = [sys.executable, "-P", "-c", RUNNER]
        try:
            done = subprocess.run(
                command,
                input=json.dumps(list(snippets)),
                cwd=folder,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                timeout=60 * TIMEOUT_MINUTES,
            )
        except subprocess.TimeoutExpired:
            raise HubtweetsError(
                f"the card's snippets are still running after {TIMEOUT_MINUTES} minutes; take a smaller base: --base ID"
            ) from None
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    last = next(reversed(done.stderr.splitlines()), f"it ended with code {done.returncode}")
    for number, (printed, error) in enumerate(
        [*answers, *[("", last)] * (len(answers) < len(snippets))], 1
    ):
        if error or not printed.strip():
            raise HubtweetsError(
                f"snippet {number} of {len(snippets)} on the card fails: {(error or 'it prints nothing').splitlines()[-1]}"
            )
    return [printed for printed, _ in answers]
