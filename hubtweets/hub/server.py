"""The Hub as an ASGI application: its routes, in the protocol of huggingface_hub 2.4.

In: a Storage. Out: the application. Routes match the raw path, because a revision such as
`refs%2Fpr%2F1` must stay one segment. An unknown request is answered with 404 and JSON that names
it.
"""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.hub.api import (
    accounts,
    collections,
    commits,
    discussions,
    files,
    git,
    history,
    lfs,
    repos,
    uploads,
    users,
    validation,
)
from hubtweets.hub.api.requests import find_repo
from hubtweets.hub.errors import HubError, MovedError
from hubtweets.hub.generation.workers import WorkerPool
from hubtweets.hub.middleware import Guard
from hubtweets.hub.pages import pages
from hubtweets.hub.pages.picks import FindChoice
from hubtweets.hub.storage.repo import KINDS
from hubtweets.hub.storage.storage import Storage

REPO = "/{namespace}/{name}"
API = "/api/{kind:kind}" + REPO
# what the Hub has besides, and clients ask for
LEFT_OUT = {
    "buckets": "buckets",
    "daily_papers": "papers",
    "jobs": "jobs",
    "kernels": "kernels",
    "organizations": "organizations",
    "papers": "papers",
    "scheduled-jobs": "jobs",
    "settings/webhooks": "webhooks",
}

REPO_API = re.compile(r"/api/(?P<kind>models|datasets|spaces)/(?P<id>[^/]+(/[^/]+)?)")
BARE_FILE = re.compile(r"(/datasets|/spaces)?/[^/]+/resolve/[^/]+/.")

log = logging.getLogger(__name__)


class RevisionConvertor(StringConvertor):
    """A revision in a path: one segment, or a full ref name that the client did not encode."""

    regex = "refs/(?:heads|tags|pr)/[^/]+|[^/]+"


class KindConvertor(StringConvertor):
    """Matches the kinds of repos only: /api/users/x is no repo."""

    regex = "|".join(KINDS)


register_url_convertor("kind", KindConvertor())
register_url_convertor("revision", RevisionConvertor())


def create_app(
    storage: Storage, host: str = "127.0.0.1", find_choice: FindChoice | None = None
) -> ASGIApp:
    """Return the Hub as an ASGI application.

    It answers to its address, to localhost and to the name `host`. With `find_choice`, the samples
    of a bot can be picked on its page.
    """
    handlers = {
        HubError: handle_hub_error,
        MovedError: handle_moved,
        HTTPException: handle_http_error,
        OSError: handle_disk_error,
        ClientDisconnect: handle_disconnect,
    }
    app = Starlette(
        routes=list_routes(),
        exception_handlers=handlers,
        lifespan=close_workers,
    )
    app.state.storage, app.state.workers = storage, WorkerPool()
    app.state.find_choice = find_choice
    return Guard(RawPathMiddleware(app), host)


@cache
def list_routes() -> tuple[Route, ...]:
    """Return all routes, whose patterns are compiled once for all applications."""
    return (
        *list_api_routes(),
        *list_repo_routes(),
        *list_upload_routes(),
        *list_file_routes(),
        *pages.routes,
    )


def list_api_routes() -> list[Route]:
    """Return the routes that are about no single repo."""
    one = "/api/collections/{namespace}/{slug}"
    return [
        Route("/api/whoami-v2", accounts.whoami),
        Route("/api/agent-harnesses", accounts.list_agent_harnesses),
        Route("/api/settings/repositories", accounts.list_own_repos),
        Route("/api/repos/create", accounts.create_repo, methods=["POST"]),
        Route("/api/repos/delete", accounts.delete_repo, methods=["DELETE"]),
        Route("/api/repos/move", accounts.move_repo, methods=["POST"]),
        Route("/api/users/{user}/overview", users.show_user),
        Route("/api/validate-yaml", validation.validate_card, methods=["POST"]),
        Route("/api/collections", collections.list_collections),
        Route("/api/collections", collections.create_collection, methods=["POST"]),
        Route(one, collections.show_collection),
        Route(one, collections.change_collection, methods=["PATCH"]),
        Route(one, collections.delete_collection, methods=["DELETE"]),
        Route(one + "/items", collections.add_item, methods=["POST"]),
        Route(one + "/items/{item}", collections.change_item, methods=["PATCH"]),
        Route(one + "/items/{item}", collections.delete_item, methods=["DELETE"]),
        Route("/api/{kind:kind}", repos.list_repos),
        Route("/api/{kind:kind}-tags-by-type", users.list_tags),
        *(make_left_out_route(start, name) for start, name in LEFT_OUT.items()),
    ]


def make_left_out_route(start: str, name: str) -> Route:
    """Return the route that says that this Hub has nothing of this name."""

    async def leave_out(request: Request) -> Response:
        raise HubError(501, f"the embedded Hub has no {name}")

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Route(f"/api/{start}{{path:path}}", leave_out, methods=methods)


def list_repo_routes() -> list[Route]:
    return [
        Route(API, repos.show_repo),
        Route(API + "/auth-check", accounts.check_access),
        Route(API + "/auth-check/write", accounts.check_write_access),
        Route(API + "/settings", accounts.change_settings, methods=["PUT"]),
        Route(API + "/duplicate", history.duplicate_repo, methods=["POST"]),
        Route(API + "/revision/{revision}", repos.show_repo),
        Route(API + "/tree/{revision:revision}", files.list_tree),
        Route(API + "/tree/{revision:revision}/{path:path}", files.list_tree),
        Route(API + "/paths-info/{revision}", files.list_paths, methods=["POST"]),
        Route(API + "/refs", repos.list_refs),
        Route(API + "/commits/{revision:revision}", repos.list_commits),
        Route(API + "/commit/{revision}", commits.create_commit, methods=["POST"]),
        Route(API + "/tag/{revision}", commits.change_tag, methods=["POST", "DELETE"]),
        Route(API + "/branch/{revision}", commits.change_branch, methods=["POST", "DELETE"]),
        Route(API + "/super-squash/{revision}", history.squash_history, methods=["POST"]),
        Route(API + "/lfs-files", history.list_large_files),
        Route(API + "/lfs-files/batch", history.delete_large_files, methods=["POST"]),
        Route(API + "/lfs-files/duplicate", history.copy_large_files, methods=["POST"]),
        *list_discussion_routes(API + "/discussions"),
    ]


def list_discussion_routes(start: str) -> list[Route]:
    one = start + "/{num}"
    return [
        Route(start, discussions.list_discussions),
        Route(start, discussions.create_discussion, methods=["POST"]),
        Route(one, discussions.show_discussion),
        Route(one + "/comment", discussions.add_comment, methods=["POST"]),
        Route(one + "/title", discussions.rename_discussion, methods=["POST"]),
        Route(one + "/status", discussions.change_status, methods=["POST"]),
        Route(one + "/merge", discussions.merge_pull_request, methods=["POST"]),
    ]


def list_upload_routes() -> list[Route]:
    cas = "/cas-{instance}"
    return [
        Route(API + "/preupload/{revision}", uploads.preupload, methods=["POST"]),
        Route(API + "/xet-write-token/{revision}", uploads.create_xet_token),
        Route(cas + "/v1/xorbs/default/{hash}", uploads.upload_xorb, methods=["POST"]),
        Route(cas + "/v1/shards", uploads.upload_shard, methods=["POST"]),
        Route(cas + "/{path:path}", decline, methods=["GET", "POST"]),
        Route("/v1/telemetry", decline, methods=["POST"]),
        Route("/_lfs/{sha256}", lfs.download_object),
        Route("/_lfs/{sha256}/{number}", lfs.put_object, methods=["PUT"]),
        Route("/_lfs/{sha256}/{number}", lfs.join_parts, methods=["POST"]),
    ]


def list_file_routes() -> list[Route]:
    """Return the routes that repos of all kinds have outside of /api."""
    found = []
    file = "/{revision:revision}/{path:path}"
    for prefix in ("/datasets", "/spaces", ""):
        batch = prefix + REPO + ".git/info/lfs/objects/batch"
        found.append(Route(batch, lfs.start_batch, methods=["POST"]))
        found.append(Route(prefix + REPO + "/info/refs", git.decline_git))
        found.append(Route(prefix + REPO + "/resolve" + file, files.download_file))
        found.append(Route(prefix + REPO + "/raw" + file, files.download_raw_file))
    return found


@asynccontextmanager
async def close_workers(app: Starlette) -> AsyncIterator[None]:
    yield
    await app.state.workers.close()


class RawPathMiddleware:
    """Passes the path to the router as it was sent, percent-encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = {"path": scope["raw_path"].decode("latin-1")} if scope["type"] == "http" else {}
        await self.app({**scope, **own}, receive, send)


async def decline(request: Request) -> Response:
    """Answer 404 to optional requests of hf_xet.

    They ask which chunks other repos have, for newer ways to upload, or send statistics.
    """
    return JSONResponse({"error": "not offered here"}, 404)


# ---- exception handlers ----


async def handle_hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {"X-Error-Message": to_ascii(error.message).strip()}
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": error.message}, error.status, headers)


async def handle_moved(request: Request, error: Exception) -> Response:
    """Redirect to a repo's new name.

    The location has no host: clients follow only such redirects when they ask for a file's head.
    """
    assert isinstance(error, MovedError)
    old = f"/{request.path_params['namespace']}/{request.path_params['name']}"
    path = request.url.path.replace(old, f"/{error.repo_id}", 1)
    location = f"{path}?{request.url.query}".rstrip("?")
    return Response(status_code=307, headers={"Location": location})


async def handle_disk_error(request: Request, error: Exception) -> Response:
    """Answer 507 if the disk is full or can't be written.

    hf_xet retries every 5xx for minutes, so it gets 413.
    """
    status = 413 if request.url.path.startswith("/cas-") else 507
    message = f"the embedded Hub can't write: {error}"
    return await handle_hub_error(request, HubError(status, message))


async def handle_disconnect(request: Request, error: Exception) -> Response:
    """Drop an upload whose client hung up; no one receives this response."""
    return Response(status_code=400)


async def handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_of_missing_repo(request):
        missing = HubError(404, "Repository not found", "RepoNotFound")
        return await handle_hub_error(request, missing)
    message = f"the embedded Hub does not support {request.method} {request.url.path[:200]}"
    log.warning("%s", to_ascii(message))
    return JSONResponse({"error": message}, 501 if error.status_code == 405 else error.status_code)


def is_of_missing_repo(request: Request) -> bool:
    """Check whether a path that has no route is of a repo that is missing or hidden.

    Clients ask so for names without a namespace, which this Hub has none of.
    """
    path = unquote(request.url.path)
    if BARE_FILE.match(path):
        return True
    named = REPO_API.match(path)
    try:
        return bool(named and not find_repo(request, named["kind"], named["id"]))
    except HubError:
        return True


def to_ascii(text: str) -> str:
    """Replace what is not printable ASCII, for headers and the terminal."""
    return re.sub("[^ -~]", "?", text)
