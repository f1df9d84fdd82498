"""Delete or hide a bot and its dataset on the Hub, and list what may remain elsewhere.

In: a repo's id. Out: lines that say what was done, what was left alone, and where copies may be. A repo is changed only if a record of hubtweets in
it names that repo, both before the question and right before the change. A repo that is already gone counts as done, so the command can be repeated.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.hf_api import RepoFile

from hubtweets.errors import HubtweetsError
from hubtweets.publishing import diff
from hubtweets.publishing.connection import Hub, hub_errors
from hubtweets.record import serialization

KINDS = ("model", "dataset")
MOST = 20  # of a sort that are named


@dataclass(frozen=True)
class Found:
    """A repo on the Hub: its kind, its address, its newest commit, whether it is private, and what is lost with it.

    `foreign` says why the repo is not known to be made by hubtweets; None if it is.
    """

    kind: str
    url: str
    commit: str
    private: bool
    holds: str
    foreign: str | None

    def __str__(self) -> str:
        return f"{self.url} ({'private' if self.private else 'public'}; {self.holds})"


def take_down(
    hub: Hub, repo_id: str, hide: bool, runs: Path, confirm: Callable[[str], bool]
) -> Iterator[str]:
    """Delete or hide the bot's repo and its dataset if `confirm` agrees, and yield what was done and what may remain.

    Raises HubtweetsError if no repo of this id was made by hubtweets, if one changes after the question, or if the Hub refuses.
    """
    with hub_errors(hub):
        found = [one for kind in KINDS if (one := find(hub, repo_id, kind))]
        copies = list(elsewhere(hub, repo_id))
    if not found:
        raise HubtweetsError(
            f"{hub.endpoint}/{repo_id} is not there, or not for this token to see; see what is: hf repos ls"
        )
    ours, foreign = (
        [one for one in found if (one.foreign is None) is made] for made in (True, False)
    )
    if not ours:
        raise HubtweetsError(
            f"{foreign[0].foreign}; to delete it anyway, type: hf repos delete {repo_id} --type {foreign[0].kind}"
        )
    what = " and its dataset ".join(map(str, ours))
    if not confirm(f"{what} will be {'private' if hide else 'deleted for good'}"):
        yield "nothing was changed"
        return
    for one in ours:
        with hub_errors(hub):
            take(hub, repo_id, one, hide)
        yield f"{'private' if hide else 'deleted'}: {one.url}"
    yield from (f"left alone: {one.foreign}" for one in foreign)
    yield "what may remain, and is for others or for you to remove:"
    yield from (
        f"- {line}" for line in [*copies, *at_home(hub, repo_id, runs), *of_everybody(hide)]
    )


def find(hub: Hub, repo_id: str, kind: str) -> Found | None:
    """Return the repo of a kind that has this id; raise HubtweetsError if it was renamed."""
    api = hub.api
    try:
        info: Any = api.repo_info(repo_id, repo_type=kind)
    except RepositoryNotFoundError:
        return None
    url = f"{hub.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
    if info.id != repo_id:
        raise HubtweetsError(f"{url} was renamed; type: hubtweets takedown {info.id}")
    names, commit = [file.rfilename for file in info.siblings or ()], str(info.sha)
    counted = {
        "commits": len(api.list_repo_commits(repo_id, repo_type=kind)),
        "files": len(names),
        "downloads": info.downloads,
        "likes": info.likes,
    }
    holds = ", ".join(
        f"{name}: {number:,}" for name, number in counted.items() if number is not None
    )
    if diff.RECORD in names:
        foreign = find_doubt(hub, repo_id, kind, commit, f"{url}: {diff.RECORD}")
    else:
        foreign = f"{url} has no {diff.RECORD}, so hubtweets did not make it"
    return Found(kind, url, commit, bool(info.private), holds, foreign)


def find_doubt(hub: Hub, repo_id: str, kind: str, commit: str, name: str) -> str | None:
    """Return why the record in a repo does not show that hubtweets made it; None if it does. `name` is what the answer calls the record."""
    [file] = hub.api.get_paths_info(repo_id, diff.RECORD, revision=commit, repo_type=kind)
    text = (
        diff.read_text(hub.api, repo_id, commit, file, kind) if isinstance(file, RepoFile) else None
    )
    if text is None:
        return f"{name} is no record of hubtweets"
    try:
        record, _ = serialization.read_public_record(text, name)
    except HubtweetsError as error:
        return str(error)
    named = record.target.repo_id if record.target else None
    return (
        None
        if named == repo_id
        else f"{name} is the record of {named or 'no repo'}, so this is a copy, or was renamed"
    )


def take(hub: Hub, repo_id: str, confirmed: Found, hide: bool) -> None:
    """Delete or hide a repo that is still at the commit that was confirmed; if the answer is lost, look whether it was done."""
    kind = confirmed.kind
    now = find(hub, repo_id, kind)
    if now is None:
        return
    if now.commit != confirmed.commit or now.foreign:
        raise HubtweetsError(
            f"{now.url} was changed after you were asked; look at it, then type the command again"
        )
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
    yield listed(
        "models made from it",
        lambda: (model.id for model in api.list_models(filter=f"base_model:{repo_id}", limit=MOST)),
    )
    yield listed(
        "Spaces that use it",
        lambda: (
            space.id
            for space in api.list_spaces(models=repo_id, expand=["models"], limit=MOST)
            if repo_id in (space.models or ())
        ),
    )
    yield listed(
        "collections with it",
        lambda: (one.slug for one in api.list_collections(item=f"models/{repo_id}", limit=MOST)),
    )


def listed(what: str, ask: Callable[[], Iterable[str]]) -> str:
    try:
        names = list(ask())
    except (
        HfHubHTTPError,
        httpx2.TransportError,
        TypeError,
        KeyError,
        AttributeError,
    ):  # a Hub without such a listing may answer anything
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
            tracked = serialization.read_record(folder / "run.json").tracked
        except HubtweetsError:
            tracked = ()
        yield from (f"a run in {run.tracker}: {run.url}" for run in tracked if run.url)
    if hub.api.endpoint != hub.endpoint:  # the embedded Hub, started for the while
        yield "the files in the embedded Hub's folder; type: hubtweets hub --gc"


def of_everybody(hide: bool) -> Iterator[str]:
    """Yield where others may have it, which no listing shows."""
    yield "duplicates of the repo and models trained from it under other accounts, and copies in the caches of those who downloaded it"
    yield "a DOI: the Hub does not delete, hide or rename a repo that has one; ask the Hub's support"
    yield "search engines and web archives"
    if hide:
        yield "the repo itself, which you and those that you let in still see"
