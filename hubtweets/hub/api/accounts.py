"""Endpoints for the account, and to create, change, move and delete repos."""

import base64
from typing import Any

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.card.hub_schema import find_faults
from hubtweets.hub.api.commits import INVALID, check_paths, validate_path
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
from hubtweets.hub.storage import moves
from hubtweets.hub.storage.repo import KINDS
from hubtweets.hub.storage.storage import Storage

SDKS = ("gradio", "streamlit", "docker", "static")


async def whoami(request: Request) -> Response:
    user = require_user(request)
    token = {"displayName": "embedded Hub", "role": user.role}
    return JSONResponse(
        {
            "type": "user",
            "id": user.name,
            "name": user.name,
            "fullname": user.name,
            "email": None,
            "orgs": [],
            "writesEverywhere": True,  # not on the Hub, where namespaces have members
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


def parse_repo_name(body: dict[str, Any]) -> tuple[str, str]:
    """Return the kind and the id of the repo that a body names."""
    namespace, name = body.get("organization") or USER, body.get("name") or ""
    return f"{body.get('type') or 'model'}s", f"{namespace}/{name}"


def parse_private(body: dict[str, Any]) -> bool | None:
    """Return whether a body makes a repo private, None if it has neither field.

    Clients before huggingface_hub 1.0 send `private`, newer ones `visibility`. Raises HubError 400
    for other values, and if the two disagree.
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
    files = {**create_card(kind, body), **parse_files(body)}
    create, private = get_storage(request).create_repo, bool(parse_private(body))
    try:
        repo = await run_in_threadpool(create, kind, repo_id, private, user, files)
    except HubError as error:
        if error.status != 409:
            raise
        url = get_repo_url(request, find_repo(request, kind, repo_id))
        return JSONResponse({"error": error.message, "url": url}, 409)  # the client reads `url`
    return JSONResponse({"url": get_repo_url(request, repo), "name": repo.id, "id": repo.id})


def create_card(kind: str, body: dict[str, Any]) -> dict[str, bytes]:
    """Return a new repo's card with its license and a Space's SDK; no file if it has neither."""
    if kind == "spaces" and body.get("sdk") not in SDKS:
        raise HubError(400, f"a Space needs an sdk: {', '.join(SDKS)}")
    metadata = {key: body[key] for key in ("license", "sdk") if body.get(key)}
    if kind != "spaces":
        metadata.pop("sdk", None)
    if faults := find_faults(metadata, kind.removesuffix("s")):
        raise HubError(400, faults[0])
    return {"README.md": f"---\n{yaml.safe_dump(metadata)}---\n".encode()} if metadata else {}


def parse_files(body: dict[str, Any]) -> dict[str, bytes]:
    """Return the first files that a body names; raise HubError 400 if one is invalid."""
    try:
        files = {
            validate_path(file["path"]): base64.b64decode(file["content"], validate=True)
            for file in body.get("files") or []
        }
    except INVALID as error:
        raise HubError(400, f"a file needs a path and a content in Base64: {error!r}") from None
    check_paths(files)
    return files


async def delete_repo(request: Request) -> Response:
    require_writer(request)
    repo = find_repo(request, *parse_repo_name(await read_json(request)))
    await run_in_threadpool(get_storage(request).delete_repo, repo)
    return JSONResponse({})


async def move_repo(request: Request) -> Response:
    require_writer(request)
    body = await read_json(request)
    repo = find_repo(request, f"{body.get('type') or 'model'}s", str(body.get("fromRepo")))
    await run_in_threadpool(moves.move_repo, get_storage(request), repo, str(body.get("toRepo")))
    return JSONResponse({})


async def change_settings(request: Request) -> Response:
    require_writer(request)
    repo, body = get_repo(request), await read_json(request)
    gated = body.get("gated")
    if gated not in (None, False, "auto", "manual"):
        raise HubError(400, f"gated is auto, manual or false, not {gated!r}")
    change = get_storage(request).change_settings
    changed = await run_in_threadpool(change, repo, parse_private(body), gated)
    return JSONResponse({"private": changed.private, "gated": changed.gated})


async def check_access(request: Request) -> Response:
    check_gate(request, get_repo(request))
    return JSONResponse({})


async def check_write_access(request: Request) -> Response:
    get_repo(request)
    require_writer(request)
    return JSONResponse({})


def list_own_repos(request: Request) -> Response:
    """List the repos of all kinds with the size of their heads, as `hf repos ls` shows them."""
    require_user(request)
    storage = get_storage(request)
    return JSONResponse([item for kind in KINDS for item in describe_repos(storage, kind)])


def describe_repos(storage: Storage, kind: str) -> list[dict[str, Any]]:
    items = []
    for repo in storage.list_repos(kind):
        head = storage.resolve(repo, "main")
        items.append(
            {
                "id": repo.id,
                "type": kind.removesuffix("s"),
                "updatedAt": head.date,
                "visibility": "private" if repo.private else "public",
                "storage": sum(entry.size for entry in head.files.values()),
            }
        )
    return items


async def list_agent_harnesses(request: Request) -> Response:
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})
