"""Print results: lines and tables, in colour and cut at the width on a terminal.

    write(("ok", "green"), "  files")                 one line on standard output
    write(("Error:", "bold red"), f" {message}", err=True)     on standard error
    write_table([("lyons____", "tiny", "2.02")], header=("Run", "Base", "Bits per byte"), right=[2])

A part is a text or a pair of a text and a style of rich. Foreign text is safe as a part: what a
terminal would act on is replaced, and no markup is read from it. If the output is not a terminal,
or NO_COLOR is set, there are no styles; only a terminal's lines are cut. rich is imported when
something is printed on a terminal, because that takes 50 ms.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TextIO

import click

from hubtweets.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Part = str | tuple[str, str]  # a text, or a text and its style
GAP = "  "  # between the columns of a table


def no_display(*_: object) -> None:
    """Stand for the end of the display while there is none."""


# Called before a result or a question is printed, so that nothing is drawn over it.
end_display: Callable[..., None] = no_display


def write(*parts: Part, err: bool = False, cut: bool = True) -> None:
    """Print the parts as one line, cut at a terminal's width, or if not `cut` wrapped at words."""
    end_display()
    if not is_terminal(err):
        click.echo("".join(printable(to_text(part)) for part in parts), err=err)
        return
    console = open_console(get_stream(err))
    console.print(assemble(parts, console.width if cut else None))


def write_table(
    rows: Sequence[Sequence[Part]],
    *,
    header: Sequence[str] = (),
    right: Collection[int] = (),
    err: bool = False,
) -> None:
    """Print rows with their columns aligned, those in `right` to the right.

    On a terminal, the last column is cut at the width.
    """
    lines: list[list[Part]] = [[(name, "bold") for name in header]] if header else []
    lines += [list(row) for row in rows]
    for line in align(lines, right):
        write(*line, err=err)


def align(rows: Sequence[Sequence[Part]], right: Collection[int] = ()) -> list[list[Part]]:
    """Return each row as the parts of a line, padded so that the columns are aligned."""
    from rich.cells import cell_len

    sizes = [[cell_len(printable(to_text(cell))) for cell in row] for row in rows]
    widths = [max(column) for column in zip(*sizes, strict=True)]
    lines = []
    for row, size in zip(rows, sizes, strict=True):
        line: list[Part] = []
        for number, cell in enumerate(row):
            padding = " " * (widths[number] - size[number])
            is_last = number == len(row) - 1
            before, after = (padding, "") if number in right else ("", padding * (not is_last))
            line += [before, cell, after, GAP * (not is_last)]
        lines.append([part for part in line if part])
    return lines


def is_terminal(err: bool = False) -> bool:
    """Return True if standard output, or standard error, is a terminal."""
    return get_stream(err).isatty()


def get_width(err: bool = False) -> int | None:
    """Return the width of the terminal in columns, None without one."""
    return open_console(get_stream(err)).width if is_terminal(err) else None


def get_stream(err: bool) -> TextIO:
    return sys.stderr if err else sys.stdout


@lru_cache(maxsize=2)
def open_console(stream: TextIO) -> Console:
    """Return rich's console on a stream; it reads no markup, and has no styles under NO_COLOR."""
    from rich.console import Console

    colors: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=stream, color_system=colors, markup=False, highlight=False, emoji=False)


def to_text(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def assemble(parts: Sequence[Part], width: int | None = None) -> Text:
    """Return the parts as one line of rich's, cut at a width."""
    from rich.text import Text

    line = Text()
    for part in parts:
        line.append(printable(to_text(part)), None if isinstance(part, str) else part[1])
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line
