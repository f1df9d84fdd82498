"""A group of commands that share settings, log to the console, and fail with one line."""

import errno
import logging
from typing import Any

import click

from hubtweets.cli.config import read_settings
from hubtweets.errors import HubtweetsError
from hubtweets.progress import log_to_console

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Group(click.Group):
    """Shows every expected failure as one line, exit code 1, and the commands in the order of the work."""

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
            hint = (
                "free some disk space"
                if error.errno in FULL
                else "fix the permissions, or choose another folder"
            )
            message = " ".join(
                f"{error.filename or 'writing failed'}: {error.strerror or error}; {hint}".split()
            )
        raise click.ClickException(message)
