"""A repo's files: its folders, and a file as text, picture or rendered card."""

from starlette.requests import Request
from starlette.responses import Response

from hubtweets.hub.api.files import find_last_commits
from hubtweets.hub.api.requests import check_gate, get_commit, get_path_param, get_storage
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages.cards import render_own_card
from hubtweets.hub.pages.layout import read_card, render_repo_page
from hubtweets.hub.pages.paging import paginate
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage

MAX_SHOWN_BYTES = 200_000  # of a text file
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
TREE_PAGE_SIZE = 200


def show_tree(request: Request, repo: Repo) -> Response:
    storage, commit = get_storage(request), get_commit(request, repo)
    folder, revision = get_path_param(request, "path").strip("/"), get_revision(request)
    items = list_folder(commit, folder)
    if folder and not items:
        raise HubError(404, f"{repo.id} has no folder {folder} at {revision}")
    prefix, page = folder + "/" if folder else "", paginate(request, items, TREE_PAGE_SIZE)
    return render_repo_page(
        request,
        repo,
        "tree",
        commit=commit,
        revision=revision,
        revisions=[*storage.list_refs(repo, "branches"), *storage.list_refs(repo, "tags")],
        prefix=prefix,
        total=sum(size for _, _, size in items),
        lasts=find_last_commits(
            storage, repo, commit, [prefix + name for name, *_ in page["items"]]
        ),
        **page,
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


def show_file(request: Request, repo: Repo) -> Response:
    commit, path = get_commit(request, repo), get_path_param(request, "path")
    entry = commit.files.get(path)
    if entry is None:
        raise HubError(404, f"{repo.id} has no file {path} at {get_revision(request)}")
    if path != "README.md":  # the card of a gated repo is public
        check_gate(request, repo)
    is_card = path == "README.md" and request.query_params.get("view") != "code"
    metadata, text = read_card(get_storage(request), commit) if is_card else ({}, "")
    return render_repo_page(
        request,
        repo,
        "blob",
        commit=commit,
        revision=get_revision(request),
        path=path,
        entry=entry,
        text=read_text(get_storage(request), entry),
        card=render_own_card(request, repo, metadata, text) if is_card else None,
        language=path.rpartition(".")[2].lower(),
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
