"""What the commands print: whole on a pipe, styled and cut on a terminal of 40 columns."""

import io
import sys
from collections.abc import Callable

import pytest

from hubtweets.cli.console import Part, write, write_table

HOSTILE = "[b]a[/] \x1b]0;own\x07\n\u202e"
SAFE = "[b]a[/] \ufffd]0;own\ufffd\ufffd\ufffd"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def print_line() -> None:
    write(("ok", "green"), f"  {HOSTILE}", " and more than fits")


def print_table() -> None:
    rows: list[list[Part]] = [["lyons____", "tiny", ("2.02", "green")], ["日本", HOSTILE, "12.02"]]
    write_table(rows, header=("Run", "Base", "Bits"), right=[2])


def print_long_cells() -> None:
    write_table([("a", "one two three four five six seven eight"), ("bcd", "one")])


@pytest.mark.parametrize(
    ("show", "piped", "shown"),
    [
        (
            print_line,
            f"ok  {SAFE} and more than fits\n",
            f"\x1b[32mok\x1b[0m  {SAFE} and more than fi…\n",
        ),
        (
            print_table,
            "Run        Base                 Bits\n"
            "lyons____  tiny                 2.02\n"
            f"日本       {SAFE}  12.02\n",
            "\x1b[1mRun\x1b[0m        \x1b[1mBase\x1b[0m                 \x1b[1mBits\x1b[0m\n"
            "lyons____  tiny                 \x1b[32m2.02\x1b[0m\n"
            f"日本       {SAFE}  12.02\n",
        ),
        (
            print_long_cells,
            "a    one two three four five six seven eight\nbcd  one\n",
            "a    one two three four five six seven …\nbcd  one\n",
        ),
    ],
)
@pytest.mark.parametrize("where", ["pipe", "terminal", "NO_COLOR"])
def test_lines_are_plain_on_a_pipe_and_styled_and_cut_on_a_terminal(
    show: Callable[[], None],
    piped: str,
    shown: str,
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if where == "pipe":
        show()
        assert capsys.readouterr().out == piped
        return
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    for name, value in {"COLUMNS": "40", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1" if where == "NO_COLOR" else "")
    show()
    plain = shown
    for style in ("\x1b[0m", "\x1b[1m", "\x1b[32m"):
        plain = plain.replace(style, "")
    assert terminal.getvalue() == (shown if where == "terminal" else plain)
