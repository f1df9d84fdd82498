"""The command line: one thin command per stage.

Settings come from options, then from the environment (HUBTWEETS_BASE for --base), then from hubtweets.toml in the working folder. Everything
heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

import errno
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hubtweets import __version__, processes
from hubtweets.errors import HubtweetsError
from hubtweets.hub.cli import hub
from hubtweets.options import (
    base_option,
    handle_argument,
    handles_argument,
    hub_options,
    options,
    posts_options,
    private_option,
    processes_option,
    prompt_option,
    quiet_option,
    read_settings,
    runs_option,
    seed_option,
    track_option,
    training_options,
)
from hubtweets.posts import Columns
from hubtweets.record import Curation, Tracker, TrainingConfig
from hubtweets.run import bot_name, check_handle, last_handle, open_run

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Group(click.Group):
    """Shows every expected failure as one line, exit code 1, and the commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            settings = read_settings(main.commands["publish"].params)
            ctx.default_map = {name: settings for name in self.commands if name != "example"}
            return super().invoke(ctx)
        except HubtweetsError as error:
            message = str(error)
        except OSError as error:
            hint = "free some disk space" if error.errno in FULL else "mend the permissions, or choose another folder"
            message = " ".join(f"{error.filename or 'writing failed'}: {error.strerror or error}; {hint}".split())
        raise click.ClickException(message)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="hubtweets")
def main() -> None:
    """Make a bot of somebody's posts and publish it on the Hugging Face Hub.

    \b
    hubtweets example lyons____.zip
    hubtweets publish lyons____ --base tiny --hub local
    """


def reading_of(handles: Sequence[str], settings: dict[str, Any]) -> dict[str, Any]:
    """Take out of the settings what `stages.curate` needs; raise HubtweetsError where it isn't clear whose posts are where."""
    from hubtweets.posts import sources

    take = settings.pop
    typed = click.get_current_context().get_parameter_source("posts") is ParameterSource.COMMANDLINE
    named = sources.name([check_handle(handle) for handle in handles], take("posts"), typed)
    columns = Columns(**{name: take(f"{name}_column") for name in vars(Columns())})
    rules = Curation(**{name: take(name) for name in vars(Curation())})
    price, refresh, yes = take("x_price"), take("refresh"), take("yes")
    return {"named": named, "columns": columns, "rules": rules, "fetching": sources.Fetching(price, refresh, lambda cost: yes or agreed(cost))}


def agreed(cost: str) -> bool:
    """Ask on a terminal whether to spend money; raise HubtweetsError where there is none to ask on."""
    if not sys.stdin.isatty():
        raise HubtweetsError(f"{cost}; type the command again with --yes to spend it")
    return click.confirm(f"{cost}. Spend it?", err=True)


def training_of(settings: dict[str, Any]) -> TrainingConfig:
    """Return the settings of the trainer; raise click.UsageError for --merge alone."""
    lora, merge = settings.pop("lora"), settings.pop("merge")
    if merge and not lora:
        raise click.UsageError("--merge goes with --lora")
    return TrainingConfig(**settings, lora="merged" if merge else "adapter" if lora else None)


def tracked_by(track: Sequence[str]) -> list[Tracker]:
    return [name for name in dict.fromkeys(track) if name != "none"]  # type: ignore[misc]


def launcher(name: str, base: str, training: TrainingConfig, track: Sequence[str], number: int, runs: Path, quiet: bool) -> Callable[[], None] | None:
    """Return what trains in several processes by the command `train`, or None where one is enough, or several are at it already."""
    if number == 1 or processes.is_launched():
        return None
    values = asdict(training) | {"base": base, "runs": runs}
    options = [parameter.name for parameter in train.params if parameter.name in values and parameter.name != "lora"]
    arguments = [f"--{option.replace('_', '-')}={values[option]}" for option in options if values[option] is not None]
    arguments += ["--num-processes=1", *(f"--track={tracker}" for tracker in track), *["--quiet"] * quiet]
    arguments += ["--lora"] * (training.lora is not None) + ["--merge"] * (training.lora == "merged")
    return lambda: processes.launch(number, ["train", name, *arguments])


@main.command()
@options(handles_argument, posts_options, base_option, training_options, track_option, processes_option)
@options(prompt_option, hub_options, private_option, runs_option, quiet_option)
def publish(
    handles: tuple[str, ...],
    base: str,
    track: tuple[str, ...],
    num_processes: int,
    prompt: str,
    hub: str | None,
    namespace: str | None,
    private: bool,
    runs: Path,
    quiet: bool,
    **settings: Any,
) -> None:
    """Read each HANDLE's posts, train one bot on them, render the card, push.

    What is done already is skipped; what was cut goes on.

    \b
    hubtweets publish alice bob --posts alice=alice.zip --posts bob=bluesky:bob.example
    """
    from hubtweets import publisher, stages
    from hubtweets.base import resolve

    name, reading = bot_name(handles), reading_of(handles, settings)
    training = training_of(settings)
    with publisher.connect(hub) as connected, open_run(runs, name, quiet, new=True) as run:
        target = publisher.choose_target(connected, name, namespace, private)
        stages.curate(run, **reading)
        chosen, location = resolve(base)
        stages.train(run, chosen, location, training, tracked_by(track), launcher(name, base, training, track, num_processes, runs, quiet))
        stages.evaluate(run, location)
        texts = stages.sample(run, prompt, training.seed)
        stages.render(run, target)
        published = stages.push(run, connected, private)
    click.echo(f"{target.url}\ncommit {published.commit}, tag {published.tag}")
    show(texts)


@main.command()
@options(handles_argument, posts_options, runs_option, quiet_option)
@click.option("--explain", is_flag=True, help="Write every post with its verdict into the run folder.")
def curate(handles: tuple[str, ...], runs: Path, quiet: bool, explain: bool, **settings: Any) -> None:
    """Read each HANDLE's posts and choose the ones to learn from."""
    from hubtweets import stages

    name, reading = bot_name(handles), reading_of(handles, settings)
    with open_run(runs, name, quiet, new=True) as run:
        stages.curate(run, **reading)
        if explain:
            click.echo(stages.explain(run))


@main.command()
@options(handle_argument, base_option, training_options, track_option, processes_option, runs_option, quiet_option)
def train(handle: str, base: str, track: tuple[str, ...], num_processes: int, runs: Path, quiet: bool, **settings: Any) -> None:
    """Fine-tune a model on HANDLE's curated posts and score it.

    \b
    accelerate launch -m hubtweets train lyons____
    """
    from hubtweets import stages
    from hubtweets.base import resolve

    name, training = check_handle(handle), training_of(settings)
    with open_run(runs, name, quiet, shared=True) as run:
        chosen, location = resolve(base)
        stages.train(run, chosen, location, training, tracked_by(track), launcher(name, base, training, track, num_processes, runs, quiet))
        if run.is_main:
            stages.evaluate(run, location)


@main.command()
@options(handle_argument, prompt_option, seed_option, runs_option, quiet_option)
def sample(handle: str, prompt: str, seed: int, runs: Path, quiet: bool) -> None:
    """Let HANDLE's model write the posts that stand on the card."""
    from hubtweets import stages

    with open_run(runs, check_handle(handle), quiet) as run:
        texts = stages.sample(run, prompt, seed)
    show(texts)


@main.command()
@click.argument("handle", required=False)
@options(hub_options, runs_option, quiet_option)
def card(handle: str | None, hub: str | None, namespace: str | None, runs: Path, quiet: bool) -> None:
    """Render the card of HANDLE's run, or of the last one."""
    from hubtweets import stages

    with open_run(runs, check_handle(handle or last_handle(runs)), quiet) as run:
        target = run.record.target
        if target is None or hub or namespace:
            from hubtweets import publisher

            with publisher.connect(hub) as connected:
                target = publisher.choose_target(connected, run.record.handle, namespace)
        stages.render(run, target)
    click.echo(run.repo / "README.md")


@main.command()
@options(handle_argument, hub_options, private_option, runs_option, quiet_option)
def push(handle: str, hub: str | None, namespace: str | None, private: bool, runs: Path, quiet: bool) -> None:
    """Push HANDLE's finished repo folder in one commit."""
    from hubtweets import publisher, stages

    with publisher.connect(hub) as connected, open_run(runs, check_handle(handle), quiet) as run:
        target = publisher.choose_target(connected, run.record.handle, namespace, private)
        stages.render(run, target)
        published = stages.push(run, connected, private)
    click.echo(f"{target.url}\ncommit {published.commit}, tag {published.tag}")


@main.command()
@options(
    handle_argument, click.argument("prompt"), click.option("-n", "count", type=click.IntRange(1), default=5, show_default=True, help="How many.")
)
@options(seed_option, runs_option)
def generate(handle: str, prompt: str, count: int, seed: int, runs: Path) -> None:
    """Let HANDLE's model write on from PROMPT.

    \b
    hubtweets generate lyons____ "My dream is" -n 3
    """
    from hubtweets.models import load_repo
    from hubtweets.sampling import generate

    with open_run(runs, check_handle(handle)) as run:
        run.outputs("train")
        show(generate(*load_repo(run.repo), prompt, count, seed))


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--posts", type=click.IntRange(1), default=3086, show_default=True, help="How many posts.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other posts.")
def example(path: Path, posts: int, seed: int) -> None:
    """Write an X archive of somebody made up to PATH."""
    from hubtweets.example import write

    if path.exists():
        raise HubtweetsError(f"{path}: is there already, and may be a real archive; remove it, or give another name")
    write(path, posts, seed)
    click.echo(path)


main.add_command(hub)


def show(texts: Sequence[str]) -> None:
    from hubtweets.rendering import plain

    for text in texts:
        click.echo(f"- {plain(text)}")
