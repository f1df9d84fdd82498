"""A client for the JSON of a service's public API.

It waits as long as a rate limit asks, retries transient errors, and gives up with a one-line error.
A token is sent to the service's own address only, and is in no message.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx2

from hubtweets.errors import HubtweetsError
from hubtweets.posts.parsing import to_utc

MAX_TRIES = 4
MAX_BODY = 32 * 2**20  # bytes; a page of a hundred posts has some hundred thousand
MAX_AVATAR = 8 * 2**20
MAX_WAIT = 16 * 60  # seconds; the longest window of the three services is 15 minutes
HOST_PATTERN = (
    r"(?:(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])"
    r"|127\.0\.0\.1|localhost)"
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


Response = tuple[int, Mapping[str, str], bytes]  # the status, the headers and the body


class ApiError(Exception):
    """A response that is not a success: its status, headers and body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        super().__init__(f"{status}")
        self.status, self.headers, self.body = status, headers, body


class ApiClient:
    """One service's API; `say` gets a line before a wait."""

    def __init__(
        self, endpoint: str, say: Callable[[str], None], headers: Mapping[str, str] | None = None
    ) -> None:
        self.endpoint, self.say = endpoint.rstrip("/"), say
        self.client = httpx2.Client(
            timeout=30, headers={"User-Agent": "hubtweets", **(headers or {})}
        )

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def get(
        self,
        path: str,
        parameters: Mapping[str, str | int],
        should_stop: Callable[[ApiError], bool] = lambda error: False,
    ) -> tuple[Any, Mapping[str, str]]:
        """Return the JSON and the headers at a path of the service.

        Raises ApiError if the service refuses, or for a 429 if `should_stop` returns True.
        Raises HubtweetsError if there is no valid response.
        """
        for attempt in range(MAX_TRIES):
            is_last = attempt == MAX_TRIES - 1
            response = self.try_to_get(path, parameters, is_last)
            if response is None:
                time.sleep(attempt)
                continue
            status, headers, content = response
            body = parse_json(content)
            if status == 200:
                if body is None:
                    raise HubtweetsError(
                        f"{self.endpoint}{path} did not answer with JSON; try again later"
                    )
                return body, headers
            error = ApiError(status, headers, body)
            is_transient = status == 429 or status >= 500
            if is_last or not is_transient or (status == 429 and should_stop(error)):
                raise error
            self.wait(error, attempt)
        raise AssertionError("the last try returns or raises")

    def try_to_get(
        self, path: str, parameters: Mapping[str, str | int], is_last: bool
    ) -> Response | None:
        """Return the response, or None if the connection failed and this is not the last try."""
        try:
            return self.download(self.client, self.endpoint + path, MAX_BODY, parameters)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            if not is_last and isinstance(error, httpx2.TransportError):
                return None
            reason = error or type(error).__name__
            raise HubtweetsError(
                f"{self.endpoint} does not answer ({reason}); try again later"
            ) from None

    def wait(self, error: ApiError, attempt: int) -> None:
        """Wait until a rate limit is over, or briefly; raise the error if that is too long."""
        seconds = parse_reset_seconds(error.headers) if error.status == 429 else 0.0
        if seconds is None or seconds > MAX_WAIT:
            raise error
        if seconds > 1:
            self.say(f"{self.endpoint} is rate-limiting: waiting {seconds:,.0f} seconds")
        time.sleep(seconds or attempt)

    def fetch_avatar(self, url: str | None) -> bytes | None:
        """Return the image at a URL, or None: the posts are read even without it.

        No token is sent there.
        """
        try:
            parts = urlsplit(url or "")
            is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
            if parts.scheme != "https" and not is_local:
                return None
            with httpx2.Client(timeout=30, follow_redirects=True) as client:
                status, _, content = self.download(client, url or "", MAX_AVATAR, {})
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, HubtweetsError):
            return None
        return content if status == 200 else None

    @staticmethod
    def download(
        client: httpx2.Client, url: str, max_bytes: int, parameters: Mapping[str, str | int]
    ) -> Response:
        """Return a response; raise HubtweetsError if its body has more than `max_bytes`."""
        with client.stream("GET", url, params=dict(parameters)) as response:
            content = bytearray()
            for block in response.iter_bytes():
                content += block
                if len(content) > max_bytes:
                    raise HubtweetsError(
                        f"{url.partition('?')[0]} answered with more than {max_bytes >> 20} MiB; "
                        "try again later"
                    )
            return response.status_code, response.headers, bytes(content)


def parse_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def parse_reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a rate limit lasts, or None if no header says.

    The reset header holds Unix seconds at X and Bluesky, ISO 8601 at Mastodon.
    """
    for name in ("x-rate-limit-reset", "ratelimit-reset", "x-ratelimit-reset"):
        if (at := to_utc(headers.get(name))) is not None:
            return max(0.0, datetime.fromisoformat(at).timestamp() - time.time())
    if (seconds := headers.get("retry-after", "")).isdecimal():
        return float(seconds)
    return None
