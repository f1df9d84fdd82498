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
from hubtweets.hub.generation.workers import WorkerPool
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
        Route("/api/agent-harnesses", accounts.list_agent_harnesses),
        Route("/api/settings/repositories", accounts.list_own_repos),
        Route("/api/repos/create", accounts.create_repo, methods=["POST"]),
        Route("/api/repos/delete", accounts.delete_repo, methods=["DELETE"]),
        Route("/api/repos/move", accounts.move_repo, methods=["POST"]),
        Route("/api/validate-yaml", validation.validate_card, methods=["POST"]),
        Route("/api/{kind}", repos.list_repos),
        Route(api, repos.show_repo),
        Route(api + "/auth-check", accounts.check_access),
        Route(api + "/settings", accounts.change_settings, methods=["PUT"]),
        Route(api + "/revision/{revision}", repos.show_repo),
        Route(api + "/tree/{revision}", repos.list_tree),
        Route(api + "/tree/{revision}/{path:path}", repos.list_tree),
        Route(api + "/paths-info/{revision}", repos.list_paths, methods=["POST"]),
        Route(api + "/refs", repos.list_refs),
        Route(api + "/commits/{revision}", repos.list_commits),
        Route(api + "/preupload/{revision}", uploads.preupload, methods=["POST"]),
        Route(api + "/xet-write-token/{revision}", uploads.create_xet_token),
        Route(api + "/commit/{revision}", commits.create_commit, methods=["POST"]),
        Route(api + "/tag/{revision}", commits.change_tag, methods=["POST", "DELETE"]),
        Route(api + "/branch/{revision}", commits.change_branch, methods=["POST", "DELETE"]),
        Route(api + "/discussions", discussions.list_discussions),
        Route(api + "/discussions", discussions.create_discussion, methods=["POST"]),
        Route(api + "/discussions/{num}", discussions.show_discussion),
        Route(api + "/discussions/{num}/comment", discussions.add_comment, methods=["POST"]),
        Route(api + "/discussions/{num}/title", discussions.rename_discussion, methods=["POST"]),
        Route(api + "/discussions/{num}/status", discussions.change_status, methods=["POST"]),
        Route(api + "/discussions/{num}/merge", discussions.merge_pull_request, methods=["POST"]),
        Route("/cas-{instance}/v1/xorbs/default/{hash}", uploads.upload_xorb, methods=["POST"]),
        Route("/cas-{instance}/v1/shards", uploads.upload_shard, methods=["POST"]),
        Route("/cas-{instance}/{path:path}", decline, methods=["GET", "POST"]),
        Route("/v1/telemetry", decline, methods=["POST"]),
        Route("/_lfs/{sha256}/{number}", uploads.put_object, methods=["PUT"]),
        Route("/_lfs/{sha256}/{number}", uploads.join_parts, methods=["POST"]),
    ]
    for prefix in ("/datasets", "/spaces", ""):
        routes.append(
            Route(
                prefix + repo + ".git/info/lfs/objects/batch",
                uploads.start_lfs_batch,
                methods=["POST"],
            )
        )
        routes.append(Route(prefix + repo + "/resolve/{revision}/{path:path}", repos.download_file))
    routes += pages.routes
    handlers = {
        HubError: handle_hub_error,
        MovedError: handle_moved,
        HTTPException: handle_http_error,
        OSError: handle_disk_error,
        ClientDisconnect: handle_disconnect,
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=close_workers)
    app.state.storage, app.state.workers = storage, WorkerPool()
    return Guard(RawPathMiddleware(app), host)


@asynccontextmanager
async def close_workers(app: Starlette) -> AsyncIterator[None]:
    yield
    await app.state.workers.close()


class RawPathMiddleware:
    """Hands the path to the router as it was sent, percent-encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = {"path": scope["raw_path"].decode("latin-1")} if scope["type"] == "http" else {}
        await self.app({**scope, **own}, receive, send)


async def handle_hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {"X-Error-Message": re.sub("[^ -~]", "?", error.message).strip()}
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": error.message}, error.status, headers)


async def handle_moved(request: Request, error: Exception) -> Response:
    """Send to the name that a repo has now; to a path alone, which clients follow when they ask for a file's head."""
    assert isinstance(error, MovedError)
    old = f"/{request.path_params['namespace']}/{request.path_params['name']}"
    path = request.url.path.replace(old, f"/{error.repo_id}", 1)
    return Response(
        status_code=307, headers={"Location": f"{path}?{request.url.query}".rstrip("?")}
    )


async def handle_disk_error(request: Request, error: Exception) -> Response:
    """Answer that the disk is full or can't be written: 507, or to hf_xet, which tries every 5xx again for minutes, 413."""
    status = 413 if request.url.path.startswith("/cas-") else 507
    return await handle_hub_error(
        request, HubError(status, f"the embedded Hub can't write: {error}")
    )


async def handle_disconnect(request: Request, error: Exception) -> Response:
    """Answer nobody: the client hung up in the middle of its upload, and what came is thrown away."""
    return Response(status_code=400)


async def decline(request: Request) -> Response:
    """Answer 404 to what hf_xet asks first and can do without: which chunks other repos have, newer ways to send, statistics."""
    return JSONResponse({"error": "not offered here"}, 404)


async def handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"the embedded Hub does not know {request.method} {request.url.path[:200]}"
    log.warning("%s", re.sub("[^ -~]", "?", message))
    return JSONResponse({"error": message}, 501 if error.status_code == 405 else error.status_code)
