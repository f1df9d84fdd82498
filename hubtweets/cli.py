"""The command line: one thin command per stage.

Settings come from options, then from the environment (HUBTWEETS_BASE for --base), then from hubtweets.toml in the working folder. Everything
heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

import errno
import math
import shlex
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hubtweets import __version__
from hubtweets.errors import HubtweetsError
from hubtweets.record import TrainingConfig
from hubtweets.run import check_handle, last_handle, open_run

SETTINGS = Path("hubtweets.toml")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Group(click.Group):
    """Shows every expected failure as one line, exit code 1, and the commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            settings = read_settings()
            ctx.default_map = {name: settings for name in self.commands if name != "example"}
            return super().invoke(ctx)
        except HubtweetsError as error:
            message = str(error)
        except OSError as error:
            hint = "free some disk space" if error.errno in FULL else "mend the permissions, or choose another folder"
            message = " ".join(f"{error.filename or 'writing failed'}: {error.strerror or error}; {hint}".split())
        raise click.ClickException(message)


def read_settings() -> dict[str, Any]:
    """Read hubtweets.toml; raise HubtweetsError where it is no TOML or has a key that is no option."""
    if not SETTINGS.is_file():
        return {}
    try:
        settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise HubtweetsError(f'{SETTINGS}: no TOML ({error}); write lines such as: base = "tiny"') from None
    settings = {name.replace("-", "_"): value for name, value in settings.items()}
    known = {parameter.name or "" for parameter in main.commands["publish"].params} - {"handle"}
    if unknown := set(settings) - known:
        raise HubtweetsError(f"{SETTINGS}: no option is called {', '.join(sorted(unknown))}; take it out, or one of {', '.join(sorted(known))}")
    for parameter in main.commands["publish"].params:
        value = settings.get(parameter.name or "", "")
        wants_text = isinstance(parameter.type, click.Path | click.types.StringParamType)
        if not isinstance(value, str if wants_text else str | int | float) or "\0" in str(value):
            raise HubtweetsError(f'{SETTINGS}: {parameter.name} can\'t be {value!r}; write a line such as: base = "tiny"')
    return settings


def option(name: str, *names: str, **attributes: Any) -> Callable:
    """An option that the environment can set too, as HUBTWEETS_NAME."""
    variable = "HUBTWEETS_" + name.removeprefix("--").partition("/")[0].replace("-", "_").upper()
    return click.option(name, *names, envvar=variable, show_default=True, **attributes)


def options(*chosen: Callable) -> Callable:
    def decorate(command: Callable) -> Callable:
        for one in reversed(chosen):
            command = one(command)
        return command

    return decorate


class Finite(click.FloatRange):
    """A number in a range, and neither nan, which no range refuses, nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number


DEFAULTS = TrainingConfig()

handle_argument = click.argument("handle")
runs_option = option("--runs", type=click.Path(path_type=Path), default="runs", help="Folder of the run folders.")
quiet_option = option("--quiet", is_flag=True, help="Say nothing but the result.")
posts_option = option(
    "--posts", type=click.Path(path_type=Path), help="An X archive (zip, folder, tweets.js) or a .jsonl file.  [default: HANDLE.zip and so on]"
)
base_option = option("--base", default="openai-community/gpt2", help="A model's id on the Hub, a folder, or tiny.")
prompt_option = option("--prompt", default="My dream is", help="How the posts on the card begin.")
seed_option = option("--seed", type=click.IntRange(0, 2**32 - 1), default=DEFAULTS.seed, help="Of the training and of the posts on the card.")
training_options = options(
    option("--epochs", type=Finite(0, min_open=True), default=DEFAULTS.epochs, help="Passes over the posts."),
    option("--learning-rate", type=Finite(0, min_open=True), help="At the top of the schedule.  [default: by the base's width]"),
    option("--batch-size", type=click.IntRange(1), default=DEFAULTS.batch_size, help="Sequences per optimizer step, over all processes."),
    option("--block-size", type=click.IntRange(8), default=DEFAULTS.block_size, help="Tokens per sequence."),
    option("--checkpoint-seconds", type=Finite(0), default=DEFAULTS.checkpoint_seconds, help="From one checkpoint to the next."),
    seed_option,
)
hub_options = options(
    option("--hub", help="A Hub's URL, or local for the embedded one.  [default: HF_ENDPOINT, or https://huggingface.co]"),
    option("--namespace", help="Whose repo it becomes.  [default: the token's user]"),
)
private_option = option("--private/--public", default=False, help="Who may see the repo, when it is made.")


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="hubtweets")
def main() -> None:
    """Make a bot of somebody's posts and publish it on the Hugging Face Hub.

    \b
    hubtweets example lyons____.zip
    hubtweets publish lyons____ --base tiny --hub local
    """


@main.command()
@options(handle_argument, posts_option, base_option, training_options, prompt_option, hub_options, private_option, runs_option, quiet_option)
def publish(
    handle: str,
    posts: Path | None,
    base: str,
    prompt: str,
    hub: str | None,
    namespace: str | None,
    private: bool,
    runs: Path,
    quiet: bool,
    **training: Any,
) -> None:
    """Read HANDLE's posts, train, render the card, push.

    What is done already is skipped; what was cut goes on.
    """
    from hubtweets import publisher, stages
    from hubtweets.base import resolve
    from hubtweets.posts import find_source

    handle = check_handle(handle)
    source = posts or find_source(handle)
    with publisher.connect(hub) as connected, open_run(runs, handle, quiet, new=True) as run:
        target = publisher.choose_target(connected, handle, namespace, private)
        stages.curate(run, source)
        chosen, location = resolve(base)
        stages.train(run, chosen, location, TrainingConfig(**training))
        stages.evaluate(run, location)
        texts = stages.sample(run, prompt, training["seed"])
        stages.render(run, target)
        published = stages.push(run, connected, private)
    click.echo(f"{target.url}\ncommit {published.commit}, tag {published.tag}")
    show(texts)


@main.command()
@options(handle_argument, posts_option, runs_option, quiet_option)
def curate(handle: str, posts: Path | None, runs: Path, quiet: bool) -> None:
    """Read HANDLE's posts and choose the ones to learn from."""
    from hubtweets import stages
    from hubtweets.posts import find_source

    handle = check_handle(handle)
    source = posts or find_source(handle)
    with open_run(runs, handle, quiet, new=True) as run:
        stages.curate(run, source)


@main.command()
@options(handle_argument, base_option, training_options, runs_option, quiet_option)
def train(handle: str, base: str, runs: Path, quiet: bool, **training: Any) -> None:
    """Fine-tune a model on HANDLE's curated posts and score it."""
    from hubtweets import stages
    from hubtweets.base import resolve

    with open_run(runs, check_handle(handle), quiet) as run:
        chosen, location = resolve(base)
        stages.train(run, chosen, location, TrainingConfig(**training))
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


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8086, show_default=True, help="On 127.0.0.1.")
def hub(port: int) -> None:
    """Serve the embedded Hub until Ctrl-C.

    Its pages show each model's card; any Hugging Face client can use it.
    """
    from hubtweets.hub import local

    storage = local.open_storage()
    server = local.Server(storage, port)
    click.echo(f"{server.endpoint} serves {storage.root}; in another terminal:\n")
    click.echo(f"    export HF_ENDPOINT={server.endpoint}\n    export HF_TOKEN=$(cat {shlex.quote(str(storage.root / 'token'))})\n")
    server.run()


def show(texts: Sequence[str]) -> None:
    from hubtweets.rendering import plain

    for text in texts:
        click.echo(f"- {plain(text)}")
