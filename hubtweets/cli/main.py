"""The command line: one thin command per stage.

Settings come from options, then from the environment (HUBTWEETS_BASE for --base), then from hubtweets.toml in the working folder. Everything
heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from hubtweets import __version__
from hubtweets.cli.arguments import (
    ask_numbers,
    is_typed,
    numbers_of,
    reading_of,
    tracked_by,
    training_of,
    typed,
)
from hubtweets.cli.group import Group
from hubtweets.cli.hub import hub
from hubtweets.cli.options import (
    base_option,
    handle_argument,
    handles_argument,
    hub_option,
    hub_options,
    options,
    posts_options,
    processes_option,
    push_options,
    quiet_option,
    runs_option,
    samples_options,
    seed_option,
    terms_options,
    track_option,
    training_options,
)
from hubtweets.errors import HubtweetsError, printable
from hubtweets.record.config import TrainingConfig
from hubtweets.record.run_folder import (
    RunFolder,
    find_last_handle,
    is_distributed,
    join_handles,
    normalize_handle,
    open_run_folder,
)
from hubtweets.record.run_record import Consent, Published, Target
from hubtweets.training import launch as processes


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}
)
@click.version_option(__version__, prog_name="hubtweets")
def main() -> None:
    """Make a bot of somebody's posts and publish it on the Hugging Face Hub.

    \b
    hubtweets example lyons____.zip
    hubtweets publish lyons____ --base tiny --hub local
    """


def launcher(
    name: str,
    base: str,
    training: TrainingConfig,
    track: Sequence[str],
    number: int,
    runs: Path,
    quiet: bool,
) -> Callable[[], None] | None:
    """Return what trains in several processes by the command `train`, or None where one is enough, or several are at it already."""
    if number == 1 or is_distributed():
        return None
    values = asdict(training) | {"base": base, "runs": runs}
    options = [
        parameter.name
        for parameter in train.params
        if parameter.name in values and parameter.name != "lora"
    ]
    arguments = [
        f"--{option.replace('_', '-')}={values[option]}"
        for option in options
        if values[option] is not None
    ]
    arguments += [
        "--num-processes=1",
        *(f"--report-to={tracker}" for tracker in track),
        *["--quiet"] * quiet,
    ]
    arguments += ["--lora"] * (training.lora is not None) + ["--merge"] * (
        training.lora == "merged"
    )
    return lambda: processes.launch(number, ["train", name, *arguments])


@main.command()
@options(
    handles_argument,
    posts_options,
    base_option,
    training_options,
    track_option,
    processes_option,
    samples_options,
)
@options(hub_options, push_options, terms_options, runs_option, quiet_option)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check everything, show what would be pushed, and stop before the training.",
)
def publish(
    handles: tuple[str, ...],
    base: str,
    track: tuple[str, ...],
    num_processes: int,
    prompt: tuple[str, ...],
    samples: int,
    hub: str | None,
    namespace: str | None,
    license: str | None,
    consent: Consent | None,
    dry_run: bool,
    runs: Path,
    quiet: bool,
    **settings: Any,
) -> None:
    """Read each HANDLE's posts, train one bot on them, render the card, push.

    What is done already is skipped; what was cut goes on.

    \b
    hubtweets publish alice bob --posts alice=alice.zip --posts bob=bluesky:bob.example
    """
    from hubtweets.publishing.connection import connect
    from hubtweets.publishing.dry_run import describe_publish
    from hubtweets.publishing.preflight import prepare_publish
    from hubtweets.publishing.push import parse_push_options
    from hubtweets.publishing.request import PublishRequest
    from hubtweets.stages import curate, evaluate, push, render, sample, train

    name, reading = join_handles(handles), reading_of(handles, settings)
    how_to_push = parse_push_options(settings)
    training = training_of(settings)
    asked = PublishRequest(
        namespace, base, license, consent, training, tuple(tracked_by(track)), prompt, how_to_push
    )
    with connect(hub) as connected, open_run_folder(runs, name, quiet, new=True) as run:
        ready = prepare_publish(run, connected, asked, reading, partial(curate.curate, run))
        if dry_run:
            for line in describe_publish(run, connected, asked, ready):
                click.echo(printable(line))
            return
        launch = launcher(name, base, training, track, num_processes, runs, quiet)
        train.train(run, ready.base, ready.location, training, asked.track, launch)
        evaluate.evaluate(run, ready.location)
        sample.sample(run, prompt, training.seed, samples)
        render.render(run, ready.target, ready.terms)
        render.check_snippets(run)
        published = push.push(run, connected, ready.push_options)
    say_published(ready.target, published)
    show(run)


@main.command()
@options(handles_argument, posts_options, runs_option, quiet_option)
@click.option(
    "--explain", is_flag=True, help="Write every post with its verdict into the run folder."
)
def curate(
    handles: tuple[str, ...], runs: Path, quiet: bool, explain: bool, **settings: Any
) -> None:
    """Read each HANDLE's posts and choose the ones to learn from."""
    from hubtweets.stages import curate

    name, reading = join_handles(handles), reading_of(handles, settings)
    with open_run_folder(runs, name, quiet, new=True) as run:
        curate.curate(run, **reading())
        if explain:
            click.echo(curate.explain(run))


@main.command()
@options(
    handle_argument,
    base_option,
    training_options,
    track_option,
    processes_option,
    runs_option,
    quiet_option,
)
def train(
    handle: str,
    base: str,
    track: tuple[str, ...],
    num_processes: int,
    runs: Path,
    quiet: bool,
    **settings: Any,
) -> None:
    """Fine-tune a model on HANDLE's curated posts and score it.

    \b
    accelerate launch -m hubtweets train lyons____
    """
    from hubtweets.models.base import resolve_base
    from hubtweets.stages import evaluate, train

    name, training = normalize_handle(handle), training_of(settings)
    with open_run_folder(runs, name, quiet, shared=True) as run:
        chosen, location = resolve_base(base)
        train.train(
            run,
            chosen,
            location,
            training,
            tracked_by(track),
            launcher(name, base, training, track, num_processes, runs, quiet),
        )
        if run.is_main:
            evaluate.evaluate(run, location)


@main.command()
@options(handle_argument, samples_options, seed_option, runs_option, quiet_option)
@click.option(
    "--pick",
    "picks",
    is_flag=False,
    flag_value="ask",
    metavar="[NUMBERS]",
    help="Choose what the card shows: 3,17, or asked for.",
)
def sample(
    handle: str,
    prompt: tuple[str, ...],
    samples: int,
    seed: int,
    picks: str | None,
    runs: Path,
    quiet: bool,
) -> None:
    """Let HANDLE's model write the posts that stand on the card.

    \b
    hubtweets sample lyons____ --pick
    """
    from hubtweets.stages import sample

    with open_run_folder(runs, normalize_handle(handle), quiet) as run:
        if (
            not picks or run.record.samples is None or typed("prompt", "samples", "seed")
        ):  # else those are picked from that are there
            sample.sample(run, prompt, seed, samples)
        if picks:
            sample.pick(run, numbers_of(ask_numbers(run) if picks == "ask" else picks))
    show(run)


@main.command()
@click.argument("handle", required=False)
@options(hub_options, terms_options, runs_option, quiet_option)
def card(
    handle: str | None,
    hub: str | None,
    namespace: str | None,
    license: str | None,
    consent: Consent | None,
    runs: Path,
    quiet: bool,
) -> None:
    """Render the card of HANDLE's run, or of the last one."""
    from hubtweets.card import licensing
    from hubtweets.stages import render

    with open_run_folder(runs, normalize_handle(handle or find_last_handle(runs)), quiet) as run:
        target = run.record.target
        if target is None or hub or namespace:
            from hubtweets.publishing.connection import choose_target, connect

            with connect(hub) as connected:
                target = choose_target(connected, run.record.handle, namespace)
        render.render(run, target, licensing.choose_run_terms(run.record, license, consent))
    click.echo(run.repo / "README.md")


@main.command()
@options(handle_argument, hub_options, push_options, terms_options, runs_option, quiet_option)
def push(
    handle: str,
    hub: str | None,
    namespace: str | None,
    license: str | None,
    consent: Consent | None,
    runs: Path,
    quiet: bool,
    **settings: Any,
) -> None:
    """Push HANDLE's finished repo folder in one commit."""
    from hubtweets.card import licensing
    from hubtweets.publishing.connection import choose_target, connect
    from hubtweets.publishing.push import parse_push_options
    from hubtweets.stages import push, render

    how_to_push = parse_push_options(settings)
    with connect(hub) as connected, open_run_folder(runs, normalize_handle(handle), quiet) as run:
        target = choose_target(connected, run.record.handle, namespace)
        settled = licensing.choose_run_terms(run.record, license, consent)
        if how_to_push.private is None and licensing.is_private(run.record.sources, settled):
            run.log(f"push: private, {licensing.explain_private(run.record.sources)}")
            how_to_push = replace(how_to_push, private=True)
        render.render(run, target, settled)
        render.check_snippets(run)
        published = push.push(run, connected, how_to_push)
    say_published(target, published)


@main.command()
@options(
    handle_argument,
    click.argument("prompt"),
    click.option(
        "-n", "count", type=click.IntRange(1), default=5, show_default=True, help="How many."
    ),
)
@options(seed_option, runs_option)
def generate(handle: str, prompt: str, count: int, seed: int, runs: Path) -> None:
    """Let HANDLE's model write on from PROMPT.

    \b
    hubtweets generate lyons____ "My dream is" -n 3
    """
    from hubtweets.evaluation.sampling import generate
    from hubtweets.models.loading import load_repo

    with open_run_folder(runs, normalize_handle(handle)) as run:
        run.list_outputs("train")
        show_texts(generate(*load_repo(run.repo), prompt, count, seed))


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--posts", type=click.IntRange(1), default=3086, show_default=True, help="How many posts."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other posts.")
def example(path: Path, posts: int, seed: int) -> None:
    """Write an X archive of somebody made up to PATH."""
    from hubtweets.posts.example.x_archive import write_archive

    if path.exists():
        raise HubtweetsError(
            f"{path}: is there already, and may be a real archive; remove it, or give another name"
        )
    write_archive(path, posts, seed)
    click.echo(path)


@main.command()
@options(click.argument("repo_id"), hub_option, runs_option)
@click.option(
    "--revision", default="main", show_default=True, help="A branch, a tag, a commit or refs/pr/N."
)
@click.option(
    "--deep", is_flag=True, help="Score the held-out posts again, with the run folder's dataset."
)
def verify(repo_id: str, hub: str | None, runs: Path, revision: str, deep: bool) -> None:
    """Check every claim of a published bot's card.

    Exits with 0 if all that the repo alone can prove holds, with 1 if anything is false, and with 3 if something could not be checked.

    \b
    hubtweets verify huggingtweets/lyons____ --hub local
    """
    from hubtweets.publishing.connection import connect
    from hubtweets.verification import verify as verification

    claims = []
    try:
        with connect(hub) as connected:
            for claim in verification.verify(connected, repo_id, revision, runs, deep):
                click.echo(claim)
                claims.append(claim)
    except HubtweetsError as error:  # code 1 is for what is false
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(verification.UNCHECKED) from None
    raise SystemExit(verification.exit_code(claims))


@main.command()
@options(click.argument("repo_id"), hub_option, runs_option)
@click.option("--hide", is_flag=True, help="Make it private in place of deleting it.")
@click.option("--yes", is_flag=True, help="Do it without being asked.")
def takedown(repo_id: str, hub: str | None, runs: Path, hide: bool, yes: bool) -> None:
    """Delete a bot and its dataset from the Hub, or hide them, and say what may remain."""
    from hubtweets.publishing.connection import connect
    from hubtweets.publishing.takedown import take_down

    with connect(hub) as connected:
        for line in take_down(
            connected,
            repo_id,
            hide,
            runs,
            lambda what: yes or is_typed(repo_id, what, "hide it" if hide else "delete it"),
        ):
            click.echo(printable(line))


main.add_command(hub)


def say_published(target: Target, published: Published) -> None:
    where = published.pull_request or target.url
    click.echo(
        f"{where}\ncommit {published.commit}{f', tag {published.tag}' if published.tag else ''}"
    )


def show(run: RunFolder) -> None:
    """Print the samples that were picked."""
    assert run.record.samples
    show_texts(sample.text or "" for sample in run.record.samples.list_picked())


def show_texts(texts: Iterable[str]) -> None:
    from hubtweets.text import to_plain_text

    for text in texts:
        click.echo(f"- {to_plain_text(text)}")
