"""Delete or hide a bot and its dataset on the Hub, and list what may remain elsewhere.

In: a repo's id. Out: lines that say what was done, what was left alone, and where copies may be.
A repo is changed only if a record of hubtweets in it names that repo, both before the question and
right before the change. A repo that is already gone counts as done, so the command can be repeated.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.hf_api import ModelInfo, RepoFile

from hubtweets.errors import HubtweetsError
from hubtweets.publishing import diff
from hubtweets.publishing.connection import Hub, hub_errors, resolve_repo_id
from hubtweets.record import serialization

Listing = Iterable[tuple[str, bool]]  # names, and whether each is wanted

KINDS = ("model", "dataset")
MAX_LISTED = 20  # models, Spaces or collections that are named
MAX_READ = 1000  # of each; a Hub that ignores the filter lists all that it has


@dataclass(frozen=True)
class RepoOnHub:
    """A repo on the Hub: its kind, its address, its newest commit, and what is lost with it.

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
    """Delete or hide the bot's repo and its dataset if `confirm` agrees.

    Yields what was done and what may remain. Raises HubtweetsError if no repo of this id was made
    by hubtweets, if one changes after the question, or if the Hub refuses.
    """
    if "/" not in repo_id:  # it is not guessed what to delete
        full = resolve_repo_id(hub, repo_id, runs)
        raise HubtweetsError(f"{repo_id}: give the full id; type: hubtweets takedown {full}")
    with hub_errors(hub):
        found = [repo for kind in KINDS if (repo := find_repo(hub, repo_id, kind))]
        copies = list(list_copies_on_hub(hub, repo_id))
    ours, foreign = split_by_maker(hub, repo_id, found)
    what = " and its dataset ".join(map(str, ours))
    if not confirm(f"{what} will be {'private' if hide else 'deleted for good'}"):
        yield "nothing was changed"
        return
    for repo in ours:
        with hub_errors(hub):
            delete_or_hide(hub, repo_id, repo, hide)
        yield f"{'private' if hide else 'deleted'}: {repo.url}"
    for repo in foreign:
        yield f"left alone: {repo.foreign}"
    yield "what may remain, and is for others or for you to remove:"
    copies += [*list_local_copies(hub, repo_id, runs), *list_unknown_copies(hide)]
    for line in copies:
        yield f"- {line}"


def split_by_maker(
    hub: Hub, repo_id: str, found: list[RepoOnHub]
) -> tuple[list[RepoOnHub], list[RepoOnHub]]:
    """Return the repos made by hubtweets, and the others; raise HubtweetsError if none is."""
    ours = [repo for repo in found if repo.foreign is None]
    foreign = [repo for repo in found if repo.foreign is not None]
    if not found:
        raise HubtweetsError(
            f"{hub.endpoint}/{repo_id}: not found, or not visible to this token; "
            f"list your repos: {hub.type_hf('repos ls')}"
        )
    if not ours:
        raise HubtweetsError(
            f"{foreign[0].foreign}; to delete it anyway, "
            f"type: {hub.type_hf(f'repos delete {repo_id} --type {foreign[0].kind}')}"
        )
    return ours, foreign


def find_repo(hub: Hub, repo_id: str, kind: str) -> RepoOnHub | None:
    """Return the repo of a kind that has this id; raise HubtweetsError if it was renamed."""
    try:
        info: Any = hub.api.repo_info(repo_id, repo_type=kind)
    except RepositoryNotFoundError:
        return None
    url = f"{hub.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
    if info.id != repo_id:
        raise HubtweetsError(f"{url} was renamed; type: hubtweets takedown {info.id}")
    names, commit = [file.rfilename for file in info.siblings or ()], str(info.sha)
    if diff.RECORD in names:
        foreign = find_doubt(hub, repo_id, kind, commit, f"{url}: {diff.RECORD}")
    else:
        foreign = f"{url} has no {diff.RECORD}, so hubtweets did not make it"
    commits = len(hub.api.list_repo_commits(repo_id, repo_type=kind))
    holds = describe_contents(commits, len(names), info)
    return RepoOnHub(kind, url, commit, bool(info.private), holds, foreign)


def describe_contents(commits: int, files: int, info: Any) -> str:
    """Return what is lost with a repo; downloads and likes are counted by some Hubs only."""
    counts = {
        "commits": commits,
        "files": files,
        "downloads": info.downloads,
        "likes": info.likes,
    }
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items() if count is not None)


def find_doubt(hub: Hub, repo_id: str, kind: str, commit: str, name: str) -> str | None:
    """Return why a repo's record does not show that hubtweets made it; None if it does.

    `name` is what the reason calls the record.
    """
    [file] = hub.api.get_paths_info(repo_id, diff.RECORD, revision=commit, repo_type=kind)
    text = None
    if isinstance(file, RepoFile):
        text = diff.read_text(hub.api, repo_id, commit, file, kind)
    if text is None:
        return f"{name} is not a record of hubtweets"
    try:
        record, _ = serialization.read_public_record(text, name)
    except HubtweetsError as error:
        return str(error)
    named = record.target.repo_id if record.target else None
    if named == repo_id:
        return None
    return f"{name} is the record of {named or 'no repo'}, so this repo is a copy, or was renamed"


def delete_or_hide(hub: Hub, repo_id: str, confirmed: RepoOnHub, hide: bool) -> None:
    """Delete or hide a repo that is still at the commit that was confirmed.

    If the response is lost, look whether it was done.
    """
    kind = confirmed.kind
    now = find_repo(hub, repo_id, kind)
    if now is None:
        return
    if now.commit != confirmed.commit or now.foreign:
        raise HubtweetsError(
            f"{now.url} was changed after you were asked; look at it, then run the command again"
        )
    try:
        if hide:
            hub.api.update_repo_settings(repo_id, private=True, repo_type=kind)
        else:
            hub.api.delete_repo(repo_id, repo_type=kind)
    except (HfHubHTTPError, httpx2.TransportError):
        left = find_repo(hub, repo_id, kind)
        if left and not (hide and left.private):
            raise


def list_copies_on_hub(hub: Hub, repo_id: str) -> Iterator[str]:
    """Yield what the Hub lists as made from a bot, or that it does not list that."""
    api = hub.api

    def list_models() -> Listing:
        models = api.list_models(filter=f"base_model:{repo_id}", cardData=True)
        return ((model.id, is_made_from(model, repo_id)) for model in models)

    def list_spaces() -> Listing:
        spaces = api.list_spaces(models=repo_id, expand=["models"])
        return ((space.id, repo_id in (space.models or ())) for space in spaces)

    def list_collections() -> Listing:
        collections = api.list_collections(item=f"models/{repo_id}")
        return ((collection.slug, True) for collection in collections)

    yield format_listing("models made from it", list_models)
    yield format_listing("Spaces that use it", list_spaces)
    yield format_listing("collections with it", list_collections)


def is_made_from(model: ModelInfo, repo_id: str) -> bool:
    """Return whether a model's card names a repo as its base; a Hub may ignore the filter."""
    named = model.card_data.get("base_model") if model.card_data else None
    bases = named if isinstance(named, list) else [named]
    tags = [tag for tag in model.tags or () if tag.startswith("base_model:")]
    return repo_id in {str(base).rpartition(":")[2] for base in [*bases, *tags]}


def format_listing(what: str, list_names: Callable[[], Listing]) -> str:
    """Return in one line what the Hub lists and what is wanted of that."""
    try:
        read = list(islice(list_names(), MAX_READ))
    # A Hub without such a listing may answer anything.
    except (HfHubHTTPError, httpx2.TransportError, TypeError, KeyError, AttributeError, ValueError):
        return f"{what}: unknown on this Hub"
    names = [name for name, wanted in read if wanted]
    more = " and maybe more" if len(names) > MAX_LISTED or len(read) == MAX_READ else ""
    return f"{what}: {', '.join(names[:MAX_LISTED]) or 'none'}{more}"


def list_local_copies(hub: Hub, repo_id: str, runs: Path) -> Iterator[str]:
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
        for run in tracked:
            if run.url:
                yield f"a run in {run.tracker}: {run.url}"
    if hub.api.endpoint != hub.endpoint:  # the embedded Hub, started by this command
        yield "the files in the embedded Hub's folder; type: hubtweets hub --gc"


def list_unknown_copies(hide: bool) -> Iterator[str]:
    """Yield where others may have a copy, which no listing shows."""
    yield (
        "duplicates of the repo and models trained from it under other accounts, "
        "and copies in the caches of those who downloaded it"
    )
    yield (
        "a DOI: the Hub does not delete, hide or rename a repo that has one; ask the Hub's support"
    )
    yield "search engines and web archives"
    if hide:
        yield "the repo itself, which you and those with access still see"
