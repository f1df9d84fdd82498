"""`hubtweets generate` and `hubtweets chat`, with prompts from a pipe and from a terminal."""

import json
import os
import pty
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubtweets.cli.main import main
from hubtweets.errors import printable
from hubtweets.text import to_plain_text
from tests.conftest import environment, start


def test_prompts_come_from_standard_input(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(published)
    command = ["generate", "lyons____", "-", "-n", "2"]
    lines = b"The radio\r\n\nI \xff\nThe radio"
    done = CliRunner().invoke(main, command, input=lines)
    texts = done.stdout.splitlines()
    assert (done.exit_code, done.stderr, len(texts)) == (0, "", 6)
    starts = ["- The radio"] * 2 + ["- I \ufffd"] * 2
    assert all(text.startswith(start) for text, start in zip(texts, starts, strict=False))
    assert texts[4:] == texts[:2] and texts[0] != texts[1]  # one seed for all prompts
    document = json.loads(CliRunner().invoke(main, [*command, "--json"], input=lines).stdout)
    assert [document.pop(name) for name in ("schema_version", "name")] == [1, "lyons____"]
    prompts = document.pop("prompts")
    assert document == {}
    assert [one["prompt"] for one in prompts] == ["The radio", "I \ufffd", "The radio"]
    written = [printable(to_plain_text(text)) for one in prompts for text in one["texts"]]
    assert written == [text.removeprefix("- ") for text in texts]


def test_chat_reads_lines_until_an_empty_one(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(published)
    typed = f"The radio\nThe radio\n{'long ' * 300}\nMy dream\n\nnever read\n"
    done = CliRunner().invoke(main, ["chat", "lyons____", "-n", "1"], input=typed)
    first, second, third = done.stdout.splitlines()
    assert first.startswith("- The radio") and third.startswith("- My dream")
    assert second.startswith("- The radio") and second != first
    assert done.exit_code == 0 and "a prompt of " in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("how", ["Ctrl-D", "Ctrl-C"])
def test_chat_on_a_terminal_ends_quietly(published: Path, tmp_path: Path, how: str) -> None:
    master, slave = pty.openpty()
    home = environment(tmp_path, HUBTWEETS_RUNS=str(published / "runs"))
    with open(slave) as terminal, (tmp_path / "out").open("wb") as out:
        process = start(["chat", "lyons____", "-n", "1"], tmp_path, home, out, terminal, terminal)
    said = b""
    os.write(master, b"The radio\n")
    while said.count(b"> ") < 2:  # the second one asks for more
        said += os.read(master, 1000)
    if how == "Ctrl-D":
        os.write(master, b"\x04")
    else:
        os.kill(process.pid, signal.SIGINT)
    try:
        code = process.wait(1)
    except TimeoutError:  # it came right before readline began to wait
        os.kill(process.pid, signal.SIGINT)
        code = process.wait(60)
    assert code == 0
    assert (tmp_path / "out").read_text().startswith("- The radio")
    assert b"Traceback" not in said and b"Abort" not in said
    os.close(master)
