"""Exceptions of the embedded Hub."""

MAX_MESSAGE_CHARS = 500


class HubError(Exception):
    """An error response: its status, its message, and the X-Error-Code that clients map."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.message = message.encode("utf-8", "replace").decode()[:MAX_MESSAGE_CHARS]


class MovedError(Exception):
    """The requested repo was renamed."""

    def __init__(self, repo_id: str) -> None:
        super().__init__(repo_id)
        self.repo_id = repo_id
