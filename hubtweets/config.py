"""Settings of curation and training: what each means, and its default; the Hubs' addresses."""

from dataclasses import dataclass
from typing import Literal

PUBLIC_HUB = "https://huggingface.co"
HUB_HOST, HUB_PORT = "127.0.0.1", 8086  # of the embedded Hub, which `hubtweets hub` serves
LOCAL_HUB = f"http://{HUB_HOST}:{HUB_PORT}"  # its address on cards


@dataclass(frozen=True)
class Curation:
    """Settings of curation.

    `split` None means by time if nine in ten posts of each author have a date, else by hash.
    """

    rules: Literal["default", "classic"] = "default"
    mentions: Literal["strip", "keep"] = "strip"  # those that lead a reply
    content_warnings: Literal["skip", "keep"] = "skip"  # posts behind one
    split: Literal["time", "hash"] | None = None


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of the trainer."""

    num_train_epochs: float = 4.0  # passes over the training posts
    max_steps: int | None = None  # stop after this many optimizer steps
    max_minutes: float | None = None  # stop after this many minutes of training
    learning_rate: float | None = None  # the peak; None: by the model's width
    warmup_ratio: float = 0.05  # share of the steps in which the learning rate rises
    weight_decay: float = 0.1  # of matrices; biases and norms do not decay
    max_grad_norm: float = 1.0
    batch_size: int = 8  # blocks per optimizer step, over all processes
    block_size: int = 128  # tokens per block
    # blocks per forward pass of a process; None: what fits into memory
    per_device_train_batch_size: int | None = None
    eval_steps: int | None = None  # steps between evaluations; None: half an epoch
    early_stopping_patience: int = 3  # evaluations without improvement before training stops
    logging_steps: int = 10
    save_steps: int | None = None  # steps between checkpoints
    save_seconds: float = 30.0  # seconds between checkpoints
    # what is published of a low-rank adaptation; None: every weight is trained
    lora: Literal["adapter", "merged"] | None = None
    lora_r: int = 16  # the rank of the adapter
    seed: int = 0
