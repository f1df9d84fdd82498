"""Endpoints that describe repos: listings, settings and card, refs, history."""

import html
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.card.card_parser import read_metadata
from hubtweets.hub.api.files import PAGE_SIZE, describe_entry
from hubtweets.hub.api.model_info import ModelInfo, read_model_info
from hubtweets.hub.api.paging import paginate
from hubtweets.hub.api.requests import (
    authenticate,
    get_commit,
    get_path_param,
    get_repo,
    get_storage,
)
from hubtweets.hub.api.weights import count_parameters
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import REFS, Storage

COMMITS_PAGE_SIZE = 50  # as on the Hub
RELATIONS = ("finetune", "adapter", "merge", "quantized")
MODEL_DETAILS = {"config", "transformersInfo", "safetensors"}
# which fields of a card become tags, and what their tags begin with
TAG_PREFIXES = {
    "tags": "",
    "library_name": "",
    "pipeline_tag": "",
    "language": "language:",  # without the prefix for a model
    "license": "license:",
    "datasets": "dataset:",
    "base_model": "base_model:",
    "task_categories": "task_categories:",
    "size_categories": "size_categories:",
}


def read_card_metadata(storage: Storage, commit: Commit) -> dict[str, Any]:
    entry = commit.files.get("README.md")
    return read_metadata(storage.blobs.path(entry.sha256)) if entry else {}


def describe_repo(
    storage: Storage, repo: Repo, commit: Commit, blobs: bool = False
) -> dict[str, Any]:
    """Return what the Hub says of a repo, without what this one does not count or scan."""
    metadata = read_card_metadata(storage, commit)
    info = read_model_info(storage, commit) if repo.kind == "models" else ModelInfo()
    copied = ("pipeline_tag", "library_name", "sdk")
    fields = info.fields | {key: metadata[key] for key in copied if key in metadata}
    return {
        "_id": repo.id,
        "id": repo.id,
        **({"modelId": repo.id} if repo.kind == "models" else {}),
        "author": repo.id.partition("/")[0],
        "sha": commit.id,
        "lastModified": commit.date,
        "createdAt": repo.created_at,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "tags": list_tags(repo.kind, metadata | fields, info.tags),
        **fields,
        "cardData": metadata,
        "usedStorage": sum(entry.size for entry in commit.files.values()),
        "siblings": [
            {"rfilename": path, **(describe_entry(entry, "blobId") if blobs else {})}
            for path, entry in commit.files.items()
        ],
    }


def describe_model(storage: Storage, commit: Commit) -> dict[str, Any]:
    """Return what is told of one model, but in a listing only if it is asked for."""
    info = read_model_info(storage, commit)
    found = {
        "config": info.config,
        "transformersInfo": info.transformers,
        "safetensors": count_parameters(storage, commit),
    }
    return {key: value for key, value in found.items() if value}


def list_tags(kind: str, metadata: dict[str, Any], derived: Sequence[str] = ()) -> list[str]:
    """Return the tags of a card, and those that the Hub makes of its other fields: `license:mit`.

    `derived` are those of the files.
    """
    tags = [*derived]
    for key, prefix in TAG_PREFIXES.items():
        value = metadata.get(key)
        if value is None:
            continue
        start = "" if (kind, key) == ("models", "language") else prefix
        values = value if isinstance(value, list) else [value]
        tags += [f"{start}{one}" for one in values]
        if key == "base_model":
            relation = find_relation(metadata, values)
            tags += [f"{start}{relation}:{one}" for one in values]
    return list(dict.fromkeys(tags))


def find_relation(metadata: dict[str, Any], bases: list[Any]) -> str:
    """Return what a model is to its base models: what the card says, or the Hub would guess."""
    if (said := metadata.get("base_model_relation")) in RELATIONS:
        return str(said)
    if metadata.get("library_name") == "peft":
        return "adapter"
    return "merge" if len(bases) > 1 else "finetune"


def list_repos(request: Request) -> Response:
    """List the repos of a kind that match the query.

    The last changed come first, or the newest if `sort` is createdAt.
    """
    storage, user, query = get_storage(request), authenticate(request), request.query_params
    found = []
    kind = get_path_param(request, "kind")
    for repo in storage.list_repos(kind):
        if user or not repo.private:
            head = storage.resolve(repo, "main")
            described = describe_repo(storage, repo, head)
            if is_wanted(query, described):
                found.append((head, described))
    key = "createdAt" if query.get("sort") == "createdAt" else "lastModified"
    found.sort(key=lambda one: one[1][key], reverse=True)
    is_detailed = kind == "models" and not MODEL_DETAILS.isdisjoint(query.getlist("expand"))

    def finish(page: list[tuple[Commit, dict[str, Any]]]) -> list[dict[str, Any]]:
        items = [one | (describe_model(storage, head) if is_detailed else {}) for head, one in page]
        return [select_properties(query, item) for item in items]

    return paginate(request, found, PAGE_SIZE, finish)


def is_wanted(query: QueryParams, described: dict[str, Any]) -> bool:
    """Check whether a repo passes the filters of a listing."""
    return (
        query.get("author") in (None, described["author"])
        and all(word.lower() in described["id"].lower() for word in query.getlist("search"))
        and {*query.getlist("filter")} <= {*described["tags"]}
        and query.get("pipeline_tag") in (None, described.get("pipeline_tag"))
        and query.get("gated", "").lower() in ("", str(bool(described["gated"])).lower())
    )


def select_properties(query: QueryParams, described: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that `expand` or `expand[]` names, or all without it."""
    wanted = query.getlist("expand") + query.getlist("expand[]")
    if not wanted:
        return described
    return {key: value for key, value in described.items() if key in ("_id", "id", *wanted)}


def show_repo(request: Request) -> Response:
    """Describe a repo at a revision, with `blobs` also the sizes of its files."""
    repo, query = get_repo(request), request.query_params
    blobs = query.get("blobs", "").lower() == "true"
    storage, commit = get_storage(request), get_commit(request, repo)
    described = describe_repo(storage, repo, commit, blobs)
    if repo.kind == "models":
        described |= describe_model(storage, commit)
    return JSONResponse(select_properties(query, described))


def list_refs(request: Request) -> Response:
    """List branches and tags, with `include_prs` also pull requests."""
    repo, storage = get_repo(request), get_storage(request)
    found: dict[str, list[dict[str, str]]] = {
        "branches": describe_refs(storage, repo, "branches"),
        "tags": describe_refs(storage, repo, "tags"),
    }
    if request.query_params.get("include_prs"):
        found["pullRequests"] = describe_refs(storage, repo, "pulls")
    return JSONResponse({**found, "converts": []})


def describe_refs(storage: Storage, repo: Repo, kind: str) -> list[dict[str, str]]:
    found = []
    for name, sha in storage.list_refs(repo, kind).items():
        ref = REFS[kind] + name
        found.append({"name": ref if kind == "pulls" else name, "ref": ref, "targetCommit": sha})
    return found


def list_commits(request: Request) -> Response:
    """List a revision's history, newest first, with `expand[]=formatted` also as HTML."""
    repo = get_repo(request)
    history = get_storage(request).walk_history(repo, get_commit(request, repo))
    formatted = "formatted" in request.query_params.getlist("expand[]")
    items = [describe_commit(commit, formatted) for commit in history]
    return paginate(request, items, COMMITS_PAGE_SIZE)


def describe_commit(commit: Commit, formatted: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": commit.id,
        "title": commit.title,
        "message": commit.message,
        "date": commit.date,
        "authors": [{"user": commit.author}],
    }
    if formatted:
        title, message = html.escape(commit.title), html.escape(commit.message)
        item["formatted"] = {"title": title, "message": message}
    return item
