"""The one exception that a user is meant to read."""


class HubtweetsError(Exception):
    """A failure whose text is one line: what was wrong, the value, and the next thing to type."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))
