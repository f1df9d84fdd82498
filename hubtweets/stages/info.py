"""What is known of a run: the facts that commands print, as text or as JSON.

In: a run folder. Out: a RunInfo. Nothing is locked or written, so a run can be looked at while it
is worked on.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hubtweets.config import LOCAL_HUB, PUBLIC_HUB
from hubtweets.errors import HubtweetsError, explain_os_error
from hubtweets.record import serialization
from hubtweets.record.counts import Counts
from hubtweets.record.run_folder import check_is_run, normalize_handle
from hubtweets.record.run_record import Published, RunRecord


@dataclass(frozen=True)
class ShownSample:
    """A sample that the card shows, by its number from 1 on."""

    number: int
    prompt: str
    text: str


@dataclass(frozen=True)
class PublishedInfo:
    """Where the bot was pushed last; `url` is its page, or the pull request that adds it."""

    repo_id: str
    url: str
    hub: str
    commit: str
    tag: str | None
    pull_request: str | None


@dataclass(frozen=True)
class NextStep:
    """The stage that comes next, or "verify" after the last one, and what to type for it."""

    stage: str
    command: str


@dataclass(frozen=True)
class RunInfo:
    """A run as far as it has come; what is not known yet is None or empty.

    `changed` is when run.json was written (ISO 8601, UTC). `counts` has one entry per author.
    `bits_per_byte` is the score on the held-out posts, `base_bits_per_byte` that of the untouched
    base. `samples` are those that the card shows, of `num_samples`, of which `copies` copy a post.
    """

    name: str
    folder: str
    changed: str
    counts: tuple[Counts, ...]
    train_posts: int | None
    validation_posts: int | None
    base_model: str | None
    base_bits_per_byte: float | None
    bits_per_byte: float | None
    num_samples: int | None
    copies: int | None
    samples: tuple[ShownSample, ...]
    published: PublishedInfo | None
    next: NextStep


@dataclass(frozen=True)
class BrokenRun:
    """A folder among the runs that is no run, or can't be read, and why."""

    folder: str
    problem: str


@dataclass(frozen=True)
class RunList:
    """The runs in a folder, those changed last first, and what else is there."""

    runs: tuple[RunInfo, ...]
    broken: tuple[BrokenRun, ...]


def describe_run(folder: Path) -> RunInfo:
    """Return what is known of the run in a folder; raise HubtweetsError if there is none."""
    check_is_run(folder)
    path = folder / "run.json"
    try:
        record, changed = serialization.read_record(path), path.stat().st_mtime
    except OSError as error:
        raise HubtweetsError(explain_os_error(error)) from None
    dataset, metrics, audit = record.dataset, record.metrics, record.audit
    return RunInfo(
        name=folder.name,
        folder=str(folder),
        changed=datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds"),
        counts=record.counts,
        train_posts=dataset.train_posts if dataset else None,
        validation_posts=dataset.validation_posts if dataset else None,
        base_model=record.base.id if record.base else None,
        base_bits_per_byte=metrics.base.bits_per_byte if metrics else None,
        bits_per_byte=metrics.tuned.bits_per_byte if metrics else None,
        num_samples=audit.samples if audit else None,
        copies=audit.copies if audit else None,
        samples=tuple(list_shown_samples(record)),
        published=describe_published(record.published) if record.published else None,
        next=find_next_step(folder, record),
    )


def list_shown_samples(record: RunRecord) -> Iterator[ShownSample]:
    samples = record.samples
    if samples is None:
        return
    for number in samples.picked:
        if 1 <= number <= len(samples.samples):  # the file may have been edited
            one = samples.samples[number - 1]
            yield ShownSample(number, one.prompt, one.text or "")


def describe_published(published: Published) -> PublishedInfo:
    return PublishedInfo(
        published.repo_id,
        published.pull_request or f"{published.endpoint}/{published.repo_id}",
        published.endpoint,
        published.commit,
        published.tag,
        published.pull_request,
    )


def find_next_step(folder: Path, record: RunRecord) -> NextStep:
    """Return the first stage that is not done, or whose result is not published."""
    name, stages = folder.name, record.stages
    if "curate" not in stages:
        return NextStep("curate", f"hubtweets curate {name}")
    if "evaluate" not in stages:  # train does both
        return NextStep("train", f"hubtweets train {name}")
    if "sample" not in stages:
        return NextStep("sample", f"hubtweets sample {name}")
    published = record.published
    if published is None or not is_rendered(folder, record):
        target = record.target
        where = format_hub_option(target.endpoint) if target else ""
        return NextStep("push", f"hubtweets push {name}{where}")
    where = format_hub_option(published.endpoint)
    return NextStep("verify", f"hubtweets verify {shlex.quote(published.repo_id)}{where}")


def is_rendered(folder: Path, record: RunRecord) -> bool:
    """Return True if the public record in repo/ is that of this record."""
    try:
        text = (folder / "repo" / "hubtweets.json").read_text(encoding="utf-8")
        _, card = serialization.read_public_record(text, "hubtweets.json")
    except (OSError, ValueError, HubtweetsError):
        return False
    return serialization.dumps_public(record, card) == text


def format_hub_option(endpoint: str) -> str:
    """Return the option that names a Hub, to follow a command; nothing for huggingface.co."""
    if endpoint == PUBLIC_HUB:
        return ""
    return " --hub local" if endpoint == LOCAL_HUB else f" --hub {shlex.quote(endpoint)}"


def list_runs(runs: str | Path = "runs") -> RunList:
    """Return what is known of each run in a folder; what can't be read is listed too."""
    folder = Path(runs)
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [look_at(path) for path in paths if path.is_dir()]
    whole = [one for one in found if isinstance(one, RunInfo)]
    return RunList(
        tuple(sorted(whole, key=lambda run: run.changed, reverse=True)),
        tuple(one for one in found if isinstance(one, BrokenRun)),
    )


def look_at(path: Path) -> RunInfo | BrokenRun:
    try:
        if not (path / "run.json").exists():
            raise HubtweetsError("no run.json, so this is no run, or it read no posts yet")
        if normalize_handle(path.name) != path.name:
            raise HubtweetsError("the name is not a handle in lower case; rename the folder")
        return describe_run(path)
    except (HubtweetsError, OSError) as error:
        problem = str(error).removeprefix(f"{path}: ").removeprefix(f"{path}/")
        return BrokenRun(str(path), problem)
