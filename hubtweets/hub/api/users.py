"""Endpoints for what there is: users, and the tags of the repos."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.repos import describe_repo
from hubtweets.hub.api.requests import USER, authenticate, get_path_param, get_storage
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.repo import KINDS, Repo

TAG_TYPES = ("license", "dataset", "base_model", "task_categories", "size_categories")


def list_visible_repos(request: Request, kind: str) -> list[Repo]:
    user = authenticate(request)
    return [repo for repo in get_storage(request).list_repos(kind) if user or not repo.private]


def show_user(request: Request) -> Response:
    """Count the repos of a user; a user here is a namespace that has some."""
    name, counts = get_path_param(request, "user"), {}
    for kind in KINDS:
        repos = list_visible_repos(request, kind)
        counts[f"num{kind.capitalize()}"] = sum(repo.id.startswith(f"{name}/") for repo in repos)
    if name != USER and not any(counts.values()):
        raise HubError(404, f"no user {name}")
    return JSONResponse({"type": "user", "user": name, "fullname": name, **counts})


def list_tags(request: Request) -> Response:
    """List the tags that the repos of a kind have, by type."""
    kind, storage = get_path_param(request, "kind"), get_storage(request)
    found: dict[str, dict[str, Any]] = {}
    for repo in list_visible_repos(request, kind):
        described = describe_repo(storage, repo, storage.resolve(repo, "main"))
        for tag in described["tags"]:
            group, _, label = tag.partition(":")
            if group not in TAG_TYPES:
                group, label = "other", tag
                for key in ("pipeline_tag", "library_name"):
                    if described.get(key) == tag:
                        group = key.removesuffix("_name")
            found.setdefault(group, {})[tag] = {"id": tag, "label": label, "type": group}
    return JSONResponse({group: list(tags.values()) for group, tags in found.items()})
