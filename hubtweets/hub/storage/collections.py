"""Collections: lists of repos with a title, each a JSON file in the Hub's folder.

    collections/<id>.json

A collection's slug is its owner, its title in lower case and its id; only the id counts.
"""

import json
import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.repo import format_now
from hubtweets.hub.storage.storage import Storage

ID = re.compile(r"[0-9a-f]{24}")
MAX_SLUG_CHARS = 60  # of the title in a slug


@dataclass(frozen=True)
class Collection:
    """A collection; `items` are dicts with `_id`, `id`, `type` and `note`."""

    id: str
    owner: str
    title: str
    updated: str
    private: bool = False
    description: str | None = None
    theme: str = "blue"
    position: int = 0
    items: tuple[dict[str, Any], ...] = field(default=())

    @property
    def slug(self) -> str:
        words = re.sub(r"[\W_]+", "-", self.title.lower(), flags=re.ASCII)[:MAX_SLUG_CHARS]
        return f"{self.owner}/{f'{words}-{self.id}'.lstrip('-')}"


def list_collections(storage: Storage) -> list[Collection]:
    """Return all collections, the last changed first."""
    paths = (storage.root / "collections").glob("*.json")
    found = [read_collection(storage, path.stem) for path in paths]
    return sorted(found, key=lambda one: one.updated, reverse=True)


def read_collection(storage: Storage, slug: str) -> Collection:
    """Return the collection whose id a slug ends with; raise HubError 404 if it is missing."""
    try:
        body = json.loads(get_path(storage, slug).read_text())
    except FileNotFoundError:
        raise HubError(404, f"no collection {slug}") from None
    return Collection(**{**body, "items": tuple(body["items"])})


def get_path(storage: Storage, slug: str) -> Path:
    collection_id = slug[-24:]
    if not ID.fullmatch(collection_id):
        raise HubError(404, f"no collection {slug}")
    return storage.root / "collections" / f"{collection_id}.json"


def create_collection(storage: Storage, owner: str, title: str, **more: Any) -> Collection:
    made = Collection(secrets.token_hex(12), owner, title, format_now(), **more)
    return write_collection(storage, made)


def write_collection(storage: Storage, collection: Collection) -> Collection:
    storage.write(get_path(storage, collection.id), asdict(collection))
    return collection


def change_collection(storage: Storage, slug: str, **changes: Any) -> Collection:
    with storage.lock:
        changed = replace(read_collection(storage, slug), updated=format_now(), **changes)
        return write_collection(storage, changed)


def delete_collection(storage: Storage, slug: str) -> None:
    with storage.lock:
        read_collection(storage, slug)
        get_path(storage, slug).unlink()


def add_item(storage: Storage, slug: str, item_id: str, kind: str, note: str | None) -> Collection:
    """Add an item at the end; raise HubError 409 if the collection has it."""
    with storage.lock:
        items = read_collection(storage, slug).items
        if any((item["type"], item["id"]) == (kind, item_id) for item in items):
            raise HubError(409, f"the collection has the {kind} {item_id} already")
        item = {"_id": secrets.token_hex(12), "id": item_id, "type": kind, "note": note}
        return change_collection(storage, slug, items=(*items, item))


def change_item(
    storage: Storage, slug: str, key: str, position: int | None, note: str | None
) -> Collection:
    """Move an item, or replace its note; None keeps them."""
    with storage.lock:
        items = list(read_collection(storage, slug).items)
        old = find_item(items, key)
        item = items.pop(old)
        changed = item if note is None else {**item, "note": note}
        items.insert(old if position is None else position, changed)
        return change_collection(storage, slug, items=tuple(items))


def delete_item(storage: Storage, slug: str, key: str) -> Collection:
    with storage.lock:
        items = list(read_collection(storage, slug).items)
        items.pop(find_item(items, key))
        return change_collection(storage, slug, items=tuple(items))


def find_item(items: list[dict[str, Any]], key: str) -> int:
    """Return the position of an item; raise HubError 404 if it is missing."""
    found = [position for position, item in enumerate(items) if item["_id"] == key]
    if not found:
        raise HubError(404, f"the collection has no item {key}")
    return found[0]
