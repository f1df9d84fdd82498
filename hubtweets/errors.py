"""The one exception that a user is meant to read."""

from collections.abc import Sequence


def printable(text: str) -> str:
    """Return a text without what a terminal acts on: a value out of a file may hold anything."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


class HubtweetsError(Exception):
    """A failure whose text is one line: what was wrong, the value, and the next thing to type."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


class ProblemsError(HubtweetsError):
    """Several failures at once: a line for each, or, of one alone, its text."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.lines = [one_line(problem) for problem in problems]
        listed = "\n".join(f"- {line}" for line in self.lines)
        Exception.__init__(
            self,
            self.lines[0]
            if len(self.lines) == 1
            else f"{len(self.lines)} things stand in the way:\n{listed}",
        )
