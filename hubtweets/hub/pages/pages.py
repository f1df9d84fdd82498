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

from hubtweets.card.front_matter import body, read_metadata
from hubtweets.card.templating import environment
from hubtweets.hub.api import discussions
from hubtweets.hub.api.requests import check_gate, commit_of, may_read, part, repo_of, storage_of
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages import samples, sanitize, widget
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.storage import KINDS, Commit, Repo, Storage
from hubtweets.text import plain

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CARD_SIZE = 2**19  # bytes of a card that are read
SHOWN_SIZE = 200_000  # bytes of a text file that are shown
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
PER_PAGE = {"tree": 1000, "commits": 50, "discussions": 50}
DIFF_LINES, DIFF_WIDTH = 2000, 1000
NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)

templates = environment(autoescape=True)


class Chip(NamedTuple):
    """A fact from the front matter: what it is, its text, and where it leads."""

    kind: str
    text: str
    url: str = ""


class Change(NamedTuple):
    path: str
    what: str
    lines: list[tuple[str, str]]


def segment(text: str) -> str:
    """Write a text as one segment of an address."""
    return quote(text, safe="")


def size(count: float) -> str:
    """Write a number of bytes as the Hub does, in powers of 1000."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


templates.filters |= {"segment": segment, "size": size, "plain": plain}


def page(
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


def shown(show: Callable[[Request, Repo], Response]) -> Callable[[Request], Response]:
    """Make an endpoint of what shows a repo: what is not there, or hidden, has a page too."""

    def answer(request: Request) -> Response:
        try:
            return show(request, repo_of(request))
        except HubError as error:
            return page(
                "missing", 404 if error.status == 401 else error.status, reason=error.message
            )
        except OSError:
            return page(
                "missing",
                500,
                reason="a file of it is lost, or can't be read; type: hubtweets hub --check",
            )

    return answer


def view(
    request: Request,
    repo: Repo,
    template: str,
    pictures: str = "",
    script: bool = False,
    **values: Any,
) -> Response:
    """Fill in one of a repo's pages, all of which begin with what it is."""
    storage = storage_of(request)
    head = storage.resolve(repo, "main")
    metadata, _ = card_of(storage, head)
    tags = [name for name, sha in storage.refs(repo, "tags").items() if sha == head.id]
    waiting = sum(
        one.status in ("draft", "open") for one in pull_requests.discussions(storage, repo)
    )
    values |= {
        "template": template,
        "repo": repo,
        "head": head,
        "tags": tags,
        "waiting": waiting,
        "chips": list(chips(storage, metadata)),
    }
    return page(template, pictures=pictures, script=script, **values)


def card_of(storage: Storage, commit: Commit) -> tuple[dict[str, Any], str]:
    """Return the metadata and the text of a commit's card, of as much as is read of it."""
    entry = commit.files.get("README.md")
    return read_card(storage.blobs.path(entry.sha256)) if entry else ({}, "")


@lru_cache(32)  # a content never changes
def read_card(path: Path) -> tuple[dict[str, Any], str]:
    with path.open("rb") as file:
        text = file.read(CARD_SIZE).decode("utf-8", "replace")
    return read_metadata(path), body(text)


def chips(storage: Storage, metadata: dict[str, Any]) -> Iterator[Chip]:
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
            if isinstance(value, str) and (text := plain(value, 80)):
                kind = {"base_model": "models", "datasets": "datasets"}.get(key)
                yield Chip(
                    key, text, address(storage, kind, text) if kind and NAME.fullmatch(text) else ""
                )


def address(storage: Storage, kind: str, repo_id: str) -> str:
    """Return where a repo is: here, or else on the Hugging Face Hub."""
    found = storage.find_repo(kind, repo_id)
    return (
        found.path
        if found and not found.private
        else f"https://huggingface.co/{'' if kind == 'models' else kind + '/'}{repo_id}"
    )


def index(request: Request) -> Response:
    storage = storage_of(request)
    found: dict[str, list[tuple[Repo, Commit]]] = {kind: [] for kind in KINDS}
    for kind in KINDS:
        for repo in storage.repos(kind):
            with suppress(HubError):  # of one that was removed just now
                if not repo.private:
                    found[kind].append((repo, storage.resolve(repo, "main")))
        found[kind].sort(key=lambda one: one[1].date, reverse=True)
    return page("index", found=found)


def card(request: Request, repo: Repo) -> Response:
    storage = storage_of(request)
    head = storage.resolve(repo, "main")
    metadata, text = card_of(storage, head)
    task = metadata.get("pipeline_tag", "text-generation")  # old cards do not say it
    makes_texts = repo.kind == "models" and task == "text-generation"
    everywhere = request.query_params.get("images") == "remote"
    return view(
        request,
        repo,
        "card",
        card=sanitize.render(text, repo.path),
        everywhere=everywhere,
        pictures=" https: http:" if everywhere else "",
        script=makes_texts and any(path.endswith(".safetensors") for path in head.files),
        examples=widget.examples(metadata) if makes_texts else [],
        longest=widget.LONGEST,
        samples=samples.of_commit(storage, head)
        if repo.kind == "models" and may_read(request, repo)
        else [],
    )


def tree(request: Request, repo: Repo) -> Response:
    storage, commit, folder = (
        storage_of(request),
        commit_of(request, repo),
        part(request, "path").strip("/"),
    )
    prefix = folder + "/" if folder else ""
    inside = {
        path.removeprefix(prefix): entry
        for path, entry in commit.files.items()
        if path.startswith(prefix)
    }
    if folder and not inside:
        raise HubError(404, f"{repo.id} has no folder {folder} at {revision_of(request)}")
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
    return view(
        request,
        repo,
        "tree",
        commit=commit,
        revision=revision_of(request),
        revisions=revisions,
        prefix=prefix,
        **paged(request, "tree", items),
    )


def revision_of(request: Request) -> str:
    return part(request, "revision") or "main"


def paged(request: Request, template: str, items: list[Any]) -> dict[str, Any]:
    """Return a page of a list, which page it is, and whether there is another."""
    digits, per_page = request.query_params.get("p", "0"), PER_PAGE[template]
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0
    return {
        "items": items[number * per_page : (number + 1) * per_page],
        "number": number,
        "more": len(items) > (number + 1) * per_page,
    }


def blob(request: Request, repo: Repo) -> Response:
    commit, path = commit_of(request, repo), part(request, "path")
    entry = commit.files.get(path)
    if entry is None:
        raise HubError(404, f"{repo.id} has no file {path} at {revision_of(request)}")
    if path != "README.md":  # the card is for everybody
        check_gate(request, repo)
    text = None
    if entry.size <= SHOWN_SIZE:
        content = storage_of(request).blobs.path(entry.sha256).read_bytes()
        text = None if b"\0" in content else decoded(content)
    picture = path.lower().endswith(PICTURES)
    return view(
        request,
        repo,
        "blob",
        commit=commit,
        revision=revision_of(request),
        path=path,
        entry=entry,
        text=text,
        picture=picture,
    )


def decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def history(request: Request, repo: Repo) -> Response:
    found = list(storage_of(request).history(repo, commit_of(request, repo)))
    return view(
        request, repo, "commits", revision=revision_of(request), **paged(request, "commits", found)
    )


def commit(request: Request, repo: Repo) -> Response:
    storage, new = storage_of(request), commit_of(request, repo)
    old = next(islice(storage.history(repo, new), 1, None), replace(new, files={}))
    return view(request, repo, "commit", commit=new, changes=changes(request, repo, old, new))


def changes(request: Request, repo: Repo, old: Commit, new: Commit) -> list[Change]:
    """Return what two commits have not alike; of a gated repo the lines of the card alone."""
    hidden, left, found = not may_read(request, repo), DIFF_LINES, []
    for path in pull_requests.changed(old.files, new.files):
        lines = (
            []
            if hidden and path != "README.md"
            else list(islice(diff(storage_of(request), old, new, path), left))
        )
        left -= len(lines)
        found.append(
            Change(
                path,
                "removed" if path not in new.files else "changed" if path in old.files else "added",
                lines,
            )
        )
    return found


def diff(storage: Storage, old: Commit, new: Commit, path: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a file's diff, each with what it is."""
    before, after = (
        replace(one, files={path: one.files[path]} if path in one.files else {})
        for one in (old, new)
    )
    for number, line in enumerate(discussions.diff(storage, before, after)):
        if number > 2 or not line.startswith(("diff ", "--- ", "+++ ")):  # the path is known
            yield (
                {"+": "added", "-": "removed", "@": "place"}.get(line[:1], ""),
                line.rstrip("\n")[:DIFF_WIDTH],
            )


def threads(request: Request, repo: Repo) -> Response:
    return view(
        request,
        repo,
        "discussions",
        **paged(request, "discussions", pull_requests.discussions(storage_of(request), repo)),
    )


def discussion(request: Request, repo: Repo) -> Response:
    storage = storage_of(request)
    one = pull_requests.read(storage, repo, discussions.number(request))
    whole = discussions.describe_whole(storage, repo, one)
    found = (
        []
        if one.base is None
        else changes(
            request,
            repo,
            storage.resolve(repo, one.base),
            storage.resolve(repo, f"refs/pr/{one.num}"),
        )
    )
    return view(
        request,
        repo,
        "discussion",
        one=one,
        events=whole["events"],
        conflicts=whole.get("filesWithConflicts"),
        changes=found,
    )


async def no_api(request: Request) -> Response:
    raise HTTPException(404)


async def icon(request: Request) -> Response:
    return Response(status_code=204)


routes = [
    Route("/", index),
    Route("/favicon.ico", icon),
    Route("/api/{path:path}", no_api),
    Route("/_generate/{namespace}/{name}", widget.generate, methods=["POST"]),
]
for start in ("/datasets/{namespace}/{name}", "/spaces/{namespace}/{name}", "/{namespace}/{name}"):
    routes += [
        Route(start, shown(card)),
        Route(start + "/tree/{revision}", shown(tree)),
        Route(start + "/tree/{revision}/{path:path}", shown(tree)),
        Route(start + "/blob/{revision}/{path:path}", shown(blob)),
        Route(start + "/commits/{revision}", shown(history)),
        Route(start + "/commit/{revision}", shown(commit)),
        Route(start + "/discussions", shown(threads)),
        Route(start + "/discussions/{num}", shown(discussion)),
    ]
