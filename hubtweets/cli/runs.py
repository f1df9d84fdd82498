"""`hubtweets runs` and `hubtweets info`: what there is, and how far it has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from hubtweets.cli.command import Command, options
from hubtweets.cli.console import write, write_table
from hubtweets.cli.json_output import json_option, print_json
from hubtweets.cli.options import handle_argument, runs_option
from hubtweets.stages.info import format_hub_option, list_runs
from hubtweets.stages.run import open_run

if TYPE_CHECKING:
    from hubtweets.stages.info import RunInfo

RUN_HEADER = ("Run", "Posts", "Base", "Bits per byte", "Changed", "Published")


@click.command(cls=Command)
@options(runs_option, json_option)
def runs(runs: str, json: bool) -> None:
    """List the runs, those changed last first."""
    found = list_runs(runs)
    if json:
        print_json(found)
        return
    if found.runs:
        rows = [format_row(run) for run in found.runs]
        write_table(rows, header=RUN_HEADER, right=[1, 3])
    elif not found.broken:
        write(f"{runs}: no run yet; type: hubtweets publish NAME", err=True)
    for broken in found.broken:
        write(f"{broken.folder}: {broken.problem}", err=True)


@click.command(cls=Command)
@options(handle_argument, runs_option, json_option)
def info(handle: str, runs: str, json: bool) -> None:
    """Show how far HANDLE's run has come, and what to type next."""
    run = open_run(handle, runs=runs).info()
    if json:
        print_json(run)
    else:
        show_run(run)


def format_row(run: "RunInfo") -> Sequence[str]:
    kept = f"{sum(counts.kept for counts in run.counts):,}" if run.counts else ""
    score = "" if run.bits_per_byte is None else f"{run.bits_per_byte:.3f}"
    published = ""
    if run.published:
        hub = format_hub_option(run.published.hub).removeprefix(" --hub ")
        published = run.published.repo_id + (f" ({hub})" if hub else "")
    return run.name, kept, run.base_model or "", score, format_time(run.changed), published


def show_run(run: "RunInfo") -> None:
    """Print what is known of a run, a line for each fact, and the samples."""
    rows = [("run", f"{run.folder}, changed {format_time(run.changed)}")]
    for counts in run.counts:
        author = f" of @{counts.handle}" if len(run.counts) > 1 else ""
        rows.append(("posts", f"{counts.kept:,} of {counts.downloaded:,}{author} kept"))
    if run.train_posts is not None and run.validation_posts is not None:
        held_out = f"{run.validation_posts:,} held out"
        rows.append(("dataset", f"{run.train_posts:,} to train on, {held_out}"))
    if run.base_model:
        rows.append(("base", run.base_model))
    if run.bits_per_byte is not None and run.base_bits_per_byte is not None:
        before = f"{run.base_bits_per_byte:.3f} for the untouched base"
        rows.append(("score", f"{run.bits_per_byte:.3f} bits per byte, {before}"))
    if run.num_samples is not None:
        rows.append(("samples", f"{run.num_samples:,}, of which {run.copies:,} copy a post"))
    if run.published:
        tag = f", tag {run.published.tag}" if run.published.tag else ""
        rows.append(("published", run.published.url))
        rows.append(("commit", f"{run.published.commit}{tag}"))
    rows.append(("next", run.next.command))
    write_table(rows)
    for sample in run.samples:
        write(f"- {sample.text}")


def format_time(moment: str) -> str:
    """Return a moment (ISO 8601) to the minute, in local time."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
