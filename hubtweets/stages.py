"""The stages of a run, in order: curate, train, evaluate, sample, card, push.

Each takes the Run, does its work unless nothing changed since the last time, and adds its section to the record. Heavy libraries are imported
by the stage that needs them.
"""

import platform
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets import atomic, posts
from hubtweets.errors import HubtweetsError
from hubtweets.record import (
    Base,
    DatasetInfo,
    Environment,
    Metrics,
    Published,
    Samples,
    Source,
    Target,
    TrainingConfig,
    dumps_public,
)
from hubtweets.run import Run, key_of

if TYPE_CHECKING:
    from hubtweets.publisher import Hub

OLD_CODES = {"in": "id", "iw": "he", "ji": "yi"}  # which X still writes
SAME_RESULT = ("checkpoint_seconds", "logging_steps")  # settings that leave the weights as they are


def curate(run: Run, source: Path) -> None:
    """Read, curate and split the posts."""
    handle = run.record.handle
    sha256 = posts.hash_source(source)
    key = key_of("classic", handle, sha256)
    if run.is_done("curate", key):
        return
    from hubtweets import curation, dataset

    run.say(f"curate: reading {source}")
    reading = posts.read(source, handle)
    kept, counts = curation.curate(handle, reading.posts)
    warning = curation.check_amount(counts)
    train, validation = dataset.split(kept)
    if not train or not validation:
        raise HubtweetsError(f"@{handle}: {counts.kept} kept posts are too few to hold some out; give more posts with --posts")
    run.say(f"curate: {counts.downloaded:,} posts, " + ", ".join(f"{number:,} {name}" for name, number in counts.funnel().items() if number))
    if warning:
        run.say(f"warning: {warning}")
    (run.folder / "dataset").mkdir(exist_ok=True)
    outputs = [run.folder / "posts.parquet", run.folder / "dataset" / "train.parquet", run.folder / "dataset" / "validation.parquet"]
    for path, part in zip(outputs, (reading.posts, train, validation), strict=True):
        dataset.write(part, path)
    avatar = read_avatar(run, reading.avatar)
    dates = sorted(post.created_at for post in kept if post.created_at)
    run.finish(
        "curate",
        key,
        [*outputs, *([run.repo / avatar] if avatar else [])],
        profiles=(replace(reading.profile, handle=handle, avatar=avatar),),
        source=Source(reading.kind, sha256, dates[0] if dates else None, dates[-1] if dates else None),
        counts=(counts,),
        dataset=DatasetInfo(
            train_posts=len(train),
            train_sha256=dataset.fingerprint(train),
            validation_posts=len(validation),
            validation_sha256=dataset.fingerprint(validation),
            language=most_common_language(kept),
        ),
    )


def read_avatar(run: Run, image: bytes | None) -> str | None:
    from hubtweets import pictures

    avatar = pictures.square(image) if image else None
    if avatar is None:
        (run.repo / "avatar.png").unlink(missing_ok=True)
        return None
    atomic.write(run.repo / "avatar.png", avatar)
    return "avatar.png"


def most_common_language(kept: list[posts.Post]) -> str | None:
    """Return the ISO 639-1 code that the source gives to most of the posts, if it gives any (X has its own for "none" and "unknown")."""
    codes = Counter(OLD_CODES.get(post.lang, post.lang) for post in kept if post.lang and re.fullmatch("[a-z]{2}", post.lang))
    return codes.most_common(1)[0][0] if codes else None


def train(run: Run, base: Base, location: str, config: TrainingConfig) -> None:
    """Fine-tune the base on the training posts, from the last checkpoint where there is one; the weights go into repo/."""
    run.outputs("curate")
    info = run.record.dataset
    assert info
    settings = {name: value for name, value in asdict(config).items() if name not in SAME_RESULT}
    key = key_of(settings, base.id, base.revision, info.train_sha256)
    if run.is_done("train", key):
        return
    from hubtweets import dataset, packing, trainer
    from hubtweets.models import context_of, load, save

    model, tokenizer = load(base, location)
    if (context := context_of(model)) and config.block_size > context:
        raise HubtweetsError(f"{base.id} reads {context} tokens at most, not {config.block_size}; type: --block-size {context}")
    checkpoints = run.folder / "checkpoints" / key[:16]
    for other in checkpoints.parent.glob("*"):
        if other != checkpoints:
            shutil.rmtree(other)
    checkpoints.mkdir(parents=True, exist_ok=True)
    needed = 5 * 4 * model.num_parameters()  # bytes: the weights, and a checkpoint with Adam's two moments while the last one is still there
    if (free := shutil.disk_usage(run.folder).free) < needed:
        raise HubtweetsError(f"{run.folder}: {free >> 20:,} MiB are free, training takes {needed >> 20:,} MiB; free some, or use --runs DIR")
    documents = packing.encode(dataset.read_texts(run.folder / "dataset" / "train.parquet"), tokenizer)
    run.say(f"train: {base.id}, {model.num_parameters():,} parameters, on {info.train_posts:,} posts")
    config = replace(config, learning_rate=config.learning_rate or trainer.default_learning_rate(model))
    result = trainer.train(model, documents, config, checkpoints, run.quiet)
    old = [run.folder / output.path for output in run.record.stages["train"].outputs] if "train" in run.record.stages else []
    written = save(model, tokenizer, run.repo, old)
    environment = Environment(
        versions={"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "accelerate")}},
        device=result.device,
        num_processes=result.num_processes,
        mixed_precision=result.mixed_precision,
        seconds=round(result.progress.seconds, 1),
        tokens=result.progress.step * config.batch_size * config.block_size,
    )
    run.finish("train", key, written, base=base, training=config, environment=environment, history=tuple(result.progress.history))
    shutil.rmtree(checkpoints.parent)


def evaluate(run: Run, location: str) -> None:
    """Score the held-out posts with the untouched base and with the tuned model."""
    weights, base, info = run.outputs("train"), run.record.base, run.record.dataset
    assert base and info
    key = key_of([asdict(file) for file in weights], base.id, base.revision, info.validation_sha256)
    if run.is_done("evaluate", key):
        return
    from hubtweets import dataset, evaluation
    from hubtweets.models import load, load_repo

    texts = dataset.read_texts(run.folder / "dataset" / "validation.parquet")
    run.say(f"evaluate: {len(texts):,} held-out posts")
    metrics = Metrics(evaluation.evaluate(*load(base, location), texts), evaluation.evaluate(*load_repo(run.repo), texts))
    before, after = metrics.base.bits_per_byte, metrics.tuned.bits_per_byte
    run.say(f"evaluate: {before:.3f} bits per byte for the untouched base, {after:.3f} for the tuned model ({after / before - 1:+.1%})")
    run.finish("evaluate", key, metrics=metrics)


def sample(run: Run, prompt: str, seed: int, count: int = 5) -> Sequence[str]:
    """Let the tuned model write on from the prompt, and return what it wrote."""
    prompt = posts.well_formed(prompt)
    key = key_of([asdict(file) for file in run.outputs("train")], prompt, seed, count)
    if run.is_done("sample", key) and run.record.samples:
        return run.record.samples.texts
    from hubtweets.models import load_repo
    from hubtweets.sampling import generate

    run.say(f"sample: {count} posts from {prompt!r}")
    texts = generate(*load_repo(run.repo), prompt, count, seed)
    run.finish("sample", key, samples=Samples(prompt, seed, tuple(texts)))
    return texts


def render(run: Run, target: Target) -> None:
    """Render the card, its pictures and the public record into repo/."""
    from hubtweets import card, pictures

    run.update(target=target)
    text = card.render(run.record)
    run.say("card: README.md, predictions.png, pipeline.png, hubtweets.json")
    atomic.write(run.repo / "predictions.png", pictures.predictions(run.record, run.repo))
    atomic.write(run.repo / "pipeline.png", pictures.pipeline(run.record, run.repo))
    atomic.write(run.repo / "hubtweets.json", dumps_public(run.record).encode())
    atomic.write(run.repo / "README.md", text.encode())


def push(run: Run, hub: "Hub", private: bool) -> Published:
    """Push repo/ as it is, in one commit with a tag, and record it."""
    from huggingface_hub.utils import disable_progress_bars

    from hubtweets import publisher

    assert run.record.target
    if run.quiet or not sys.stderr.isatty():
        disable_progress_bars()
    run.check()
    published = publisher.push(hub, run.record.target, run.repo, private, run.say, run.record.published)
    run.update(published=published)
    return published
