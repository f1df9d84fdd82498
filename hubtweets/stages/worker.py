"""Trains on a folder; each process runs `python -m hubtweets.stages.worker FOLDER`.

In and out: the files of `training.job`. The folder is a run's, or a copy of its dataset/ and
config.json on another machine. Nothing else of the run is read or written.
"""

import logging
import platform
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError, explain_os_error
from hubtweets.files import check_training_space
from hubtweets.models import inspection
from hubtweets.progress import log_lines, logger
from hubtweets.record.run_folder import get_rank, get_world_size
from hubtweets.record.run_record import Environment
from hubtweets.training.job import (
    CHECKPOINTS,
    ERROR,
    TRACKING,
    TrainingJob,
    TrainingReport,
    read_job,
    write_report,
)

if TYPE_CHECKING:
    import numpy as np
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from hubtweets.models.untrusted import Loaded
    from hubtweets.training.tracking.trackers import Trackers
    from hubtweets.training.trainer import TrainingResult

VERSIONED = ("torch", "transformers", "accelerate")


def main(folder: Path) -> None:
    """Do the job in a folder; if it fails, leave the reason in error.txt and exit with 1."""
    log_lines(logging.INFO)
    try:
        job = read_job(folder)
        log_lines(job.log_level)
        work(folder, job)
    except (HubtweetsError, OSError) as error:
        message = explain_os_error(error) if isinstance(error, OSError) else str(error)
        with suppress(OSError), (folder / ERROR).open("x", encoding="utf-8") as file:
            file.write(message)  # the first process that fails knows why
        sys.exit(1)


def work(folder: Path, job: TrainingJob) -> None:
    """Fine-tune the base, from the last checkpoint if there is one, and write the report.

    Every process of a training calls it, and the main one writes. Raises HubtweetsError if the base
    can't be trained like this, the training is stopped, or its files can't be written.
    """
    from hubtweets.models.lora import add_adapter
    from hubtweets.models.tokenizer import encode_texts
    from hubtweets.training import packing, schedule
    from hubtweets.training.tracking import trackers as tracking

    tracking.check_installed(job.report_to)
    is_main, config = get_rank() == 0, job.training
    model, tokenizer = load_checked(folder, job, is_main)
    texts = read_side(folder, "train")
    documents = [encode_texts(author, tokenizer) for author in texts]
    posts = sum(map(len, texts))
    if is_main:
        logger.info(
            f"train: {job.base.id}, {model.num_parameters():,} parameters, on {posts:,} posts"
        )
    default_learning_rate = schedule.choose_learning_rate(model, config)
    config = replace(config, learning_rate=config.learning_rate or default_learning_rate)
    trained = add_adapter(model, config.lora_r, config.seed, job.base) if config.lora else model

    facts = asdict(config) | {"base": job.base.id, "posts": posts}
    data = sorted((folder / "dataset").glob("*.parquet"))
    tracked, run_id = job.report_to if is_main else (), job.key[:16]
    with tracking.open_trackers(
        tracked, folder / TRACKING, job.name, run_id, facts, data
    ) as trackers:
        result = fit(folder, trained, tokenizer, documents, config, trackers, not is_main)
        if not is_main:
            return
        weights = save_weights(folder, job, result.weights, tokenizer)
        trackers.log_model(weights)
    report = TrainingReport(
        key=job.key,
        weights=weights.relative_to(folder).as_posix(),
        event_files=list_event_files(folder, trackers),
        training=config,
        passes=tuple(packing.compute_passes(documents)),
        environment=describe_environment(result, default_learning_rate, weights),
        history=tuple(result.state.history),
        evaluations=tuple(result.state.evaluations),
        tracked=trackers.tracked,
        stopped=result.stopped,
    )
    write_report(folder, report)


def load_checked(folder: Path, job: TrainingJob, is_main: bool) -> "Loaded":
    """Load the base with its tokenizer; raise HubtweetsError if it can't be trained like this."""
    from hubtweets.models.loading import load_base
    from hubtweets.models.probing import get_context_length
    from hubtweets.training.checkpoints import check_settings

    inspection.check_adapter(job.base, job.training)
    model, tokenizer = load_base(job.base, job.location)
    inspection.check_context(job.base, get_context_length(model), job.training)
    check_training_space(folder, model.num_parameters())
    if is_main:
        settings = job.inputs | {"processes": get_world_size()}
        check_settings(folder / CHECKPOINTS, settings)
    return model, tokenizer


def read_side(folder: Path, side: str) -> list[list[str]]:
    """Return each author's posts of one side of the split, "train" or "validation"."""
    from hubtweets.curation import dataset

    return list(dataset.read_texts(folder / "dataset" / f"{side}.parquet").values())


def fit(
    folder: Path,
    model: "PreTrainedModel | PeftModel",
    tokenizer: "PreTrainedTokenizerFast",
    documents: "list[list[np.ndarray]]",
    config: TrainingConfig,
    trackers: "Trackers",
    quiet: bool,
) -> "TrainingResult":
    """Train on the documents of each author; raise HubtweetsError if the GPU is too small."""
    from torch import OutOfMemoryError

    from hubtweets.evaluation.bits_per_byte import measure_bits_per_byte
    from hubtweets.training import trainer

    evaluate = partial(measure_bits_per_byte, tokenizer, read_side(folder, "validation"))
    checkpoints = folder / CHECKPOINTS
    try:
        return trainer.train(model, documents, config, checkpoints, evaluate, trackers.log, quiet)
    except OutOfMemoryError:
        raise HubtweetsError(
            "the GPU has too little memory for this; type: --per-device-train-batch-size 1, "
            "or a smaller --block-size, or --lora"
        ) from None


def save_weights(
    folder: Path, job: TrainingJob, weights: Path, tokenizer: "PreTrainedTokenizerFast"
) -> Path:
    """Return the folder of the weights to publish, with the tokenizer.

    They are those given, or the base merged with them.
    """
    from hubtweets.models.loading import load_base
    from hubtweets.models.lora import merge_adapter
    from hubtweets.models.saving import save_tokenizer, write_weights

    if job.training.lora == "merged":
        base, _ = load_base(job.base, job.location)
        merged = folder / CHECKPOINTS / "merged"
        write_weights(merge_adapter(base, weights), merged)
        weights = merged
    save_tokenizer(tokenizer, weights)
    return weights


def list_event_files(folder: Path, trackers: "Trackers") -> tuple[str, ...]:
    root = folder.absolute()
    return tuple(path.relative_to(root).as_posix() for path in trackers.event_files)


def describe_environment(
    result: "TrainingResult", default_learning_rate: float, weights: Path
) -> Environment:
    """Return what a training ran on, how long, and how many numbers its weights have."""
    state = result.state
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
        parameters=sum(inspection.count_parameters(path) for path in weights.glob("*.safetensors")),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
