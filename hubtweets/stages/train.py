"""Fine-tunes the base model on the training posts, in this process or in several.

In: the dataset of a run. Out: the weights in repo/, and what the training was, in the record.
"""

import json
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.errors import HubtweetsError
from hubtweets.files import check_training_space, write_atomically
from hubtweets.models import inspection
from hubtweets.progress import logger
from hubtweets.record.config import TrainingConfig
from hubtweets.record.run_folder import (
    RunFolder,
    get_world_size,
    hash_key,
    is_distributed,
    list_training_inputs,
)
from hubtweets.record.run_record import Base, Environment, Tracker

if TYPE_CHECKING:
    import numpy as np
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from hubtweets.models.untrusted import Loaded
    from hubtweets.training.tracking.trackers import Trackers
    from hubtweets.training.trainer import TrainingResult

VERSIONED = ("torch", "transformers", "accelerate")


def train(
    run: RunFolder,
    base: Base,
    location: str,
    config: TrainingConfig,
    report_to: Sequence[Tracker] = (),
    num_processes: int = 1,
) -> None:
    """Fine-tune the base, from the last checkpoint if there is one; the weights go into repo/.

    With `num_processes` over 1, as many workers train in the folder (see `worker`). This process
    may be one of several itself; then only the main one writes.
    """
    run.list_outputs("curate")
    assert run.record.dataset
    inputs = list_training_inputs(base, config, run.record.dataset)
    if run.is_done("train", hash_key(inputs)):
        return
    if num_processes > 1 and not is_distributed():
        run_workers(run, base, location, config, report_to, num_processes)
    else:
        train_here(run, base, location, config, report_to, inputs)


def train_here(
    run: RunFolder,
    base: Base,
    location: str,
    config: TrainingConfig,
    report_to: Sequence[Tracker],
    inputs: dict[str, object],
) -> None:
    """Check, fit, and record in this process."""
    from hubtweets.models.lora import add_adapter
    from hubtweets.models.tokenizer import encode_texts
    from hubtweets.training import packing, schedule
    from hubtweets.training.tracking import trackers as tracking

    tracking.check_installed(report_to)
    checkpoints = run.folder / "checkpoints"
    model, tokenizer = load_checked(run, base, location, config, inputs)
    documents = [encode_texts(author, tokenizer) for author in read_side(run, "train")]
    log_start(run, base, model.num_parameters())
    default_learning_rate = schedule.choose_learning_rate(model, config)
    config = replace(config, learning_rate=config.learning_rate or default_learning_rate)
    trained = add_adapter(model, config.lora_r, config.seed, base) if config.lora else model

    key = hash_key(inputs)
    facts = asdict(config) | {"base": base.id, "posts": count_training_posts(run)}
    data = [run.folder / file.path for file in run.list_outputs("curate")]
    data = [path for path in data if path.suffix == ".parquet"]
    tracked = report_to if run.is_main else ()
    place = run.folder / "tracking"
    with tracking.open_trackers(
        tracked, place, run.record.handle, key[:16], facts, data
    ) as trackers:
        result = fit(run, trained, tokenizer, documents, config, trackers)
        if not run.is_main:
            return
        weights = merge_if_asked(base, location, config, result.weights, checkpoints)
        tokenizer.save_pretrained(weights)
        trackers.log_model(weights)
    written = install(run, weights, tokenizer, trackers)
    run.finish(
        "train",
        key,
        written,
        base=base,
        training=config,
        passes=tuple(packing.compute_passes(documents)),
        environment=describe_environment(result, default_learning_rate, written),
        history=tuple(result.state.history),
        evaluations=tuple(result.state.evaluations),
        tracked=trackers.tracked,
    )
    shutil.rmtree(checkpoints)
    if result.stopped:
        raise HubtweetsError("stopped after the training was done; type the command again to go on")


def load_checked(
    run: RunFolder, base: Base, location: str, config: TrainingConfig, inputs: dict[str, object]
) -> "Loaded":
    """Load the base with its tokenizer; raise HubtweetsError if it can't be trained like this."""
    from hubtweets.models.loading import load_base
    from hubtweets.models.probing import get_context_length
    from hubtweets.training.checkpoints import check_settings

    inspection.check_adapter(base, config)
    model, tokenizer = load_base(base, location)
    inspection.check_context(base, get_context_length(model), config)
    check_training_space(run.folder, model.num_parameters())
    if run.is_main:
        check_settings(run.folder / "checkpoints", inputs | {"processes": get_world_size()})
    return model, tokenizer


def read_side(run: RunFolder, side: str) -> list[list[str]]:
    """Return each author's posts of one side of the split, "train" or "validation"."""
    from hubtweets.curation import dataset

    return list(dataset.read_texts(run.folder / "dataset" / f"{side}.parquet").values())


def count_training_posts(run: RunFolder) -> int:
    assert run.record.dataset
    return run.record.dataset.train_posts


def log_start(run: RunFolder, base: Base, parameters: int) -> None:
    """Log what is trained on what, and warn of languages that the base does not know."""
    from hubtweets.curation.language import find_unknown_languages

    assert run.record.dataset
    posts, measured = run.record.dataset.train_posts, run.record.dataset.languages
    run.log(f"train: {base.id}, {parameters:,} parameters, on {posts:,} posts")
    for code, share in find_unknown_languages(measured, base.languages).items():
        run.warn(
            f"{share:.0%} of the posts are in {code}, and {base.id} knows "
            f"{', '.join(base.languages)}; take another base: --base ID"
        )


def fit(
    run: RunFolder,
    model: "PreTrainedModel | PeftModel",
    tokenizer: "PreTrainedTokenizerFast",
    documents: "list[list[np.ndarray]]",
    config: TrainingConfig,
    trackers: "Trackers",
) -> "TrainingResult":
    """Train on the documents of each author; raise HubtweetsError if the GPU is too small."""
    from torch import OutOfMemoryError

    from hubtweets.evaluation.bits_per_byte import measure_bits_per_byte
    from hubtweets.training import trainer

    evaluate = partial(measure_bits_per_byte, tokenizer, read_side(run, "validation"))
    folder, quiet = run.folder / "checkpoints", not run.is_main
    try:
        return trainer.train(model, documents, config, folder, evaluate, trackers.log, quiet)
    except OutOfMemoryError:
        raise HubtweetsError(
            "the GPU has too little memory for this; type: --per-device-train-batch-size 1, "
            "or a smaller --block-size, or --lora"
        ) from None


def merge_if_asked(
    base: Base, location: str, config: TrainingConfig, weights: Path, checkpoints: Path
) -> Path:
    """Return the folder of the weights to publish: those given, or the base merged with them."""
    if config.lora != "merged":
        return weights
    from hubtweets.models.loading import load_base
    from hubtweets.models.lora import merge_adapter
    from hubtweets.models.saving import write_weights

    merged = checkpoints / "merged"
    write_weights(merge_adapter(load_base(base, location)[0], weights), merged)
    return merged


def install(
    run: RunFolder, weights: Path, tokenizer: "PreTrainedTokenizerFast", trackers: "Trackers"
) -> list[Path]:
    """Put weights, tokenizer and event files into repo/, and return what was written."""
    from hubtweets.models.saving import install_weights

    before = run.record.stages.get("train")
    old = [run.folder / output.path for output in before.outputs] if before else []
    written = install_weights(weights, tokenizer, run.repo, old)
    for path in trackers.event_files:
        copy = run.repo / "runs" / path.name  # where the Hub looks for them
        copy.parent.mkdir(exist_ok=True)
        write_atomically(copy, path.read_bytes())
        written.append(copy)
    return written


def describe_environment(
    result: "TrainingResult", default_learning_rate: float, written: Sequence[Path]
) -> Environment:
    """Return what a training ran on, how long, and how many numbers its weights have."""
    state = result.state
    weights = [path for path in written if path.suffix == ".safetensors"]
    return Environment(
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in VERSIONED},
        },
        device=result.device,
        num_processes=result.num_processes,
        mixed_precision=result.mixed_precision,
        packed=result.packed,
        seconds=round(state.seconds, 1),
        tokens=state.tokens,
        steps=state.step,
        published_step=state.best_step or state.step,
        default_learning_rate=default_learning_rate,
        parameters=sum(inspection.count_parameters(path) for path in weights),
    )


def run_workers(
    run: RunFolder,
    base: Base,
    location: str,
    config: TrainingConfig,
    report_to: Sequence[Tracker],
    number: int,
) -> None:
    """Write config.json and train in `number` processes; raise HubtweetsError if they fail."""
    from hubtweets.training.launch import launch

    folder = run.folder / "workers"
    folder.mkdir(exist_ok=True)
    settings = {
        "base": asdict(base),
        "location": location,
        "training": asdict(config),
        "report_to": list(report_to),
        "log_level": logger.getEffectiveLevel(),
    }
    write_atomically(folder / "config.json", json.dumps(settings, indent=2).encode())
    try:
        with run.unlocked():
            launch(number, "hubtweets.stages.worker", folder)
    finally:
        shutil.rmtree(folder)
