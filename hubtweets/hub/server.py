"""The Hub as an application: its routes, in huggingface_hub 2.4's protocol.

In: a Storage. Out: an ASGI application. Routes match on the raw path, for a revision such as `refs%2Fpr%2F1` arrives as one segment. What it
does not know is answered with 404 and JSON that names the request.
"""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.hub.api import accounts, commits, discussions, repos, uploads, validation
from hubtweets.hub.errors import HubError, MovedError
from hubtweets.hub.generation.workers import Workers
from hubtweets.hub.middleware import Guard
from hubtweets.hub.pages import pages
from hubtweets.hub.storage.storage import Storage

log = logging.getLogger(__name__)


def create_app(storage: Storage, host: str = "127.0.0.1") -> ASGIApp:
    """Return the Hub as an ASGI application; `host` is a name that it may be called by, besides its address and localhost."""
    repo = "/{namespace}/{name}"
    api = "/api/{kind}" + repo
    routes = [
        Route("/api/whoami-v2", accounts.whoami),
        Route("/api/agent-harnesses", accounts.agent_harnesses),
        Route("/api/settings/repositories", accounts.own_repos),
        Route("/api/repos/create", accounts.create_repo, methods=["POST"]),
        Route("/api/repos/delete", accounts.delete_repo, methods=["DELETE"]),
        Route("/api/repos/move", accounts.move_repo, methods=["POST"]),
        Route("/api/validate-yaml", validation.validate, methods=["POST"]),
        Route("/api/{kind}", repos.repos),
        Route(api, repos.info),
        Route(api + "/auth-check", accounts.check_access),
        Route(api + "/settings", accounts.change_settings, methods=["PUT"]),
        Route(api + "/revision/{revision}", repos.info),
        Route(api + "/tree/{revision}", repos.tree),
        Route(api + "/tree/{revision}/{path:path}", repos.tree),
        Route(api + "/paths-info/{revision}", repos.paths_info, methods=["POST"]),
        Route(api + "/refs", repos.refs),
        Route(api + "/commits/{revision}", repos.commits),
        Route(api + "/preupload/{revision}", uploads.preupload, methods=["POST"]),
        Route(api + "/xet-write-token/{revision}", uploads.xet_write_token),
        Route(api + "/commit/{revision}", commits.commit, methods=["POST"]),
        Route(api + "/tag/{revision}", commits.tag, methods=["POST", "DELETE"]),
        Route(api + "/branch/{revision}", commits.branch, methods=["POST", "DELETE"]),
        Route(api + "/discussions", discussions.listing),
        Route(api + "/discussions", discussions.create, methods=["POST"]),
        Route(api + "/discussions/{num}", discussions.details),
        Route(api + "/discussions/{num}/comment", discussions.comment, methods=["POST"]),
        Route(api + "/discussions/{num}/title", discussions.rename, methods=["POST"]),
        Route(api + "/discussions/{num}/status", discussions.change_status, methods=["POST"]),
        Route(api + "/discussions/{num}/merge", discussions.merge, methods=["POST"]),
        Route("/cas-{instance}/v1/xorbs/default/{hash}", uploads.xorbs, methods=["POST"]),
        Route("/cas-{instance}/v1/shards", uploads.shards, methods=["POST"]),
        Route("/cas-{instance}/{path:path}", declined, methods=["GET", "POST"]),
        Route("/v1/telemetry", declined, methods=["POST"]),
        Route("/_lfs/{sha256}/{number}", uploads.put_object, methods=["PUT"]),
        Route("/_lfs/{sha256}/{number}", uploads.join_parts, methods=["POST"]),
    ]
    for prefix in ("/datasets", "/spaces", ""):
        routes.append(
            Route(
                prefix + repo + ".git/info/lfs/objects/batch", uploads.lfs_batch, methods=["POST"]
            )
        )
        routes.append(Route(prefix + repo + "/resolve/{revision}/{path:path}", repos.resolve))
    routes += pages.routes
    handlers = {
        HubError: refuse,
        MovedError: lead,
        HTTPException: unknown,
        OSError: out_of_room,
        ClientDisconnect: gone,
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=close_workers)
    app.state.storage, app.state.workers = storage, Workers()
    return Guard(RawPath(app), host)


@asynccontextmanager
async def close_workers(app: Starlette) -> AsyncIterator[None]:
    yield
    await app.state.workers.close()


class RawPath:
    """Hands the path to the router as it was sent, percent-encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = {"path": scope["raw_path"].decode("latin-1")} if scope["type"] == "http" else {}
        await self.app({**scope, **own}, receive, send)


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {"X-Error-Message": re.sub("[^ -~]", "?", error.message).strip()}
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": error.message}, error.status, headers)


async def lead(request: Request, error: Exception) -> Response:
    """Send to the name that a repo has now; to a path alone, which clients follow when they ask for a file's head."""
    assert isinstance(error, MovedError)
    old = f"/{request.path_params['namespace']}/{request.path_params['name']}"
    path = request.url.path.replace(old, f"/{error.repo_id}", 1)
    return Response(
        status_code=307, headers={"Location": f"{path}?{request.url.query}".rstrip("?")}
    )


async def out_of_room(request: Request, error: Exception) -> Response:
    """Answer that the disk is full or can't be written: 507, or to hf_xet, which tries every 5xx again for minutes, 413."""
    status = 413 if request.url.path.startswith("/cas-") else 507
    return await refuse(request, HubError(status, f"the embedded Hub can't write: {error}"))


async def gone(request: Request, error: Exception) -> Response:
    """Answer nobody: the client hung up in the middle of its upload, and what came is thrown away."""
    return Response(status_code=400)


async def declined(request: Request) -> Response:
    """Answer 404 to what hf_xet asks first and can do without: which chunks other repos have, newer ways to send, statistics."""
    return JSONResponse({"error": "not offered here"}, 404)


async def unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"the embedded Hub does not know {request.method} {request.url.path[:200]}"
    log.warning("%s", re.sub("[^ -~]", "?", message))
    return JSONResponse({"error": message}, 501 if error.status_code == 405 else error.status_code)
