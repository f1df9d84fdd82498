"""What the Hub says no with."""


class HubError(Exception):
    """A refusal: the HTTP status, the X-Error-Code that the client maps to an exception, and a text."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = (
            status,
            message.encode("utf-8", "replace").decode()[:500],
            code,
        )


class MovedError(Exception):
    """What is asked for has another name now."""

    def __init__(self, repo_id: str) -> None:
        super().__init__(repo_id)
        self.repo_id = repo_id
