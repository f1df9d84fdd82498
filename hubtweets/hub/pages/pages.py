"""What a person sees of the embedded Hub: roughly the Hub's own pages, at the Hub's own addresses.

Names, cards, titles and files are anybody's: templates escape them, a card passes a sanitiser, and each page's policy forbids scripts, frames and
whatever is elsewhere. Only the page of a model that can be tried runs a script, its own, by a nonce. All but that works without one.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubtweets.card.front_matter import read_metadata, strip_front_matter
from hubtweets.card.templating import create_environment
from hubtweets.hub.api import discussions
from hubtweets.hub.api.requests import (
    can_read_files,
    check_gate,
    get_commit,
    get_path_param,
    get_repo,
    get_storage,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages import samples, sanitize, widget
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.storage import KINDS, Commit, Repo, Storage
from hubtweets.text import to_plain_text

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MAX_CARD_BYTES = 2**19  # bytes of a card that are read
MAX_SHOWN_BYTES = 200_000  # bytes of a text file that are shown
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
PAGE_SIZES = {"tree": 1000, "commits": 50, "discussions": 50}
MAX_DIFF_LINES, MAX_DIFF_COLUMNS = 2000, 1000
REPO_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)

templates = create_environment(autoescape=True)


class Chip(NamedTuple):
    """A fact from the front matter: what it is, its text, and where it leads."""

    kind: str
    text: str
    url: str = ""


class FileChange(NamedTuple):
    path: str
    what: str
    lines: list[tuple[str, str]]


def quote_segment(text: str) -> str:
    """Write a text as one segment of an address."""
    return quote(text, safe="")


def format_size(count: float) -> str:
    """Write a number of bytes as the Hub does, in powers of 1000."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


templates.filters |= {"segment": quote_segment, "size": format_size, "plain": to_plain_text}


def render_page(
    name: str, status: int = 200, pictures: str = "", script: bool = False, **values: Any
) -> Response:
    """Fill in a page; `pictures` are the sources of pictures that it may show besides this Hub, and `script` lets its own script run."""
    nonce = secrets.token_urlsafe(16) if script else ""
    text = templates.get_template(f"pages/{name}.html.j2").render(
        values, nonce=nonce, script=script
    )
    policy = f"default-src 'none'; img-src 'self'{pictures}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    if script:
        policy += f"; script-src 'nonce-{nonce}'; connect-src 'self'"
    # anybody's titles may hold lone surrogates, which no encoding has
    return Response(
        text.encode("utf-8", "replace"),
        status,
        {**HEADERS, "Content-Security-Policy": policy},
        "text/html; charset=utf-8",
    )


def make_endpoint(show: Callable[[Request, Repo], Response]) -> Callable[[Request], Response]:
    """Make an endpoint of what shows a repo: what is not there, or hidden, has a page too."""

    def answer(request: Request) -> Response:
        try:
            return show(request, get_repo(request))
        except HubError as error:
            return render_page(
                "missing", 404 if error.status == 401 else error.status, reason=error.message
            )
        except OSError:
            return render_page(
                "missing",
                500,
                reason="a file of it is lost, or can't be read; type: hubtweets hub --check",
            )

    return answer


def render_repo_page(
    request: Request,
    repo: Repo,
    template: str,
    pictures: str = "",
    script: bool = False,
    **values: Any,
) -> Response:
    """Fill in one of a repo's pages, all of which begin with what it is."""
    storage = get_storage(request)
    head = storage.resolve(repo, "main")
    metadata, _ = read_card(storage, head)
    tags = [name for name, sha in storage.refs(repo, "tags").items() if sha == head.id]
    waiting = sum(
        one.status in ("draft", "open") for one in pull_requests.list_discussions(storage, repo)
    )
    values |= {
        "template": template,
        "repo": repo,
        "head": head,
        "tags": tags,
        "waiting": waiting,
        "chips": list(list_chips(storage, metadata)),
    }
    return render_page(template, pictures=pictures, script=script, **values)


def read_card(storage: Storage, commit: Commit) -> tuple[dict[str, Any], str]:
    """Return the metadata and the text of a commit's card, of as much as is read of it."""
    entry = commit.files.get("README.md")
    return parse_card(storage.blobs.path(entry.sha256)) if entry else ({}, "")


@lru_cache(32)  # a content never changes
def parse_card(path: Path) -> tuple[dict[str, Any], str]:
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES).decode("utf-8", "replace")
    return read_metadata(path), strip_front_matter(text)


def list_chips(storage: Storage, metadata: dict[str, Any]) -> Iterator[Chip]:
    """Yield what the front matter says of a repo."""
    for key in (
        "pipeline_tag",
        "library_name",
        "language",
        "license",
        "base_model",
        "datasets",
        "tags",
    ):
        values = metadata.get(key)
        for value in islice(values if isinstance(values, list) else [values], 40):
            if isinstance(value, str) and (text := to_plain_text(value, 80)):
                kind = {"base_model": "models", "datasets": "datasets"}.get(key)
                yield Chip(
                    key,
                    text,
                    find_address(storage, kind, text) if kind and REPO_NAME.fullmatch(text) else "",
                )


def find_address(storage: Storage, kind: str, repo_id: str) -> str:
    """Return where a repo is: here, or else on the Hugging Face Hub."""
    found = storage.find_repo(kind, repo_id)
    return (
        found.path
        if found and not found.private
        else f"https://huggingface.co/{'' if kind == 'models' else kind + '/'}{repo_id}"
    )


def show_index(request: Request) -> Response:
    storage = get_storage(request)
    found: dict[str, list[tuple[Repo, Commit]]] = {kind: [] for kind in KINDS}
    for kind in KINDS:
        for repo in storage.repos(kind):
            with suppress(HubError):  # of one that was removed just now
                if not repo.private:
                    found[kind].append((repo, storage.resolve(repo, "main")))
        found[kind].sort(key=lambda one: one[1].date, reverse=True)
    return render_page("index", found=found)


def show_card(request: Request, repo: Repo) -> Response:
    storage = get_storage(request)
    head = storage.resolve(repo, "main")
    metadata, text = read_card(storage, head)
    task = metadata.get("pipeline_tag", "text-generation")  # old cards do not say it
    makes_texts = repo.kind == "models" and task == "text-generation"
    everywhere = request.query_params.get("images") == "remote"
    return render_repo_page(
        request,
        repo,
        "card",
        card=sanitize.render_card(text, repo.path),
        everywhere=everywhere,
        pictures=" https: http:" if everywhere else "",
        script=makes_texts and any(path.endswith(".safetensors") for path in head.files),
        examples=widget.parse_examples(metadata) if makes_texts else [],
        longest=widget.MAX_PROMPT_CHARS,
        samples=samples.find_samples(storage, head)
        if repo.kind == "models" and can_read_files(request, repo)
        else [],
    )


def show_tree(request: Request, repo: Repo) -> Response:
    storage, commit, folder = (
        get_storage(request),
        get_commit(request, repo),
        get_path_param(request, "path").strip("/"),
    )
    prefix = folder + "/" if folder else ""
    inside = {
        path.removeprefix(prefix): entry
        for path, entry in commit.files.items()
        if path.startswith(prefix)
    }
    if folder and not inside:
        raise HubError(404, f"{repo.id} has no folder {folder} at {get_revision(request)}")
    folders: dict[str, int] = {}
    for path, entry in inside.items():
        if "/" in path:
            name = path.partition("/")[0]
            folders[name] = folders.get(name, 0) + entry.size
    items: list[tuple[str, Entry | None, int]] = [
        (name, None, total) for name, total in sorted(folders.items())
    ]
    items += [(path, entry, entry.size) for path, entry in inside.items() if "/" not in path]
    revisions = [name for kind in ("branches", "tags") for name in storage.refs(repo, kind)]
    return render_repo_page(
        request,
        repo,
        "tree",
        commit=commit,
        revision=get_revision(request),
        revisions=revisions,
        prefix=prefix,
        **paginate(request, "tree", items),
    )


def get_revision(request: Request) -> str:
    return get_path_param(request, "revision") or "main"


def paginate(request: Request, template: str, items: list[Any]) -> dict[str, Any]:
    """Return a page of a list, which page it is, and whether there is another."""
    digits, per_page = request.query_params.get("p", "0"), PAGE_SIZES[template]
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0
    return {
        "items": items[number * per_page : (number + 1) * per_page],
        "number": number,
        "more": len(items) > (number + 1) * per_page,
    }


def show_file(request: Request, repo: Repo) -> Response:
    commit, path = get_commit(request, repo), get_path_param(request, "path")
    entry = commit.files.get(path)
    if entry is None:
        raise HubError(404, f"{repo.id} has no file {path} at {get_revision(request)}")
    if path != "README.md":  # the card is for everybody
        check_gate(request, repo)
    text = None
    if entry.size <= MAX_SHOWN_BYTES:
        content = get_storage(request).blobs.path(entry.sha256).read_bytes()
        text = None if b"\0" in content else decode_text(content)
    picture = path.lower().endswith(IMAGE_SUFFIXES)
    return render_repo_page(
        request,
        repo,
        "blob",
        commit=commit,
        revision=get_revision(request),
        path=path,
        entry=entry,
        text=text,
        picture=picture,
    )


def decode_text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def show_history(request: Request, repo: Repo) -> Response:
    found = list(get_storage(request).history(repo, get_commit(request, repo)))
    return render_repo_page(
        request,
        repo,
        "commits",
        revision=get_revision(request),
        **paginate(request, "commits", found),
    )


def show_commit(request: Request, repo: Repo) -> Response:
    storage, new = get_storage(request), get_commit(request, repo)
    old = next(islice(storage.history(repo, new), 1, None), replace(new, files={}))
    return render_repo_page(
        request, repo, "commit", commit=new, changes=list_changes(request, repo, old, new)
    )


def list_changes(request: Request, repo: Repo, old: Commit, new: Commit) -> list[FileChange]:
    """Return what two commits have not alike; of a gated repo the lines of the card alone."""
    hidden, left, found = not can_read_files(request, repo), MAX_DIFF_LINES, []
    for path in pull_requests.list_changed_paths(old.files, new.files):
        lines = (
            []
            if hidden and path != "README.md"
            else list(islice(diff_file(get_storage(request), old, new, path), left))
        )
        left -= len(lines)
        found.append(
            FileChange(
                path,
                "removed" if path not in new.files else "changed" if path in old.files else "added",
                lines,
            )
        )
    return found


def diff_file(storage: Storage, old: Commit, new: Commit, path: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a file's diff, each with what it is."""
    before, after = (
        replace(one, files={path: one.files[path]} if path in one.files else {})
        for one in (old, new)
    )
    for number, line in enumerate(discussions.diff_commits(storage, before, after)):
        if number > 2 or not line.startswith(("diff ", "--- ", "+++ ")):  # the path is known
            yield (
                {"+": "added", "-": "removed", "@": "place"}.get(line[:1], ""),
                line.rstrip("\n")[:MAX_DIFF_COLUMNS],
            )


def show_discussions(request: Request, repo: Repo) -> Response:
    return render_repo_page(
        request,
        repo,
        "discussions",
        **paginate(
            request, "discussions", pull_requests.list_discussions(get_storage(request), repo)
        ),
    )


def show_discussion(request: Request, repo: Repo) -> Response:
    storage = get_storage(request)
    one = pull_requests.read_discussion(storage, repo, discussions.parse_number(request))
    whole = discussions.describe_with_events(storage, repo, one)
    found = (
        []
        if one.base is None
        else list_changes(
            request,
            repo,
            storage.resolve(repo, one.base),
            storage.resolve(repo, f"refs/pr/{one.num}"),
        )
    )
    return render_repo_page(
        request,
        repo,
        "discussion",
        one=one,
        events=whole["events"],
        conflicts=whole.get("filesWithConflicts"),
        changes=found,
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
