"""The training loop, on Accelerate.

In: a causal language model, each author's encoded documents, a TrainingConfig, and functions that
evaluate and log. Out: a folder of the best weights, and the history. It knows nothing of posts, so
it trains the embedded base too. Checkpoints are saved by steps and by time; the next call with the
same arguments resumes from the last one. Ctrl-C and SIGTERM save one first.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, set_seed
from torch.nn.functional import cross_entropy, pad
from transformers import PreTrainedModel

from hubtweets.config import TrainingConfig
from hubtweets.models.hardware import choose_precision, estimate_micro_batch_tokens, get_device_name
from hubtweets.models.probing import can_pack, optimized
from hubtweets.models.tokenizer import IGNORE_INDEX
from hubtweets.training.checkpoints import TrainingState, restore_checkpoint
from hubtweets.training.interrupts import defer_signals
from hubtweets.training.loop import Evaluate, Log, TrainingLoop
from hubtweets.training.packing import Batch, iterate_batches, split_micro_batches
from hubtweets.training.progress import ProgressBar
from hubtweets.training.schedule import plan_training, scale_learning_rate


@dataclass(frozen=True)
class TrainingResult:
    """A finished training: the folder of the weights to publish, and the hardware it ran on."""

    weights: Path
    state: TrainingState
    device: str
    num_processes: int
    mixed_precision: str
    packed: bool
    stopped: bool  # a stop was requested after the last step


def train(
    model: PreTrainedModel,
    documents: Sequence[Sequence[np.ndarray]],
    config: TrainingConfig,
    checkpoints: Path,
    evaluate: Evaluate | None = None,
    log: Log = lambda values, step: None,
    quiet: bool = False,
) -> TrainingResult:
    """Fine-tune the model on each author's documents, from the last checkpoint if there is one.

    The result is the state with the fewest bits per byte by `evaluate`, or without it the last one.
    Raises HubtweetsError if the training diverges, is stopped, or can't write its files.
    """
    accelerator = Accelerator(mixed_precision=choose_precision())
    set_seed(config.seed)
    # without dropout: each process would draw its own, it takes time, and early stopping does more
    # against overfitting
    model.eval()
    plan = plan_training(model, documents, config)
    micro_tokens = choose_micro_batch_tokens(accelerator, model, config)
    optimizer = create_optimizer(accelerator, model, plan.peak_learning_rate, config.weight_decay)

    with optimized(model), defer_signals() as is_stop_requested:
        packed = can_pack(model)
        model, optimizer = accelerator.prepare(model, optimizer)
        state = restore_checkpoint(accelerator, checkpoints) or TrainingState()
        bar = ProgressBar(plan.total_steps, state.step, quiet or not accelerator.is_main_process)
        loop = TrainingLoop(accelerator, state, config, plan, checkpoints, evaluate, log, bar)
        batches = iterate_batches(
            documents, config.batch_size, config.block_size, config.seed, packed
        )
        for step, batch in state.remaining(batches):
            scale = scale_learning_rate(step, plan.total_steps, state.seconds, config)
            learning_rate = plan.peak_learning_rate * scale
            set_learning_rate(optimizer, learning_rate)
            loop.loss += accumulate_gradients(accelerator, model, batch, micro_tokens)
            update_weights(accelerator, model, optimizer, config.max_grad_norm)

            loop.advance(step, batch.tokens, is_stop_requested())
            loop.log_if_due(learning_rate)
            loop.evaluate_if_due(model)
            loop.write_if_best(model)
            if loop.finished:
                break
            loop.save_if_due()
        loop.close()
        accelerator.wait_for_everyone()
        # DDP is freed before its process group, or the two may wait for each other forever
        model, optimizer = accelerator.free_memory(model, optimizer)
        accelerator.end_training()
    return TrainingResult(
        weights=checkpoints / f"best-{state.best_step or state.step}",
        state=state,
        device=get_device_name(accelerator.device),
        num_processes=accelerator.num_processes,
        mixed_precision=accelerator.mixed_precision,
        packed=packed,
        stopped=is_stop_requested(),
    )


def choose_micro_batch_tokens(
    accelerator: Accelerator, model: PreTrainedModel, config: TrainingConfig
) -> int:
    """Return the tokens of a forward pass: those configured, or what fits in every process."""
    if config.per_device_train_batch_size:
        tokens = config.block_size * config.per_device_train_batch_size
    else:
        tokens = estimate_micro_batch_tokens(model, config.block_size, accelerator.device)
    return int(accelerator.gather(torch.tensor([tokens], device=accelerator.device)).min())


def create_optimizer(
    accelerator: Accelerator, model: PreTrainedModel, learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """Return AdamW over the parameters that are trained."""
    if accelerator.distributed_type == DistributedType.DEEPSPEED:
        # DeepSpeed requires this number, and does not use it
        accelerator.state.deepspeed_plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = 1
    return torch.optim.AdamW(group_parameters(model, weight_decay), lr=learning_rate, fused=True)


def group_parameters(model: PreTrainedModel, weight_decay: float) -> list[dict]:
    """Split the parameters that are trained: matrices decay, biases and norms do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices, vectors = [p for p in trained if p.ndim >= 2], [p for p in trained if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]  # LoRA trains no vectors


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def update_weights(
    accelerator: Accelerator,
    model: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    max_grad_norm: float,
) -> None:
    """Take a step of the optimizer with clipped gradients, and clear them."""
    accelerator.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step()
    optimizer.zero_grad()


def accumulate_gradients(
    accelerator: Accelerator, model: PreTrainedModel, batch: Batch, micro_tokens: int
) -> torch.Tensor:
    """Compute the gradients of a step, and return this process's share of its loss.

    The loss of a step is the sum of its token losses over all processes and micro-batches, divided
    by its number of target tokens. DDP, FSDP and ZeRO average the gradients of the processes, hence
    the factor `num_processes`.
    """
    share, targets = torch.zeros((), device=accelerator.device), batch.targets
    rank, world_size = accelerator.process_index, accelerator.num_processes
    parts = list(split_micro_batches(batch, micro_tokens, rank, world_size))
    for part in parts:
        accelerator.sync_gradients = part is parts[-1]
        with nullcontext() if accelerator.sync_gradients else accelerator.no_sync(model):
            loss = sum_losses(model, part.to(accelerator.device)) / targets
            accelerator.backward(loss * world_size)
        share += loss.detach()
    return share


def sum_losses(model: PreTrainedModel, part: Batch) -> torch.Tensor:
    """Return the sum of the cross entropies (nats) of a micro-batch's labels."""
    if part.attention_mask is None:
        inputs = {"position_ids": part.position_ids}
    else:
        inputs = {"attention_mask": part.attention_mask}
    logits = model(input_ids=part.input_ids, **inputs, use_cache=False).logits
    # the labels are shifted: logits without their last column would be a copy
    labels = pad(part.labels[:, 1:], (0, 1), value=IGNORE_INDEX)
    return cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORE_INDEX, reduction="sum"
    )
