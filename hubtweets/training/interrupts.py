"""Stop signals: saved up until a step is done, forwarded to the processes of a training."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hubtweets.record.run_folder import is_distributed


@contextmanager
def forward_signals(process: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """Pass Ctrl-C and SIGTERM on, once, and note them: the launcher tells its processes, and gives them half a minute to save."""
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        if not asked:
            process.terminate()
        asked.append(number)

    before = {
        number: signal.signal(number, ask)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def defer_signals() -> Iterator[Callable[[], bool]]:
    """Take the first Ctrl-C or SIGTERM as a wish, which the function tells of; the second one acts as ever.

    Of several processes none acts on the second: it is the launcher's, who passes on the first.
    """
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        asked.append(number)
        if not is_distributed():
            restore_handlers()

    def restore_handlers() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    if threading.current_thread() is not threading.main_thread():  # which alone may handle signals
        yield lambda: False
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        restore_handlers()
