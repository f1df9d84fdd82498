"""The one exception that a user is meant to read."""


def printable(text: str) -> str:
    """Return a text without what a terminal acts on: a value out of a file may hold anything."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


class HubtweetsError(Exception):
    """A failure whose text is one line: what was wrong, the value, and the next thing to type."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(" ".join(text.split())))
