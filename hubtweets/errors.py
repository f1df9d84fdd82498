"""The one exception that a user is meant to read."""


class HubtweetsError(Exception):
    """A failure whose text is one line: what was wrong, the value, and the next thing to type."""

    def __init__(self, text: str) -> None:
        # a value out of a file may hold anything, and a terminal acts on some of it
        super().__init__("".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split())))
