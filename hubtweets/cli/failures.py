"""How a command that fails or is stopped ends: with one line, and an exit code."""

from pathlib import Path
from typing import IO, Any

import click

from hubtweets.cli.console import write
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_folder import join_handles

STOPPED = 130  # the exit code of a shell's command after Ctrl-C


class Failure(click.ClickException):
    """An expected failure, shown as one line, or as a line for each problem."""

    def show(self, file: IO[Any] | None = None) -> None:
        first, *others = self.message.split("\n")
        write(("Error: ", "bold red"), first, err=True, cut=False)
        for line in others:
            write(line, err=True, cut=False)


class Stopped(click.ClickException):
    """The end of a command that Ctrl-C or SIGTERM stopped: what is kept, and how to go on."""

    exit_code = STOPPED

    def show(self, file: IO[Any] | None = None) -> None:
        write(f"{self.message[0].upper()}{self.message[1:]}", err=True, cut=False)


def describe_stop(options: dict[str, Any]) -> str:
    """Return what a stopped command keeps, by its options, and what to type to go on."""
    handles = options.get("handles") or options.get("handle")
    if handles and options.get("runs"):
        try:
            name = join_handles([handles] if isinstance(handles, str) else handles)
        except HubtweetsError:
            return "stopped"
        folder = Path(options["runs"], name)
        if (folder / "run.json").exists():
            return (
                f"stopped; the finished stages are kept in {folder}; "
                "type the command again to go on"
            )
    return "stopped; nothing was kept; type the command again to start over"
