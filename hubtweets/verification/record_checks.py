"""The record against itself and against the files that it speaks of. Nothing here loads a model.

A forger who knows all of these rules can write a record that passes them; each closes a way in which a number could be changed alone.
"""

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import requires, version
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from hubtweets import __version__
from hubtweets.record.run_record import RunRecord
from hubtweets.verification import run_checks
from hubtweets.verification.claims import Bot, Verdict

SAME_SCORE = 0.01  # of the bits per byte: an evaluation in training may be in bf16
VERSIONS = ("python", "torch", "transformers", "accelerate")
PYTHON = ">=3.11,<4"


def check_consistency(bot: Bot) -> Verdict:
    """The record's numbers agree with each other: authors, funnel, split, steps, tokens, evaluations, history, versions and dates."""
    record = bot.record
    if wrong := next(find_contradictions(record, bot.committed), None):
        return False, wrong
    assert record.dataset and record.environment
    posts, steps = (
        record.dataset.train_posts + record.dataset.validation_posts,
        record.environment.steps,
    )
    return True, f"{posts:,} kept posts, {steps:,} steps, versions and dates agree with each other"


def find_contradictions(record: RunRecord, committed: str | None) -> Iterator[str]:
    """Yield what in a record can't be true, in words."""
    checks: list[Callable[[RunRecord], Iterator[str]]] = [
        run_checks.check_ranges,
        compare_authors,
        compare_posts,
        compare_steps,
        compare_evaluations,
        compare_history,
        run_checks.compare_split,
        run_checks.compare_evaluations_with_steps,
        run_checks.compare_passes,
        run_checks.compare_terms,
        check_versions,
    ]
    for check in checks:
        yield from check(record)
    yield from check_dates(record, committed)


def compare_authors(record: RunRecord) -> Iterator[str]:
    handles = [profile.handle for profile in record.profiles]
    if record.handle != "-".join(handles):
        yield f"the bot of {' and '.join(handles)} is called {record.handle}"
    if [counts.handle for counts in record.counts] != handles:
        yield "the stats are of other authors than the profiles"
    for name in ("sources", "passes", "metrics_by_author"):
        if len(getattr(record, name)) != len(handles):
            yield f"{len(getattr(record, name))} {name} of {len(handles)} authors"


def compare_posts(record: RunRecord) -> Iterator[str]:
    info = record.dataset
    assert info and record.metrics
    kept, sides = (
        sum(counts.kept for counts in record.counts),
        info.train_posts + info.validation_posts,
    )
    if kept != sides:
        yield f"{kept:,} posts are kept, and {info.train_posts:,} + {info.validation_posts:,} were trained on or held out"
    if min(info.train_posts, info.validation_posts) < 1:
        yield "no posts were trained on, or none held out"
    for counts in record.counts:
        if (
            min(counts.funnel().values()) < 0
            or not 0 <= counts.masked <= counts.kept
            or counts.characters < counts.kept
        ):
            yield f"@{counts.handle}: {counts.kept:,} kept posts, of which {counts.masked:,} are masked, have {counts.characters:,} characters"
    characters = sum(counts.characters for counts in record.counts)
    for score in (record.metrics.base, record.metrics.tuned):
        if not 0 < score.bytes <= 4 * characters or score.bytes != record.metrics.base.bytes:
            yield f"{score.bytes:,} bytes of held-out posts were scored, and all kept posts have {characters:,} characters"
    if not 0 <= sum(info.languages.values()) <= 1.001:
        yield "the shares of the languages are more than the whole"


def compare_steps(record: RunRecord) -> Iterator[str]:
    training, environment, info = record.training, record.environment, record.dataset
    assert training and environment and info
    size = training.batch_size * training.block_size
    if environment.packed and environment.tokens != environment.steps * size:
        yield f"{environment.steps:,} steps of {size:,} tokens are not {environment.tokens:,} tokens"
    if (
        not environment.packed
        and abs(environment.tokens - environment.steps * size) > 2 * size + environment.steps
    ):
        yield f"{environment.steps:,} steps of about {size:,} tokens are not {environment.tokens:,} tokens"
    if training.max_steps is not None and environment.steps > training.max_steps:
        yield f"{environment.steps:,} steps are more than the limit, {training.max_steps:,}"
    characters = sum(counts.characters for counts in record.counts)
    most = (
        training.num_train_epochs * (4 * characters + 3 * info.train_posts) + size
    )  # a token has a byte at least, a post BOS, EOS and maybe a space
    if environment.tokens > most:
        yield f"{environment.tokens:,} tokens are more than {training.num_train_epochs:g} epochs of {characters:,} characters"
    if not 1 <= environment.published_step <= environment.steps or environment.seconds <= 0:
        yield f"step {environment.published_step:,} of {environment.steps:,} is published after {environment.seconds:g} s"


def compare_evaluations(record: RunRecord) -> Iterator[str]:
    environment, metrics, training = record.environment, record.metrics, record.training
    assert environment and metrics and training
    scored = {one.step: one.bits_per_byte for one in record.evaluations}
    steps = [one.step for one in record.evaluations]
    if any(later <= earlier for earlier, later in pairwise(steps)) or (
        steps and not 1 <= steps[0] <= steps[-1] <= environment.steps
    ):
        yield "the evaluations are not in the order of their steps"
    if not scored:
        return
    best = min(scored.values())
    published = scored.get(environment.published_step)
    if published is None or published > best:
        yield f"step {environment.published_step:,} is published, but step {min(scored, key=lambda step: scored[step]):,} scored best"
    elif not math.isclose(published, metrics.tuned.bits_per_byte, rel_tol=SAME_SCORE):
        yield f"{metrics.tuned.bits_per_byte:.4f} bits per byte, but the evaluation of step {environment.published_step:,} gave {published:.4f}"
    if sum(step > environment.published_step for step in steps) > training.early_stopping_patience:
        yield f"{sum(step > environment.published_step for step in steps)} evaluations without a better one, and a patience of {training.early_stopping_patience}"


def compare_history(record: RunRecord) -> Iterator[str]:
    environment, training = record.environment, record.training
    assert environment and training
    steps = [point.step for point in record.history]
    if any(later <= earlier for earlier, later in pairwise(steps)) or (
        steps and (steps[0] < 1 or steps[-1] != environment.steps)
    ):
        yield "the history does not go from the first step to the last"
    peak = training.learning_rate or environment.default_learning_rate
    for point in record.history:
        if not 0 <= point.learning_rate <= peak * 1.000001 or not 0 <= point.loss < 100:
            yield f"a loss of {point.loss:g} at a learning rate of {point.learning_rate:g} in step {point.step:,}, whose peak is {peak:g}"


def check_versions(record: RunRecord) -> Iterator[str]:
    """Compare the versions with what this hubtweets needs, and with the next major version of what is installed here."""
    assert record.environment
    named = record.environment.versions
    if set(named) != set(VERSIONS):
        yield f"the versions are of {', '.join(named)}, not of {', '.join(VERSIONS)}"
        return
    needed = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, requires("hubtweets") or [])
    }
    for name, text in named.items():
        try:
            found = Version(text)
        except InvalidVersion:
            yield f"{name} {text} is not a version"
            continue
        if name == "python":
            allowed = found in Requirement(f"python{PYTHON}").specifier
        else:
            allowed = (
                needed[name].contains(found, prereleases=True)
                and found.major <= Version(version(name)).major + 1
            )
        if record.hubtweets_version == __version__ and not allowed:
            yield f"hubtweets {__version__} does not run with {name} {text}"


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
            yield f"@{profile.handle}: the posts are from {source.first} to {source.last}, and the commit from {committed}"
