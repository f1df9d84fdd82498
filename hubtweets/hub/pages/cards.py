"""A repo's first page: its card, what its model is, how to use it, and where to try it."""

import re
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hubtweets.hub.api.model_info import read_model_info
from hubtweets.hub.api.requests import can_read_files, get_base_url, get_storage
from hubtweets.hub.api.weights import describe_weights
from hubtweets.hub.pages import picks, samples, widget
from hubtweets.hub.pages.layout import read_card, render_repo_page
from hubtweets.hub.pages.sanitize import RenderedCard, render_card
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.repo import Repo

TASK = "text-generation"
MAX_SNIPPET_PROMPT_CHARS = 80
DEFAULT_PROMPT = "My dream is"


def show_card(request: Request, repo: Repo) -> Response:
    storage = get_storage(request)
    head = storage.resolve(repo, "main")
    metadata, text = read_card(storage, head)
    card = render_own_card(request, repo, metadata, text)
    thumbnail = find_thumbnail(request, repo, head, metadata)
    task = {"pipeline_tag": TASK} | read_model_info(storage, head).fields | metadata
    is_generator = repo.kind == "models" and task["pipeline_tag"] == TASK
    has_weights = any(path.endswith(".safetensors") for path in head.files)
    examples = widget.parse_examples(metadata) if is_generator else []
    prompt = examples[0].prompt if examples else DEFAULT_PROMPT
    has_samples = repo.kind == "models" and can_read_files(request, repo)
    found = samples.find_samples(storage, head) if has_samples else []
    picking = picks.describe_picking(request, repo, found) if found else None
    loads_images = request.query_params.get("images") == "remote"
    return render_repo_page(
        request,
        repo,
        "card",
        scripts=["widget"] if is_generator and has_weights else [],
        images=" https: http:" if loads_images else "",
        card=card,
        loads_images=loads_images,
        thumbnail=thumbnail,
        is_thumbnail_on_card=f'src="{thumbnail}"' in card.intro + card.html,
        base_url=get_base_url(request),
        examples=examples,
        settings=widget.read_settings(storage, head),
        bounds=widget.SETTINGS,
        max_prompt_chars=widget.MAX_PROMPT_CHARS,
        weights=describe_weights(storage, head) if repo.kind == "models" else None,
        size=sum(entry.size for entry in head.files.values()),
        snippets=list_snippets(request, repo, prompt) if is_generator and has_weights else [],
        samples=found,
        picking=picking,
        forms=picking is not None,
    )


def render_own_card(
    request: Request, repo: Repo, metadata: dict[str, Any], text: str
) -> RenderedCard:
    """Render a card; the address at which it was published becomes the one it is served from."""
    endpoint, _ = parse_thumbnail(repo, metadata)
    if endpoint.startswith("http://"):  # of an embedded Hub, not of the Hub
        base = get_base_url(request)
        for old, new in ((endpoint, base), (quote(endpoint, safe=""), quote(base, safe=""))):
            text = new.join(re.split(rf"{re.escape(old)}(?!\d)", text))
    return render_card(text, repo.path)


def parse_thumbnail(repo: Repo, metadata: dict[str, Any]) -> tuple[str, str]:
    """Return the endpoint at which a card was published and its thumbnail's file, or two ""."""
    url = metadata.get("thumbnail")
    pattern = rf"(https?://[^/\s]+){re.escape(repo.path)}/resolve/main/(.+)"
    found = re.fullmatch(pattern, url) if isinstance(url, str) else None
    return (found[1], found[2]) if found else ("", "")


def find_thumbnail(request: Request, repo: Repo, commit: Commit, metadata: dict[str, Any]) -> str:
    """Return the path of a card's thumbnail if it is a file of the repo that the user may read."""
    _, file = parse_thumbnail(repo, metadata)
    if file not in commit.files or not can_read_files(request, repo):
        return ""
    return f"{repo.path}/resolve/main/{quote(file)}"


class Snippet(NamedTuple):
    """A piece of code to copy."""

    title: str
    language: str
    code: str


def list_snippets(request: Request, repo: Repo, prompt: str) -> list[Snippet]:
    """Return the ways to use a model from this Hub."""
    endpoint = get_base_url(request)
    return [
        Snippet("From another terminal", "sh", f"export HF_ENDPOINT={endpoint}"),
        Snippet("Transformers", "python", format_pipeline(repo.id, prompt)),
        Snippet("Download", "sh", f"hf download {repo.id}"),
        Snippet("Check the card", "sh", f"hubtweets verify {repo.id} --hub {endpoint}"),
    ]


def format_pipeline(repo_id: str, prompt: str) -> str:
    return (
        "from transformers import pipeline\n\n"
        f'generator = pipeline("{TASK}", model="{repo_id}")\n'
        f'print(generator({prompt[:MAX_SNIPPET_PROMPT_CHARS]!r})[0]["generated_text"])'
    )
