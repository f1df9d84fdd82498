"""The command line: one thin command per stage, each a call of the library.

Settings come from options, then from the environment (HUBTWEETS_BASE_MODEL for --base-model), then
from hubtweets.toml in the working folder. Heavy modules are imported inside the commands, so that
`--help` answers at once.
"""

import logging
from typing import Any

import click

from hubtweets import __version__
from hubtweets.cli.arguments import (
    confirm_by_name,
    is_given_on_cli,
    parse_read_options,
    parse_sample_numbers,
    parse_trackers,
    parse_training_config,
)
from hubtweets.cli.command import Command, options
from hubtweets.cli.completion import completion
from hubtweets.cli.console import write
from hubtweets.cli.display import show_messages
from hubtweets.cli.generate import chat, generate
from hubtweets.cli.group import Group
from hubtweets.cli.hub import hub
from hubtweets.cli.json_output import json_option
from hubtweets.cli.options import (
    base_option,
    handle_argument,
    handles_argument,
    hub_option,
    hub_options,
    last_handle_argument,
    posts_options,
    processes_option,
    push_options,
    quiet_option,
    report_option,
    runs_option,
    samples_options,
    seed_option,
    terms_options,
    training_options,
)
from hubtweets.cli.results import (
    open_option,
    open_page,
    show_preview,
    show_published,
    show_result,
    show_samples,
    show_scores,
    show_split,
)
from hubtweets.cli.runs import info, runs
from hubtweets.cli.verify import verify
from hubtweets.errors import HubtweetsError, printable
from hubtweets.stages.run import open_run

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


@click.group(cls=Group, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="hubtweets")
def main() -> None:
    """Turn a person's posts into a small language model and publish it on the Hugging Face Hub.

    \b
    hubtweets example lyons____.zip
    hubtweets publish lyons____ --base tiny --hub local
    """


@main.command(cls=Command)
@options(handles_argument, posts_options, base_option, training_options, report_option)
@options(processes_option, samples_options, terms_options, hub_options, push_options)
@options(open_option, runs_option, quiet_option, json_option)
@click.option("--dry-run", is_flag=True, help="Check everything and show what would be pushed.")
@click.option("--show-card", is_flag=True, help="With --dry-run, show the card or its changes.")
def publish(
    handles: tuple[str, ...],
    dry_run: bool,
    show_card: bool,
    quiet: bool,
    open: bool,
    json: bool,
    **given: Any,
) -> None:
    """Read each HANDLE's posts, train one bot on them, render its card, and push it.

    Finished steps are skipped; interrupted training resumes.

    \b
    hubtweets publish alice bob --posts alice=alice.zip --posts bob=bluesky:bob.example
    """
    from hubtweets.publishing.push import PushOptions
    from hubtweets.publishing.request import PublishRequest
    from hubtweets.stages.publish import preview_request, publish_request

    if show_card and not dry_run:
        raise click.UsageError("--show-card goes with --dry-run")
    set_quiet(quiet)
    request = PublishRequest(
        given["namespace"],
        given["base_model"],
        given["license"],
        given["consent"],
        parse_training_config(given),
        tuple(parse_trackers(given["report_to"])),
        given["prompt"],
        PushOptions(**{name: given[name] for name in vars(PushOptions())}),
    )
    reading, where = parse_read_options(given), {"hub": given["hub"], "runs": given["runs"]}
    if dry_run:
        show_preview(preview_request(handles, request, reading, **where), json, show_card)
        return
    numbers = {"num_samples": given["samples"], "num_processes": given["num_processes"]}
    publish_request(handles, request, reading, **where, **numbers)
    run = open_run(handles, runs=given["runs"])
    show_result(run, json, show_published, show_samples)
    open_page(run, open, json)


@main.command(cls=Command)
@options(handles_argument, posts_options, runs_option, quiet_option, json_option)
@click.option("--explain", is_flag=True, help="Write every post with its verdict to a file.")
def curate(
    handles: tuple[str, ...], runs: str, quiet: bool, json: bool, explain: bool, **given: Any
) -> None:
    """Read each HANDLE's posts and choose the ones to learn from."""
    set_quiet(quiet)
    run = open_run(handles, runs=runs)
    run.curate(reading=parse_read_options(given))
    show_result(run, json, show_split)
    if explain:
        path = run.explain()
        if not json:
            write(str(path), cut=False)


@main.command(cls=Command)
@options(handle_argument, base_option, training_options, report_option, processes_option)
@options(runs_option, quiet_option, json_option)
def train(handle: str, base_model: str, runs: str, quiet: bool, json: bool, **given: Any) -> None:
    """Fine-tune a model on HANDLE's curated posts and score it.

    \b
    accelerate launch -m hubtweets train lyons____
    """
    set_quiet(quiet)
    run = open_run(handle, runs=runs)
    scores = run.train(
        base_model,
        parse_training_config(given),
        report_to=parse_trackers(given["report_to"]),
        num_processes=given["num_processes"],
    )
    if scores:  # of several processes only the main one has them
        show_result(run, json, show_scores)


@main.command(cls=Command)
@options(handle_argument, samples_options, seed_option)
@click.option(
    "--pick",
    is_flag=False,
    flag_value="ask",
    metavar="[NUMBERS]",
    help="Choose the samples that the card shows: 3,17, or asked for.",
)
@options(runs_option, quiet_option, json_option)
def sample(handle: str, pick: str | None, runs: str, quiet: bool, json: bool, **given: Any) -> None:
    """Generate samples with HANDLE's model and choose those that the card shows.

    \b
    hubtweets sample lyons____ --pick
    """
    set_quiet(quiet)
    run = open_run(handle, runs=runs)
    with run.open() as folder:  # an error if there is no such run
        has_samples = folder.record.samples is not None
    if not pick or not has_samples or is_given_on_cli("prompt", "samples", "seed"):
        run.sample(given["prompt"], given["samples"], given["seed"])
    if pick == "ask":
        from hubtweets.cli.pick import pick_on_terminal

        if not pick_on_terminal(run):
            return
    elif pick:
        run.pick(parse_sample_numbers(pick))
    show_result(run, json, show_samples)


@main.command(cls=Command)
@options(last_handle_argument, terms_options, hub_options, runs_option, quiet_option)
def card(handle: str | None, runs: str, quiet: bool, **given: Any) -> None:
    """Render the card of HANDLE's run, or of the last one."""
    set_quiet(quiet)
    write(str(open_run(handle, runs=runs).render(**given)), cut=False)


@main.command(cls=Command)
@options(handle_argument, terms_options, hub_options, push_options, open_option)
@options(runs_option, quiet_option, json_option)
def push(handle: str, runs: str, quiet: bool, open: bool, json: bool, **given: Any) -> None:
    """Render the card and push HANDLE's bot in one commit."""
    set_quiet(quiet)
    run = open_run(handle, runs=runs)
    run.push_to_hub(**given)
    show_result(run, json, show_published)
    open_page(run, open, json)


@main.command(cls=Command)
@click.argument("path", type=click.Path())
@click.option(
    "--posts",
    type=click.IntRange(1),
    default=3086,
    show_default=True,
    help="Write this many posts.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed the random numbers.")
def example(path: str, posts: int, seed: int) -> None:
    """Create an example X archive, of a made-up author, at PATH."""
    from pathlib import Path

    from hubtweets.posts.example.x_archive import write_archive

    if Path(path).exists():
        raise HubtweetsError(
            f"{path}: already exists and may be a real archive; remove it, or give another name"
        )
    write_archive(Path(path), posts, seed)
    write(path, cut=False)


@main.command(cls=Command)
@click.argument("repo_id")
@click.option("--hide", is_flag=True, help="Make it private instead of deleting it.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@options(hub_option, runs_option)
def takedown(repo_id: str, hub: str | None, runs: str, hide: bool, yes: bool) -> None:
    """Delete a bot and its dataset from the Hub, or hide them, and list what may remain."""
    from pathlib import Path

    from hubtweets.publishing.connection import connect
    from hubtweets.publishing.takedown import take_down

    def confirm(what: str) -> bool:
        return yes or confirm_by_name(repo_id, what, "hide it" if hide else "delete it")

    with connect(hub) as connected:
        for line in take_down(connected, repo_id, hide, Path(runs), confirm):
            click.echo(printable(line))


for command in (generate, chat, runs, info, verify, hub, completion):
    main.add_command(command)


def set_quiet(quiet: bool) -> None:
    """Log nothing but errors if `quiet`."""
    if quiet:
        show_messages(logging.ERROR)
