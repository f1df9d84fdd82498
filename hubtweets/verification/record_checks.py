"""The record against itself and against the files that it speaks of. Nothing here loads a model.

A forger who knows all of these rules can write a record that passes them; each closes a way in which a number could be changed alone.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import requires, version
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from hubtweets import __version__
from hubtweets.files import hash_files
from hubtweets.models.base import TINY, resolve_base
from hubtweets.models.inspection import count_parameters
from hubtweets.record.run_record import Base, Metrics, RunRecord, Score
from hubtweets.record.samples import SAMPLING_SETTINGS
from hubtweets.verification import run_checks
from hubtweets.verification.claims import Bot, Verdict

SAME_SCORE = 0.01  # of the bits per byte: an evaluation in training may be in bf16
SIZE_IN_NAME = re.compile(
    r"(?<![\w.])(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])", re.IGNORECASE
)  # as in Llama-3-70B or SmolLM2-135M
REVISIONS = {
    True: re.compile("[0-9a-f]{40}"),
    False: re.compile("[0-9a-f]{64}"),
}  # of a base on the Hub, and of a local one
SIZES = {"b": 1e9, "m": 1e6}
MAX_SIZE_RATIO = 2.0  # between a size in a name and the parameters that are there: names round, and some leave the embeddings out
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


def check_scores(bot: Bot) -> Verdict:
    """Bits per byte and perplexity, which are two ways to say the same, agree, and the authors' make up the whole."""
    metrics = bot.record.metrics
    assert metrics
    for whose, scored in (
        ("all", metrics),
        *((f"author {number}", one) for number, one in enumerate(bot.record.metrics_by_author, 1)),
    ):
        for name, score in (("base", scored.base), ("tuned", scored.tuned)):
            if not math.isclose(
                nats(score), score.tokens * math.log(score.perplexity), rel_tol=1e-6, abs_tol=1e-9
            ):
                return (
                    False,
                    f"{score.bits_per_byte:g} bits per byte and a perplexity of {score.perplexity:g} don't agree ({name}, {whose})",
                )
    for name in ("base", "tuned"):
        whole, parts = (
            getattr(metrics, name),
            [getattr(one, name) for one in bot.record.metrics_by_author],
        )
        if not math.isclose(nats(whole), sum(map(nats, parts)), rel_tol=1e-6) or whole.bytes != sum(
            part.bytes for part in parts
        ):
            return False, f"the authors' scores don't make up the whole ({name})"
    return True, f"{describe(metrics)}; they agree with each other"


def nats(score: Score) -> float:
    return score.bits_per_byte * math.log(2) * score.bytes


def describe(metrics: Metrics) -> str:
    return f"{metrics.tuned.bits_per_byte:.3f} bits per byte, {metrics.base.bits_per_byte:.3f} of the untouched base"


def check_base(bot: Bot) -> Verdict:
    """The weights can come from the base that is named: parameters, vocabulary, and the embedded base's own files."""
    record, files = bot.record, bot.files()
    assert record.base and record.environment and record.training
    if not REVISIONS[record.base.on_hub].fullmatch(record.base.revision):
        return (
            False,
            f"{record.base.revision!r} is not {'a commit' if record.base.on_hub else 'the SHA-256 of a local base'}",
        )
    found = sum(
        count_parameters(file) for path, file in files.items() if path.endswith(".safetensors")
    )
    if found != record.environment.parameters:
        return (
            False,
            f"the weights have {found:,} parameters, and the record says {record.environment.parameters:,}",
        )
    if ("adapter_config.json" in files) != (record.training.lora == "adapter"):
        return (
            False,
            "there is an adapter_config.json, and the record says nothing of an adapter"
            if record.training.lora != "adapter"
            else "the adapter has no adapter_config.json",
        )
    if record.training.lora == "adapter":
        if wrong := compare_adapter(
            record.base, json.loads(files["adapter_config.json"].read_bytes())
        ):
            return False, wrong
        return (
            True,
            f"an adapter of {found:,} parameters, as the record says; its base is on the publisher's word",
        )
    if size := SIZE_IN_NAME.search(record.base.id):
        named = float(size[1]) * SIZES[size[2].lower()]
        if not 1 / MAX_SIZE_RATIO <= found / named <= MAX_SIZE_RATIO:
            return (
                False,
                f"the weights have {found:,} parameters, and {record.base.id} has about {size[0]}",
            )
    config, tokenizer = (
        json.loads(files[name].read_bytes()) for name in ("config.json", "tokenizer.json")
    )
    tokens = count_tokens(tokenizer)
    rows = config.get("vocab_size") or (config.get("text_config") or {}).get("vocab_size")
    if not isinstance(rows, int) or tokens > rows:
        return False, f"the tokenizer has {tokens:,} tokens, and the model knows {rows}"
    if record.base.id == "tiny" and not record.base.on_hub:
        return compare_with_tiny(record, config, tokenizer)
    return (
        True,
        f"{found:,} parameters and {tokens:,} tokens, as the record says; the base itself is compared with --deep",
    )


def compare_adapter(base: Base, config: dict) -> str | None:
    """Say which base an adapter is loaded on if it is another one than the record names."""
    loaded = config.get("base_model_name_or_path"), config.get("revision")
    return (
        None
        if loaded == (base.id, base.revision)
        else f"the adapter is loaded on {loaded[0]} at {loaded[1]}, not on {base.id} at {base.revision}"
    )


def count_tokens(tokenizer: dict) -> int:
    """Return the largest id of a tokenizer.json, plus one; the vocabulary of a Unigram model is a list, of others a mapping."""
    vocabulary = tokenizer["model"]["vocab"]
    largest = (
        len(vocabulary) - 1
        if isinstance(vocabulary, list)
        else max(vocabulary.values(), default=-1)
    )
    return max([largest, *(one["id"] for one in tokenizer.get("added_tokens") or ())]) + 1


def compare_with_tiny(record: RunRecord, config: dict, tokenizer: dict) -> Verdict:
    """Compare with the embedded base, which is here."""
    assert record.base and record.environment
    if record.base.revision != hash_files(sorted(TINY.glob("*.safetensors"))):
        return None, "its base is the `tiny` of another version of hubtweets"
    if record.base != (tiny := resolve_base("tiny")[0]):
        return False, f"the record says of `tiny` {record.base}, and it is {tiny}"
    own, words = (
        json.loads((TINY / name).read_bytes()) for name in ("config.json", "tokenizer.json")
    )
    if tokenizer["model"]["vocab"] != words["model"]["vocab"]:
        return False, "the tokenizer is not that of `tiny`"
    for key in ("model_type", "vocab_size", "n_embd", "n_layer", "n_head", "n_positions"):
        if config.get(key) != own.get(key):
            return False, f"{key} is {config.get(key)}, and {own.get(key)} in `tiny`"
    return (
        True,
        f"{record.environment.parameters:,} parameters, of the shape and with the tokenizer of `tiny`",
    )


def check_settings(bot: Bot) -> Verdict:
    """The samples were drawn with hubtweets' own settings, which generation_config.json has too."""
    samples = bot.record.samples
    assert samples
    if bot.record.hubtweets_version != __version__:
        return (
            None,
            f"drawn by another hubtweets; type: pip install hubtweets=={bot.record.hubtweets_version}",
        )
    for name, value in SAMPLING_SETTINGS.items():
        if samples.settings.get(name) != value:
            return (
                False,
                f"{name} is {samples.settings.get(name)}, and hubtweets samples with {value:g}",
            )
    file = bot.files().get("generation_config.json")
    config = json.loads(file.read_bytes()) if file else {}
    for name, value in SAMPLING_SETTINGS.items():
        if config.get(name) != value:
            return (
                False,
                f"generation_config.json has {name} {config.get(name)}, and hubtweets samples with {value:g}",
            )
    extra = sorted(
        set(config)
        - set(SAMPLING_SETTINGS)
        - {
            "do_sample",
            "bos_token_id",
            "eos_token_id",
            "pad_token_id",
            "transformers_version",
            "_from_model_config",
        }
    )
    if extra or config.get("do_sample") is not True:
        return (
            False,
            f"generation_config.json sets {extra[0] if extra else 'do_sample'} too, and hubtweets does not",
        )
    return True, ", ".join(f"{name} {value:g}" for name, value in SAMPLING_SETTINGS.items())
