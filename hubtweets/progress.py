"""Messages through `logging` and progress through a hook, so that a library user is not printed at.

The logger "hubtweets" has every message; one that begins with a stage ("train: ") says what the
stage does now, or did last. Long work calls the hook, if there is one. A command without a terminal
prints both as lines; `hubtweets.cli.display` draws them on a terminal.
"""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from hubtweets.errors import printable

Item = TypeVar("Item")

STEPS = "steps"  # the unit of a training
SECONDS_PER_LINE = 10
ITEMS_PER_LINE = 10_000  # of work whose total is unknown

logger = logging.getLogger("hubtweets")
logger.addHandler(logging.NullHandler())


class ProgressHook(Protocol):
    """Called as long work goes on: `done` of `total` units (None: unknown), with a short note.

    Work without parts is one unit, named by what is done: "loading tiny", 0 of 1, then 1 of 1.
    """

    def __call__(self, unit: str, done: int, total: int | None, note: str) -> None: ...


hook: ProgressHook | None = None


def set_progress_hook(new_hook: ProgressHook | None) -> None:
    """Have a function called as long work goes on; None stops that."""
    global hook
    hook = new_hook


def report_progress(unit: str, done: int, total: int | None = None, note: str = "") -> None:
    """Call the hook, if there is one."""
    if hook:
        hook(unit, done, total, note)


def track(items: Iterable[Item], unit: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items, and report the beginning, after each how many there were, and the end."""
    done = 0
    report_progress(unit, done, total)
    for done, item in enumerate(items, 1):
        yield item
        report_progress(unit, done, total)
    if done != total:
        report_progress(unit, done, done)


@contextmanager
def activity(name: str) -> Iterator[None]:
    """Report the beginning and the end of work without parts, such as "loading tiny"."""
    report_progress(name, 0, 1)
    try:
        yield
    finally:
        report_progress(name, 1, 1)


class LineHandler(logging.Handler):
    """Prints every message as one line on standard error, warnings with a word before them."""

    def emit(self, record: logging.LogRecord) -> None:
        print_line(("warning: " if record.levelno >= logging.WARNING else "") + record.getMessage())


class ProgressLines:
    """A hook that prints a line after a tenth of some work, if the last line is some seconds old.

    Training logs its steps itself.
    """

    def __init__(self, min_seconds: float = SECONDS_PER_LINE) -> None:
        self.min_seconds, self.printed = min_seconds, time.monotonic()
        self.parts: dict[str, int] = {}  # by unit: the tenths that are done

    def __call__(self, unit: str, done: int, total: int | None, note: str) -> None:
        part = 10 * done // total if total else done // ITEMS_PER_LINE
        now = time.monotonic()
        self.printed = self.printed if done else now
        late = now - self.printed >= self.min_seconds
        if part > self.parts.get(unit, 0) and total != 1 and unit != STEPS and late:
            self.printed = now
            print_line(f"{format_count(unit, done, total)}{note and ': '}{note}")
        self.parts[unit] = part


def format_count(unit: str, done: int, total: int | None) -> str:
    """Return how much of some work is done: "40 of 103 steps", "3,086 posts" or "loading tiny"."""
    if total == 1:
        return unit
    return f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"


def print_line(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)


def log_lines(level: int) -> None:
    """Print messages from this level on as lines, and progress too if they are informed of it."""
    install(LineHandler(), level, ProgressLines())


def install(handler: logging.Handler, level: int, progress: ProgressHook) -> None:
    """Give the messages from a level on to one handler, and progress to a hook if INFO is shown."""
    logger.setLevel(level)
    logger.handlers = [handler]
    set_progress_hook(progress if level <= logging.INFO else None)
