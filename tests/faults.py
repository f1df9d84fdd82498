"""A Hub that fails on demand: it answers with errors, loses answers or cuts bodies short.

And a Hub with quirks, as that of another author has them: what it lacks, ignores or loses for good.
"""

import json
import re
from collections.abc import Callable, MutableMapping
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


@dataclass(frozen=True)
class Quirk:
    """What another Hub does with the requests whose method and raw path match `request`.

    It edits the request, its body or the answer, or answers with `reply` and does nothing.
    """

    request: str
    reply: Callable[[Scope, bytes], JSONResponse] | None = None
    edit_scope: Callable[[Scope], Scope] | None = None
    edit_request: Callable[[bytes], bytes] | None = None
    edit_answer: Callable[[bytes], bytes] | None = None


FOREIGN_TAIL = "f00d" * 6  # which makes an id of 64 digits of one of 40


def refuse(scope: Scope, body: bytes) -> JSONResponse:
    return JSONResponse({"error": "Not Found"}, 404)


def pretend(scope: Scope, body: bytes) -> JSONResponse:
    return JSONResponse({})


def pretend_to_commit(scope: Scope, body: bytes) -> JSONResponse:
    """Answer a commit with the id of its parent."""
    parent = json.loads(body.partition(b"\n")[0])["value"]["parentCommit"]
    repo = re.sub("/api/models|/commit/.*", "", scope["path"])
    url = f"http://{dict(scope['headers'])[b'host'].decode()}{repo}/commit/{parent}"
    return JSONResponse({"success": True, "commitUrl": url, "commitOid": parent})


def drop_parent(body: bytes) -> bytes:
    """Return a commit's body without the parent that it asks for."""
    first, _, rest = body.partition(b"\n")
    header = json.loads(first)
    header["value"].pop("parentCommit", None)
    return json.dumps(header).encode() + b"\n" + rest


def drop_last_file(body: bytes) -> bytes:
    """Return a commit's body without its last line."""
    return body[: body[:-1].rindex(b"\n") + 1]


def change_blob_ids(body: bytes) -> bytes:
    """Return a listing with other blob ids than git's; LFS files keep their SHA-256."""
    return re.sub(rb'"oid":"(\w{40})"', lambda found: b'"oid":"%b"' % found[1][::-1], body)


def lengthen_ids(body: bytes) -> bytes:
    return re.sub(rb"\b[0-9a-f]{40}\b", rb"\g<0>" + FOREIGN_TAIL.encode(), body)


def shorten_ids(data: bytes) -> bytes:
    return data.replace(FOREIGN_TAIL.encode(), b"")


def shorten_ids_of_scope(scope: Scope) -> Scope:
    parts = {name: shorten_ids(scope[name]) for name in ("raw_path", "query_string")}
    headers = [(name, shorten_ids(value)) for name, value in scope["headers"]]
    return {
        **scope,
        **parts,
        "path": shorten_ids(scope["path"].encode()).decode(),
        "headers": headers,
    }


QUIRKS = {
    "no Xet": Quirk("GET .*/xet-(read|write)-token/", refuse),
    "no discussions": Quirk(" /api/.*/discussions", refuse),
    "ignored parent": Quirk("POST .*/commit/", edit_request=drop_parent),
    "lost commit": Quirk("POST .*/commit/", pretend_to_commit),
    "lost file": Quirk("POST .*/commit/", edit_request=drop_last_file),
    "no commits": Quirk("GET .*/commits/", refuse),
    "ignored gated": Quirk("PUT .*/settings", pretend),
    "ignored filter": Quirk(
        "GET /api/models$", edit_scope=lambda scope: {**scope, "query_string": b""}
    ),
    "foreign blob ids": Quirk("(GET .*/tree|POST .*/paths-info)/", edit_answer=change_blob_ids),
    "foreign commit ids": Quirk("", None, shorten_ids_of_scope, shorten_ids, lengthen_ids),
}


class Quirky:
    """An application with some of the QUIRKS."""

    def __init__(self, app: ASGIApp, *names: str) -> None:
        self.app, self.quirks = app, [QUIRKS[name] for name in names]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = f"{scope['method']} {scope['raw_path'].decode()}"
        found = [quirk for quirk in self.quirks if re.search(quirk.request, request)]
        if not found:
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        for quirk in found:
            if quirk.reply:
                await quirk.reply(scope, body)(scope, receive, send)
                return
            scope = quirk.edit_scope(scope) if quirk.edit_scope else scope
            body = quirk.edit_request(body) if quirk.edit_request else body
        answer_with = EditedSend(send, [one.edit_answer for one in found if one.edit_answer])
        await self.app(scope, resend(body, receive), answer_with)


async def read_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def resend(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that has a body in one piece."""
    messages = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


class EditedSend:
    """Sends an answer in one piece, edited; bodies only if they are JSON."""

    def __init__(self, send: Send, edits: list[Callable[[bytes], bytes]]) -> None:
        self.send, self.edits, self.body = send, edits, b""
        self.start: Message = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = dict(self.start["headers"])
        if b"json" in headers.get(b"content-type", b""):
            self.body = self.edit(self.body)
            headers[b"content-length"] = str(len(self.body)).encode()
        if b"x-repo-commit" in headers:
            headers[b"x-repo-commit"] = self.edit(headers[b"x-repo-commit"])
        await self.send({**self.start, "headers": list(headers.items())})
        await self.send({"type": "http.response.body", "body": self.body})

    def edit(self, data: bytes) -> bytes:
        for edit in self.edits:
            data = edit(data)
        return data
