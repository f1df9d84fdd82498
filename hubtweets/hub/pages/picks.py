"""Lets the owner of a bot's run folder pick the card's samples with a click on the bot's page.

In: the choice in the run folder, from whoever starts the Hub. Out: a button for each sample that
may be picked, in a form that needs no script. The form carries a signature that only this Hub's
pages have, and the Hub rejects the forms of other origins (see middleware).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hubtweets.errors import HubtweetsError
from hubtweets.hub.api.requests import (
    check_gate,
    check_signature,
    create_signature,
    get_repo,
    get_storage,
    read_body,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages.layout import render_page
from hubtweets.hub.pages.samples import MAX_SAMPLE_CHARS, RecordedSample
from hubtweets.hub.storage.repo import Repo

OPEN = "samples"  # the parameter of a page whose samples are unfolded


class Choice(NamedTuple):
    """The samples of a run folder that may be picked, by number, and the picked numbers.

    `pick` changes these or raises HubtweetsError, `command` publishes them.
    """

    offered: dict[int, str]
    picked: tuple[int, ...]
    pick: Callable[[Sequence[int]], object]
    command: str


FindChoice = Callable[[str], Choice | None]  # by the id of a repo


class Picking(NamedTuple):
    """What a page shows of a choice: by number, whether a sample is picked.

    `command` is empty if the card shows the choice already.
    """

    thumbs: dict[int, bool]
    chosen: int
    command: str
    signature: str
    open: bool


def describe_picking(request: Request, repo: Repo, found: list[RecordedSample]) -> Picking | None:
    """Return what a page shows of the choice, None if there is nothing to pick.

    A sample whose text is another one in the run folder can't be picked.
    """
    choice = find_choice(request, repo)
    if choice is None:
        return None
    thumbs = {
        sample.number: sample.number in choice.picked
        for sample in found
        if choice.offered.get(sample.number, "")[:MAX_SAMPLE_CHARS] == sample.text
    }
    if not thumbs:
        return None
    published = {sample.number for sample in found if sample.picked}
    return Picking(
        thumbs,
        len(choice.picked),
        choice.command if set(choice.picked) != published else "",
        create_signature(get_storage(request), f"pick {repo.id}"),
        OPEN in request.query_params,
    )


def find_choice(request: Request, repo: Repo) -> Choice | None:
    find: FindChoice | None = request.app.state.find_choice
    return find(repo.id) if find and repo.kind == "models" else None


async def pick_sample(request: Request) -> Response:
    """Add a sample to the choice or drop it, and show the page again."""
    body = await read_body(request)
    return await run_in_threadpool(answer_pick, request, body)


def answer_pick(request: Request, body: bytes) -> Response:
    try:
        repo = get_repo(request)
        number = save_pick(request, repo, dict(parse_qsl(body.decode("latin-1"))))
    except HubError as error:
        return render_page("missing", error.status, heading="Not saved", reason=error.message)
    except HubtweetsError as error:
        return render_page("missing", 409, heading="Not saved", reason=str(error))
    return RedirectResponse(f"{repo.path}?{OPEN}#sample-{number}", 303)


def save_pick(request: Request, repo: Repo, fields: dict[str, str]) -> int:
    """Pick the sample of a form, or drop it, and return its number."""
    check_gate(request, repo)
    check_signature(get_storage(request), f"pick {repo.id}", fields.get("signature", ""))
    choice = find_choice(request, repo)
    adds, text = "add" in fields, fields.get("add", fields.get("drop", ""))
    number = next((one for one in choice.offered if str(one) == text), None) if choice else None
    if choice is None or number is None:
        raise HubError(404, f"{repo.id} has no sample {text[:20]} to pick here")
    numbers = [one for one in choice.picked if one != number] + [number] * adds
    if not numbers:
        raise HubError(409, "the card shows one sample at least; pick another one first")
    choice.pick(numbers)
    return number
