"""What a person sees of the embedded Hub: a list of models, and each model's card as the Hub would roughly show it.

A card is anybody's Markdown and HTML, so it passes a sanitiser, and the page's policy forbids scripts, frames and anything from elsewhere.
"""

import re
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hubtweets.hub.cards import body
from hubtweets.hub.storage import Repo, Storage
from hubtweets.rendering import environment

POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLES = {"margin", "margin-top", "width", "height", "border-radius", "font-size", "font-weight", "text-align", "color"}
ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "img": {"src", "alt", "width", "height", "style"}, "div": {"style"}, "code": {"class"}}
markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def render_card(card: str, repo_id: str) -> str:
    """Return a card's body as HTML that holds no script, no event handler and no frame; its own repo's files are shown from here."""
    html = markdown.render(body(card))
    html = re.sub(rf"https?://[^/\s\"]+/{re.escape(repo_id)}/resolve/", f"/{repo_id}/resolve/", html)
    return nh3.clean(html, attributes=ATTRIBUTES, filter_style_properties=STYLES)


def page(template: str, status: int = 200, **values: object) -> Response:
    html = environment(autoescape=True).get_template(f"pages/{template}.html.j2").render(**values)
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})


async def index(request: Request) -> Response:
    storage: Storage = request.app.state.storage
    return page("index", repos=[repo for repo in await run_in_threadpool(storage.repos) if not repo.private])


async def model(request: Request) -> Response:
    storage: Storage = request.app.state.storage
    repo_id = unquote(f"{request.path_params['namespace']}/{request.path_params['name']}")
    repo = storage.find_repo("models", repo_id)
    if repo is None or repo.private:
        return page("missing", 404, repo_id=repo_id)
    return await run_in_threadpool(model_page, storage, repo)


def model_page(storage: Storage, repo: Repo) -> Response:
    commit = storage.resolve(repo, "main")
    card = commit.files.get("README.md")
    text = storage.blobs.path(card.sha256).read_text(encoding="utf-8", errors="replace") if card else ""
    tags = [name for name, sha in storage.refs(repo, "tags").items() if sha == commit.id]
    return page("model", repo=repo, commit=commit, tags=tags, card=render_card(text, repo.id))


async def no_api(request: Request) -> Response:
    raise HTTPException(404)


async def icon(request: Request) -> Response:
    return Response(status_code=204)


routes = [
    Route("/", index),
    Route("/favicon.ico", icon),
    Route("/api/{name}", no_api),
    Route("/{namespace}/{name}", model),
]
