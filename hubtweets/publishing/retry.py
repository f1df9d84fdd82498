"""Retry transient errors of a Hub, honouring Retry-After.

The client itself only retries uploads and listings, and its requests have no timeout. So every
operation here can be repeated without harm, and goes through `retry`.
"""

import re
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers
from huggingface_hub.utils._http import default_client_factory

Answer = TypeVar("Answer")


class NotDoneError(RuntimeError):
    """A Hub answered that it did something, but did not do it."""


# Before the second attempt, the third and so on, if the server asks for no other wait.
WAIT_SECONDS = (1.0, 2.0, 4.0, 8.0, 8.0)
MAX_REASON = 300  # characters of a server's answer
MAX_WAIT_SECONDS = 600  # that a server may ask for; the window of the Hub's rate limit is 300
REQUEST_TIMEOUT = httpx2.Timeout(120, connect=10)  # seconds without a byte, not of a whole upload
# 409 and 412 mean that another push came first, so this one is planned again.
TRANSIENT_STATUSES = {408, 409, 412, 429, 500, 502, 503, 504}
UNKNOWN_REQUEST = (404, 405, 501)  # of a server that has no such address
LASTING_XET_STATUSES = {403, 413}  # 413: the disk is full
XET_STATUS = re.compile(r"HTTP status (?:client|server) error \((\d{3}) ")
TRANSIENT_ERRORS = (
    httpx2.TimeoutException,
    httpx2.NetworkError,
    httpx2.RemoteProtocolError,
    ConnectionError,  # raised by hf_xet
    NotDoneError,
)


def set_default_timeout() -> None:
    """Give the client's requests a timeout if they have none of their own."""

    def limit(request: httpx2.Request) -> None:
        # Many calls of the client pass timeout=None, which overrides the client's default.
        if not any(request.extensions.get("timeout", {}).values()):
            request.extensions["timeout"] = REQUEST_TIMEOUT.as_dict()

    def create_client() -> httpx2.Client:
        client = default_client_factory()
        client.event_hooks = {"request": [*client.event_hooks["request"], limit]}
        return client

    set_client_factory(create_client)


# tenacity is no shorter: its retry and wait are two callbacks, `choose_wait` decides both at once.
def retry(
    attempt: Callable[[], Answer],
    log: Callable[[str], None],
    unless: tuple[type[Exception], ...] = (),
) -> Answer:
    """Return the result of `attempt`, which is repeated after transient errors.

    Errors of the types in `unless` are raised at once.
    """
    for usual in WAIT_SECONDS:
        try:
            return attempt()
        except (HfHubHTTPError, httpx2.TransportError, ConnectionError, RuntimeError) as error:
            cause = unwrap(error)
            wait = choose_wait(cause, usual)
            if wait is None or isinstance(cause, unless):
                raise
            log(f"{describe_error(cause)}; trying again in {wait:g} s")
        time.sleep(wait)
    return attempt()


def unwrap(error: Exception) -> Exception:
    """Return the cause of a RuntimeError, in which the client wraps failed LFS uploads."""
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return error.__cause__
    return error


def choose_wait(error: Exception, usual: float) -> float | None:
    """Return the seconds to wait before the next attempt, None if the error is permanent."""
    if isinstance(error, HfHubHTTPError):
        return choose_wait_after_response(error.response, usual)
    if read_xet_status(error) in LASTING_XET_STATUSES:
        return None
    return usual if isinstance(error, TRANSIENT_ERRORS) else None


def choose_wait_after_response(response: httpx2.Response, usual: float) -> float | None:
    """Return the seconds that a response asks to wait, None if a retry is of no use."""
    if response.status_code not in TRANSIENT_STATUSES:
        return None
    rate_limit = parse_ratelimit_headers(response.headers)
    retry_after = response.headers.get("Retry-After", "").strip()
    if rate_limit and rate_limit.remaining == 0:
        wait = rate_limit.reset_in_seconds + 1.0
    elif retry_after.isascii() and retry_after.isdecimal():
        wait = float(retry_after)
    else:
        wait = usual
    return wait if wait <= MAX_WAIT_SECONDS else None


def read_xet_status(error: Exception) -> int | None:
    """Return the status in an error of hf_xet, which has it in its text only."""
    match = XET_STATUS.search(str(error)) if isinstance(error, ConnectionError) else None
    return int(match[1]) if match else None


def describe_error(error: Exception) -> str:
    """Return an error in a few words."""
    if isinstance(error, HfHubHTTPError):
        message = error.server_message or read_reason(error.response)
        message = message or str(error).partition("\n")[0]
        reason = " ".join(message.split())[:MAX_REASON].rstrip(".")
        status = error.response.status_code
        if reason.startswith(f"{status} "):  # the client's own words, which say no more
            reason = error.response.reason_phrase
        return f"{status}: {reason}"
    return str(error) or type(error).__name__


def read_reason(response: httpx2.Response) -> str:
    """Return why a server refused if it says so in a form that the client does not read, or ""."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        for key in ("message", "detail"):
            if isinstance(body.get(key), str) and body[key]:
                return body[key]
    return ""
