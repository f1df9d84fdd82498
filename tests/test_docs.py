"""The README, line by line, on the published example.

The two make commands that set everything up are run by CI.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hubtweets.hub import local
from hubtweets.hub.storage.storage import Storage
from tests.conftest import HUBTWEETS, PROGRAMS, environment, run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
EVAL = 'eval "$(hubtweets hub env)"'
SHORT = "0.02"  # epochs
# By tests of their own: with a server, a shell, a terminal, several processes, two authors, and
# every claim looked at.
ELSEWHERE = {
    "hubtweets hub",
    EVAL,
    "hubtweets sample lyons____ --pick",
    "hubtweets train lyons____ --base tiny --num-processes 2",
    "hubtweets verify huggingtweets/lyons____ --hub local",
    "hubtweets publish lyons____ carol --posts carol=carol.csv --hub local",
}


def test_every_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in COMMANDS:
        if line.startswith("make "):
            assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE), line
    helped = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    for target in (
        "publish",
        "card",
        "hub",
        "test",
        "test-quick",
        "test-lowest",
        "bench",
        "style",
        "quality",
        "base",
        "clean",
        "help",
    ):
        assert re.search(rf"^{target} +\w", helped, re.MULTILINE)


def test_every_command_runs(workplace: Path, base: Path) -> None:
    storage = Storage(workplace / "hub")
    assert set(COMMANDS) >= ELSEWHERE
    with local.serve_in_thread(storage) as endpoint:
        more = {
            "HF_ENDPOINT": endpoint,
            "HF_TOKEN": storage.token,
            "HUBTWEETS_BASE_MODEL": str(base),
            "HUBTWEETS_NUM_TRAIN_EPOCHS": "1",
        }  # as it was published
        for line in COMMANDS:
            program, *arguments = shlex.split(line)
            if program == "make" or line in ELSEWHERE:
                continue
            assert program in ("hubtweets", "accelerate", "hf")
            arguments = [str(base) if argument == "tiny" else argument for argument in arguments]
            if "takedown" in arguments:
                arguments.append("--yes")
            if "--num-train-epochs" in arguments:  # this one and all that follow, sooner done
                arguments[arguments.index("--num-train-epochs") + 1] = SHORT
                more |= {"HUBTWEETS_NUM_TRAIN_EPOCHS": SHORT, "HUBTWEETS_PROMPT": "My dream is"}
            done = run(workplace, *arguments, program=program, **more)
            assert done.returncode == 0, (line, done.stderr)


def test_the_hub_starts(workplace: Path) -> None:
    """`hubtweets hub`, on a port that is free, and the line that points others there."""
    assert {"hubtweets hub", EVAL, "hf auth whoami"} <= {*COMMANDS}
    port = str(30_000 + os.getpid() % 10_000)
    environ = environment(workplace, PYTHONUNBUFFERED="1")
    environ["PATH"] = f"{PROGRAMS}:{environ['PATH']}"
    with subprocess.Popen(
        [HUBTWEETS, "hub", "--port", port],
        cwd=workplace,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and " serves " in process.stdout.readline()
        other = f"{EVAL.replace('hub env', f'hub --port {port} env')} && hf auth whoami"
        done = subprocess.run(
            ["bash", "-c", other],
            cwd=workplace,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert done.returncode == 0 and "huggingtweets" in done.stdout, done


def test_the_snippet_runs(published: Path, tmp_path: Path) -> None:
    (snippet,) = blocks("python")
    with local.serve_in_thread(Storage(published / "hub")) as endpoint:
        environ = environment(tmp_path, HF_ENDPOINT=endpoint)
        done = subprocess.run(
            [sys.executable, "-c", snippet],
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert (
        done.returncode == 0
        and len(
            set(
                re.findall(
                    "'generated_text': (?:'My dream is.*?'|\"My dream is.*?\")[,}]", done.stdout
                )
            )
        )
        == 5
    )
    assert "padded" not in done.stderr  # the warning that a BOS taken for padding would bring


@pytest.mark.parametrize("path", re.findall(r"`(\w+/[\w/]*)`", README))
def test_every_folder_it_names_is_there(path: str, published: Path) -> None:
    assert (
        (ROOT / path).exists()
        or (published / "runs" / "lyons____" / path).exists()
        or path in ("checkpoints/", "sources/")
    )
