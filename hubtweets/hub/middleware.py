"""What a request must be before anybody looks at it.

The server listens on loopback, where every page in the user's browser reaches it too. Such a page must not speak for the user: a Host that is
a name of somebody else's tells of DNS rebinding, an Origin other than the Host of a form or a script from elsewhere. And a body must come.
"""

import asyncio
import ipaddress
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubtweets.hub.errors import HubError

MAX_STALL_SECONDS = 30.0  # seconds that the next piece of a body may take
MIN_BYTES_PER_SECOND = 1024  # bytes per second of a body, after the first PATIENCE
MAX_HEADER_BYTES = 2**16  # bytes of all headers


class Guard:
    """Refuses requests that a foreign page sent, and bodies that do not come."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app, self.host = app, host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the server starts or ends
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self.refusal(headers, scope["method"], scope["scheme"])
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            await JSONResponse({"error": f"the headers are over {MAX_HEADER_BYTES} bytes"}, 431)(
                scope, receive, send
            )
        elif headers.get("upgrade", "").lower() == "websocket":
            await JSONResponse({"error": "this Hub has no WebSockets"}, 501)(scope, receive, send)
        elif refusal:
            await JSONResponse({"error": refusal}, 403)(scope, receive, send)
        else:
            await self.app(scope, limit_receive_time(receive), send)

    def refusal(self, headers: Headers, method: str, scheme: str) -> str | None:
        """Say why a request can't be the user's own, None where it can."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.is_ours(parse_hostname(host)):
            return "this Hub has no such name: the Host is not its own"
        if method not in ("GET", "HEAD") and origin not in (None, f"{scheme}://{host}"):
            return "another site's page can't write here: the Origin is not this Hub"
        return None

    def is_ours(self, name: str) -> bool:
        """Tell whether a host's name leads here on its own: an address, for rebinding needs a name, or what this server was told to be."""
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


def limit_receive_time(receive: Receive) -> Receive:
    """Receive a body as long as it comes; raise HubError 408 where it stalls or drips."""
    began, received, whole = time.monotonic(), 0, False

    async def call() -> Message:
        nonlocal received, whole
        if whole:  # what comes now is the client's leaving, and may take its time
            return await receive()
        left = began + MAX_STALL_SECONDS + received / MIN_BYTES_PER_SECOND - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), max(0, min(MAX_STALL_SECONDS, left)))
        except TimeoutError:
            raise HubError(408, "the body came too slowly") from None
        received += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        return message

    return call
