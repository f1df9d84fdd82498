"""The endpoint that validates a card's front matter."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hubtweets.card.card_parser import FrontMatterError, parse_front_matter
from hubtweets.card.hub_schema import find_faults
from hubtweets.hub.api.requests import read_json
from hubtweets.hub.errors import HubError


async def validate_card(request: Request) -> Response:
    """List a card's errors and warnings, as plain text if the client asks for it."""
    body = await read_json(request)
    content, kind = body.get("content"), str(body.get("repoType") or "model")
    card = content if isinstance(content, str) else ""
    errors, warnings = await run_in_threadpool(find_problems, card, kind)
    status = 400 if errors else 200
    if errors and request.headers.get("accept") == "text/plain":
        return PlainTextResponse("\n".join(f"- Error: {error}" for error in errors), status)
    lists = {
        "errors": [{"message": error} for error in errors],
        "warnings": [{"message": warning} for warning in warnings],
    }
    return JSONResponse(lists, status)


def find_problems(card: str, kind: str) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of a card."""
    try:
        metadata = parse_front_matter(card)
    except FrontMatterError as error:
        return [HubError(400, str(error)).message], []
    if not metadata:
        return [], ["empty or missing yaml metadata in repo card"]
    return find_faults(metadata, kind), []
