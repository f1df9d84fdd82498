"""The command line: one thin command per stage.

Settings come from options, then from the environment (HUBTWEETS_BASE for --base), then from hubtweets.toml in the working folder. Everything
heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

import errno
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hubtweets import __version__
from hubtweets.errors import HubtweetsError
from hubtweets.options import Finite, SourceType, option, options, read_settings
from hubtweets.posts import Columns
from hubtweets.record import Curation, TrainingConfig
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


DEFAULTS, RULES = TrainingConfig(), Curation()


handles_argument = click.argument("handles", nargs=-1, required=True, metavar="HANDLE...")
handle_argument = click.argument("handle")
runs_option = option("--runs", type=click.Path(path_type=Path), default="runs", help="Folder of the run folders.")
quiet_option = option("--quiet", is_flag=True, help="Say nothing but the result.")
posts_options = options(
    option(
        "--posts",
        type=SourceType(),
        multiple=True,
        help="A file, a folder, x:NAME, mastodon:@NAME@HOST, bluesky:NAME, dataset:ID; HANDLE=... for one of several.  [default: HANDLE.zip...]",
    ),
    option("--rules", type=click.Choice(["default", "classic"]), default=RULES.rules, help="Which posts are kept; classic: as the original did."),
    option("--mentions", type=click.Choice(["strip", "keep"]), default=RULES.mentions, help="The @mentions that lead a reply."),
    option("--content-warnings", type=click.Choice(["skip", "keep"]), default=RULES.content_warnings, help="Posts behind a content warning."),
    option("--split", type=click.Choice(["time", "hash"]), help="Which tenth is held out.  [default: the last where there are dates]"),
    *(option(f"--{name}-column", help=f"Of a file of posts: the column of the {name}.  [default: by its name]") for name in vars(Columns())),
    option("--x-price", type=Finite(0), default=0.005, help="Dollars a post that is read from the X API."),
    option("--refresh", is_flag=True, help="Read x:, mastodon:, bluesky: and dataset: again."),
    option("--yes", is_flag=True, help="Spend what the X API costs without being asked."),
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


@main.command()
@options(handles_argument, posts_options, base_option, training_options, prompt_option, hub_options, private_option, runs_option, quiet_option)
def publish(
    handles: tuple[str, ...],
    base: str,
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
    training = TrainingConfig(**settings)
    with publisher.connect(hub) as connected, open_run(runs, name, quiet, new=True) as run:
        target = publisher.choose_target(connected, name, namespace, private)
        stages.curate(run, **reading)
        chosen, location = resolve(base)
        stages.train(run, chosen, location, training)
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
