"""A bot and its dataset off the Hub, and what may remain elsewhere.

In: a repo's id. Out: lines that say what was done and where copies may be. Nothing is changed before it is confirmed; what is gone already counts
as done, so that it can be repeated after a cut.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.file_download import repo_folder_name

from hubtweets import record_json
from hubtweets.errors import HubtweetsError
from hubtweets.publisher import Hub, speaking_to

KINDS = ("model", "dataset")
MOST = 20  # of a sort that are named


@dataclass(frozen=True)
class Found:
    """A repo that is there: its kind, its address, whether it is private, and what will be lost with it."""

    kind: str
    url: str
    private: bool
    holds: str

    def __str__(self) -> str:
        return f"{self.url} ({'private' if self.private else 'public'}; {self.holds})"


def take_down(hub: Hub, repo_id: str, hide: bool, runs: Path, confirm: Callable[[str], bool]) -> Iterator[str]:
    """Delete or hide the bot's repo and its dataset once it is confirmed, and yield what was done and what may remain.

    Raises HubtweetsError where there is no such bot, or the Hub refuses.
    """
    with speaking_to(hub):
        found = [one for kind in KINDS if (one := find(hub, repo_id, kind))]
        copies = list(elsewhere(hub, repo_id))
    if not found:
        raise HubtweetsError(f"{hub.endpoint}/{repo_id} is not there, or not for this token to see; see what is: hf repos ls")
    what = " and its dataset ".join(map(str, found))
    if not confirm(f"{what} will be {'private' if hide else 'deleted for good'}"):
        yield "nothing was changed"
        return
    for one in found:
        with speaking_to(hub):
            take(hub, repo_id, one.kind, hide)
        yield f"{'private' if hide else 'deleted'}: {one.url}"
    yield "what may remain, and is for others or for you to remove:"
    yield from (f"- {line}" for line in [*copies, *at_home(hub, repo_id, runs), *of_everybody(hide)])


def find(hub: Hub, repo_id: str, kind: str) -> Found | None:
    """Return the repo of a kind that has this very id; raise HubtweetsError for a model that hubtweets did not make."""
    api = hub.api
    try:
        info: Any = api.repo_info(repo_id, repo_type=kind)
    except RepositoryNotFoundError:
        return None
    url = f"{hub.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
    if info.id != repo_id:
        raise HubtweetsError(f"{url} was renamed; type: hubtweets takedown {info.id}")
    names = [file.rfilename for file in info.siblings or ()]
    if kind == "model" and "hubtweets.json" not in names:
        raise HubtweetsError(f"{url}: no bot of hubtweets (it has no hubtweets.json); to delete it all the same, type: hf repos delete {repo_id}")
    counted = {"commits": len(api.list_repo_commits(repo_id, repo_type=kind)), "files": len(names), "downloads": info.downloads, "likes": info.likes}
    return Found(kind, url, bool(info.private), ", ".join(f"{name}: {number:,}" for name, number in counted.items() if number is not None))


def take(hub: Hub, repo_id: str, kind: str, hide: bool) -> None:
    """Delete or hide a repo; where the answer is lost, see whether it was done."""
    try:
        if hide:
            hub.api.update_repo_settings(repo_id, private=True, repo_type=kind)
        else:
            hub.api.delete_repo(repo_id, repo_type=kind)
    except (HfHubHTTPError, httpx2.TransportError):
        left = find(hub, repo_id, kind)
        if left and not (hide and left.private):
            raise


def elsewhere(hub: Hub, repo_id: str) -> Iterator[str]:
    """Yield what the Hub says was made of a bot, or the sort of thing where it doesn't tell."""
    api = hub.api
    yield listed("models made from it", lambda: (model.id for model in api.list_models(filter=f"base_model:{repo_id}", limit=MOST)))
    yield listed(
        "Spaces that use it",
        lambda: (space.id for space in api.list_spaces(models=repo_id, expand=["models"], limit=MOST) if repo_id in (space.models or ())),
    )
    yield listed("collections with it", lambda: (one.slug for one in api.list_collections(item=f"models/{repo_id}", limit=MOST)))


def listed(what: str, ask: Callable[[], Iterable[str]]) -> str:
    try:
        names = list(ask())
    except (HfHubHTTPError, httpx2.TransportError, TypeError, KeyError, AttributeError):  # a Hub without such a listing may answer anything
        return f"{what}: this Hub does not tell"
    return f"{what}: {', '.join(names) or 'none'}{' and maybe more' if len(names) == MOST else ''}"


def at_home(hub: Hub, repo_id: str, runs: Path) -> Iterator[str]:
    """Yield where this machine has the bot, and how to remove it there."""
    for kind in KINDS:
        cached = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo_id, repo_type=kind)
        if cached.exists():
            yield f"this machine's cache, {cached}; type: hf cache rm {kind}/{repo_id}"
    folder = runs / repo_id.rpartition("/")[2]
    if (folder / "run.json").exists():
        yield f"the run folder with the posts, {folder}; type: rm -r {folder}"
        try:
            tracked = record_json.read(folder / "run.json").tracked
        except HubtweetsError:
            tracked = ()
        yield from (f"a run in {run.tracker}: {run.url}" for run in tracked if run.url)
    if hub.api.endpoint != hub.endpoint:  # the embedded Hub, started for the while
        yield "the files in the embedded Hub's folder; type: hubtweets hub --gc"


def of_everybody(hide: bool) -> Iterator[str]:
    """Yield where others may have it, which nobody can list."""
    yield "duplicates of the repo, and copies in the caches of those who downloaded it"
    yield "search engines and web archives"
    if hide:
        yield "the repo itself, which you and those that you let in still see"
