"""The result of a command on a run: the facts of `Run.info`, as lines or as JSON."""

import logging
import sys
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hubtweets.cli.console import write
from hubtweets.cli.generate import show_texts
from hubtweets.cli.hub import serve_page
from hubtweets.cli.json_output import print_json
from hubtweets.cli.options import hub
from hubtweets.config import LOCAL_HUB
from hubtweets.progress import logger
from hubtweets.stages.run import Run

if TYPE_CHECKING:
    from hubtweets.publishing.preview import Preview
    from hubtweets.stages.info import RunInfo

DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
FILE_STYLES = {"new": "green", "changed": "yellow", "deleted": "red"}

open_option = hub(
    "--open", is_flag=True, help="Open the bot's page in a browser; --hub local serves it."
)


def show_result(run: Run, json: bool, *show: Callable[["RunInfo"], None]) -> None:
    """Print what is known of a run: all of it as JSON, or what these functions print of it."""
    info = run.info()
    if json:
        print_json(info)
    else:
        for one in show:
            one(info)


def show_preview(preview: "Preview", json: bool, show_card: bool) -> None:
    """Print what a publish would do: the card if that is wanted, the files, and last the plan."""
    if json:
        print_json(preview.plan)
        return
    from hubtweets.publishing.preview import format_card, format_end, format_files, format_plan

    for line, mark in format_card(preview) if show_card else ():
        write((line, DIFF_STYLES.get(mark, "")), cut=False)
    if show_card:
        write("")
    for line in format_files(preview.plan.files):
        change, _, rest = line.partition(" ")
        write((change, FILE_STYLES.get(change, "")), f" {rest}")
    write("")
    for line in format_plan(preview.plan, preview.tag_is_given):
        name, _, rest = line.partition(" ")
        write((name, "bold"), f" {rest}")
    for conflict in preview.conflicts:
        write((conflict, "yellow"), cut=False)
    write("")
    write((format_end(preview.plan), "bold"), cut=False)


def show_published(run: "RunInfo") -> None:
    """Print where the bot stands, and how to see it there."""
    published = run.published
    assert published
    tag = f", tag {published.tag}" if published.tag else ""
    write((published.url, "bold cyan"), cut=False)
    if published.hub == LOCAL_HUB:
        logger.info("See it: hubtweets hub")
    write(f"commit {published.commit}{tag}")


def show_split(run: "RunInfo") -> None:
    """Print how many posts were kept, and how many of them are held out."""
    train, held_out = run.train_posts or 0, run.validation_posts or 0
    write(f"{train + held_out:,} posts kept: {train:,} to train on, {held_out:,} held out")


def show_scores(run: "RunInfo") -> None:
    """Print the score of the trained model."""
    after, before = run.bits_per_byte, run.base_bits_per_byte
    write(f"{after:.3f} bits per byte on the held-out posts, {before:.3f} before training")


def show_samples(run: "RunInfo") -> None:
    """Print the samples that the card shows."""
    show_texts(sample.text for sample in run.samples)


def open_page(run: Run, wanted: bool, json: bool) -> None:
    """Open the bot's page in a browser if that is wanted; a page of the embedded Hub is served.

    On a terminal, ask whether to serve it.
    """
    published = run.info().published
    assert published
    is_local = published.hub == LOCAL_HUB
    if not wanted and not (is_local and not json and ask_to_open()):
        return
    if is_local:
        serve_page(published.url, str(run.runs))
    else:
        webbrowser.open(published.url)


def ask_to_open() -> bool:
    is_quiet = logger.level > logging.INFO
    if is_quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    try:
        return click.confirm("Serve it and open its page now?", err=True)
    except click.Abort:  # the bot is published, so Ctrl-C means no
        click.echo(err=True)
        return False
