"""Messages and progress on a terminal: a line that is redrawn, and above it what stays.

    ✓ curate    778 posts to train on, 86 held out (the last tenth)  2.1s
    ⠋ train     40 of 103 steps ━━━━━━━━━━━━━━━━━━━━ 0:12, 0:20 left  loss 2.310, 5,041 tokens/s

What a stage says replaces what it said before. Its last message stays, with a tick and the seconds
it took, when another stage begins or the command prints its result. All other messages stay.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubtweets.cli import console
from hubtweets.cli.console import Part, assemble, is_terminal, open_console
from hubtweets.errors import printable
from hubtweets.progress import format_count, format_seconds, install, log_lines
from hubtweets.text import to_plain_text

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

STAGES = ("curate", "train", "evaluate", "sample", "card", "snippets", "push")
SKIPPED = "nothing changed, skipped"
GRAY = "bright_black"
BAR_COLUMNS = 20
MIN_ESTIMATE_SECONDS = 2  # before the remaining time is estimated
REDRAWS_PER_SECOND = 10
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass
class Work:
    """Some work that goes on: its parts done, and how many were done when it began."""

    unit: str
    done: int
    total: int | None
    note: str
    first: int
    began: float

    def describe(self, now: float) -> list[Part]:
        """Return the parts of a line that say how far it is."""
        elapsed = now - self.began
        line: list[Part] = [format_count(self.unit, self.done, self.total), " "]
        if self.total and self.total > 1:
            filled = BAR_COLUMNS * self.done // self.total
            line += [("━" * filled, "cyan"), ("━" * (BAR_COLUMNS - filled), GRAY), " "]
        left = ""
        if self.total and self.done > self.first and elapsed > MIN_ESTIMATE_SECONDS:
            seconds = elapsed / (self.done - self.first) * (self.total - self.done)
            left = f", {format_seconds(seconds)} left"
        return [*line, (f"{format_seconds(elapsed)}{left}  {self.note}", GRAY)]


class Display(logging.Handler):
    """A handler of messages and a hook for progress that share a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.console = open_console(sys.stderr)
        self.stage = self.text = ""  # what the stage said last
        self.works: dict[str, Work] = {}  # by unit; the last is shown
        self.began = time.monotonic()  # of the stage
        self.live: Live | None = None
        self.ended = False  # a stage

    def emit(self, record: logging.LogRecord) -> None:
        text = printable(record.getMessage())
        stage, _, said = text.partition(": ")
        if record.levelno >= logging.WARNING:
            self.console.print(assemble([("warning: ", "bold yellow"), text]))
        elif stage in STAGES and said:
            if stage != self.stage:
                self.end_stage()
            self.stage, self.text = stage, said
            self.draw()
        else:
            is_row = getattr(record, "row", False)
            self.console.print(assemble([text], self.console.width if is_row else None))

    def __call__(self, unit: str, done: int, total: int | None, note: str) -> None:
        now = time.monotonic()
        work = self.works.pop(unit, None)
        if done != total:
            first, began = (work.first, work.began) if work else (done, now)
            self.works[unit] = Work(unit, done, total, note, first, began)
        self.draw()

    def draw(self) -> None:
        """Start to redraw the line, if that is not done yet."""
        from rich.live import Live

        if self.live is None and (self.works or self.stage):
            self.live = Live(
                get_renderable=self.render,
                console=self.console,
                refresh_per_second=REDRAWS_PER_SECOND,
                transient=True,
                redirect_stdout=False,
            )
            self.live.start()

    def render(self) -> Text:
        """Return the line that is redrawn."""
        now = time.monotonic()
        frame = FRAMES[int(now * REDRAWS_PER_SECOND) % len(FRAMES)]
        line: list[Part] = [(frame, "cyan"), " "]
        if self.stage:
            line.append((f"{self.stage:<9} ", "bold"))
        works = list(self.works.values())
        if works:
            line += works[-1].describe(now)
        else:
            line += [self.text, (f"  {format_seconds(now - self.began)}", GRAY)]
        return assemble(line, self.console.width)

    def end_stage(self, mark: Part = ("✓", "green")) -> None:
        """Print the stage's last message as a line that stays."""
        now = time.monotonic()
        self.works.clear()
        if self.stage:
            style = GRAY if self.text == SKIPPED else ""
            took = "" if self.text == SKIPPED else f"  {now - self.began:.1f}s"
            room = self.console.width - len(f"✓ {'':<9} {took}")
            text = to_plain_text(self.text, room)
            name = (f"{self.stage:<9} ", style or "bold")
            self.console.print(assemble([mark, " ", name, (text, style), (took, GRAY)]))
            self.ended = True
        self.stage = self.text = ""
        self.began = now

    def clear(self) -> None:
        """Stop redrawing; nothing of the line remains."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def close(self, mark: Part = ("✓", "green")) -> None:
        """End the stage and stop redrawing, before a command prints its result or an error."""
        self.end_stage(mark)
        self.clear()
        if self.ended and is_terminal():
            self.console.print()
        self.ended = False


def show_messages(level: int) -> None:
    """Show messages from this level on: drawn on a terminal, else as lines."""
    if (
        level <= logging.INFO
        and sys.stderr.isatty()
        and not open_console(sys.stderr).is_dumb_terminal
    ):
        display = Display()
        # as Ctrl-C does, so that the cursor, which the display hides, is shown again
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        install(display, level, display)
        console.end_display = display.close
    else:
        console.end_display = console.no_display
        log_lines(level)
