"""From the options of a command to the dataclasses of the library; questions on a terminal."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from click.core import ParameterSource

from hubtweets.cli import console
from hubtweets.config import Curation, TrainingConfig
from hubtweets.errors import HubtweetsError, printable
from hubtweets.posts.post import Columns
from hubtweets.record.run_record import Tracker
from hubtweets.stages.read_options import ReadOptions


def parse_read_options(options: dict[str, Any]) -> ReadOptions:
    """Return which posts are read, from the options of the heading Posts."""
    confirm: Callable[[str], bool] = (lambda _: True) if options["yes"] else confirm_cost
    return ReadOptions(
        posts=tuple(options["posts"]),
        columns=Columns(**{name: options[f"{name}_column"] for name in vars(Columns())}),
        rules=Curation(**{name: options[name] for name in vars(Curation())}),
        protected_posts=options["protected_posts"],
        refresh=options["refresh"],
        x_price=options["x_price"],
        confirm=confirm,
        allow_others=not is_given_on_cli("posts"),
    )


def parse_training_config(options: dict[str, Any]) -> TrainingConfig:
    """Return the settings of the trainer; raise click.UsageError for --merge without --lora."""
    if options["merge"] and not options["lora"]:
        raise click.UsageError("--merge goes with --lora")
    published = None
    if options["lora"]:
        published = "merged" if options["merge"] else "adapter"
    known = {name: value for name, value in options.items() if name in vars(TrainingConfig())}
    return TrainingConfig(**known | {"lora": published})


def parse_trackers(report_to: Sequence[str]) -> list[Tracker]:
    """Return the trackers, each once, without "none"."""
    return [name for name in dict.fromkeys(report_to) if name != "none"]  # type: ignore[misc]


def is_given_on_cli(*names: str) -> bool:
    """Return True if any of these options stands on the command line."""
    context = click.get_current_context()
    return any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in names)


def confirm_cost(cost: str) -> bool:
    """Ask on a terminal whether to spend money; raise HubtweetsError if there is no terminal."""
    if not sys.stdin.isatty():
        raise HubtweetsError(f"{cost}; type the command again with --yes to spend it")
    console.end_display()
    return click.confirm(f"{printable(cost)}. Spend it?", err=True)


def confirm_by_name(name: str, what: str, do: str) -> bool:
    """Return True if the user types a name to confirm; raise HubtweetsError without a terminal."""
    if not sys.stdin.isatty():
        raise HubtweetsError(f"{what}; type the command again with --yes to {do}")
    return (
        click.prompt(
            f"{printable(what)}. Type {printable(name)} to {do}",
            default="",
            show_default=False,
            err=True,
        ).strip()
        == name
    )


def parse_sample_numbers(text: str) -> list[int]:
    """Parse numbers such as "3,17" or "3 17"; raise HubtweetsError for anything else."""
    words = text.replace(",", " ").split()
    if not words or not all(
        word.isascii() and word.isdecimal() and len(word) < 10 for word in words
    ):
        raise HubtweetsError(f"{text}: not the numbers of samples; type them like this: 3,17")
    return list(dict.fromkeys(map(int, words)))
