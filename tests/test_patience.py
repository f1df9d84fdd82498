"""How long a push waits before it tries again."""

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError

from hubtweets.publishing.retry import choose_wait, unwrap

WAITS = [
    (503, {}, 4.0),
    (503, {"Retry-After": "7"}, 7.0),
    (429, {"Retry-After": "0"}, 0.0),
    (429, {"ratelimit": '"api";r=0;t=55', "Retry-After": "7"}, 56.0),
    (429, {"ratelimit": '"api";r=3;t=55'}, 4.0),
    (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 4.0),
    (429, {"Retry-After": "-1"}, 4.0),
    (429, {"Retry-After": "²"}, 4.0),
    (429, {"Retry-After": "601"}, None),
    (429, {"Retry-After": "9" * 400}, None),
    *((status, {}, 4.0) for status in (408, 409, 412, 500, 502, 504)),
    *((status, {"Retry-After": "7"}, None) for status in (400, 401, 403, 404, 501, 507)),
]


@pytest.mark.parametrize(("status", "headers", "wait"), WAITS)
def test_an_answer(status: int, headers: dict[str, str], wait: float | None) -> None:
    response = httpx2.Response(
        status,
        headers={name.encode(): value.encode() for name, value in headers.items()},
        request=httpx2.Request("GET", "http://x"),
    )
    assert choose_wait(HfHubHTTPError("no", response=response), 4.0) == wait


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (httpx2.ReadTimeout("no"), 4.0),
        (httpx2.ConnectError("no"), 4.0),
        (httpx2.RemoteProtocolError("no"), 4.0),
        (ConnectionError("hf_xet's"), 4.0),
        (httpx2.UnsupportedProtocol("no"), None),
        (ValueError("no"), None),
        (RuntimeError("no"), None),
    ],
)
def test_no_answer(error: Exception, wait: float | None) -> None:
    assert choose_wait(error, 4.0) == wait


def test_what_an_upload_failed_of() -> None:
    wrapped, cause = (
        RuntimeError("Error while uploading 'model.safetensors' to the Hub."),
        httpx2.ReadTimeout("no"),
    )
    wrapped.__cause__ = cause
    assert (unwrap(wrapped), unwrap(cause)) == (cause, cause)
