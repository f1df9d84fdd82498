"""Pages of a list, as the Hub's clients follow them: by the Link header."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.errors import HubError


def paginate(
    request: Request, items: list[Any], size: int, finish: Callable[[list[Any]], list[Any]] = list
) -> Response:
    """Answer with one page of a list, passed through `finish`.

    The Link header has the next page, X-Total-Count the number of all items.
    """
    start = parse_number(request.query_params.get("cursor", "0"))
    limit = parse_number(request.query_params.get("limit", str(size)))
    if start is None or limit is None:
        raise HubError(400, "cursor and limit must be numbers")
    end = start + min(limit or size, size)
    following = request.url.include_query_params(cursor=end)
    headers = {"X-Total-Count": str(len(items))}
    if end < len(items):
        headers["Link"] = f'<{following}>; rel="next"'
    return JSONResponse(finish(items[start:end]), headers=headers)


def parse_number(digits: str) -> int | None:
    """Return a number of at most nine digits, None for anything else."""
    if digits.isascii() and digits.isdecimal() and len(digits) < 10:
        return int(digits)
    return None
