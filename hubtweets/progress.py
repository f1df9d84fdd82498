"""Messages through `logging` and progress through a hook, so that a library user is not printed at.

The logger "hubtweets" has every message; one that begins with a stage ("train: ") says what the
stage does now, or did last. Long work calls the hook, if there is one. A command without a terminal
prints both as lines; `hubtweets.cli.display` draws them on a terminal.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from hubtweets.errors import printable

Item = TypeVar("Item")

STEPS = "steps"  # the unit of a training
SECONDS_PER_LINE = 10
SECONDS_PER_WAIT = 30  # between the lines of work without parts
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

    Work without parts, such as an upload, gets a line after every so many seconds. Training logs
    its steps itself.
    """

    def __init__(
        self, min_seconds: float = SECONDS_PER_LINE, wait_seconds: float = SECONDS_PER_WAIT
    ) -> None:
        self.min_seconds, self.printed = min_seconds, time.monotonic()
        self.wait_seconds = wait_seconds
        self.parts: dict[str, int] = {}  # by unit: the tenths that are done
        self.waits: dict[str, threading.Event] = {}  # by work without parts: set at its end

    def __call__(self, unit: str, done: int, total: int | None, note: str) -> None:
        if total == 1:
            self.wait(unit, bool(done))
            return
        part = 10 * done // total if total else done // ITEMS_PER_LINE
        now = time.monotonic()
        self.printed = self.printed if done else now
        late = now - self.printed >= self.min_seconds
        if part > self.parts.get(unit, 0) and unit != STEPS and late:
            self.printed = now
            print_line(f"{format_count(unit, done, total)}{note and ': '}{note}")
        self.parts[unit] = part

    def wait(self, work: str, ended: bool) -> None:
        """Begin, or end, to print lines about work without parts."""
        if ended:
            self.waits.pop(work, threading.Event()).set()
        elif work not in self.waits:
            self.waits[work] = threading.Event()
            threading.Thread(
                target=self.print_waits, args=(work, self.waits[work]), daemon=True
            ).start()

    def print_waits(self, work: str, end: threading.Event) -> None:
        began = time.monotonic()
        while not end.wait(self.wait_seconds):
            print_line(f"{work}, for {time.monotonic() - began:.0f} s")


def format_count(unit: str, done: int, total: int | None) -> str:
    """Return how much of some work is done: "40 of 103 steps", "3,086 posts" or "loading tiny"."""
    if total == 1:
        return unit
    return f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"


def format_seconds(seconds: float) -> str:
    """Format a time as 0:05 or 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


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
