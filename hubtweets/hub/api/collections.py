"""Endpoints for collections, lists of repos that their owner makes."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.paging import paginate
from hubtweets.hub.api.requests import (
    authenticate,
    find_repo,
    get_path_param,
    get_storage,
    get_value,
    read_json,
    require_writer,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage import collections
from hubtweets.hub.storage.collections import Collection

PAGE_SIZE = 100
KINDS = ("model", "dataset", "space")
# the texts that a collection and its items have, and their characters at most, as on the Hub
MAX_CHARS = {"title": 60, "description": 150, "note": 500, "theme": 20, "namespace": 96}


def get_text(body: dict[str, Any], key: str) -> str | None:
    """Return a text of a body, None if it has none; raise HubError 400 if it is no short text."""
    value = body.get(key)
    if not isinstance(value, str | None) or len(value or "") > MAX_CHARS[key]:
        raise HubError(400, f"{key} is a text of at most {MAX_CHARS[key]} characters")
    return value if value is None else value.encode("utf-8", "replace").decode()


def get_slug(request: Request) -> str:
    return f"{get_path_param(request, 'namespace')}/{get_path_param(request, 'slug')}"


def get_collection(request: Request) -> Collection:
    """Return the collection that the path names; raise HubError 404 if the user can't see it."""
    slug = get_slug(request)
    found = collections.read_collection(get_storage(request), slug)
    if found.private and authenticate(request) is None:
        raise HubError(404, f"no collection {slug}")
    return found


def describe_collection(request: Request, collection: Collection) -> dict[str, Any]:
    """Return what the Hub says of a collection, without the items that the user can't see."""
    return {
        "slug": collection.slug,
        "title": collection.title,
        "owner": {"type": "user", "name": collection.owner},
        "description": collection.description,
        "lastUpdated": collection.updated,
        "private": collection.private,
        "theme": collection.theme,
        "position": collection.position,
        "upvotes": 0,
        "items": [
            {**item, "position": position, "note": item["note"] and {"text": item["note"]}}
            for position, item in enumerate(collection.items)
            if is_visible(request, item["type"], item["id"])
        ],
    }


def is_visible(request: Request, kind: str, item_id: str) -> bool:
    """Check whether the user can see an item of a collection."""
    try:
        find_item(request, kind, item_id)
    except HubError:
        return False
    return True


def find_item(request: Request, kind: str, item_id: str) -> str:
    """Return the id of an item as the Hub writes it.

    Raises HubError 404 if there is none that the user can see, 400 if it can't be an item here.
    """
    if kind == "collection":
        found = collections.read_collection(get_storage(request), item_id)
        if found.private and authenticate(request) is None:
            raise HubError(404, f"no collection {item_id}")
        return found.slug
    if kind in KINDS:
        return find_repo(request, f"{kind}s", item_id).id
    raise HubError(400, f"an item is one of {', '.join(KINDS)}, collection here, not {kind!r}")


def list_collections(request: Request) -> Response:
    """List collections, those of `owner` only, or those that have the `item` models/a/b."""
    query, found = request.query_params, []
    wanted = query.get("item", "").split("/", 1)
    user = authenticate(request)
    for one in collections.list_collections(get_storage(request)):
        items = [[f"{item['type']}s", item["id"]] for item in one.items]
        if (
            (user or not one.private)
            and query.get("owner") in (None, one.owner)
            and (wanted == [""] or wanted in items)
        ):
            described = describe_collection(request, one)
            del described["position"]  # the client counts them itself
            found.append(described)
    return paginate(request, found, PAGE_SIZE)


def show_collection(request: Request) -> Response:
    return JSONResponse(describe_collection(request, get_collection(request)))


async def create_collection(request: Request) -> Response:
    user, body = require_writer(request), await read_json(request)
    title, owner = get_text(body, "title"), get_text(body, "namespace") or user
    if not title or "/" in owner:
        raise HubError(400, "a collection needs a title and a namespace")
    made = await run_in_threadpool(
        collections.create_collection,
        get_storage(request),
        owner,
        title,
        private=bool(get_value(body, "private", bool)),
        description=get_text(body, "description"),
    )
    return JSONResponse(describe_collection(request, made))


async def change_collection(request: Request) -> Response:
    require_writer(request)
    body = await read_json(request)
    changes = {key: get_text(body, key) for key in ("title", "description", "theme")}
    given = {
        **changes,
        "private": get_value(body, "private", bool),
        "position": get_value(body, "position", int),
    }
    changed = await run_in_threadpool(
        collections.change_collection,
        get_storage(request),
        get_slug(request),
        **{key: value for key, value in given.items() if value is not None},
    )
    return JSONResponse({"data": describe_collection(request, changed)})


async def delete_collection(request: Request) -> Response:
    require_writer(request)
    await run_in_threadpool(collections.delete_collection, get_storage(request), get_slug(request))
    return JSONResponse({})


async def add_item(request: Request) -> Response:
    require_writer(request)
    body = await read_json(request)
    item = get_value(body, "item", dict) or {}
    kind, note = str(item.get("type")), get_text(body, "note")
    item_id = find_item(request, kind, str(item.get("id")))
    changed = await run_in_threadpool(
        collections.add_item, get_storage(request), get_slug(request), item_id, kind, note
    )
    return JSONResponse(describe_collection(request, changed))


async def change_item(request: Request) -> Response:
    require_writer(request)
    body, key = await read_json(request), get_path_param(request, "item")
    position, note = get_value(body, "position", int), get_text(body, "note")
    await run_in_threadpool(
        collections.change_item, get_storage(request), get_slug(request), key, position, note
    )
    return JSONResponse({})


async def delete_item(request: Request) -> Response:
    require_writer(request)
    key = get_path_param(request, "item")
    await run_in_threadpool(collections.delete_item, get_storage(request), get_slug(request), key)
    return JSONResponse({})
