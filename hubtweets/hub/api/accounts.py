"""The requests about an account and the repos it has: made, changed, moved, removed."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.requests import (
    USER,
    check_gate,
    find_repo,
    get_repo,
    get_repo_url,
    get_storage,
    read_json,
    require_user,
    require_writer,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.storage import KINDS

SDKS = ("gradio", "streamlit", "docker", "static")


async def whoami(request: Request) -> Response:
    user = require_user(request)
    who: dict[str, Any] = {
        "type": "user",
        "id": user.name,
        "name": user.name,
        "fullname": user.name,
        "email": None,
        "orgs": [],
    }
    who["writesEverywhere"] = True  # the Hub has no such key: there a namespace has members
    return JSONResponse(
        {
            **who,
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": "embedded Hub", "role": user.role},
            },
        }
    )


def parse_repo_name(body: dict[str, Any]) -> tuple[str, str]:
    """Return the kind and the id of the repo that a body names."""
    return (
        f"{body.get('type') or 'model'}s",
        f"{body.get('organization') or USER}/{body.get('name') or ''}",
    )


def parse_private(body: dict[str, Any]) -> bool | None:
    """Return whether a body makes a repo private, None if it says nothing of that.

    Clients before huggingface_hub 1.0 send `private`, newer ones `visibility`. Raises HubError 400 for other values and if the two disagree.
    """
    private, visibility = body.get("private"), body.get("visibility")
    if visibility not in (None, "public", "private"):
        raise HubError(400, f"visibility is public or private here, not {visibility!r}")
    if not isinstance(private, bool | None):
        raise HubError(400, f"private is true or false, not {private!r}")
    if None not in (private, visibility) and private != (visibility == "private"):
        raise HubError(
            400, f"private is {private} but visibility is {visibility}; send one of them"
        )
    return private if visibility is None else visibility == "private"


async def create_repo(request: Request) -> Response:
    user, body = require_writer(request), await read_json(request)
    kind, repo_id = parse_repo_name(body)
    files = {}
    if kind == "spaces":
        if body.get("sdk") not in SDKS:
            raise HubError(400, f"a Space needs an sdk: {', '.join(SDKS)}")
        files["README.md"] = f"---\nsdk: {body['sdk']}\n---\n".encode()
    try:
        repo = await run_in_threadpool(
            get_storage(request).create_repo, kind, repo_id, bool(parse_private(body)), user, files
        )
    except HubError as error:
        if error.status == 409:  # the client reads `url` from a 409 too
            return JSONResponse(
                {
                    "error": error.message,
                    "url": get_repo_url(request, find_repo(request, kind, repo_id)),
                },
                409,
            )
        raise
    return JSONResponse({"url": get_repo_url(request, repo), "name": repo.id})


async def delete_repo(request: Request) -> Response:
    require_writer(request)
    repo = find_repo(request, *parse_repo_name(await read_json(request)))
    await run_in_threadpool(get_storage(request).delete_repo, repo)
    return JSONResponse({})


async def move_repo(request: Request) -> Response:
    require_writer(request)
    body = await read_json(request)
    repo = find_repo(request, f"{body.get('type') or 'model'}s", str(body.get("fromRepo")))
    await run_in_threadpool(get_storage(request).move_repo, repo, str(body.get("toRepo")))
    return JSONResponse({})


async def change_settings(request: Request) -> Response:
    require_writer(request)
    repo, body = get_repo(request), await read_json(request)
    gated = body.get("gated")
    if gated not in (None, False, "auto", "manual"):
        raise HubError(400, f"gated is auto, manual or false, not {gated!r}")
    changed = await run_in_threadpool(
        get_storage(request).change_settings, repo, parse_private(body), gated
    )
    return JSONResponse({"private": changed.private, "gated": changed.gated})


async def check_access(request: Request) -> Response:
    check_gate(request, get_repo(request))
    return JSONResponse({})


def list_own_repos(request: Request) -> Response:
    """List the repos of all kinds with the bytes that their heads hold, as `hf repos ls` shows them."""
    require_user(request)
    storage, items = get_storage(request), []
    for kind in KINDS:
        for repo in storage.repos(kind):
            head = storage.resolve(repo, "main")
            size = sum(entry.size for entry in head.files.values())
            about = {
                "updatedAt": head.date,
                "visibility": "private" if repo.private else "public",
                "storage": size,
            }
            items.append({"id": repo.id, "type": kind.removesuffix("s"), **about})
    return JSONResponse(items)


async def list_agent_harnesses(request: Request) -> Response:
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})
