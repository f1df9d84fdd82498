"""A Hub that fails on demand: it answers with errors, loses answers or cuts bodies short."""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

Message = MutableMapping[str, Any]


@dataclass
class Fault:
    """A fault of the next `times` requests whose method and raw path match the pattern `request`.

    `what` is a status to answer with at once, "lost" (done but not answered), "hang" (neither), or
    "cut request" or "cut answer" (half of the body).
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
        fits = (one for one in self.faults if one.times and re.search(one.request, request))
        fault = next(fits, None)
        if fault is None:
            await self.app(scope, receive, send)
            return
        fault.times -= 1
        if fault.what == "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif fault.what.isdigit():
            while (await receive()).get("more_body"):
                pass
            status, headers = int(fault.what), {"Retry-After": "0"}
            await JSONResponse({"error": fault.what}, status, headers)(scope, receive, send)
        else:
            cut_receive = CutReceive(receive) if fault.what == "cut request" else receive
            await self.app(scope, cut_receive, CutSend(send, fault.what == "cut answer"))
            await hang_up(receive, send)


class CutReceive:
    """Receives half of a body's first piece, and then a disconnect."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.is_cut = receive, False

    async def __call__(self) -> Message:
        if self.is_cut:
            return {"type": "http.disconnect"}
        self.is_cut = True
        body = (await self.receive()).get("body", b"")
        return {"type": "http.request", "body": body[: len(body) // 2], "more_body": True}


class CutSend:
    """Sends the head and half of a body's first piece if `answers`, else nothing."""

    def __init__(self, send: Send, answers: bool) -> None:
        self.send, self.answers = send, answers

    async def __call__(self, message: Message) -> None:
        if not self.answers:
            return
        if "body" in message:
            self.answers = False
            body = message["body"]
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await self.send(message)


async def hang_up(receive: Receive, send: Send) -> None:
    """Close the connection without another byte, as a server that died does.

    ASGI has no message for that, so this closes uvicorn's own transport.
    """
    send.__self__.transport.close()  # type: ignore[attr-defined]
    while (await receive())["type"] != "http.disconnect":
        pass
