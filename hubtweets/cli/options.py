"""Options, and where else they are set: in the environment (HUBTWEETS_BASE for --base) or in hubtweets.toml in the working folder."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hubtweets.posts.post import Columns
from hubtweets.record.config import Curation, TrainingConfig


def option(name: str, *names: str, **attributes: Any) -> Callable:
    """An option that the environment can set too, as HUBTWEETS_NAME."""
    variable = "HUBTWEETS_" + name.removeprefix("--").partition("/")[0].replace("-", "_").upper()
    return click.option(name, *names, envvar=variable, show_default=True, **attributes)


def options(*chosen: Callable) -> Callable:
    def decorate(command: Callable) -> Callable:
        for one in reversed(chosen):
            command = one(command)
        return command

    return decorate


class Finite(click.FloatRange):
    """A number in a range, and neither nan, which no range refuses, nor infinite."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number


class PromptType(click.types.StringParamType):
    """A text that samples begin with; in the environment, one a line."""

    envvar_list_splitter = "\n"


class SourceType(click.ParamType):
    """A source of posts, or HANDLE=SOURCE; in the environment, one a line."""

    name = "source"
    envvar_list_splitter = "\n"


DEFAULTS, RULES = TrainingConfig(), Curation()
PROMPTS = ("My dream is", "I think that", "I like", "I don't like", "I want")  # the original's
handles_argument = click.argument("handles", nargs=-1, required=True, metavar="HANDLE...")
handle_argument = click.argument("handle")
runs_option = option(
    "--runs", type=click.Path(path_type=Path), default="runs", help="Folder of the run folders."
)
quiet_option = option("--quiet", is_flag=True, help="Say nothing but the result.")
posts_options = options(
    option(
        "--posts",
        type=SourceType(),
        multiple=True,
        help="A file, a folder, x:NAME, mastodon:@NAME@HOST, bluesky:NAME, dataset:ID; HANDLE=... for one of several.  [default: HANDLE.zip...]",
    ),
    option(
        "--rules",
        type=click.Choice(["default", "classic"]),
        default=RULES.rules,
        help="Which posts are kept; classic: as the original did.",
    ),
    option(
        "--mentions",
        type=click.Choice(["strip", "keep"]),
        default=RULES.mentions,
        help="The @mentions that lead a reply.",
    ),
    option(
        "--content-warnings",
        type=click.Choice(["skip", "keep"]),
        default=RULES.content_warnings,
        help="Posts behind a content warning.",
    ),
    option(
        "--split",
        type=click.Choice(["time", "hash"]),
        help="Which tenth is held out.  [default: the last where there are dates]",
    ),
    option(
        "--protected-posts",
        is_flag=True,
        help="Read the posts of a protected X account too; its repo is private by default.",
    ),
    *(
        option(
            f"--{name}-column",
            help=f"Of a file of posts: the column of the {name}.  [default: by its name]",
        )
        for name in vars(Columns())
    ),
    option(
        "--x-price",
        type=Finite(0),
        default=0.005,
        help="Dollars a post that is read from the X API.",
    ),
    option("--refresh", is_flag=True, help="Read x:, mastodon:, bluesky: and dataset: again."),
    option("--yes", is_flag=True, help="Spend what the X API costs without being asked."),
)
base_option = option(
    "--base", default="openai-community/gpt2", help="A model's id on the Hub, a folder, or tiny."
)
samples_options = options(
    option(
        "--prompt",
        type=PromptType(),
        multiple=True,
        default=PROMPTS,
        help="How samples begin; the card shows one of each.",
    ),
    option(
        "--samples",
        type=click.IntRange(1),
        default=200,
        help="How many are written and compared with the training posts.",
    ),
)
seed_option = option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=DEFAULTS.seed,
    help="Of the training and of the posts on the card.",
)
training_options = options(
    option(
        "--num-train-epochs",
        type=Finite(0, min_open=True),
        default=DEFAULTS.num_train_epochs,
        help="Passes over the posts.",
    ),
    option("--max-steps", type=click.IntRange(1), help="Optimizer steps, where that is less."),
    option(
        "--max-minutes",
        type=Finite(0, min_open=True),
        help="Minutes of training, where that is less.",
    ),
    option(
        "--early-stopping-patience",
        type=click.IntRange(1),
        default=DEFAULTS.early_stopping_patience,
        help="Evaluations without a better one, then training stops.",
    ),
    option(
        "--eval-steps",
        type=click.IntRange(1),
        help="From one evaluation to the next.  [default: half an epoch]",
    ),
    option(
        "--learning-rate",
        type=Finite(0, min_open=True),
        help="At the top of the schedule.  [default: by the base's width]",
    ),
    option(
        "--batch-size",
        type=click.IntRange(1),
        default=DEFAULTS.batch_size,
        help="Sequences per optimizer step, over all processes.",
    ),
    option(
        "--block-size",
        type=click.IntRange(8),
        default=DEFAULTS.block_size,
        help="Tokens per sequence.",
    ),
    option(
        "--per-device-train-batch-size",
        type=click.IntRange(1),
        help="Sequences that a process takes at once.  [default: what fits into memory]",
    ),
    option("--lora", is_flag=True, help="Train a low-rank adapter of the base and publish that."),
    option(
        "--merge",
        is_flag=True,
        help="With --lora: publish the base with the adapter merged into it.",
    ),
    option("--save-steps", type=click.IntRange(1), help="From one checkpoint to the next."),
    option(
        "--save-seconds",
        type=Finite(0),
        default=DEFAULTS.save_seconds,
        help="Likewise.",
    ),
    seed_option,
)
track_option = option(
    "--report-to",
    type=click.Choice(["tensorboard", "wandb", "trackio", "none"]),
    multiple=True,
    default=["tensorboard"],
    help="Where the training is logged too; wandb gets the posts and the model.",
)
processes_option = option(
    "--num-processes",
    type=click.IntRange(1),
    default=1,
    help="Train in so many processes, on as many GPUs.",
)
hub_option = option(
    "--hub",
    help="A Hub's URL, or local for the embedded one.  [default: HF_ENDPOINT, or https://huggingface.co]",
)
hub_options = options(
    hub_option, option("--namespace", help="Whose repo it becomes.  [default: the token's user]")
)
push_options = options(
    option(
        "--private/--public",
        default=None,
        help="Who may see the repo, when it is made.  [default: public, unless the posts are another's]",
    ),
    option(
        "--gated",
        type=click.Choice(["auto", "manual"]),
        help="Let people ask for access: given at once, or by you.",
    ),
    option("--create-pr", is_flag=True, help="Open a pull request in place of a commit."),
    option("--revision", help="The branch that is pushed to.  [default: main]"),
    option("--tag", help="What the commit is tagged.  [default: the next of v1, v2, ...]"),
    option("--commit-message", help="The commit's message."),
)
terms_options = options(
    option("--license", help="The bot's licence, where its base names none; an id of the Hub."),
    option(
        "--consent",
        type=click.Choice(["own", "given"]),
        help="The posts are your own, or their author agreed.",
    ),
)
