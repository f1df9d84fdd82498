"""`hubtweets completion`, as a real bash uses it; the other shells where they are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from hubtweets.cli.main import main
from tests.conftest import PROGRAMS, environment

COMPLETE = """
eval "$(hubtweets completion bash)"
COMP_WORDS=(hubtweets info '')
COMP_CWORD=2
_hubtweets_completion hubtweets
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("runs/alice", "runs/alice-bob", "runs/$(touch hacked)", "runs/a\nb", "other/dave"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").touch()
    return tmp_path


def test_bash_completes(folder: Path) -> None:
    environ = environment(folder)
    environ["PATH"] = f"{PROGRAMS}:{environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE], cwd=folder, env=environ, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("alice\nalice-bob\n", "")
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ru", ["runs"]),
        ("info alice-", ["alice-bob"]),
        ("publish alice a", ["alice", "alice-bob"]),
        ("card al", ["alice", "alice-bob"]),
        ("generate --runs other d", ["dave"]),
        ("train alice --num-train", ["--num-train-epochs"]),
        ("publish alice --consent g", ["given"]),
        ("completion f", ["fish"]),
    ],
)
def test_what_is_completed(
    folder: Path, words: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    *typed, incomplete = words.split()
    found = BashComplete(main, {}, "hubtweets", "").get_completions(typed, incomplete)
    assert [item.value for item in found] == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_that_they_can_read(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert "_HUBTWEETS_COMPLETE" in script and f"{shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)
