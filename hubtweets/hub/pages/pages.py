"""The pages of the embedded Hub: roughly the Hub's own, at the Hub's own addresses.

Their own scripts, run by a nonce, copy code and ask a model for texts; all else works without them.
"""

from dataclasses import replace
from itertools import islice

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubtweets.hub.api import discussions
from hubtweets.hub.api.requests import get_commit, get_storage
from hubtweets.hub.pages import picks, widget
from hubtweets.hub.pages.cards import show_card
from hubtweets.hub.pages.changes import list_changes
from hubtweets.hub.pages.files import get_revision, show_file, show_tree
from hubtweets.hub.pages.index import show_index
from hubtweets.hub.pages.layout import make_endpoint, render_icon, render_repo_page
from hubtweets.hub.pages.paging import paginate
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.repo import Repo

COMMITS_PAGE_SIZE, DISCUSSIONS_PAGE_SIZE = 50, 50


def show_history(request: Request, repo: Repo) -> Response:
    found = list(get_storage(request).walk_history(repo, get_commit(request, repo)))
    page = paginate(request, found, COMMITS_PAGE_SIZE)
    return render_repo_page(request, repo, "commits", revision=get_revision(request), **page)


def show_commit(request: Request, repo: Repo) -> Response:
    storage, new = get_storage(request), get_commit(request, repo)
    old = next(islice(storage.walk_history(repo, new), 1, None), replace(new, files={}))
    changes = list_changes(request, repo, old, new)
    return render_repo_page(request, repo, "commit", commit=new, changes=changes)


def show_discussions(request: Request, repo: Repo) -> Response:
    found = pull_requests.list_discussions(get_storage(request), repo)
    page = paginate(request, found, DISCUSSIONS_PAGE_SIZE)
    return render_repo_page(request, repo, "discussions", **page)


def show_discussion(request: Request, repo: Repo) -> Response:
    storage = get_storage(request)
    one = pull_requests.read_discussion(storage, repo, discussions.get_number(request))
    described = discussions.describe_with_events(storage, repo, one)
    changes = []
    if one.base is not None:
        base, head = storage.resolve(repo, one.base), storage.resolve(repo, f"refs/pr/{one.num}")
        changes = list_changes(request, repo, base, head)
    return render_repo_page(
        request,
        repo,
        "discussion",
        one=one,
        events=described["events"],
        conflicts=described.get("filesWithConflicts"),
        changes=changes,
    )


async def reject_api_path(request: Request) -> Response:
    raise HTTPException(404)


async def show_icon(request: Request) -> Response:
    return render_icon()


routes = [
    Route("/", show_index),
    Route("/favicon.ico", show_icon),
    Route("/api/{path:path}", reject_api_path),
    Route("/_generate/{namespace}/{name}", widget.generate_texts, methods=["POST"]),
    Route("/_pick/{namespace}/{name}", picks.pick_sample, methods=["POST"]),
]
for start in ("/datasets/{namespace}/{name}", "/spaces/{namespace}/{name}", "/{namespace}/{name}"):
    routes += [
        Route(start, make_endpoint(show_card)),
        Route(start + "/tree/{revision}", make_endpoint(show_tree)),
        Route(start + "/tree/{revision}/{path:path}", make_endpoint(show_tree)),
        Route(start + "/blob/{revision}/{path:path}", make_endpoint(show_file)),
        Route(start + "/commits/{revision}", make_endpoint(show_history)),
        Route(start + "/commit/{revision}", make_endpoint(show_commit)),
        Route(start + "/discussions", make_endpoint(show_discussions)),
        Route(start + "/discussions/{num}", make_endpoint(show_discussion)),
    ]
