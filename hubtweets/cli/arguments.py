"""From the options of a command to what the stages take."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from click.core import ParameterSource

from hubtweets.errors import HubtweetsError, printable
from hubtweets.posts.post import Columns
from hubtweets.record.config import Curation, TrainingConfig
from hubtweets.record.run_folder import RunFolder, normalize_handle
from hubtweets.record.run_record import Tracker


def reading_of(handles: Sequence[str], settings: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Take out of the settings what `stages.curate` needs, and return what names it; that raises HubtweetsError where posts aren't found."""
    from hubtweets.posts import sources

    take = settings.pop
    names, given, on_line = (
        [normalize_handle(handle) for handle in handles],
        take("posts"),
        typed("posts"),
    )
    columns = Columns(**{name: take(f"{name}_column") for name in vars(Columns())})
    rules = Curation(**{name: take(name) for name in vars(Curation())})
    price, refresh, yes = take("x_price"), take("refresh"), take("yes")
    protected = take("protected_posts")
    fetching = sources.FetchOptions(price, refresh, lambda cost: yes or agreed(cost))
    return lambda: {
        "named": sources.assign_sources(names, given, on_line),
        "columns": columns,
        "rules": rules,
        "fetching": fetching,
        "protected": protected,
    }


def typed(*names: str) -> bool:
    """Tell whether any of these options stood on the command line."""
    return any(
        click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
        for name in names
    )


def agreed(cost: str) -> bool:
    """Ask on a terminal whether to spend money; raise HubtweetsError if there is no terminal to ask on."""
    if not sys.stdin.isatty():
        raise HubtweetsError(f"{cost}; type the command again with --yes to spend it")
    return click.confirm(f"{printable(cost)}. Spend it?", err=True)


def is_typed(name: str, what: str, do: str) -> bool:
    """Tell whether the user confirms what can't be undone by typing a name; raise HubtweetsError if there is no terminal to ask on."""
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
    if not words or not all(
        word.isascii() and word.isdecimal() and len(word) < 10 for word in words
    ):
        raise HubtweetsError(f"{text}: not the numbers of samples; type them like this: 3,17")
    return list(dict.fromkeys(map(int, words)))


def ask_numbers(run: RunFolder) -> str:
    """Show the samples that may be shown by their numbers, and ask for some; raise HubtweetsError where there are none, or no terminal to ask on."""
    from hubtweets.text import to_plain_text

    samples, audit = run.record.samples, run.record.audit
    assert samples and audit
    if not sys.stdin.isatty():
        raise HubtweetsError(
            f"no terminal to ask on; name the samples: hubtweets sample {run.record.handle} --pick 3,17"
        )
    free = audit.list_showable(samples.samples)
    if not free:
        raise HubtweetsError(
            f"all {len(samples.samples)} samples copy a post; type: hubtweets sample {run.record.handle} --samples 1000 --pick"
        )
    for number in free:
        click.echo(f"{number:>4}  {to_plain_text(samples.samples[number - 1].text or '')}")
    return click.prompt(
        "Which shall the card show", default=",".join(map(str, samples.picked)) or None, err=True
    )
