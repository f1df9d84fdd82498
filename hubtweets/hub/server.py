"""The Hub as an application: its routes, in huggingface_hub 2.4's protocol.

In: a Storage. Out: an ASGI application. Routes match on the raw path, for a revision such as `refs%2Fpr%2F1` arrives as one segment. What it
does not know is answered with 404 and JSON that names the request.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.hub import pages, reading, writing
from hubtweets.hub.requests import writer
from hubtweets.hub.storage import HubError, Storage


def create_app(storage: Storage) -> "RawPath":
    """Return the Hub as an ASGI application."""
    repo = "/{namespace}/{name}"
    routes = [
        Route("/api/whoami-v2", whoami),
        Route("/api/repos/create", writing.create_repo, methods=["POST"]),
        Route("/api/validate-yaml", writing.validate_yaml, methods=["POST"]),
        Route("/api/agent-harnesses", agent_harnesses),
        Route("/api/{kind}", reading.repos),
        Route("/api/{kind}" + repo, reading.info),
        Route("/api/{kind}" + repo + "/revision/{revision}", reading.info),
        Route("/api/{kind}" + repo + "/tree/{revision}", reading.tree),
        Route("/api/{kind}" + repo + "/tree/{revision}/{path:path}", reading.tree),
        Route("/api/{kind}" + repo + "/paths-info/{revision}", reading.paths_info, methods=["POST"]),
        Route("/api/{kind}" + repo + "/refs", reading.refs),
        Route("/api/{kind}" + repo + "/commits/{revision}", reading.commits),
        Route("/api/{kind}" + repo + "/preupload/{revision}", writing.preupload, methods=["POST"]),
        Route("/api/{kind}" + repo + "/commit/{revision}", writing.commit, methods=["POST"]),
        Route("/api/{kind}" + repo + "/tag/{revision}", writing.tag, methods=["POST", "DELETE"]),
        Route("/api/{kind}" + repo + "/branch/{revision}", writing.branch, methods=["POST", "DELETE"]),
        Route("/api/{kind}" + repo + "/xet-write-token/{revision}", writing.xet_write_token),
        Route("/cas-{instance}/v1/xorbs/default/{hash}", writing.xorbs, methods=["POST"]),
        Route("/cas-{instance}/v1/shards", writing.shards, methods=["POST"]),
        Route("/_lfs/{sha256}", writing.put_large, methods=["PUT"]),
    ]
    for prefix, kind in (("", "models"), ("/datasets", "datasets"), ("/spaces", "spaces")):
        routes.append(Route(prefix + repo + ".git/info/lfs/objects/batch", with_kind(kind, writing.lfs_batch), methods=["POST"]))
        routes.append(Route(prefix + repo + "/resolve/{revision}/{path:path}", with_kind(kind, reading.resolve)))
    routes += pages.routes
    app = Starlette(routes=routes, exception_handlers={HubError: refuse, HTTPException: unknown, OSError: out_of_room, ClientDisconnect: gone})
    app.state.storage = storage
    return RawPath(app)


class RawPath:
    """Hands the path to the router as it was sent, percent-encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self.app(scope, receive, send)


def with_kind(kind: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        request.path_params["kind"] = kind
        return await endpoint(request)

    return call


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {"X-Error-Message": re.sub("[^ -~]", "?", error.message).strip()}
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": error.message}, error.status, headers)


async def out_of_room(request: Request, error: Exception) -> Response:
    """Answer 507, which the client does not try again, where the disk is full or can't be written."""
    return await refuse(request, HubError(507, f"the embedded Hub can't write: {error}"))


async def gone(request: Request, error: Exception) -> Response:
    """Answer nobody: the client hung up in the middle of its upload, and what came is thrown away."""
    return Response(status_code=400)


async def unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"the embedded Hub does not know {request.method} {request.url.path}"}, error.status_code)


async def whoami(request: Request) -> Response:
    user = writer(request)
    token = {"displayName": "local", "role": "write"}
    who: dict[str, Any] = {"type": "user", "id": user, "name": user, "fullname": user, "email": None, "orgs": []}
    return JSONResponse({**who, "auth": {"type": "access_token", "accessToken": token}})


async def agent_harnesses(request: Request) -> Response:
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})
