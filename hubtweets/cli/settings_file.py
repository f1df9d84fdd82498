"""Settings of hubtweets.toml in the working folder."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hubtweets.cli.types import SourceType
from hubtweets.errors import HubtweetsError, suggest

SETTINGS = Path("hubtweets.toml")


def read_settings(options: Sequence[click.Parameter]) -> dict[str, Any]:
    """Read hubtweets.toml; raise HubtweetsError if it is not TOML or has an unknown key."""
    if not SETTINGS.is_file():
        return {}
    try:
        settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise HubtweetsError(
            f'{SETTINGS}: not TOML ({error}); write lines such as: base_model = "tiny"'
        ) from None
    settings = {name.replace("-", "_"): value for name, value in settings.items()}
    known = {parameter.name or "" for parameter in options} - {"handles"}
    if unknown := set(settings) - known:
        name = min(unknown)
        advice = suggest(name, known) or f"take it out, or write one of {', '.join(sorted(known))}"
        raise HubtweetsError(f"{SETTINGS}: no option is called {name}; {advice}")
    for parameter in options:
        value = settings.get(parameter.name or "", "")
        wants_text = isinstance(
            parameter.type, click.Path | click.types.StringParamType | SourceType
        )
        if parameter.multiple and isinstance(value, list):
            value = "".join(value) if all(isinstance(one, str) for one in value) else value
        elif parameter.multiple and parameter.name in settings:
            settings[parameter.name] = [value]
        if not isinstance(value, str if wants_text else str | int | float) or "\0" in str(value):
            raise HubtweetsError(
                f"{SETTINGS}: {parameter.name} can't be {value!r}; "
                'write a line such as: base_model = "tiny"'
            )
    return settings
