"""A terminal on which a command runs, and the screen that its user sees in the end."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyte

from tests.zygote import Process

LINES = 200  # more than any command prints


class Screen(NamedTuple):
    """What a command left behind: its exit code, what it wrote, and what stands there."""

    code: int
    written: str
    lines: list[str]
    hides_cursor: bool


def show(
    arguments: list[str],
    folder: Path,
    environment: dict[str, str],
    *,
    columns: int = 80,
    typed: str = "",
    stop_at: str = "",
    how: signal.Signals = signal.SIGINT,
) -> Screen:
    """Run `hubtweets` on a terminal that does not echo what is typed, and return its screen.

    It is stopped when `stop_at` was written.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    settings = termios.tcgetattr(theirs)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    os.write(ours, typed.encode())
    with open(theirs, "rb+", buffering=0) as terminal:
        files: list[IO[Any]] = [terminal] * 3
        command = ["-m", "hubtweets", *arguments]
        process = Process(os.environ["ZYGOTE"], command, folder, environment, files)
    written, stopping = b"", False
    with suppress(OSError):  # at its end
        while True:
            if stopping and not select.select([ours], [], [], 1)[0]:
                os.kill(process.pid, how)  # again: the first came right before readline waited
                continue
            written += os.read(ours, 2**16)
            if stop_at and not stopping and stop_at.encode() in written:
                os.kill(process.pid, how)
                stopping = True
    os.close(ours)
    screen = pyte.Screen(columns, LINES)
    pyte.ByteStream(screen).feed(written)
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return Screen(process.wait(60), written.decode(), lines, screen.cursor.hidden)
