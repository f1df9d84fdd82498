"""Rejects cross-origin, DNS-rebinding and slow requests.

The server listens on loopback, where every page in the user's browser can reach it. Such a page
must not act for the user: a Host that is another site's name means DNS rebinding, an Origin other
than the Host a form or script of another site. Bodies must arrive at a minimum rate.
"""

import asyncio
import ipaddress
import re
import time
import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubtweets.hub.errors import HubError

MAX_STALL_SECONDS = 30.0  # until the next piece of a body
MIN_BYTES_PER_SECOND = 1024  # of a body, after the first MAX_STALL_SECONDS
REQUEST_ID = re.compile(r"[\w.:;=-]{1,200}", re.ASCII)
MAX_HEADER_BYTES = 2**16  # of all headers together


class Guard:
    """Middleware that rejects requests of other sites' pages, and bodies that stall."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app, self.host = app, host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the lifespan of the server
            await self.app(scope, receive, send)
        elif rejection := self.find_rejection(scope):
            status, reason = rejection
            await JSONResponse({"error": reason}, status)(
                scope, receive, add_request_id(scope, send)
            )
        else:
            await self.app(scope, limit_receive_time(receive), add_request_id(scope, send))

    def find_rejection(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and the reason if a request must be rejected."""
        headers = Headers(scope=scope)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            return 431, f"the headers are over {MAX_HEADER_BYTES} bytes"
        if headers.get("upgrade", "").lower() == "websocket":
            return 501, "this Hub has no WebSockets"
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.is_own_name(parse_hostname(host)):
            return 403, "this Hub has no such name: the Host is not its own"
        is_write = scope["method"] not in ("GET", "HEAD")
        if is_write and origin not in (None, f"{scope['scheme']}://{host}"):
            return 403, "another site's page can't write here: the Origin is not this Hub"
        return None

    def is_own_name(self, name: str) -> bool:
        """Check whether a host's name is an address, localhost or the configured host.

        Rebinding needs a name, so every address is allowed.
        """
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in ("localhost", self.host)
        return True


def parse_hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def add_request_id(scope: Scope, send: Send) -> Send:
    """Wrap `send` so that the answer names its request: by the id that the client gave, if any."""
    headers = Headers(scope=scope)
    given = headers.get("x-request-id") or headers.get("x-amzn-trace-id") or ""
    request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Request-Id"] = request_id
        await send(message)

    return send_with_id


def limit_receive_time(receive: Receive) -> Receive:
    """Wrap `receive` so that it raises HubError 408 if the body stalls or is too slow."""
    began, received, complete = time.monotonic(), 0, False

    async def receive_in_time() -> Message:
        nonlocal received, complete
        if complete:  # the next message is the client's disconnect, which has no deadline
            return await receive()
        left = began + MAX_STALL_SECONDS + received / MIN_BYTES_PER_SECOND - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), max(0, min(MAX_STALL_SECONDS, left)))
        except TimeoutError:
            raise HubError(408, "the body came too slowly") from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        return message

    return receive_in_time
