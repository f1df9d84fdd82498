"""Settings of curation and training: what each means, and its default."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Curation:
    """Every knob of curation; `split` None: by time where every kept post has a date, else by hash."""

    rules: Literal["default", "classic"] = "default"
    mentions: Literal["strip", "keep"] = "strip"  # those that lead a reply
    content_warnings: Literal["skip", "keep"] = "skip"  # posts behind one
    split: Literal["time", "hash"] | None = None


@dataclass(frozen=True)
class TrainingConfig:
    """Every knob of the trainer."""

    num_train_epochs: float = 4.0  # passes over the training posts
    max_steps: int | None = None  # optimizer steps, where that is less
    max_minutes: float | None = None  # minutes of training, where that is less
    learning_rate: float | None = None  # at the top of the schedule; None: by the model's width
    warmup_ratio: float = 0.05  # share of the steps in which the learning rate rises
    weight_decay: float = 0.1  # of matrices; biases and norms do not decay
    max_grad_norm: float = 1.0
    batch_size: int = 8  # blocks per optimizer step, over all processes
    block_size: int = 128  # tokens per block
    per_device_train_batch_size: int | None = (
        None  # blocks per forward pass of a process; None: what fits in memory
    )
    eval_steps: int | None = None  # from one evaluation to the next; None: half an epoch
    early_stopping_patience: int = 3  # evaluations without a better one before training stops
    logging_steps: int = 10
    save_steps: int | None = None
    save_seconds: float = 30.0
    lora: Literal["adapter", "merged"] | None = (
        None  # what is published of a low-rank adaptation; None: every weight is trained
    )
    lora_r: int = 16
    seed: int = 0
