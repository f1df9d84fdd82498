"""The number of steps of a training, and the learning rate of each step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedModel

from hubtweets.config import TrainingConfig
from hubtweets.training.packing import count_steps


@dataclass(frozen=True)
class TrainingPlan:
    """The numbers of a training that follow from its config, its model and its documents."""

    total_steps: int
    eval_steps: int  # from one evaluation to the next
    peak_learning_rate: float


def plan_training(
    model: PreTrainedModel, documents: Sequence[Sequence[np.ndarray]], config: TrainingConfig
) -> TrainingPlan:
    """Return the plan of a training on each author's documents."""
    epoch_steps, total_steps = (
        count_steps(documents, epochs, config.batch_size, config.block_size)
        for epochs in (1, config.num_train_epochs)
    )
    return TrainingPlan(
        total_steps=min(total_steps, config.max_steps or total_steps),
        eval_steps=config.eval_steps or max(1, epoch_steps // 2),
        peak_learning_rate=config.learning_rate or choose_learning_rate(model, config),
    )


def choose_learning_rate(model: PreTrainedModel, config: TrainingConfig) -> float:
    """Return the default peak learning rate of a model, by its width.

    It is 1e-3 at a width of 256, in inverse proportion to the width, and ten times that for LoRA.
    1e-3 is measured on the embedded base (`make bench PARTS=quality`). The proportion is that of
    Yang et al., Tensor Programs V, 2022, for Adam. The factor is that of Schulman et al., LoRA
    Without Regret, 2025; on the embedded base, 1e-2 was the best of 1e-3, 3e-3, 1e-2 and 3e-2.
    """
    return 1e-3 * 256 / model.config.get_text_config().hidden_size * (10 if config.lora else 1)


def scale_learning_rate(step: int, total: int, seconds: float, config: TrainingConfig) -> float:
    """Return the share of the peak learning rate at a step: linear warm-up, then cosine to zero.

    The warm-up takes `warmup_ratio` of the steps. If `max_minutes` ends the training first, the
    elapsed `seconds` are converted to steps, so that the rate reaches zero at that time.
    """
    warmup = max(1, round(config.warmup_ratio * total))
    done: float = step - 1
    if config.max_minutes:
        done = max(done, total * seconds / (60 * config.max_minutes))
    rise = min(1.0, (done + 1) / warmup)
    decay = min(1.0, max(0.0, done - warmup) / max(1, total - warmup))
    return rise * 0.5 * (1 + math.cos(math.pi * decay))
