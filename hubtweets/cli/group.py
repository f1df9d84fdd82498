"""A group of commands that share settings, show messages, and fail with one line."""

import logging
import os
from typing import Any

import click

from hubtweets.cli import console
from hubtweets.cli.display import show_messages
from hubtweets.cli.failures import Failure, Stopped, describe_stop
from hubtweets.cli.settings_file import read_settings
from hubtweets.errors import HubtweetsError, StoppedError, explain_os_error


class Group(click.Group):
    """Shows expected failures as one line with exit code 1, and commands in the order of work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # the display has its own
        show_messages(logging.INFO)
        try:
            settings = read_settings(self.commands["publish"].params)
            ctx.default_map = {name: settings for name in self.commands if name != "example"}
            result = super().invoke(ctx)
            console.end_display()
            return result
        except StoppedError as error:
            raise Stopped(str(error)) from None
        except (KeyboardInterrupt, click.Abort):
            raise Stopped(describe_stop({})) from None
        except HubtweetsError as error:
            raise Failure(str(error)) from None
        except BrokenPipeError:  # the reader of the output has closed it; click ends quietly
            raise
        except OSError as error:
            raise Failure(explain_os_error(error)) from None
        finally:
            console.end_display(("✗", "red"))
