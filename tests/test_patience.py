"""How long a push waits before it tries again."""

from typing import Any

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import hf_raise_for_status

from hubtweets.publishing.retry import choose_wait, describe_error, unwrap

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
        (ConnectionError("Error: HTTP status server error (503 Service Unavailable), for x"), 4.0),
        (ConnectionError("Error: HTTP status client error (403 Forbidden), for x"), None),
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


REASONS: list[tuple[dict[str, Any], str]] = [
    ({"json": {"error": "No space left for you."}}, "403: No space left for you"),
    ({"json": {"message": "Quota of 5 GB used up"}}, "403: Quota of 5 GB used up"),
    ({"json": {"detail": "Only for members"}}, "403: Only for members"),
    ({"json": {"detail": [{"loc": ["x"]}]}}, "403: Forbidden"),
    ({"headers": {"X-Error-Message": "Storage is full"}}, "403: Storage is full"),
    ({"json": {"errors": [{"message": "No."}, {"message": "Full."}]}}, "403: No. Full"),
    ({"text": "go away\n"}, "403: go away"),
    ({"html": "<h1>No</h1>"}, "403: Forbidden"),
    ({"text": "x" * 5000}, "403: " + "x" * 300),
    ({}, "403: Forbidden"),
]


@pytest.mark.parametrize(("answer", "expected"), REASONS)
def test_a_refusal_keeps_its_reason(answer: dict[str, Any], expected: str) -> None:
    request = httpx2.Request("POST", "http://x/api/models/a/b/commit/main")
    with pytest.raises(HfHubHTTPError) as caught:
        hf_raise_for_status(httpx2.Response(403, request=request, **answer))
    assert describe_error(caught.value) == expected
