"""The types of options that click lacks."""

import math
from typing import Any

import click


class Finite(click.FloatRange):
    """A number in a range that is neither infinite nor NaN, which no range refuses."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class PromptType(click.types.StringParamType):
    """A text that samples begin with; in the environment, one a line."""

    envvar_list_splitter = "\n"


class SourceType(click.ParamType):
    """A source of posts, or HANDLE=SOURCE; in the environment, one a line."""

    name = "source"
    envvar_list_splitter = "\n"
