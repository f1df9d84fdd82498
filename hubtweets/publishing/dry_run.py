"""What a publish would do, for a terminal: where to, which files, which card. Nothing is written on the Hub.

What is trained already is compared with the Hub byte by byte; of what is yet to be trained, what is known: the files by name, some sizes about.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo, RepoFile

from hubtweets.card import metadata, model_card
from hubtweets.curation import report
from hubtweets.publishing import diff, push
from hubtweets.publishing.connection import Hub, hub_errors
from hubtweets.publishing.diff import CARD, RECORD, list_local_files, list_remote_files
from hubtweets.publishing.preflight import PreparedPublish, PublishRequest, is_trained, provisional
from hubtweets.record import serialization
from hubtweets.record.run_folder import RunFolder
from hubtweets.text import to_plain_text

UNITS = ("bytes", "KB", "MB", "GB", "TB")
BYTES = 4  # a parameter: weights are written in fp32
UNKNOWN = ("widget", "model-index")  # what only a trained model has to say
THE_HUBS = ".gitattributes"


@dataclass(frozen=True)
class Remote:
    """What is on the Hub: the repo, the commit that is pushed onto, its files, all tags."""

    info: ModelInfo
    head: str
    files: dict[str, RepoFile]
    tags: list[str]


def lines(run: RunFolder, hub: Hub, asked: PublishRequest, ready: PreparedPublish) -> Iterator[str]:
    """Yield the plan of a publish that passed preflight."""
    with hub_errors(hub):
        remote = look(hub, ready)
        yield "Nothing is pushed: this is a dry run."
        yield ""
        yield from facts(run, asked, ready, remote)
        yield ""
        if (
            is_trained(run, ready.base, asked.training)
            and run.record.metrics
            and run.record.samples
        ):
            yield from finished(run, hub, ready, remote)
        else:
            yield from unfinished(run, asked, ready, remote)


def look(hub: Hub, ready: PreparedPublish) -> Remote | None:
    """Return what is on the Hub, None where there is no such repo."""
    api, repo_id = hub.api, ready.target.repo_id
    try:
        info = api.model_info(repo_id)
    except RepositoryNotFoundError:
        return None
    refs = api.list_repo_refs(repo_id)
    heads = {ref.name: ref.target_commit for ref in refs.branches}
    head = heads.get(ready.push_options.revision or "main") or str(info.sha)
    return Remote(
        info, head, list_remote_files(api, repo_id, head), [tag.name for tag in refs.tags]
    )


def facts(
    run: RunFolder, asked: PublishRequest, ready: PreparedPublish, remote: Remote | None
) -> Iterator[str]:
    """Yield a line for each thing that is settled."""
    options, info = ready.push_options, run.record.dataset
    assert info
    private = remote.info.private if remote else options.private
    gated = f", gated ({options.gated})" if options.gated else ""
    yield f"to       {ready.target.url} ({'there already' if remote else 'new'}, {'private' if private else 'public'}{gated})"
    where = "as a pull request" if options.create_pr else f"on {options.revision or 'main'}"
    yield f"commit   {push.format_commit_message(options, ready.target).partition(chr(10))[0]}, {where}"
    if not options.create_pr:
        latest = max(map(push.parse_version_tag, remote.tags), default=0) if remote else 0
        yield f"tag      {options.tag or f'v{latest + 1}, unless nothing changes'}"
    yield f"base     {ready.base.id}, {ready.contents.parameters:,} parameters, at {ready.base.revision[:12]}"
    yield f"licence  {ready.terms.license.name or ready.terms.license.id}"
    yield f"posts    {info.train_posts:,} to train on, {info.validation_posts:,} held out"
    done = (
        "done already"
        if is_trained(run, ready.base, asked.training)
        else f"{asked.training.num_train_epochs:g} epochs at most"
    )
    yield f"training {done}"


def finished(
    run: RunFolder, hub: Hub, ready: PreparedPublish, remote: Remote | None
) -> Iterator[str]:
    """Yield the files and the card of a bot that is trained, as they would be rendered now."""
    record = replace(run.record, target=ready.target, terms=ready.terms)
    text = model_card.render(record)
    with TemporaryDirectory() as folder:
        repo = Path(folder)
        for name, path in list_local_files(run.repo).items():
            (repo / name).parent.mkdir(parents=True, exist_ok=True)
            (repo / name).symlink_to(path.absolute())
        for name, content in ((CARD, text), (RECORD, serialization.dumps_public(record, text))):
            (repo / name).unlink(missing_ok=True)
            (repo / name).write_text(content, encoding="utf-8")
        files = {name: path.stat().st_size for name, path in list_local_files(repo).items()}
        there = remote.files if remote else {}
        planned = (
            diff.make_plan(hub.api, ready.target.repo_id, remote.head, repo, run.record.published)
            if remote
            else None
        )
        marks = {
            name: "same"
            if planned is not None and name not in planned.changed
            else "changed"
            if name in there
            else "new"
            for name in files
        }
        gone = planned.deleted if planned is not None else ()
        yield from table(
            {name: (marks[name], amount(size)) for name, size in files.items()}, gone, remote
        )
        yield ""
        before = (
            diff.read_text(hub.api, ready.target.repo_id, remote.head, there[CARD])
            if remote and CARD in there
            else None
        )
        merged = (
            planned.card if planned is not None else None
        )  # a plan that changes nothing is false
        after = merged.text if merged else text
        for conflict in merged.conflicts if merged else ():
            yield f"{CARD} was edited where it is rendered anew, so this becomes a pull request: {conflict}"
        if before is None:
            yield from ("The card:", "", *text.splitlines())
        elif before == after:
            yield "The card stays as it is."
        else:
            yield from ("The card, as it would change:", "")
            yield from difflib.unified_diff(
                before.splitlines(), after.splitlines(), "on the Hub", "after this", lineterm=""
            )


def unfinished(
    run: RunFolder, asked: PublishRequest, ready: PreparedPublish, remote: Remote | None
) -> Iterator[str]:
    """Yield the files that a training will leave, and what is known of the card."""
    there = remote.files if remote else {}
    files = {
        name: ("changed" if name in there else "new", size) for name, size in expected(asked, ready)
    }
    for profile in run.record.profiles:
        if profile.avatar:
            path = run.repo / profile.avatar
            mark = (
                "same"
                if diff.is_same(path, there.get(profile.avatar))
                else "changed"
                if profile.avatar in there
                else "new"
            )
            files[profile.avatar] = (mark, amount(path.stat().st_size))
    last = run.record.published.files if run.record.published else ()
    yield from table(
        dict(sorted(files.items())),
        [name for name in last if name in there and name not in files],
        remote,
    )
    yield ""
    known = metadata.build_metadata(
        provisional(run.record, ready.target, ready.base, ready.terms, asked)
    )
    yield from ("The card, as far as it is known before the training:", "", "---")
    shown = {key: value for key, value in known.items() if key not in UNKNOWN}
    yield from yaml.dump(
        shown, Dumper=metadata.Dumper, allow_unicode=True, sort_keys=False, width=10**9
    ).splitlines()
    yield from ("---", "", *report.format_table(run.record.counts))


def expected(asked: PublishRequest, ready: PreparedPublish) -> Iterator[tuple[str, str]]:
    """Yield the name of each file that a training leaves, with its size where that can be told."""
    sizes = ready.contents.sizes
    names = [
        CARD,
        RECORD,
        "generation_config.json",
        "loss.png",
        "pipeline.png",
        "predictions.png",
        "tokenizer_config.json",
    ]
    if asked.training.lora == "adapter":
        names += ["adapter_config.json", "adapter_model.safetensors"]
    else:
        yield "model.safetensors", f"about {amount(BYTES * ready.contents.parameters)}"
        yield "config.json", f"about {amount(sizes['config.json'])}"
    if "tensorboard" in asked.track:
        names.append("runs/events.out.tfevents.hubtweets")
    yield (
        "tokenizer.json",
        f"about {amount(sizes['tokenizer.json'])}" if "tokenizer.json" in sizes else "",
    )
    yield from ((name, "") for name in names)


def table(
    files: dict[str, tuple[str, str]], gone: tuple[str, ...] | list[str], remote: Remote | None
) -> Iterator[str]:
    """Yield a line for each file: what would become of it, its name and its size."""
    rows = [(mark, name, size) for name, (mark, size) in files.items()]
    rows += [("deleted", name, "") for name in gone]
    kept = {
        name: file
        for name, file in (remote.files if remote else {}).items()
        if name not in files and name not in gone
    }
    rows += [
        ("kept", to_plain_text(name, 100), amount(file.size))
        for name, file in sorted(kept.items())
        if name != THE_HUBS
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    yield from (
        f"{mark:<{widths[0]}}  {name:<{widths[1]}}  {size:>{widths[2]}}".rstrip()
        for mark, name, size in rows
    )


def amount(size: float) -> str:
    """Write a number of bytes as people read it, in powers of 1,000."""
    unit = 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 or size >= 100 else f"{size:.1f} {UNITS[unit]}"
