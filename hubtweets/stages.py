"""The stages that make a model, in order: curate, train, evaluate; what becomes of it is `release`.

Each takes the Run, does its work unless nothing changed since the last time, and adds its section to the record. Heavy libraries are imported
by the stage that needs them.
"""

import json
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from hubtweets import __version__
from hubtweets import files as atomic
from hubtweets.errors import HubtweetsError
from hubtweets.files import check_training_space
from hubtweets.models import inspection
from hubtweets.posts import sources
from hubtweets.posts.post import Columns, Post, Reading
from hubtweets.posts.sources import Fetching
from hubtweets.record.config import Curation, TrainingConfig
from hubtweets.record.run_folder import Run, key_of, training_settings, world_size
from hubtweets.record.run_record import Base, DatasetInfo, Environment, Metrics, Source, Tracker

EXPLAINED = "explained.jsonl"
PROTECTED = "the account is protected, so its posts are for its followers; if it is yours, and you want them read, type: --protected-posts"


def curate(run: Run, named: Mapping[str, str], columns: Columns, rules: Curation, fetching: Fetching, protected: bool = False) -> None:
    """Read each author's posts from the source that is named for the handle, curate and split them.

    The posts of a protected account are left out unless `protected` asks for them.
    """
    if run.record.profiles and list(named) != [profile.handle for profile in run.record.profiles]:
        raise HubtweetsError(f"{run.folder}: the bot of {run.authors}, not of {' '.join(named)}; choose another folder with --runs DIR")
    paths = {handle: sources.locate(source, run.folder / "sources", columns, fetching, run.say) for handle, source in named.items()}
    hashes = {handle: sources.sha256(path) for handle, path in paths.items()}
    key = key_of(__version__, asdict(rules), asdict(columns), hashes, protected)  # another version may know better what to mask
    if run.is_done("curate", key):
        return
    from hubtweets.curation import dataset, language
    from hubtweets.curation.report import MORE_POSTS, check_amount, preview_lines, table
    from hubtweets.curation.rules import curate
    from hubtweets.posts.pii.scrub import scrub, scrubbed

    readings = {}
    for handle, path in paths.items():
        run.say(f"curate: reading {named[handle]}")
        readings[handle] = sources.read(path, handle, columns, protected)
    everything = scrubbed((handle, post) for handle, reading in readings.items() for post in reading.posts)
    read = run.folder / "posts.reading"
    try:
        curated = curate(run.progress(dataset.writing(everything, read), "posts"), list(readings), rules)
        for line in [*table(curated.counts), "", "For example:", *preview_lines(curated.shown), ""]:
            run.say(f"curate: {line}".rstrip())
        for reading in readings.values():
            for warning in reading.warnings:
                run.say(f"warning: {warning}")
        for counts in curated.counts:
            is_left_out = readings[counts.handle].protected and not protected
            if few := check_amount(counts, PROTECTED if is_left_out else MORE_POSTS):
                run.say(f"warning: {few}")
        split = dataset.choose_split(curated.kept, rules.split)
        train, validation = dataset.split(curated.kept, split)
        sides = [sum(map(len, side.values())) for side in (train, validation)]
        masked = sum(counts.masked for counts in curated.counts)
        if masked:
            run.say(f"curate: in {masked:,} of the kept posts an address or a number is masked")
        run.say(f"curate: {sides[0]:,} posts to train on, {sides[1]:,} held out ({'the last tenth' if split == 'time' else 'a tenth by hash'})")
        outputs = [run.folder / name for name in ("posts.parquet", "dataset/train.parquet", "dataset/validation.parquet")]
        outputs[1].parent.mkdir(exist_ok=True)
        dataset.write(dataset.pairs(train), outputs[1])
        dataset.write(dataset.pairs(validation), outputs[2])
        dataset.add_verdicts(read, outputs[0], curated.verdicts)
        (run.folder / EXPLAINED).unlink(missing_ok=True)
    finally:
        read.unlink(missing_ok=True)
    avatars = read_avatars(run, [reading.avatar for reading in readings.values()])
    profiles = [
        replace(reading.profile, handle=handle, name=scrub(reading.profile.name)[0], bio=scrub(reading.profile.bio or "")[0] or None, avatar=avatar)
        for (handle, reading), avatar in zip(readings.items(), avatars, strict=True)
    ]
    run.finish(
        "curate",
        key,
        [*outputs, *(run.repo / avatar for avatar in avatars if avatar)],
        profiles=tuple(profiles),
        sources=tuple(source_of(reading, hashes[handle], curated.kept[handle]) for handle, reading in readings.items()),
        curation=rules,
        counts=curated.counts,
        dataset=DatasetInfo(
            train_posts=sides[0],
            train_sha256=dataset.fingerprint(train),
            validation_posts=sides[1],
            validation_sha256=dataset.fingerprint(validation),
            split=split,
            languages=language.measure([post.text for posts in curated.kept.values() for post in posts]),
            rows=dataset.examples(train, [handle for handle, reading in readings.items() if is_shown(reading)]),
        ),
    )


def is_shown(reading: Reading) -> bool:
    """Tell whether the card may show posts of a source: not those of a protected account, nor of a dataset that not everybody can read."""
    return not reading.protected and (reading.kind != "dataset" or reading.dataset is not None)


def source_of(reading: Reading, sha256: str, kept: Sequence[Post]) -> Source:
    dates = sorted(post.created_at for post in kept if post.created_at)
    return Source(reading.kind, sha256, dates[0] if dates else None, dates[-1] if dates else None, reading.dataset, reading.protected)


def explain(run: Run) -> Path:
    """Write every post that was read with its verdict as JSON Lines into the run folder, and return the file."""
    from hubtweets.curation import dataset

    run.outputs("curate")
    path = run.folder / EXPLAINED
    with atomic.replace_atomically(path) as partial, partial.open("w", encoding="utf-8") as file:
        for row in dataset.read_rows(run.folder / "posts.parquet"):
            file.write(json.dumps({name: row[name] for name in ("author", "verdict", "id", "created_at", "kind", "text")}, ensure_ascii=False) + "\n")
    return path


def read_avatars(run: Run, images: Sequence[bytes | None]) -> list[str | None]:
    """Write the authors' avatars into repo/ and return their names there, None for an author without one."""
    from hubtweets.card.avatar import square

    for profile in run.record.profiles:
        if profile.avatar:
            (run.repo / profile.avatar).unlink(missing_ok=True)
    names: list[str | None] = []
    for number, image in enumerate(images, 1):
        avatar = square(image) if image else None
        names.append(("avatar.png" if number == 1 else f"avatar-{number}.png") if avatar else None)
        if avatar:
            atomic.write_atomically(run.repo / str(names[-1]), avatar)
    return names


def train(
    run: Run, base: Base, location: str, config: TrainingConfig, track: Sequence[Tracker] = (), launch: Callable[[], None] | None = None
) -> None:
    """Fine-tune the base on the training posts, from the last checkpoint where there is one; the weights go into repo/.

    It may run in several processes at once, of which the main one writes; or else `launch` starts them, and they do it all.
    """
    run.outputs("curate")
    info = run.record.dataset
    assert info
    settings = training_settings(base, config, info)
    key = key_of(settings)
    if run.is_done("train", key):
        return
    if launch:
        with run.lent():
            launch()
        return
    from torch import OutOfMemoryError

    from hubtweets.curation import dataset, language
    from hubtweets.evaluation import bits_per_byte
    from hubtweets.models.loading import load
    from hubtweets.models.lora import adapt, merge
    from hubtweets.models.probing import context_of
    from hubtweets.models.saving import install, write_weights
    from hubtweets.models.tokenizer import encode
    from hubtweets.training import checkpoints, packing, trainer
    from hubtweets.training.tracking import trackers as tracking

    tracking.check(track)
    inspection.check_adapter(base, config)
    model, tokenizer = load(base, location)
    inspection.check_context(base, context_of(model), config)
    folder = run.folder / "checkpoints"
    check_training_space(run.folder, model.num_parameters())
    if run.is_main:
        checkpoints.check_settings(folder, settings | {"processes": world_size()})
    posts, held_out = (list(dataset.read_texts(run.folder / "dataset" / f"{side}.parquet").values()) for side in ("train", "validation"))
    documents = [encode(author, tokenizer) for author in posts]
    run.say(f"train: {base.id}, {model.num_parameters():,} parameters, on {info.train_posts:,} posts")
    for code, share in language.unknown(info.languages, base.languages).items():
        run.say(f"warning: {share:.0%} of the posts are in {code}, and {base.id} knows {', '.join(base.languages)}; take another base: --base ID")
    default_learning_rate = trainer.default_learning_rate(model, config)
    config = replace(config, learning_rate=config.learning_rate or default_learning_rate)
    if config.lora:
        model = adapt(model, config.lora_rank, config.seed, base)
    data = [run.folder / file.path for file in run.outputs("curate") if file.path.endswith(".parquet")]
    facts = asdict(config) | {"base": base.id, "posts": info.train_posts}
    with tracking.tracking(track if run.is_main else (), run.folder / "tracking", run.record.handle, key[:16], facts, data) as trackers:
        try:
            held_out_bits = partial(bits_per_byte.bits_per_byte, tokenizer, held_out)
            result = trainer.train(model, documents, config, folder, held_out_bits, trackers.log, run.quiet)
        except OutOfMemoryError:
            raise HubtweetsError("the GPU has not enough memory for this; type: --micro-batch-size 1, or a smaller --block-size, or --lora") from None
        if not run.is_main:
            return
        weights = result.weights
        if config.lora == "merged":
            weights = folder / "merged"
            write_weights(merge(load(base, location)[0], result.weights), weights)
        tokenizer.save_pretrained(weights)
        trackers.log_model(weights)
    progress = result.progress
    old = [run.folder / output.path for output in run.record.stages["train"].outputs] if "train" in run.record.stages else []
    written = install(weights, tokenizer, run.repo, old)
    for path in trackers.event_files:  # where the Hub looks for them
        written.append(run.repo / "runs" / path.name)
        written[-1].parent.mkdir(exist_ok=True)
        atomic.write_atomically(written[-1], path.read_bytes())
    environment = Environment(
        versions={"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "accelerate")}},
        device=result.device,
        num_processes=result.num_processes,
        mixed_precision=result.mixed_precision,
        packed=result.packed,
        seconds=round(progress.seconds, 1),
        tokens=progress.tokens,
        steps=progress.step,
        published_step=progress.best or progress.step,
        default_learning_rate=default_learning_rate,
        parameters=sum(inspection.count_parameters(path) for path in written if path.suffix == ".safetensors"),
    )
    run.finish(
        "train",
        key,
        written,
        base=base,
        training=config,
        passes=tuple(packing.passes(documents)),
        environment=environment,
        history=tuple(progress.history),
        evaluations=tuple(progress.evaluations),
        tracked=trackers.tracked,
    )
    shutil.rmtree(folder)
    if result.stopped:
        raise HubtweetsError("stopped when the training was done; type the command again to go on from there")


def evaluate(run: Run, location: str) -> None:
    """Score the held-out posts with the untouched base and with the tuned model, all and by author."""
    weights, base, info = run.outputs("train"), run.record.base, run.record.dataset
    assert base and info
    key = key_of([asdict(file) for file in weights], base.id, base.revision, info.validation_sha256)
    if run.is_done("evaluate", key):
        return
    from hubtweets.curation import dataset
    from hubtweets.evaluation import bits_per_byte
    from hubtweets.models.loading import load, load_repo

    texts = list(dataset.read_texts(run.folder / "dataset" / "validation.parquet").values())
    run.say(f"evaluate: {sum(map(len, texts)):,} held-out posts")
    (base_score, base_scores), (tuned, tuned_scores) = (
        bits_per_byte.evaluate(*model, texts) for model in (load(base, location), load_repo(run.repo))
    )
    before, after = base_score.bits_per_byte, tuned.bits_per_byte
    run.say(f"evaluate: {before:.3f} bits per byte for the untouched base, {after:.3f} for the tuned model ({after / before - 1:+.1%})")
    authors = tuple(Metrics(*scores) for scores in zip(base_scores, tuned_scores, strict=True))
    run.finish("evaluate", key, metrics=Metrics(base_score, tuned), metrics_by_author=authors)
