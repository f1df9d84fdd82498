"""Compare what a record says of a run with how hubtweets works.

Checked are settings, split, evaluations, passes and terms. In: a record. Out: what can't be true,
in words. Nothing here needs a file of the repo.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from hubtweets.card import licensing
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import RunRecord

PRECISIONS = ("no", "bf16", "fp16", "fp8")  # accelerate.utils.PrecisionType
MAX_PASSES = 3.0  # as packing.MAX_PASSES, whose import would load torch
MAX_DEVIATIONS = 6  # standard deviations of the posts that a split by hash holds out


WHOLE_NUMBERS = (
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
POSITIVE_NUMBERS = ("num_train_epochs", "max_minutes", "learning_rate", "max_grad_norm")


class Bound(NamedTuple):
    """A setting, its value, and the smallest and the largest value allowed."""

    name: str
    value: float | None
    least: float = 1
    most: float = math.inf


def check_ranges(record: RunRecord) -> Iterator[str]:
    """Compare each number with the range of its option."""
    assert record.environment
    for name, value, least, most in list_bounds(record):
        if value is not None and not least <= value <= most:
            yield f"{name} is {value:g}, which hubtweets does not take"
    if record.environment.mixed_precision not in PRECISIONS:
        yield (
            f"mixed_precision is {record.environment.mixed_precision!r}, "
            "which Accelerate does not know"
        )


def list_bounds(record: RunRecord) -> Iterator[Bound]:
    """Yield the numbers of a record that have a range."""
    training, environment, info = record.training, record.environment, record.dataset
    assert training and environment and info
    for name in WHOLE_NUMBERS:
        yield Bound(name, getattr(training, name))
    for name in POSITIVE_NUMBERS:
        yield Bound(name, getattr(training, name), math.ulp(0.0))
    yield Bound("warmup_ratio", training.warmup_ratio, 0, 1)
    yield Bound("weight_decay", training.weight_decay, 0)
    yield Bound("seed", training.seed, 0, 2**32 - 1)
    yield Bound("num_processes", environment.num_processes)
    for code, share in info.languages.items():
        yield Bound(f"the share of {code}", share, 0, 1.001)


def compare_split(record: RunRecord) -> Iterator[str]:
    """Compare the number of held-out posts with the split: a tenth of each author's by time.

    By hash, one in ten posts is held out, as in `dataset.split_posts`.
    """
    info, rules = record.dataset, record.curation
    assert info and rules
    if rules.split and rules.split != info.split:
        yield f"the posts were to be split by {rules.split}, and were split by {info.split}"
    found = info.validation_posts
    if info.split == "time":
        expected = sum(max(1, counts.kept // 10) for counts in record.counts)
        if found != expected:
            yield f"{found:,} posts were held out, and the last tenth is {expected:,}"
        if any(source.first is None or source.last is None for source in record.sources):
            yield "the posts were split by time, and have no dates"
        return
    kept = sum(counts.kept for counts in record.counts)
    deviation = math.sqrt(kept * 0.09)
    if abs(found - kept / 10) > MAX_DEVIATIONS * deviation + 1:
        yield f"{found:,} of {kept:,} posts were held out, and by hash one in ten is"


def compare_evaluations_with_steps(record: RunRecord) -> Iterator[str]:
    """Compare the steps of evaluations and history with the trainer's intervals.

    Both have the last step, too.
    """
    training, environment = record.training, record.environment
    assert training and environment
    last, evaluated = environment.steps, [one.step for one in record.evaluations]
    if not evaluated or evaluated[-1] != last:
        yield f"there is no evaluation of the last step, {last:,}"
        return
    interval = training.eval_steps or evaluated[0]
    is_regular = all(step == interval * number for number, step in enumerate(evaluated[:-1], 1))
    if len(evaluated) != -(-last // interval) or not is_regular:
        yield f"the evaluations are not {interval:,} steps from each other"
    logged, every = [point.step for point in record.history], training.logging_steps
    # The length is compared first: a forged number of steps may be too large for a set.
    if last // every > len(logged) or set(logged) != {*range(every, last + 1, every), *evaluated}:
        yield f"the history is not of every {every:,} steps and of the evaluations"


def compare_passes(record: RunRecord) -> Iterator[str]:
    """Compare each author's passes in an epoch with the rule of `packing.compute_passes`.

    The authors are balanced: each has as many passes as give all the same number of tokens.
    """
    least, most = min(record.passes, default=1), max(record.passes, default=1)
    is_possible = 0 < least <= 1.0001 and 0.9999 <= most <= MAX_PASSES + 0.0001
    if not is_possible or (len(record.passes) == 1 and least != most):
        passes = " and ".join(f"{number:g}" for number in record.passes)
        yield f"an epoch passes {passes} times over the posts"


def compare_tracking(record: RunRecord) -> Iterator[str]:
    """Compare the trackers with the files."""
    is_tracked = any(tracked.tracker == "tensorboard" for tracked in record.tracked)
    if is_tracked and not any(file.path.startswith("runs/") for file in record.files):
        yield "TensorBoard is said to have tracked the run, and there are no event files in runs/"


def compare_terms(record: RunRecord) -> Iterator[str]:
    """Compare the licence with that of the base (`licensing.choose_terms`)."""
    assert record.base and record.terms
    try:
        allowed = licensing.choose_terms(record.base, record.terms.license.id, record.terms.consent)
    except HubtweetsError as error:
        yield str(error)
        return
    if allowed != record.terms:
        yield f"the licence is {record.terms.license}, and has to be {allowed.license}"
