"""A Hub that fails where it is told to: answers with an error, loses its answer, or hangs up in the middle of a body."""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

Message = MutableMapping[str, Any]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that fit `request`, a pattern of method and raw path.

    `what` is a status to answer with at once, "lost" (it is done and not answered), "hang" (it is neither), "cut request" or "cut answer" (of the
    body only a half).
    """

    request: str
    what: str
    times: int = 1


class Faulty:
    """An application with faults, which can be changed while it is served."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.faults: list[Fault] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = f"{scope['method']} {scope['raw_path'].decode()}"
        fault = next(
            (fault for fault in self.faults if fault.times and re.search(fault.request, request)),
            None,
        )
        if fault is None:
            await self.app(scope, receive, send)
            return
        fault.times -= 1
        if fault.what == "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if fault.what.isdigit():
            while (await receive()).get("more_body"):
                pass
            await JSONResponse({"error": fault.what}, int(fault.what), {"Retry-After": "0"})(
                scope, receive, send
            )
            return

        halved = False

        async def half_receive() -> Message:
            nonlocal halved
            if halved:
                return {"type": "http.disconnect"}
            halved = True
            body = (await receive()).get("body", b"")
            return {"type": "http.request", "body": body[: len(body) // 2], "more_body": True}

        async def half_send(message: Message) -> None:
            nonlocal halved
            if fault.what != "cut answer" or halved:
                return
            halved = "body" in message
            body = message.get("body", b"")
            await send(
                {**message, "body": body[: len(body) // 2], "more_body": True}
                if halved
                else message
            )

        await self.app(scope, half_receive if fault.what == "cut request" else receive, half_send)
        await hang_up(receive, send)


async def hang_up(receive: Receive, send: Send) -> None:
    """Close the connection without another word, as a server that died does; ASGI has no message for that, so uvicorn's own transport is taken."""
    send.__self__.transport.close()  # type: ignore[attr-defined]
    while (await receive())["type"] != "http.disconnect":
        pass
