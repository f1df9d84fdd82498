"""Stop signals: deferred until a step is done, or forwarded to the processes of a training."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hubtweets.record.run_folder import is_distributed


@contextmanager
def forward_signals(process: "subprocess.Popen[bytes]") -> Iterator[list[int]]:
    """Forward the first Ctrl-C or SIGTERM to the process, and yield the signals received so far.

    The process is Accelerate's launcher: it passes the signal on to the processes it started, and
    gives them half a minute to save.
    """
    received: list[int] = []

    def handle(number: int, _: object) -> None:
        if not received:
            process.terminate()
        received.append(number)

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def defer_signals() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells if Ctrl-C or SIGTERM was received; a second one acts as usual.

    In one of several processes the second is ignored: it comes from the launcher, which passes the
    first one on.
    """
    received: list[int] = []

    def handle(number: int, _: object) -> None:
        received.append(number)
        if not is_distributed():
            restore_handlers()

    def restore_handlers() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may handle signals
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        restore_handlers()
