"""A group of commands that share settings, log to the console, and fail with one line."""

import logging
from typing import Any

import click

from hubtweets.cli.settings_file import read_settings
from hubtweets.errors import HubtweetsError, explain_os_error
from hubtweets.progress import log_to_console


class Group(click.Group):
    """Shows expected failures as one line with exit code 1, and commands in the order of work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        log_to_console(logging.INFO)
        try:
            settings = read_settings(self.commands["publish"].params)
            ctx.default_map = {name: settings for name in self.commands if name != "example"}
            return super().invoke(ctx)
        except HubtweetsError as error:
            message = str(error)
        except BrokenPipeError:  # the reader of the output has closed it; click ends quietly
            raise
        except OSError as error:
            message = explain_os_error(error)
        raise click.ClickException(message)
