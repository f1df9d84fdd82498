"""The report of a dry run: the target, the files and the card. Nothing is written on the Hub.

In: a publish that passed preflight. Out: lines for a terminal. If the model is trained, its files
are compared with the Hub byte by byte. If not, the report lists the files by name, and estimates
some sizes.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo

from hubtweets.card import metadata, model_card
from hubtweets.curation import report
from hubtweets.files import format_size
from hubtweets.publishing import diff, push
from hubtweets.publishing.connection import Hub, hub_errors
from hubtweets.publishing.diff import (
    CARD,
    RECORD,
    Plan,
    RemoteFiles,
    is_same,
    list_local_files,
    list_remote_files,
)
from hubtweets.publishing.push import PushOptions
from hubtweets.publishing.request import PreparedPublish, PublishRequest, draft_record, is_trained
from hubtweets.record import serialization
from hubtweets.record.run_folder import RunFolder
from hubtweets.text import to_plain_text

BYTES_PER_PARAMETER = 4  # weights are written in fp32
KEYS_FROM_TRAINING = ("widget", "model-index")  # of the card's metadata
HUB_FILES = (".gitattributes",)

FileRow = tuple[str, str]  # what happens to a file, and its size


@dataclass(frozen=True)
class RemoteRepo:
    """A repo on the Hub: its info, the commit that is pushed onto, its files, all tags."""

    info: ModelInfo
    head: str
    files: RemoteFiles
    tags: list[str]


def describe_publish(
    run: RunFolder, hub: Hub, request: PublishRequest, prepared: PreparedPublish
) -> Iterator[str]:
    """Yield the report of a publish that passed preflight."""
    with hub_errors(hub):
        remote = find_remote_repo(hub, prepared)
        yield "Nothing is pushed: this is a dry run."
        yield ""
        yield from describe_request(run, request, prepared, remote)
        yield ""
        trained = is_trained(run, prepared.base, request.training)
        if trained and run.record.metrics and run.record.samples:
            yield from describe_trained(run, hub, prepared, remote)
        else:
            yield from describe_untrained(run, request, prepared, remote)


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


def describe_request(
    run: RunFolder, request: PublishRequest, prepared: PreparedPublish, remote: RemoteRepo | None
) -> Iterator[str]:
    """Yield a line for each thing that is known already."""
    options, base, dataset = prepared.push_options, prepared.base, run.record.dataset
    assert dataset
    yield f"to       {prepared.target.url} ({describe_repo(options, remote)})"
    title = push.format_commit_message(options, prepared.target).partition("\n")[0]
    place = "as a pull request" if options.create_pr else f"on {options.branch}"
    yield f"commit   {title}, {place}"
    if not options.create_pr:
        version = push.choose_next_version(remote.tags if remote else ())
        yield f"tag      {options.tag or f'{version}, unless nothing changes'}"
    parameters = prepared.contents.parameters
    yield f"base     {base.id}, {parameters:,} parameters, at {base.revision[:12]}"
    yield f"licence  {prepared.terms.license.name or prepared.terms.license.id}"
    yield f"posts    {dataset.train_posts:,} to train on, {dataset.validation_posts:,} held out"
    if is_trained(run, base, request.training):
        yield "training done already"
    else:
        yield f"training {request.training.num_train_epochs:g} epochs at most"


def describe_repo(options: PushOptions, remote: RemoteRepo | None) -> str:
    private = remote.info.private if remote else options.private
    words = ["there already" if remote else "new", "private" if private else "public"]
    if options.gated:
        words.append(f"gated ({options.gated})")
    return ", ".join(words)


def describe_trained(
    run: RunFolder, hub: Hub, prepared: PreparedPublish, remote: RemoteRepo | None
) -> Iterator[str]:
    """Yield the files and the card of a trained model, as they would be rendered now."""
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
    rows = {}
    for name, size in sizes.items():
        is_changed = plan is None or name in plan.changed
        rows[name] = (describe_change(name, is_changed, remote), format_size(size))
    yield from format_table(rows, plan.deleted if plan is not None else (), remote)
    yield ""
    old_card = None
    if remote and CARD in remote.files:
        old_card = diff.read_text(hub.api, repo_id, remote.head, remote.files[CARD])
    yield from describe_card(card, plan, old_card)


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


def describe_card(card: str, plan: Plan | None, old_card: str | None) -> Iterator[str]:
    """Yield the card, or its changes if the Hub has one."""
    merged = plan.card if plan is not None else None  # a plan without changes is false
    for conflict in merged.conflicts if merged else ():
        yield f"A rendered part of {CARD} was edited, so this becomes a pull request: {conflict}"
    new_card = merged.text if merged else card
    if old_card is None:
        yield from ("The card:", "", *card.splitlines())
    elif old_card == new_card:
        yield "The card stays as it is."
    else:
        old, new = old_card.splitlines(), new_card.splitlines()
        yield from ("The changes of the card:", "")
        yield from difflib.unified_diff(old, new, "on the Hub", "after this", lineterm="")


def describe_untrained(
    run: RunFolder, request: PublishRequest, prepared: PreparedPublish, remote: RemoteRepo | None
) -> Iterator[str]:
    """Yield the files that training will write, and what is known of the card."""
    rows = {}
    for name, size in list_expected_files(request, prepared):
        rows[name] = (describe_change(name, True, remote), size)
    there = remote.files if remote else {}
    for profile in run.record.profiles:
        if avatar := profile.avatar:
            path = run.repo / avatar
            is_changed = not is_same(path, there.get(avatar))
            size = format_size(path.stat().st_size)
            rows[avatar] = (describe_change(avatar, is_changed, remote), size)
    earlier = run.record.published.files if run.record.published else ()
    deleted = [name for name in earlier if name in there and name not in rows]
    yield from format_table(dict(sorted(rows.items())), deleted, remote)
    yield ""
    yield from ("The card, as far as it is known before training:", "", "---")
    draft = draft_record(run.record, prepared.target, prepared.base, prepared.terms, request)
    known = metadata.build_metadata(draft)
    shown = {key: value for key, value in known.items() if key not in KEYS_FROM_TRAINING}
    yield from yaml.dump(
        shown, Dumper=metadata.Dumper, allow_unicode=True, sort_keys=False, width=10**9
    ).splitlines()
    yield from ("---", "", *report.format_table(run.record.counts))


def list_expected_files(
    request: PublishRequest, prepared: PreparedPublish
) -> Iterator[tuple[str, str]]:
    """Yield the name of each file that training writes, with its size if it can be estimated."""
    sizes, names = prepared.contents.sizes, [CARD, RECORD, "generation_config.json"]
    names += ["loss.png", "pipeline.png", "predictions.png", "tokenizer_config.json"]
    if "tensorboard" in request.report_to:
        names.append("runs/events.out.tfevents.hubtweets")
    if request.training.lora == "adapter":
        names += ["adapter_config.json", "adapter_model.safetensors"]
    else:
        weights = BYTES_PER_PARAMETER * prepared.contents.parameters
        yield "model.safetensors", f"about {format_size(weights)}"
        yield "config.json", f"about {format_size(sizes['config.json'])}"
    if "tokenizer.json" in sizes:
        yield "tokenizer.json", f"about {format_size(sizes['tokenizer.json'])}"
    else:
        yield "tokenizer.json", ""
    for name in names:
        yield name, ""


def format_table(
    files: dict[str, FileRow], deleted: Sequence[str], remote: RemoteRepo | None
) -> Iterator[str]:
    """Yield a line for each file: what happens to it, its name and its size."""
    rows = [(change, name, size) for name, (change, size) in files.items()]
    rows += [("deleted", name, "") for name in deleted]
    for name, file in sorted((remote.files if remote else {}).items()):
        if name not in (*files, *deleted, *HUB_FILES):
            rows.append(("kept", to_plain_text(name, 100), format_size(file.size)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for change, name, size in rows:
        yield f"{change:<{widths[0]}}  {name:<{widths[1]}}  {size:>{widths[2]}}".rstrip()
