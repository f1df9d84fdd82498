"""What a record says of a run against how hubtweets works: its settings, its split, its evaluations, its terms.

In: a record. Out: what can't be true, in words. Nothing here needs a file of the repo.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from hubtweets.card import licensing
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import RunRecord

PRECISIONS = ("no", "bf16", "fp16", "fp8")  # accelerate.utils.PrecisionType
MAX_PASSES = 3.0  # packing.MOST_PASSES, which is not imported because that loads torch
MAX_DEVIATIONS = 6  # standard deviations of the posts that a split by hash holds out


class Bound(NamedTuple):
    """A setting, its value, and the smallest and the largest that it can have."""

    name: str
    value: float | None
    least: float = 1
    most: float = math.inf


def check_ranges(record: RunRecord) -> Iterator[str]:
    """Compare each number with what the options let it be."""
    training, environment, info = record.training, record.environment, record.dataset
    assert training and environment and info
    positive = math.ulp(0.0)
    whole = (
        "max_steps",
        "batch_size",
        "block_size",
        "per_device_train_batch_size",
        "eval_steps",
        "early_stopping_patience",
        "logging_steps",
        "save_steps",
        "lora_r",
    )
    bounds = [Bound(name, getattr(training, name)) for name in whole]
    bounds += [
        Bound(name, getattr(training, name), positive)
        for name in ("num_train_epochs", "max_minutes", "learning_rate", "max_grad_norm")
    ]
    bounds += [
        Bound("warmup_ratio", training.warmup_ratio, 0, 1),
        Bound("weight_decay", training.weight_decay, 0),
    ]
    bounds += [
        Bound("seed", training.seed, 0, 2**32 - 1),
        Bound("num_processes", environment.num_processes),
    ]
    bounds += [
        Bound(f"the share of {code}", share, 0, 1.001) for code, share in info.languages.items()
    ]
    for name, value, least, most in bounds:
        if value is not None and not least <= value <= most:
            yield f"{name} is {value:g}, which hubtweets does not take"
    if environment.mixed_precision not in PRECISIONS:
        yield f"mixed_precision is {environment.mixed_precision!r}, which Accelerate does not know"


def compare_split(record: RunRecord) -> Iterator[str]:
    """Compare how many posts were held out with the rule of the split (`dataset.split`): by time a tenth of each author's, by hash one in ten."""
    info, rules = record.dataset, record.curation
    assert info and rules
    if rules.split and rules.split != info.split:
        yield f"the posts were to be split by {rules.split}, and were split by {info.split}"
    kept = sum(counts.kept for counts in record.counts)
    if info.split == "time":
        held_out = sum(max(1, counts.kept // 10) for counts in record.counts)
        if info.validation_posts != held_out:
            yield f"{info.validation_posts:,} posts were held out, and the last tenth is {held_out:,}"
        if any(source.first is None or source.last is None for source in record.sources):
            yield "the posts were split by time, and have no dates"
    elif abs(info.validation_posts - kept / 10) > MAX_DEVIATIONS * math.sqrt(kept * 0.09) + 1:
        yield f"{info.validation_posts:,} of {kept:,} posts were held out, and by hash one in ten is"


def compare_evaluations_with_steps(record: RunRecord) -> Iterator[str]:
    """Compare the steps of evaluations and history with when the trainer makes them: at equal distances, and after the last step."""
    training, environment = record.training, record.environment
    assert training and environment
    last, evaluated = environment.steps, [one.step for one in record.evaluations]
    if not evaluated or evaluated[-1] != last:
        yield f"there is no evaluation of the last step, {last:,}"
        return
    distance = training.eval_steps or evaluated[0]
    if len(evaluated) != -(-last // distance) or any(
        step != distance * number for number, step in enumerate(evaluated[:-1], 1)
    ):
        yield f"the evaluations are not {distance:,} steps from each other"
    logged = [point.step for point in record.history]
    if last // training.logging_steps > len(logged) or set(logged) != {
        *range(training.logging_steps, last + 1, training.logging_steps),
        *evaluated,
    }:
        yield f"the history is not of every {training.logging_steps:,} steps and of the evaluations"


def compare_passes(record: RunRecord) -> Iterator[str]:
    """Compare how often each author's posts come in an epoch with the rule (`packing.passes`): as many tokens as the authors have together."""
    least, most = min(record.passes, default=1), max(record.passes, default=1)
    if (
        not 0 < least <= 1.0001
        or not 0.9999 <= most <= MAX_PASSES + 0.0001
        or (len(record.passes) == 1 and least != most)
    ):
        yield f"an epoch passes {' and '.join(f'{number:g}' for number in record.passes)} times over the posts"
    if any(tracked.tracker == "tensorboard" for tracked in record.tracked) and not any(
        file.path.startswith("runs/") for file in record.files
    ):
        yield "TensorBoard is said to have tracked the run, and there are no event files in runs/"


def compare_terms(record: RunRecord) -> Iterator[str]:
    """Compare the licence with that of the base (`terms.terms_of`)."""
    assert record.base and record.terms
    try:
        allowed = licensing.choose_terms(record.base, record.terms.license.id, record.terms.consent)
    except HubtweetsError as error:
        yield str(error)
        return
    if allowed != record.terms:
        yield f"the licence is {record.terms.license}, and has to be {allowed.license}"
