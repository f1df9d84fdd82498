"""The pages of the embedded Hub: roughly the Hub's own, at the Hub's own addresses.

Only the page of a model that can be tried runs a script, its own, by a nonce. Everything else works
without one.
"""

from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubtweets.hub.api import discussions
from hubtweets.hub.api.paging import parse_number
from hubtweets.hub.api.requests import (
    can_read_files,
    check_gate,
    get_commit,
    get_path_param,
    get_storage,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages import picks, samples, sanitize, widget
from hubtweets.hub.pages.changes import list_changes
from hubtweets.hub.pages.layout import make_endpoint, read_card, render_page, render_repo_page
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import KINDS, Repo
from hubtweets.hub.storage.storage import Storage

MAX_SHOWN_BYTES = 200_000  # of a text file
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
TREE_PAGE_SIZE, COMMITS_PAGE_SIZE, DISCUSSIONS_PAGE_SIZE = 1000, 50, 50


def show_index(request: Request) -> Response:
    storage = get_storage(request)
    return render_page("index", found={kind: list_public_repos(storage, kind) for kind in KINDS})


def list_public_repos(storage: Storage, kind: str) -> list[tuple[Repo, Commit]]:
    """Return the public repos of a kind with their heads, the last changed first."""
    found = []
    for repo in storage.list_repos(kind):
        with suppress(HubError):  # it was removed in the meantime
            if not repo.private:
                found.append((repo, storage.resolve(repo, "main")))
    return sorted(found, key=lambda one: one[1].date, reverse=True)


def show_card(request: Request, repo: Repo) -> Response:
    storage = get_storage(request)
    head = storage.resolve(repo, "main")
    metadata, text = read_card(storage, head)
    task = metadata.get("pipeline_tag", "text-generation")  # old cards lack it
    is_generator = repo.kind == "models" and task == "text-generation"
    has_samples = repo.kind == "models" and can_read_files(request, repo)
    found = samples.find_samples(storage, head) if has_samples else []
    picking = picks.describe_picking(request, repo, found) if found else None
    loads_images = request.query_params.get("images") == "remote"
    return render_repo_page(
        request,
        repo,
        "card",
        card=sanitize.render_card(text, repo.path),
        loads_images=loads_images,
        images=" https: http:" if loads_images else "",
        script=is_generator and any(path.endswith(".safetensors") for path in head.files),
        examples=widget.parse_examples(metadata) if is_generator else [],
        max_prompt_chars=widget.MAX_PROMPT_CHARS,
        samples=found,
        picking=picking,
        forms=picking is not None,
    )


def show_tree(request: Request, repo: Repo) -> Response:
    storage, commit = get_storage(request), get_commit(request, repo)
    folder, revision = get_path_param(request, "path").strip("/"), get_revision(request)
    items = list_folder(commit, folder)
    if folder and not items:
        raise HubError(404, f"{repo.id} has no folder {folder} at {revision}")
    return render_repo_page(
        request,
        repo,
        "tree",
        commit=commit,
        revision=revision,
        revisions=[*storage.list_refs(repo, "branches"), *storage.list_refs(repo, "tags")],
        prefix=folder + "/" if folder else "",
        **paginate(request, items, TREE_PAGE_SIZE),
    )


def list_folder(commit: Commit, folder: str) -> list[tuple[str, Entry | None, int]]:
    """Return (name, entry, size in bytes) of what a folder holds; folders have no entry."""
    prefix = folder + "/" if folder else ""
    files: list[tuple[str, Entry | None, int]] = []
    sizes: dict[str, int] = {}
    for path, entry in commit.files.items():
        if path.startswith(prefix):
            name, slash, _ = path.removeprefix(prefix).partition("/")
            if slash:
                sizes[name] = sizes.get(name, 0) + entry.size
            else:
                files.append((name, entry, entry.size))
    return [(name, None, size) for name, size in sorted(sizes.items())] + files


def get_revision(request: Request) -> str:
    return get_path_param(request, "revision") or "main"


def paginate(request: Request, items: list[Any], size: int) -> dict[str, Any]:
    """Return page `p` of a list, its number, and whether there are more."""
    number = parse_number(request.query_params.get("p", "0")) or 0
    end = (number + 1) * size
    return {"items": items[number * size : end], "number": number, "more": len(items) > end}


def show_file(request: Request, repo: Repo) -> Response:
    commit, path = get_commit(request, repo), get_path_param(request, "path")
    entry = commit.files.get(path)
    if entry is None:
        raise HubError(404, f"{repo.id} has no file {path} at {get_revision(request)}")
    if path != "README.md":  # the card of a gated repo is public
        check_gate(request, repo)
    return render_repo_page(
        request,
        repo,
        "blob",
        commit=commit,
        revision=get_revision(request),
        path=path,
        entry=entry,
        text=read_text(get_storage(request), entry),
        is_image=path.lower().endswith(IMAGE_SUFFIXES),
    )


def read_text(storage: Storage, entry: Entry) -> str | None:
    """Return a file's text, None if it is over MAX_SHOWN_BYTES, binary or not UTF-8."""
    if entry.size > MAX_SHOWN_BYTES:
        return None
    content = storage.blobs.path(entry.sha256).read_bytes()
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


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


async def answer_icon(request: Request) -> Response:
    return Response(status_code=204)


routes = [
    Route("/", show_index),
    Route("/favicon.ico", answer_icon),
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
