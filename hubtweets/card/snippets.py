"""The Python snippets of a card, run as a reader would run them.

In: a card and the folder of its repo. Out: what each snippet printed. They run in a new interpreter
and an empty folder, where the repo's id is a path to the repo, without network, token or the user's
settings. Only the Hub's cache is shared, for the base of an adapter.
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

TIMEOUT_MINUTES = 30  # for all snippets of a card
KEPT_VARIABLES = (  # which Python and torch need to start
    "PATH",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "TMPDIR",
)

# Runs each snippet of a JSON list in its own namespace, and writes what it printed and its error as
# a line of JSON. The snippets' own standard output goes to standard error.
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
    tokens = MarkdownIt("commonmark").parse(card)
    return [
        token.content
        for token in tokens
        if token.type == "fence" and token.info.strip() == "python"
    ]


def strip_constants(snippet: str) -> str:
    """Return a snippet's syntax tree without the values of strings and numbers.

    Snippets with the same result differ in those values only. Raises SyntaxError if the snippet is
    not Python.
    """
    tree = ast.parse(snippet)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = type(node.value).__name__
    return ast.dump(tree)


def run_snippets(snippets: Sequence[str], repo_id: str, repo: Path) -> list[str]:
    """Run snippets one after the other and return what each printed.

    Raises HubtweetsError if one fails or prints nothing, or if they take over 30 minutes.
    """
    done = run_isolated(snippets, repo_id, repo)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) < len(snippets):  # the interpreter died in the next one
        last = next(reversed(done.stderr.splitlines()), f"it ended with code {done.returncode}")
        answers.append(["", last])
    for number, (printed, error) in enumerate(answers, 1):
        if error or not printed.strip():
            reason = (error or "it prints nothing").splitlines()[-1]
            raise HubtweetsError(f"snippet {number} of {len(snippets)} on the card fails: {reason}")
    return [printed for printed, _ in answers]


def run_isolated(
    snippets: Sequence[str], repo_id: str, repo: Path
) -> subprocess.CompletedProcess[str]:
    """Run the snippets in a new interpreter, in an empty folder with a link to the repo."""
    with tempfile.TemporaryDirectory() as home:
        link = Path(home) / repo_id
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(repo.resolve(), target_is_directory=True)
        try:
            return subprocess.run(
                [sys.executable, "-P", "-c", RUNNER],
                input=json.dumps(list(snippets)),
                cwd=home,
                env=build_environment(home),
                capture_output=True,
                encoding="utf-8",
                timeout=60 * TIMEOUT_MINUTES,
            )
        except subprocess.TimeoutExpired:
            raise HubtweetsError(
                f"the card's snippets are still running after {TIMEOUT_MINUTES} minutes; "
                "take a smaller base: --base ID"
            ) from None


def build_environment(home: str) -> dict[str, str]:
    """Return the environment variables of the new interpreter."""
    from huggingface_hub import constants

    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        "HOME": home,
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONUTF8": "1",
        "HF_HOME": f"{home}/.hf",
        "HF_HUB_CACHE": constants.HF_HUB_CACHE,
        "HF_HUB_OFFLINE": "1",
    }
