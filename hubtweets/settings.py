"""From the options of a command to what the stages take."""

import sys
from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource

from hubtweets.errors import HubtweetsError
from hubtweets.posts import Columns
from hubtweets.record import Curation, Tracker, TrainingConfig
from hubtweets.run import check_handle


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


def numbers_of(text: str) -> list[int]:
    """Read the numbers of samples that somebody typed: 3, 17 or 3 17; raise HubtweetsError for anything else."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words):
        raise HubtweetsError(f"{text}: not the numbers of samples; type them like this: 3,17")
    return list(dict.fromkeys(map(int, words)))
