"""The options of the commands, in groups.

An option is also read from the environment (HUBTWEETS_BASE_MODEL for --base-model) and from
hubtweets.toml.
"""

from collections.abc import Callable
from typing import Any

import click

from hubtweets.cli.command import option, options
from hubtweets.cli.completion import complete_runs
from hubtweets.cli.types import Finite, PromptType, SourceType
from hubtweets.config import Curation, TrainingConfig
from hubtweets.posts.post import Columns
from hubtweets.stages.run import GPT2, NUM_SAMPLES, PROMPTS

TRAINING, CURATION = TrainingConfig(), Curation()


def posts(name: str, *names: str, **attributes: Any) -> Callable:
    return option("Posts", name, *names, **attributes)


def training(name: str, *names: str, **attributes: Any) -> Callable:
    return option("Training", name, *names, **attributes)


def card(name: str, *names: str, **attributes: Any) -> Callable:
    return option("Card", name, *names, **attributes)


def hub(name: str, *names: str, **attributes: Any) -> Callable:
    return option("Hub", name, *names, **attributes)


def output(name: str, *names: str, **attributes: Any) -> Callable:
    return option("Output", name, *names, **attributes)


handles_argument = click.argument(
    "handles", nargs=-1, required=True, metavar="HANDLE...", shell_complete=complete_runs
)
handle_argument = click.argument("handle", shell_complete=complete_runs)
last_handle_argument = click.argument("handle", required=False, shell_complete=complete_runs)

posts_options = options(
    posts(
        "--posts",
        type=SourceType(),
        multiple=True,
        help="Read posts from this file, folder, x:NAME, mastodon:@NAME@HOST, bluesky:NAME or "
        "dataset:ID; for one of several authors: HANDLE=SOURCE.  [default: HANDLE.zip]",
    ),
    posts(
        "--rules",
        type=click.Choice(["default", "classic"]),
        default=CURATION.rules,
        help="Choose posts by these rules; classic are those of huggingtweets.",
    ),
    posts(
        "--mentions",
        type=click.Choice(["strip", "keep"]),
        default=CURATION.mentions,
        help="Remove or keep the @mentions that lead a reply.",
    ),
    posts(
        "--content-warnings",
        type=click.Choice(["skip", "keep"]),
        default=CURATION.content_warnings,
        help="Skip or keep posts behind a content warning.",
    ),
    posts(
        "--split",
        type=click.Choice(["time", "hash"]),
        help="Hold out the newest tenth of the posts, or a tenth by hash.  "
        "[default: time if nine in ten posts have a date]",
    ),
    posts(
        "--protected-posts",
        is_flag=True,
        help="Read the posts of a protected X account too; the repo is then private by default.",
    ),
    *(
        posts(
            f"--{name}-column",
            help=f"Take the {name} from this column of a table.  [default: found by its name]",
        )
        for name in vars(Columns())
    ),
    posts(
        "--x-price",
        type=Finite(0),
        default=0.005,
        help="Estimate the cost of the X API with this price in dollars per post.",
    ),
    posts("--refresh", is_flag=True, help="Read posts from services again."),
    posts("--yes", is_flag=True, help="Spend what the X API costs without asking."),
)

base_option = training(
    "--base-model",
    "--base",
    default=GPT2,
    help="Fine-tune this model: an id on the Hub, a folder, or tiny, the built-in one.",
)
seed_option = training(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=TRAINING.seed,
    help="Seed the random numbers of training and sampling.",
)
training_options = options(
    training(
        "--num-train-epochs",
        type=Finite(0, min_open=True),
        default=TRAINING.num_train_epochs,
        help="Pass over the posts so many times.",
    ),
    training("--max-steps", type=click.IntRange(1), help="Stop after this many optimizer steps."),
    training(
        "--max-minutes",
        type=Finite(0, min_open=True),
        help="Stop after this many minutes of training.",
    ),
    training(
        "--early-stopping-patience",
        type=click.IntRange(1),
        default=TRAINING.early_stopping_patience,
        help="Stop after this many evaluations without improvement.",
    ),
    training(
        "--eval-steps",
        type=click.IntRange(1),
        help="Evaluate every so many steps.  [default: half an epoch]",
    ),
    training(
        "--learning-rate",
        type=Finite(0, min_open=True),
        help="Set the peak learning rate.  [default: by the width of the base model]",
    ),
    training(
        "--batch-size",
        type=click.IntRange(1),
        default=TRAINING.batch_size,
        help="Use this many sequences per optimizer step, over all processes.",
    ),
    training(
        "--block-size",
        type=click.IntRange(8),
        default=TRAINING.block_size,
        help="Use this many tokens per sequence.",
    ),
    training(
        "--per-device-train-batch-size",
        type=click.IntRange(1),
        help="Process this many sequences at once on a device.  [default: what fits into memory]",
    ),
    training("--lora", is_flag=True, help="Train a low-rank adapter and publish it."),
    training(
        "--merge",
        is_flag=True,
        help="With --lora, publish the base model with the adapter merged in.",
    ),
    training("--save-steps", type=click.IntRange(1), help="Save a checkpoint every so many steps."),
    training(
        "--save-seconds",
        type=Finite(0),
        default=TRAINING.save_seconds,
        help="Save a checkpoint every so many seconds.",
    ),
    seed_option,
)
report_option = training(
    "--report-to",
    type=click.Choice(["tensorboard", "wandb", "trackio", "none"]),
    multiple=True,
    default=["tensorboard"],
    help="Log training to this tracker too; wandb also gets the posts and the model.",
)
processes_option = training(
    "--num-processes",
    type=click.IntRange(1),
    default=1,
    help="Train in this many processes, each on a GPU if there are any.",
)

samples_options = options(
    card(
        "--prompt",
        type=PromptType(),
        multiple=True,
        default=PROMPTS,
        help="Begin samples with this text; the card shows one sample per prompt.",
    ),
    card(
        "--samples",
        type=click.IntRange(1),
        default=NUM_SAMPLES,
        help="Generate this many samples and compare them with the training posts.",
    ),
)
terms_options = options(
    card(
        "--license",
        help="Publish under this licence, an id of the Hub, if the base model names none.",
    ),
    card(
        "--consent",
        type=click.Choice(["own", "given"]),
        help="State that the posts are your own, or that their author agreed.",
    ),
)

hub_option = hub(
    "--hub",
    help="Use the Hub at this URL, or local for the embedded one.  "
    "[default: HF_ENDPOINT, or https://huggingface.co]",
)
hub_options = options(
    hub_option,
    hub(
        "--namespace", help="Publish under this user or organization.  [default: the token's user]"
    ),
)
push_options = options(
    hub(
        "--private/--public",
        default=None,
        help="Make a new repo private or public.  "
        "[default: public, but private for posts of others]",
    ),
    hub(
        "--gated",
        type=click.Choice(["auto", "manual"]),
        help="Let people request access, and grant it automatically or by hand.",
    ),
    hub("--create-pr", is_flag=True, help="Open a pull request instead of committing."),
    hub("--revision", help="Push to this branch.  [default: main]"),
    hub("--tag", help="Tag the commit with this name.  [default: the next of v1, v2, ...]"),
    hub("--commit-message", help="Use this commit message."),
)

runs_option = output(
    "--runs",
    type=click.Path(path_type=str),
    default="runs",
    help="Keep runs in this folder.",
)
quiet_option = output("--quiet", is_flag=True, help="Print only the result.")
