"""Messages through `logging` and progress through a hook, so that a library user is not printed at.

The logger "hubtweets" has every message. Long work calls the hook, if there is one. The command
line installs a handler and a hook that draws bars.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hubtweets.errors import printable

if TYPE_CHECKING:
    from tqdm import tqdm

Item = TypeVar("Item")

logger = logging.getLogger("hubtweets")
logger.addHandler(logging.NullHandler())


class ProgressHook(Protocol):
    """Called as long work goes on: `done` of `total` units (None: unknown), with a short note."""

    def __call__(self, unit: str, done: int, total: int | None, note: str) -> None: ...


hook: ProgressHook | None = None


def set_progress_hook(new_hook: ProgressHook | None) -> None:
    """Have a function called as long work goes on; None stops that."""
    global hook
    hook = new_hook


def has_progress_hook() -> bool:
    return hook is not None


def report_progress(unit: str, done: int, total: int | None = None, note: str = "") -> None:
    """Call the hook, if there is one."""
    if hook:
        hook(unit, done, total, note)


def track(items: Iterable[Item], unit: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items, and report after each how many there were, and the end."""
    done = 0
    for done, item in enumerate(items, 1):
        yield item
        report_progress(unit, done, total)
    if done != total:
        report_progress(unit, done, done)


class ConsoleHandler(logging.Handler):
    """Prints every message as one line on standard error, warnings with a word before them."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        line = printable(prefix + record.getMessage())
        if isinstance(hook, Bars) and hook.bar is not None:
            hook.bar.write(line, file=sys.stderr)  # above the bar
        else:
            print(line, file=sys.stderr, flush=True)


def log_to_console(level: int) -> None:
    """Print messages from this level on; on a terminal draw bars too, if informed."""
    logger.setLevel(level)
    if not any(isinstance(handler, ConsoleHandler) for handler in logger.handlers):
        logger.addHandler(ConsoleHandler())
    set_progress_hook(Bars() if level <= logging.INFO and sys.stderr.isatty() else None)


class Bars:
    """A hook that draws one bar at a time with tqdm."""

    def __init__(self) -> None:
        self.bar: tqdm[Any] | None = None

    def __call__(self, unit: str, done: int, total: int | None, note: str) -> None:
        from tqdm.auto import tqdm

        if self.bar is None or self.bar.unit != f" {unit}" or done < self.bar.n:
            self.close()
            self.bar = tqdm(total=total, initial=done - 1, unit=f" {unit}", leave=False)
        if note:
            self.bar.set_postfix_str(note, refresh=False)
        self.bar.update(done - self.bar.n)
        if done == total:
            self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None
