"""Errors that a user reads: one line with the value and the next thing to type."""

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def printable(text: str) -> str:
    """Replace what a terminal would act on: a value from a file may hold anything."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def one_line(text: str) -> str:
    """Return a text as one printable line."""
    return printable(" ".join(text.split()))


def suggest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean X?" with the known name that is most like a name, "" if none is."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else ""


class HubtweetsError(Exception):
    """A failure whose text is one line: what was wrong, the value, and the next thing to type."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [str(self)]


class StoppedError(HubtweetsError):
    """The user stopped the work; the text says what is saved."""


class ProblemsError(HubtweetsError):
    """Several failures at once: a line for each, or the text of a single one."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.lines = [one_line(problem) for problem in problems]
        text = self.lines[0]
        if len(self.lines) > 1:
            listed = "\n".join(f"- {line}" for line in self.lines)
            text = f"{len(self.lines)} problems found:\n{listed}"
        Exception.__init__(self, text)


def explain_os_error(error: OSError) -> str:
    """Return an error of the operating system as one line with what to do."""
    hint = "fix the permissions, or choose another folder"
    if error.errno in DISK_FULL:
        hint = "free some disk space"
    return one_line(f"{error.filename or 'writing failed'}: {error.strerror or error}; {hint}")
