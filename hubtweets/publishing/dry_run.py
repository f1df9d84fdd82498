"""What a publish would do: the target, the files and the card. Nothing is written on the Hub.

In: a publish that passed preflight. Out: a Preview. If the model is trained, its files
are compared with the Hub byte by byte. If not, the report lists the files by name, and estimates
some sizes.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo

from hubtweets.card import metadata, model_card
from hubtweets.curation import report
from hubtweets.posts.source_kinds import are_tweets
from hubtweets.publishing import diff, push, tags
from hubtweets.publishing.connection import Hub, hub_errors
from hubtweets.publishing.diff import (
    CARD,
    HUB_FILES,
    RECORD,
    RemoteFiles,
    is_same,
    list_local_files,
    list_remote_files,
)
from hubtweets.publishing.preview import DIFF_NAMES, PlannedFile, Preview, PublishPlan
from hubtweets.publishing.request import PreparedPublish, PublishRequest, draft_record, is_trained
from hubtweets.record import serialization
from hubtweets.record.run_folder import RunFolder

BYTES_PER_PARAMETER = 4  # weights are written in fp32
KEYS_FROM_TRAINING = ("widget", "model-index")  # of the card's metadata


@dataclass(frozen=True)
class RemoteRepo:
    """A repo on the Hub: its info, the commit that is pushed onto, its files, all tags."""

    info: ModelInfo
    head: str
    files: RemoteFiles
    tags: list[str]


def preview_publish(
    run: RunFolder, hub: Hub, request: PublishRequest, prepared: PreparedPublish
) -> Preview:
    """Return what a publish that passed preflight would do."""
    with hub_errors(hub):
        remote = find_remote_repo(hub, prepared)
        trained = is_trained(run, prepared.base, request.training)
        if trained and run.record.metrics and run.record.samples:
            files, card, conflicts = preview_trained(run, hub, prepared, remote)
        else:
            files, card = preview_untrained(run, request, prepared, remote)
            conflicts = []
        plan = make_publish_plan(run, request, prepared, remote, files)
        return Preview(plan, tuple(card), prepared.push_options.tag is not None, tuple(conflicts))


def find_remote_repo(hub: Hub, prepared: PreparedPublish) -> RemoteRepo | None:
    """Return the repo on the Hub, None if it does not exist."""
    api, repo_id = hub.api, prepared.target.repo_id
    try:
        info = api.model_info(repo_id)
    except RepositoryNotFoundError:
        return None
    refs = api.list_repo_refs(repo_id)
    heads = {ref.name: ref.target_commit for ref in refs.branches}
    head = heads.get(prepared.push_options.branch) or str(info.sha)
    files = list_remote_files(api, repo_id, head)
    return RemoteRepo(info, head, files, [tag.name for tag in refs.tags])


def make_publish_plan(
    run: RunFolder,
    request: PublishRequest,
    prepared: PreparedPublish,
    remote: RemoteRepo | None,
    files: Iterable[PlannedFile],
) -> PublishPlan:
    """Return all that is known of a publish; the files that are only on the Hub are added."""
    options, base, dataset = prepared.push_options, prepared.base, run.record.dataset
    assert dataset
    next_tag = options.tag or tags.choose_next_version(remote.tags if remote else ())
    planned = list(files)
    named = {file.name for file in planned}
    for name, file in sorted((remote.files if remote else {}).items()):
        if name not in named and name not in HUB_FILES:
            planned.append(PlannedFile(name, "kept", file.size))
    return PublishPlan(
        repo_id=prepared.target.repo_id,
        url=prepared.target.url,
        new=remote is None,
        private=bool(remote.info.private if remote else options.private),
        gated=options.gated,
        commit_title=push.format_commit_message(options, prepared.target).partition("\n")[0],
        branch=None if options.create_pr else options.branch,
        tag=None if options.create_pr else next_tag,
        base_model=base.id,
        base_revision=base.revision,
        parameters=prepared.contents.parameters,
        license=prepared.terms.license.name or prepared.terms.license.id,
        train_posts=dataset.train_posts,
        validation_posts=dataset.validation_posts,
        trained=is_trained(run, base, request.training),
        num_train_epochs=request.training.num_train_epochs,
        files=tuple(planned),
    )


def preview_trained(
    run: RunFolder, hub: Hub, prepared: PreparedPublish, remote: RemoteRepo | None
) -> tuple[list[PlannedFile], list[str], list[str]]:
    """Return the files, the card and the conflicts of a trained model, as rendered now."""
    record = replace(run.record, target=prepared.target, terms=prepared.terms)
    card = model_card.render(record)
    repo_id, plan = prepared.target.repo_id, None
    with TemporaryDirectory() as folder:
        repo = Path(folder)
        link_files(run.repo, repo)
        replace_file(repo / CARD, card)
        replace_file(repo / RECORD, serialization.dumps_public(record, card))
        sizes = {name: path.stat().st_size for name, path in list_local_files(repo).items()}
        if remote:
            plan = diff.make_plan(hub.api, repo_id, remote.head, repo, run.record.published)
    files = []
    for name, size in sizes.items():
        is_changed = plan is None or name in plan.changed
        files.append(PlannedFile(name, describe_change(name, is_changed, remote), size))
    files += [PlannedFile(name, "deleted") for name in (plan.deleted if plan is not None else ())]
    old_card = None
    if remote and CARD in remote.files:
        old_card = diff.read_text(hub.api, repo_id, remote.head, remote.files[CARD])
    merged = plan.card if plan is not None else None  # a plan without changes is false
    conflicts = [
        f"A rendered part of {CARD} was edited, so this becomes a pull request: {conflict}"
        for conflict in (merged.conflicts if merged else ())
    ]
    return files, list(describe_card(merged.text if merged else card, old_card)), conflicts


def link_files(source: Path, folder: Path) -> None:
    """Link a folder's files into another folder."""
    for name, path in list_local_files(source).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(path.absolute())


def replace_file(path: Path, content: str) -> None:
    """Write a file in place of the link that may be there."""
    path.unlink(missing_ok=True)
    path.write_text(content, encoding="utf-8")


def describe_change(name: str, is_changed: bool, remote: RemoteRepo | None) -> str:
    if not is_changed:
        return "same"
    return "changed" if remote and name in remote.files else "new"


def describe_card(card: str, old_card: str | None) -> Iterator[str]:
    """Yield the card, or its changes if the Hub has one."""
    if old_card is None:
        yield from ("The card:", "", *card.splitlines())
    elif old_card == card:
        yield "The card stays as it is."
    else:
        old, new = old_card.splitlines(), card.splitlines()
        yield from ("The changes of the card:", "")
        yield from difflib.unified_diff(old, new, *DIFF_NAMES, lineterm="")


def preview_untrained(
    run: RunFolder, request: PublishRequest, prepared: PreparedPublish, remote: RemoteRepo | None
) -> tuple[list[PlannedFile], list[str]]:
    """Return the files that training will write, and what is known of the card."""
    files = {
        name: PlannedFile(name, describe_change(name, True, remote), size, size is not None)
        for name, size in list_expected_files(request, prepared)
    }
    there = remote.files if remote else {}
    for profile in run.record.profiles:
        if avatar := profile.avatar:
            path = run.repo / avatar
            is_changed = not is_same(path, there.get(avatar))
            change = describe_change(avatar, is_changed, remote)
            files[avatar] = PlannedFile(avatar, change, path.stat().st_size)
    earlier = run.record.published.files if run.record.published else ()
    deleted = [PlannedFile(name, "deleted") for name in earlier if name in there]
    planned = [file for _, file in sorted(files.items())]
    draft = draft_record(run.record, prepared.target, prepared.base, prepared.terms, request)
    known = metadata.build_metadata(draft)
    shown = {key: value for key, value in known.items() if key not in KEYS_FROM_TRAINING}
    dumped = yaml.dump(
        shown, Dumper=metadata.Dumper, allow_unicode=True, sort_keys=False, width=10**9
    )
    card = ["The card, as far as it is known before training:", "", "---", *dumped.splitlines()]
    of_tweets = are_tweets(source.kind for source in run.record.sources)
    card += ["---", "", *report.format_table(run.record.counts, of_tweets)]
    return [*planned, *(file for file in deleted if file.name not in files)], card


def list_expected_files(
    request: PublishRequest, prepared: PreparedPublish
) -> Iterator[tuple[str, int | None]]:
    """Yield the name of each file that training writes, with its size if it can be estimated."""
    sizes, names = prepared.contents.sizes, [CARD, RECORD, "generation_config.json"]
    names += ["loss.png", "pipeline.png", "predictions.png", "tokenizer_config.json"]
    if "tensorboard" in request.report_to:
        names.append("runs/events.out.tfevents.hubtweets")
    if request.training.lora == "adapter":
        names += ["adapter_config.json", "adapter_model.safetensors"]
    else:
        yield "model.safetensors", BYTES_PER_PARAMETER * prepared.contents.parameters
        yield "config.json", sizes["config.json"]
    yield "tokenizer.json", sizes.get("tokenizer.json")
    for name in names:
        yield name, None
