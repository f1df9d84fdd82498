"""Check that the record does not contradict itself. Nothing here loads a model.

In: a record. Out: what can't be true, in words. A forger who knows all of these rules can write a
record that passes them; each rule stops one way to change a single number.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import requires, version
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from hubtweets import __version__
from hubtweets.record.run_record import RunRecord
from hubtweets.verification import run_checks
from hubtweets.verification.claims import Bot, Verdict

SAME_SCORE = 0.01  # of the bits per byte: an evaluation in training may be in bf16
VERSIONS = ("python", "torch", "transformers", "accelerate")
PYTHON = ">=3.11,<4"
MAX_LOSS = 100  # nats per token


def check_consistency(bot: Bot) -> Verdict:
    """The record's numbers, versions and dates agree with each other."""
    record = bot.record
    if wrong := next(find_contradictions(record, bot.committed), None):
        return False, wrong
    assert record.dataset and record.environment
    posts = record.dataset.train_posts + record.dataset.validation_posts
    steps = record.environment.steps
    return True, f"{posts:,} kept posts, {steps:,} steps, versions and dates agree with each other"


def find_contradictions(record: RunRecord, committed: str | None) -> Iterator[str]:
    """Yield what in a record can't be true, in words."""
    checks: list[Callable[[RunRecord], Iterator[str]]] = [
        run_checks.check_ranges,
        compare_authors,
        compare_posts,
        compare_counts,
        compare_scored_bytes,
        compare_tokens,
        compare_steps,
        compare_evaluations,
        compare_history,
        run_checks.compare_split,
        run_checks.compare_evaluations_with_steps,
        run_checks.compare_passes,
        run_checks.compare_tracking,
        run_checks.compare_terms,
        check_versions,
    ]
    for check in checks:
        yield from check(record)
    yield from check_dates(record, committed)


def compare_authors(record: RunRecord) -> Iterator[str]:
    """Compare the parts of the record that have one item for each author."""
    handles = [profile.handle for profile in record.profiles]
    if record.handle != "-".join(handles):
        yield f"the bot of {' and '.join(handles)} is called {record.handle}"
    if [counts.handle for counts in record.counts] != handles:
        yield "the stats are of other authors than the profiles"
    for name in ("sources", "passes", "metrics_by_author"):
        if len(getattr(record, name)) != len(handles):
            yield f"{len(getattr(record, name))} {name} of {len(handles)} authors"


def compare_posts(record: RunRecord) -> Iterator[str]:
    """Compare the kept posts with those that were trained on or held out."""
    info = record.dataset
    assert info
    kept = sum(counts.kept for counts in record.counts)
    if kept != info.train_posts + info.validation_posts:
        yield (
            f"{kept:,} posts are kept, and {info.train_posts:,} + {info.validation_posts:,} "
            "were trained on or held out"
        )
    if min(info.train_posts, info.validation_posts) < 1:
        yield "no posts were trained on, or none held out"


def compare_counts(record: RunRecord) -> Iterator[str]:
    """Compare each author's counts with each other."""
    for counts in record.counts:
        is_negative = min(counts.funnel().values()) < 0
        if is_negative or not 0 <= counts.masked <= counts.kept or counts.characters < counts.kept:
            yield (
                f"@{counts.handle}: {counts.kept:,} kept posts, of which {counts.masked:,} "
                f"are masked, have {counts.characters:,} characters"
            )


def compare_scored_bytes(record: RunRecord) -> Iterator[str]:
    """Compare the scored bytes with the characters of the kept posts, and add up the languages."""
    assert record.dataset and record.metrics
    characters = sum(counts.characters for counts in record.counts)
    base, tuned = record.metrics.base, record.metrics.tuned
    for score in (base, tuned):
        if not 0 < score.bytes <= 4 * characters or score.bytes != base.bytes:
            yield (
                f"{score.bytes:,} bytes of held-out posts were scored, "
                f"and all kept posts have {characters:,} characters"
            )
    if not 0 <= sum(record.dataset.languages.values()) <= 1.001:
        yield "the shares of the languages are more than the whole"


def compare_steps(record: RunRecord) -> Iterator[str]:
    """Compare the steps with their limit, and with the published one."""
    training, environment = record.training, record.environment
    assert training and environment
    steps, published = environment.steps, environment.published_step
    if training.max_steps is not None and steps > training.max_steps:
        yield f"{steps:,} steps are more than the limit, {training.max_steps:,}"
    if not 1 <= published <= steps or environment.seconds <= 0:
        yield f"step {published:,} of {steps:,} is published after {environment.seconds:g} s"


def compare_tokens(record: RunRecord) -> Iterator[str]:
    """Compare the tokens with the steps, and with the characters of the posts."""
    training, environment, info = record.training, record.environment, record.dataset
    assert training and environment and info
    size = training.batch_size * training.block_size
    steps, tokens, epochs = environment.steps, environment.tokens, training.num_train_epochs
    difference = abs(tokens - steps * size)
    if environment.packed and difference:
        yield f"{steps:,} steps of {size:,} tokens are not {tokens:,} tokens"
    if not environment.packed and difference > 2 * size + steps:
        yield f"{steps:,} steps of about {size:,} tokens are not {tokens:,} tokens"
    characters = sum(counts.characters for counts in record.counts)
    # A token has a byte at least; a post has BOS, EOS and maybe a space.
    if tokens > epochs * (4 * characters + 3 * info.train_posts) + size:
        yield f"{tokens:,} tokens are more than {epochs:g} epochs of {characters:,} characters"


def is_rising(steps: Sequence[int]) -> bool:
    return all(earlier < later for earlier, later in pairwise(steps))


def compare_evaluations(record: RunRecord) -> Iterator[str]:
    """Compare the evaluations with the published step, its score and the early stopping."""
    environment, metrics, training = record.environment, record.metrics, record.training
    assert environment and metrics and training
    scored = {one.step: one.bits_per_byte for one in record.evaluations}
    steps = [one.step for one in record.evaluations]
    if not is_rising(steps) or (steps and not 1 <= steps[0] <= steps[-1] <= environment.steps):
        yield "the evaluations are not in the order of their steps"
    if not scored:
        return
    step = environment.published_step
    best, score, stated = min(scored, key=scored.__getitem__), scored.get(step), metrics.tuned
    if score is None or score > scored[best]:
        yield f"step {step:,} is published, but step {best:,} scored best"
    elif not math.isclose(score, stated.bits_per_byte, rel_tol=SAME_SCORE):
        yield (
            f"{stated.bits_per_byte:.4f} bits per byte, "
            f"but the evaluation of step {step:,} gave {score:.4f}"
        )
    later, patience = sum(one > step for one in steps), training.early_stopping_patience
    if later > patience:
        yield f"{later} evaluations without a better one, and a patience of {patience}"


def compare_history(record: RunRecord) -> Iterator[str]:
    """Compare the history with the steps, and with the peak of the learning rate."""
    environment, training = record.environment, record.training
    assert environment and training
    steps = [point.step for point in record.history]
    if not is_rising(steps) or (steps and (steps[0] < 1 or steps[-1] != environment.steps)):
        yield "the history does not go from the first step to the last"
    peak = training.learning_rate or environment.default_learning_rate
    for point in record.history:
        if not 0 <= point.learning_rate <= peak * 1.000001 or not 0 <= point.loss < MAX_LOSS:
            yield (
                f"a loss of {point.loss:g} at a learning rate of {point.learning_rate:g} "
                f"in step {point.step:,}, whose peak is {peak:g}"
            )


def check_versions(record: RunRecord) -> Iterator[str]:
    """Compare the versions with those that this hubtweets can run with."""
    assert record.environment
    named = record.environment.versions
    if set(named) != set(VERSIONS):
        yield f"the versions are of {', '.join(named)}, not of {', '.join(VERSIONS)}"
        return
    for name, text in named.items():
        try:
            found = Version(text)
        except InvalidVersion:
            yield f"{name} {text} is not a version"
            continue
        if record.hubtweets_version == __version__ and not is_supported(name, found):
            yield f"hubtweets {__version__} does not run with {name} {text}"


def is_supported(name: str, found: Version) -> bool:
    """Return whether a version is one that this hubtweets requires.

    Of a package, it is at most the next major version of what is installed here.
    """
    if name == "python":
        return found in SpecifierSet(PYTHON)
    is_needed = read_requirements()[name].contains(found, prereleases=True)
    return is_needed and found.major <= find_installed(name).major + 1


@cache
def find_installed(name: str) -> Version:
    return Version(version(name))


@cache
def read_requirements() -> dict[str, SpecifierSet]:
    """Return the versions of each package that this hubtweets requires."""
    requirements = map(Requirement, requires("hubtweets") or [])
    return {requirement.name: requirement.specifier for requirement in requirements}


def check_dates(record: RunRecord, committed: str | None) -> Iterator[str]:
    """Compare each source's first and last post, and the last one with the commit."""
    for profile, source in zip(record.profiles, record.sources, strict=False):
        dates = [date for date in (source.first, source.last, committed) if date]
        try:
            moments = [datetime.fromisoformat(date) for date in dates]
            in_order = moments == sorted(moments)
        except (ValueError, TypeError):
            in_order = False
        if not in_order:
            yield (
                f"@{profile.handle}: the posts are from {source.first} to {source.last}, "
                f"and the commit from {committed}"
            )
