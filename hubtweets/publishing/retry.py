"""Patience with a Hub: what fails for a moment is tried again, after the time that the server asks for.

The client tries uploads and lists again by itself, and nothing else; and it waits for an answer for ever. So what speaks to a Hub is made such that
doing it all again is harmless, and goes through `patiently`.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers
from huggingface_hub.utils._http import default_client_factory

Answer = TypeVar("Answer")

WAITS = (
    1.0,
    2.0,
    4.0,
    8.0,
    8.0,
)  # seconds before the second try and so on, where the server asks for no other
LONGEST = 600  # seconds to wait at its word; a rate limit's window on the Hub has 300
TIMEOUT = httpx2.Timeout(120, connect=10)  # seconds without a byte, not of a whole upload
PASSING = {
    408,
    409,
    412,
    429,
    500,
    502,
    503,
    504,
}  # 409, 412: somebody else was at it, so it is planned anew


def limit_waiting() -> None:
    """Let each of the client's requests that has no limit of its own end in an error when the server does not go on for a while."""

    def limit(request: httpx2.Request) -> None:
        if not any(
            request.extensions.get("timeout", {}).values()
        ):  # many calls say None themselves, whatever the client's default is
            request.extensions["timeout"] = TIMEOUT.as_dict()

    def client() -> httpx2.Client:
        made = default_client_factory()
        made.event_hooks = {"request": [*made.event_hooks["request"], limit]}
        return made

    set_client_factory(client)


def patiently(
    attempt: Callable[[], Answer],
    say: Callable[[str], None],
    unless: tuple[type[Exception], ...] = (),
) -> Answer:
    """Return what an attempt that may be repeated gives, tried again while it fails in a way that passes; `unless` is what does not."""
    for usual in WAITS:
        try:
            return attempt()
        except (HfHubHTTPError, httpx2.TransportError, ConnectionError, RuntimeError) as error:
            cause = cause_of(error)
            wait = wait_after(cause, usual)
            if wait is None or isinstance(cause, unless):
                raise
            say(f"{reason_of(cause)}; again in {wait:g} s")
        time.sleep(wait)
    return attempt()


def cause_of(error: Exception) -> Exception:
    """Return what the client wrapped: a failed upload by LFS is a RuntimeError to it."""
    return (
        error.__cause__
        if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception)
        else error
    )


def wait_after(error: Exception, usual: float) -> float | None:
    """Return how many seconds to wait before the next try, None where another one is of no use."""
    if isinstance(error, ConnectionError) and "(413 " in str(
        error
    ):  # hf_xet's, of a Hub whose disk is full
        return None
    if not isinstance(error, HfHubHTTPError):
        passing = (
            httpx2.TimeoutException,
            httpx2.NetworkError,
            httpx2.RemoteProtocolError,
            ConnectionError,
        )  # the last is hf_xet's
        return usual if isinstance(error, passing) else None
    if error.response.status_code not in PASSING:
        return None
    headers = error.response.headers
    limit, asked = parse_ratelimit_headers(headers), headers.get("Retry-After", "").strip()
    wait = float(asked) if asked.isascii() and asked.isdecimal() else usual
    if limit and limit.remaining == 0:
        wait = limit.reset_in_seconds + 1.0
    return wait if wait <= LONGEST else None


def reason_of(error: Exception) -> str:
    """Return what happened in a few words."""
    if isinstance(error, HfHubHTTPError):
        return f"{error.response.status_code}: {(error.server_message or str(error).partition(chr(10))[0]).rstrip('.')}"
    return str(error) or type(error).__name__
