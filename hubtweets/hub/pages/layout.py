"""Renders the pages: their templates, the head that a repo's pages share, and what may load.

Names, cards, titles and files are untrusted. Templates escape them, a card passes a sanitizer, and
each page's Content-Security-Policy forbids scripts, frames and whatever comes from other hosts.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response

from hubtweets.card import sharing
from hubtweets.card.card_parser import read_metadata, strip_front_matter
from hubtweets.card.templating import create_environment
from hubtweets.hub.api.requests import can_read_files, get_repo, get_storage
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages.highlight import format_code
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.pull_requests import list_discussions
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage
from hubtweets.text import to_plain_text

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without one, the Origin of a form is null
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = (
    "default-src 'none'; img-src 'self'{images}; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
)
SCRIPT_POLICY = "; script-src 'nonce-{nonce}'"
CONNECT_POLICY = "; connect-src 'self'"
MAX_CARD_BYTES = 2**19  # of a card that are read
AVATARS = ("avatar.png", "avatar-2.png")  # a bot's first author may have none
MAX_CHIPS = 40  # of one field
MAX_CHIP_CHARS = 80
# the fields of a card's front matter that have chips
CHIP_KEYS = (
    "pipeline_tag",
    "library_name",
    "language",
    "license",
    "base_model",
    "datasets",
    "tags",
)
LINKED_KINDS = {"base_model": "models", "datasets": "datasets"}  # by field
REPO_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


class Chip(NamedTuple):
    """A fact from the front matter: its field, its text, and its link if any."""

    kind: str
    text: str
    url: str = ""


def quote_segment(text: str) -> str:
    """Quote a text as one segment of a URL."""
    return quote(text, safe="")


def format_size(count: float) -> str:
    """Format a number of bytes as the Hub does, in powers of 1000."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def format_count(count: float) -> str:
    """Format a number of parameters as the Hub does, such as 124M."""
    for unit in ("", "K", "M", "B"):
        if count < 999.5:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:,.3g}T"


def choose_hue(name: str) -> int:
    """Return the hue, in degrees, of the tile of a repo without an avatar."""
    return crc32(name.encode()) % 360


templates = create_environment(autoescape=True)
templates.filters |= {
    "segment": quote_segment,
    "size": format_size,
    "count": format_count,
    "hue": choose_hue,
    "plain": to_plain_text,
    "code": format_code,
}


def render_page(
    name: str,
    status: int = 200,
    images: str = "",
    scripts: Sequence[str] = (),
    forms: bool = False,
    **values: Any,
) -> Response:
    """Render a page.

    `images` adds sources of images besides this Hub, `scripts` are the page's own, and `forms`
    allows its forms.
    """
    nonce = secrets.token_urlsafe(16) if scripts else ""
    template = templates.get_template(f"pages/{name}.html.j2")
    text = template.render(values, nonce=nonce, scripts=scripts, notebook=sharing.NOTEBOOK_URL)
    policy = POLICY.format(images=images, forms="'self'" if forms else "'none'")
    if scripts:
        policy += SCRIPT_POLICY.format(nonce=nonce)
    if "widget" in scripts:
        policy += CONNECT_POLICY
    content = text.encode("utf-8", "replace")  # titles may hold lone surrogates
    headers = {**HEADERS, "Content-Security-Policy": policy}
    return Response(content, status, headers, "text/html; charset=utf-8")


def render_icon() -> Response:
    """Render the pages' icon."""
    icon = templates.get_template("pages/icon.svg.j2").render()
    return Response(icon, headers=HEADERS, media_type="image/svg+xml")


def make_endpoint(show: Callable[[Request, Repo], Response]) -> Callable[[Request], Response]:
    """Make an endpoint of a function that shows a repo; errors get a page too."""

    def answer(request: Request) -> Response:
        try:
            return show(request, get_repo(request))
        except HubError as error:
            status = 404 if error.status == 401 else error.status
            return render_page("missing", status, reason=error.message)
        except OSError:
            reason = "one of its files is lost or can't be read; type: hubtweets hub --check"
            return render_page("missing", 500, reason=reason)

    return answer


def render_repo_page(
    request: Request,
    repo: Repo,
    template: str,
    images: str = "",
    scripts: Sequence[str] = (),
    forms: bool = False,
    **values: Any,
) -> Response:
    """Render one of a repo's pages, which share a head."""
    storage = get_storage(request)
    head = storage.resolve(repo, "main")
    metadata, _ = read_card(storage, head)
    discussions = list_discussions(storage, repo)
    values |= {
        "template": template,
        "repo": repo,
        "head": head,
        "avatar": find_avatar(request, repo, head),
        "tags": [name for name, sha in storage.list_refs(repo, "tags").items() if sha == head.id],
        "waiting": sum(one.status in ("draft", "open") for one in discussions),
        "chips": list(list_chips(storage, metadata)),
    }
    return render_page(template, images=images, scripts=["copy", *scripts], forms=forms, **values)


def find_avatar(request: Request, repo: Repo, commit: Commit) -> str:
    """Return the URL of a bot's avatar, "" if it has none or the user may not read it."""
    files = commit.files if can_read_files(request, repo) else ()
    return next((f"{repo.path}/resolve/main/{name}" for name in AVATARS if name in files), "")


def read_card(storage: Storage, commit: Commit) -> tuple[dict[str, Any], str]:
    """Return the metadata and the text of a commit's card, which is cut at MAX_CARD_BYTES."""
    entry = commit.files.get("README.md")
    return parse_card(storage.blobs.path(entry.sha256)) if entry else ({}, "")


@lru_cache(32)  # a content never changes
def parse_card(path: Path) -> tuple[dict[str, Any], str]:
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES).decode("utf-8", "replace")
    return read_metadata(path), strip_front_matter(text)


def list_chips(storage: Storage, metadata: dict[str, Any]) -> Iterator[Chip]:
    """Yield the facts of a card's front matter."""
    for key in CHIP_KEYS:
        values = metadata.get(key)
        for value in islice(values if isinstance(values, list) else [values], MAX_CHIPS):
            text = to_plain_text(value, MAX_CHIP_CHARS) if isinstance(value, str) else ""
            if text:
                yield Chip(key, text, find_url(storage, key, text))


def find_url(storage: Storage, key: str, text: str) -> str:
    """Return the URL of the repo that a field names, here or on the Hugging Face Hub, or ""."""
    kind = LINKED_KINDS.get(key)
    if kind is None or not REPO_NAME.fullmatch(text):
        return ""
    found = storage.find_repo(kind, text)
    if found and not found.private:
        return found.path
    return f"https://huggingface.co/{'' if kind == 'models' else kind + '/'}{text}"
