"""The stages that make a model, in order: curate, train, evaluate; what becomes of it is `release`.

Each takes the Run, does its work unless nothing changed since the last time, and adds its section to the record. Heavy libraries are imported
by the stage that needs them.
"""

import json
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from typing import Any

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


def train(
    run: RunFolder,
    base: Base,
    location: str,
    config: TrainingConfig,
    report_to: Sequence[Tracker] = (),
    num_processes: int = 1,
) -> None:
    """Fine-tune the base on the training posts, from the last checkpoint where there is one; the weights go into repo/.

    With `num_processes` over 1, as many workers are started on the folder (see `worker`), which do it all. It may also
    be one of several processes already: then the main one writes.
    """
    run.list_outputs("curate")
    info = run.record.dataset
    assert info
    settings = list_training_inputs(base, config, info)
    key = hash_key(settings)
    if run.is_done("train", key):
        return
    if num_processes > 1 and not is_distributed():
        run_workers(run, base, location, config, report_to, num_processes)
        return
    from torch import OutOfMemoryError

    from hubtweets.curation import dataset, language
    from hubtweets.evaluation import bits_per_byte
    from hubtweets.models.loading import load_base
    from hubtweets.models.lora import add_adapter, merge_adapter
    from hubtweets.models.probing import get_context_length
    from hubtweets.models.saving import install_weights, write_weights
    from hubtweets.models.tokenizer import encode_texts
    from hubtweets.training import checkpoints, packing, schedule, trainer
    from hubtweets.training.tracking import trackers as tracking

    tracking.check_installed(report_to)
    inspection.check_adapter(base, config)
    model, tokenizer = load_base(base, location)
    inspection.check_context(base, get_context_length(model), config)
    folder = run.folder / "checkpoints"
    check_training_space(run.folder, model.num_parameters())
    if run.is_main:
        checkpoints.check_settings(folder, settings | {"processes": get_world_size()})
    posts, held_out = (
        list(dataset.read_texts(run.folder / "dataset" / f"{side}.parquet").values())
        for side in ("train", "validation")
    )
    documents = [encode_texts(author, tokenizer) for author in posts]
    run.log(
        f"train: {base.id}, {model.num_parameters():,} parameters, on {info.train_posts:,} posts"
    )
    for code, share in language.find_unknown_languages(info.languages, base.languages).items():
        run.warn(
            f"{share:.0%} of the posts are in {code}, and {base.id} knows {', '.join(base.languages)}; take another base: --base ID"
        )
    default_learning_rate = schedule.choose_learning_rate(model, config)
    config = replace(config, learning_rate=config.learning_rate or default_learning_rate)
    if config.lora:
        model = add_adapter(model, config.lora_r, config.seed, base)
    data = [
        run.folder / file.path
        for file in run.list_outputs("curate")
        if file.path.endswith(".parquet")
    ]
    facts = asdict(config) | {"base": base.id, "posts": info.train_posts}
    with tracking.open_trackers(
        report_to if run.is_main else (),
        run.folder / "tracking",
        run.record.handle,
        key[:16],
        facts,
        data,
    ) as trackers:
        try:
            held_out_bits = partial(bits_per_byte.measure_bits_per_byte, tokenizer, held_out)
            result = trainer.train(
                model, documents, config, folder, held_out_bits, trackers.log, not run.is_main
            )
        except OutOfMemoryError:
            raise HubtweetsError(
                "the GPU has not enough memory for this; type: --per-device-train-batch-size 1, or a smaller --block-size, or --lora"
            ) from None
        if not run.is_main:
            return
        weights = result.weights
        if config.lora == "merged":
            weights = folder / "merged"
            write_weights(merge_adapter(load_base(base, location)[0], result.weights), weights)
        tokenizer.save_pretrained(weights)
        trackers.log_model(weights)
    state = result.state
    old = (
        [run.folder / output.path for output in run.record.stages["train"].outputs]
        if "train" in run.record.stages
        else []
    )
    written = install_weights(weights, tokenizer, run.repo, old)
    for path in trackers.event_files:  # where the Hub looks for them
        written.append(run.repo / "runs" / path.name)
        written[-1].parent.mkdir(exist_ok=True)
        write_atomically(written[-1], path.read_bytes())
    environment = Environment(
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "accelerate")},
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
        parameters=sum(
            inspection.count_parameters(path) for path in written if path.suffix == ".safetensors"
        ),
    )
    run.finish(
        "train",
        key,
        written,
        base=base,
        training=config,
        passes=tuple(packing.compute_passes(documents)),
        environment=environment,
        history=tuple(state.history),
        evaluations=tuple(state.evaluations),
        tracked=trackers.tracked,
    )
    shutil.rmtree(folder)
    if result.stopped:
        raise HubtweetsError(
            "stopped when the training was done; type the command again to go on from there"
        )


def run_workers(
    run: RunFolder,
    base: Base,
    location: str,
    config: TrainingConfig,
    report_to: Sequence[Tracker],
    number: int,
) -> None:
    """Write config.json, and train in so many processes; raise HubtweetsError if they fail."""
    from hubtweets.training.launch import launch

    folder = run.folder / "workers"
    folder.mkdir(exist_ok=True)
    settings: dict[str, Any] = {
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
