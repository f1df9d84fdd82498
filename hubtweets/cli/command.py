"""A command whose help lists its options under headings, and that Ctrl-C ends with a line."""

from collections.abc import Callable
from typing import Any

import click

from hubtweets.cli.failures import Stopped, describe_stop


class GroupedOption(click.Option):
    """An option that `--help` lists under a heading."""

    def __init__(self, *args: Any, heading: str = "Options", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.heading = heading


class Command(click.Command):
    """A command whose help lists its options under their headings; Ctrl-C ends it with a line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.Abort:
            click.echo(err=True)  # the question stands on the terminal's last line
            raise Stopped(describe_stop(ctx.params)) from None
        except KeyboardInterrupt:
            raise Stopped(describe_stop(ctx.params)) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and not isinstance(parameter, click.Argument):
                groups.setdefault(getattr(parameter, "heading", "Options"), []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def option(heading: str, name: str, *names: str, **attributes: Any) -> Callable:
    """An option under a heading, which the environment can set too, as HUBTWEETS_NAME."""
    variable = name.removeprefix("--").partition("/")[0].replace("-", "_").upper()
    return click.option(
        name,
        *names,
        cls=GroupedOption,
        heading=heading,
        envvar=f"HUBTWEETS_{variable}",
        show_default=True,
        **attributes,
    )


def options(*chosen: Callable) -> Callable:
    """Return a decorator that adds options and arguments to a command, in this order."""

    def decorate(command: Callable) -> Callable:
        for one in reversed(chosen):
            command = one(command)
        return command

    return decorate
