"""Pages of a list, by their numbers."""

from typing import Any

from starlette.requests import Request

from hubtweets.hub.api.paging import parse_number


def paginate(request: Request, items: list[Any], size: int) -> dict[str, Any]:
    """Return page `p` of a list, its number, and whether there are more."""
    number = parse_number(request.query_params.get("p", "0")) or 0
    end = (number + 1) * size
    return {"items": items[number * size : end], "number": number, "more": len(items) > end}
