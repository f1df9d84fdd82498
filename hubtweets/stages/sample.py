"""Generates samples with the tuned model, audits them, and picks those that the card shows."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from hubtweets.errors import HubtweetsError
from hubtweets.progress import activity, track
from hubtweets.record.run_folder import RunFolder, hash_key
from hubtweets.record.samples import SAMPLING_SETTINGS, MemorizationAudit, Sample, Samples
from hubtweets.text import replace_surrogates

if TYPE_CHECKING:
    from hubtweets.models.untrusted import Loaded


def sample(run: RunFolder, prompts: Sequence[str], seed: int, count: int) -> None:
    """Generate `count` samples over the prompts, audit them, and pick one of each prompt."""
    info = run.record.dataset
    assert info
    prompts = list(dict.fromkeys(replace_surrogates(prompt) for prompt in prompts))
    weights = [asdict(file) for file in run.list_outputs("train")]
    key = hash_key(weights, info.train_sha256, info.validation_sha256, prompts, seed, count)
    if run.is_done("sample", key):
        return
    from hubtweets.evaluation import memorization
    from hubtweets.models.loading import load_repo

    run.log(f"sample: {count} posts from {', '.join(map(repr, prompts))}")
    with activity("loading the model"):
        loaded = load_repo(run.repo)
    written = list(track(generate_samples(loaded, prompts, seed, count), "samples", count))
    texts = [text for _, text in written]
    with activity("comparing the samples with the posts"):
        audit, measured = memorization.audit(
            texts, read_texts(run, "validation"), read_texts(run, "train")
        )
    log_audit(run, audit)
    samples = tuple(
        Sample(prompt, text, overlap)
        for (prompt, text), overlap in zip(written, measured, strict=True)
    )
    picked = pick_one_of_each(loaded, prompts, samples, audit)
    settings = {
        name: float(getattr(loaded[0].generation_config, name)) for name in SAMPLING_SETTINGS
    }
    run.finish("sample", key, samples=Samples(seed, settings, samples, picked), audit=audit)


def generate_samples(
    loaded: "Loaded", prompts: Sequence[str], seed: int, count: int
) -> Iterator[tuple[str, str]]:
    """Yield prompts with their samples, personal data masked; the first prompts get one more."""
    from hubtweets.evaluation.sampling import generate_stream
    from hubtweets.posts.pii.scrub import scrub  # a base may have learnt addresses elsewhere

    for number, prompt in enumerate(prompts):
        share = count // len(prompts) + (number < count % len(prompts))
        for text in generate_stream(*loaded, prompt, share, (seed + number) % 2**32):
            yield prompt, scrub(text)[0]


def read_texts(run: RunFolder, side: str) -> list[str]:
    """Return all authors' posts of one side of the split."""
    from hubtweets.curation import dataset

    authors = dataset.read_texts(run.folder / "dataset" / f"{side}.parquet")
    return [text for texts in authors.values() for text in texts]


def log_audit(run: RunFolder, audit: MemorizationAudit) -> None:
    """Log how many samples are copies; warn if that is more than among the held-out posts."""
    run.log(
        f"sample: {audit.copies} of {audit.samples} copy a post ({audit.rate:.1%}), "
        f"as do {audit.floor:.1%} of the held-out posts"
    )
    if audit.is_repetitive:
        run.warn(
            "this model repeats its posts; fewer --num-train-epochs, or more posts, "
            "make it write more of its own"
        )


def pick_one_of_each(
    loaded: "Loaded",
    prompts: Sequence[str],
    samples: Sequence[Sample],
    audit: MemorizationAudit,
) -> tuple[int, ...]:
    """Return, for each prompt, the number of its first sample that the card may show."""
    from hubtweets.evaluation.sampling import can_generate

    picked, showable = [], audit.list_showable(samples)
    for prompt in prompts:
        for number in showable:
            one = samples[number - 1]
            if one.prompt == prompt and can_generate(*loaded, prompt, one.text or ""):
                picked.append(number)
                break
    return tuple(picked)


def pick(run: RunFolder, numbers: Sequence[int]) -> None:
    """Have card and thumbnail show these samples.

    Raises HubtweetsError for a number that does not exist, or that may not be shown.
    """
    samples, audit = run.record.samples, run.record.audit
    name = run.record.handle
    if samples is None or audit is None:
        raise HubtweetsError(f"{run.folder}: no samples yet; type first: hubtweets sample {name}")
    again = f"hubtweets sample {name} --pick"
    showable, count = set(audit.list_showable(samples.samples)), len(samples.samples)
    for number in numbers:
        if not 1 <= number <= count:
            raise HubtweetsError(f"{number}: there are samples 1 to {count}; type: {again}")
        if number not in showable:
            raise HubtweetsError(
                f"{number}: this sample copies a post, or adds nothing to its prompt; "
                f"pick another: {again}"
            )
    check_can_generate(run, samples, numbers, again)
    run.update(samples=replace(samples, picked=tuple(numbers), chosen=True))
    listed = ", ".join(map(str, numbers))
    run.log(f"picked {listed}; to publish that, type: hubtweets push {name}")


def check_can_generate(
    run: RunFolder, samples: Samples, numbers: Sequence[int], again: str
) -> None:
    """Raise HubtweetsError if a sample's text does not tell in which tokens it was written."""
    from hubtweets.evaluation.sampling import can_generate
    from hubtweets.models.loading import load_repo

    run.check_outputs("train")
    loaded = load_repo(run.repo)
    for number in numbers:
        one = samples.samples[number - 1]
        if not can_generate(*loaded, one.prompt, one.text or ""):
            raise HubtweetsError(
                f"{number}: this sample has a broken character and can't be shown; "
                f"pick another: {again}"
            )
