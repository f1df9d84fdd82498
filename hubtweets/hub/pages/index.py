"""The first page: the public repos, with a search."""

from contextlib import suppress
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from hubtweets.card.card_parser import read_metadata
from hubtweets.hub.api.model_info import read_model_info
from hubtweets.hub.api.requests import get_storage
from hubtweets.hub.api.weights import Weights, describe_weights
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages.layout import find_avatar, render_page
from hubtweets.hub.pages.paging import paginate
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import KINDS, Repo
from hubtweets.hub.storage.storage import Storage

INDEX_PAGE_SIZE = 60
MAX_QUERY_CHARS = 100


class Listed(NamedTuple):
    """A repo as the first page lists it; its size is in bytes."""

    repo: Repo
    head: Commit
    avatar: str
    task: str
    size: int
    weights: Weights | None


def show_index(request: Request) -> Response:
    storage, query = get_storage(request), request.query_params.get("q", "")[:MAX_QUERY_CHARS]
    found = [one for kind in KINDS for one in find_repos(storage, kind, query)]
    page = paginate(request, found, INDEX_PAGE_SIZE)
    listed = [describe_repo(request, *one) for one in page["items"]]
    by_kind = {kind: [one for one in listed if one.repo.kind == kind] for kind in KINDS}
    values = page | {"found": by_kind, "query": query, "total": len(found)}
    return render_page("index", forms=True, **values)


def find_repos(storage: Storage, kind: str, query: str) -> list[tuple[Repo, Commit]]:
    """Return the public repos of a kind whose names contain the query, the last changed first."""
    found = []
    for repo in storage.list_repos(kind):
        with suppress(HubError):  # it was removed in the meantime
            if not repo.private and query.strip().lower() in repo.id.lower():
                found.append((repo, storage.resolve(repo, "main")))
    return sorted(found, key=lambda one: one[1].date, reverse=True)


def describe_repo(request: Request, repo: Repo, head: Commit) -> Listed:
    storage = get_storage(request)
    card = head.files.get("README.md")
    metadata = read_metadata(storage.blobs.path(card.sha256)) if card else {}
    derived = read_model_info(storage, head).fields if repo.kind == "models" else {}
    task = (derived | metadata).get("pipeline_tag")
    return Listed(
        repo,
        head,
        find_avatar(request, repo, head),
        task if isinstance(task, str) else "",
        sum(entry.size for entry in head.files.values()),
        describe_weights(storage, head) if repo.kind == "models" else None,
    )
