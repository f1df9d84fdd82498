"""JSON from a service's public API, politely.

Waits where the service says when to come again, tries again where it stumbles, and gives up with one line. A token is sent to the service's own
address only, and is in no message.
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
HOST_PATTERN = r"(?:(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])|127\.0\.0\.1|localhost)"  # a pattern
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ApiError(Exception):
    """An answer that is no success: its status, its headers and what it says."""

    def __init__(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        super().__init__(f"{status}")
        self.status, self.headers, self.body = status, headers, body


class ApiClient:
    """One service's API; `say` gets a line when there is something to wait for."""

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
        stop: Callable[[ApiError], bool] = lambda answer: False,
    ) -> tuple[Any, Mapping[str, str]]:
        """Return the JSON and the headers at a path of the service.

        Raises Answer for a refusal, and for a 429 that `stop` knows better than to wait for; HubtweetsError where nothing sensible comes.
        """
        for attempt in range(MAX_TRIES):
            last = attempt == MAX_TRIES - 1
            try:
                status, headers, content = self.load(
                    self.client, self.endpoint + path, MAX_BODY, parameters
                )
            except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
                if not last and isinstance(error, httpx2.TransportError):
                    time.sleep(attempt)
                    continue
                raise HubtweetsError(
                    f"{self.endpoint} does not answer ({error or type(error).__name__}); try again later"
                ) from None
            body = parse_json(content)
            if status == 200:
                if body is None:
                    raise HubtweetsError(
                        f"{self.endpoint}{path} did not answer with JSON; try again later"
                    )
                return body, headers
            answer = ApiError(status, headers, body)
            if last or (status != 429 and status < 500) or (status == 429 and stop(answer)):
                raise answer
            self.wait(answer, attempt)
        raise AssertionError("the last try returns or raises")

    def wait(self, answer: ApiError, attempt: int) -> None:
        seconds = parse_reset_seconds(answer.headers) if answer.status == 429 else 0.0
        if seconds is None or seconds > MAX_WAIT:
            raise answer
        if seconds > 1:
            self.say(f"{self.endpoint} asks to wait {seconds:,.0f} seconds")
        time.sleep(seconds or attempt)

    def avatar(self, url: str | None) -> bytes | None:
        """Return the picture at a URL, or None where there is none: nobody's posts are worth less without it. No token is sent there."""
        try:
            parts = urlsplit(url or "")
            if parts.scheme != "https" and not (
                parts.scheme == "http" and parts.hostname in LOOPBACK
            ):
                return None
            with httpx2.Client(timeout=30, follow_redirects=True) as client:
                status, _, content = self.load(client, url or "", MAX_AVATAR, {})
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, HubtweetsError):
            return None
        return content if status == 200 else None

    @staticmethod
    def load(
        client: httpx2.Client, url: str, limit: int, parameters: Mapping[str, str | int]
    ) -> tuple[int, Mapping[str, str], bytes]:
        with client.stream("GET", url, params=dict(parameters)) as response:
            content = bytearray()
            for block in response.iter_bytes():
                content += block
                if len(content) > limit:
                    raise HubtweetsError(
                        f"{url.partition('?')[0]} answered with more than {limit >> 20} MiB; try again later"
                    )
            return response.status_code, response.headers, bytes(content)


def parse_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def parse_reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long a rate limit lasts by its reset header (Unix seconds at X and Bluesky, ISO 8601 at Mastodon), or None where none says."""
    for name in ("x-rate-limit-reset", "ratelimit-reset", "x-ratelimit-reset"):
        if (at := to_utc(headers.get(name))) is not None:
            return max(0.0, datetime.fromisoformat(at).timestamp() - time.time())
    if (seconds := headers.get("retry-after", "")).isdecimal():
        return float(seconds)
    return None
