"""The training loop, on Accelerate.

In: a causal language model, each author's encoded documents, a TrainingConfig, and what scores and what logs. Out: the weights that scored best,
in a folder, and the history. It knows nothing of posts, so that it trains the embedded base too. Checkpoints are written by steps and by time; the
next call with the same arguments goes on from the last one. Ctrl-C and SIGTERM write one first.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, set_seed
from torch.nn.functional import cross_entropy, pad
from transformers import PreTrainedModel

from hubtweets.errors import HubtweetsError
from hubtweets.models.hardware import choose_precision, estimate_micro_batch_tokens, get_device_name
from hubtweets.models.probing import can_pack, optimized
from hubtweets.models.saving import write_weights
from hubtweets.models.tokenizer import IGNORE_INDEX
from hubtweets.record.config import TrainingConfig
from hubtweets.record.run_record import Evaluation, HistoryPoint
from hubtweets.training.checkpoints import (
    TrainingState,
    remove_checkpoints,
    restore_checkpoint,
    save_checkpoint,
)
from hubtweets.training.interrupts import defer_signals
from hubtweets.training.packing import Batch, count_steps, iterate_batches, split_micro_batches
from hubtweets.training.progress import ProgressBar


@dataclass(frozen=True)
class TrainingResult:
    """A finished training: the folder of the weights that are to be published, what it ran on."""

    weights: Path
    progress: TrainingState
    device: str
    num_processes: int
    mixed_precision: str
    packed: bool
    stopped: bool  # somebody asked for it when there was nothing left to stop


def train(
    model: PreTrainedModel,
    documents: Sequence[Sequence[np.ndarray]],
    config: TrainingConfig,
    checkpoints: Path,
    evaluate: Callable[[PreTrainedModel, Accelerator], float] | None = None,
    log: Callable[[Mapping[str, float], int], None] = lambda values, step: None,
    quiet: bool = False,
) -> TrainingResult:
    """Fine-tune the model on the authors' documents; the best of its states by `evaluate` (bits per byte) is the result, without it the last one.

    Raises HubtweetsError where the training diverges, is stopped, or can't write.
    """
    accelerator = Accelerator(mixed_precision=choose_precision())
    set_seed(config.seed)
    model.eval()  # without dropout: it draws otherwise in each process, takes time, and the evaluations stop what it is against
    micro_tokens = config.block_size * (
        config.per_device_train_batch_size or 0
    ) or estimate_micro_batch_tokens(model, config.block_size, accelerator.device)
    micro_tokens = int(
        accelerator.gather(torch.tensor([micro_tokens], device=accelerator.device)).min()
    )
    in_epoch, total = (
        count_steps(documents, epochs, config.batch_size, config.block_size)
        for epochs in (1, config.num_train_epochs)
    )
    total = min(total, config.max_steps or total)
    eval_steps = config.eval_steps or max(1, in_epoch // 2)
    peak = config.learning_rate or choose_learning_rate(model, config)
    optimizer = torch.optim.AdamW(group_parameters(model, config.weight_decay), lr=peak, fused=True)
    if (
        accelerator.distributed_type == DistributedType.DEEPSPEED
    ):  # it wants to be told, and does not use it
        accelerator.state.deepspeed_plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = 1
    with optimized(model), defer_signals() as asked:
        packed = can_pack(model)
        model, optimizer = accelerator.prepare(model, optimizer)
        main = accelerator.is_main_process
        progress = restore_checkpoint(accelerator, checkpoints) or TrainingState()
        bar = ProgressBar(total, progress.step, quiet or not main)
        for point in progress.points():
            log(point.values(), point.step)
        running = torch.tensor(
            progress.loss if main else 0.0, device=accelerator.device
        )  # the losses since the last point of the history
        began = saved = time.monotonic()
        before, finished = progress.seconds, False
        steps = iterate_batches(
            documents, config.batch_size, config.block_size, config.seed, packed
        )
        for step, batch in enumerate(steps, 1):
            if step <= progress.step:
                continue
            rate = peak * scale_learning_rate(step, total, progress.seconds, config)
            for group in optimizer.param_groups:
                group["lr"] = rate
            running += accumulate_gradients(accelerator, model, batch, micro_tokens)
            accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()

            progress.step, progress.tokens = step, progress.tokens + batch.tokens
            now = time.monotonic()
            progress.seconds, late, stop = sync_flags(
                accelerator, before + now - began, now - saved > config.save_seconds, asked()
            )
            finished = step == total or (
                config.max_minutes is not None and progress.seconds >= 60 * config.max_minutes
            )
            scored = evaluate is not None and (step % eval_steps == 0 or finished)
            bar.update(batch.tokens)
            if step % config.logging_steps == 0 or scored or finished:
                loss = accelerator.reduce(running, "sum").item() / (
                    step - (progress.history[-1].step if progress.history else 0)
                )
                if not math.isfinite(loss):
                    remove_checkpoints(checkpoints)
                    raise HubtweetsError(
                        f"the loss is {loss} at step {step}; type a smaller --learning-rate than {peak:g}"
                    )
                running.zero_()
                progress.history.append(HistoryPoint(step, loss, rate))
                log(progress.history[-1].values(), step)
                bar.show(loss)
            if evaluate and scored:
                try:
                    progress.evaluations.append(Evaluation(step, evaluate(model, accelerator)))
                except HubtweetsError:  # the model is lost
                    remove_checkpoints(checkpoints)
                    raise
                log(progress.evaluations[-1].values(), step)
                finished = (
                    finished or progress.evaluations_since_best >= config.early_stopping_patience
                )
            if step == progress.best or (finished and not evaluate):
                state = accelerator.get_state_dict(model)
                if main:
                    write_weights(
                        accelerator.unwrap_model(model), checkpoints / f"best-{step}", state
                    )
            if finished:
                break
            if late or stop or (config.save_steps and step % config.save_steps == 0):
                progress.loss = accelerator.reduce(running, "sum").item()
                save_checkpoint(accelerator, checkpoints, progress)
                saved = time.monotonic()
            if stop:
                raise HubtweetsError(
                    f"stopped at step {step} of {total}, which is saved; type the command again to go on from there"
                )
        progress.seconds = before + time.monotonic() - began
        bar.close()
        accelerator.wait_for_everyone()
        model, optimizer = accelerator.free_memory(
            model, optimizer
        )  # DDP before its process group, or the two may wait for each other for ever
        accelerator.end_training()
    weights = checkpoints / f"best-{progress.best or progress.step}"
    stopped = asked()  # after the last step
    return TrainingResult(
        weights,
        progress,
        get_device_name(accelerator.device),
        accelerator.num_processes,
        accelerator.mixed_precision,
        packed,
        stopped,
    )


def accumulate_gradients(
    accelerator: Accelerator, model: PreTrainedModel, batch: Batch, micro_tokens: int
) -> torch.Tensor:
    """Compute the gradients of a step, and return this process's share of its loss.

    The loss of a step is the sum of its token losses over all processes and micro-batches, divided by its number of tokens. DDP, FSDP and ZeRO
    average the gradients of the processes, hence the factor `num_processes`.
    """
    share, targets = torch.zeros((), device=accelerator.device), batch.targets
    parts = list(
        split_micro_batches(
            batch, micro_tokens, accelerator.process_index, accelerator.num_processes
        )
    )
    for part in parts:
        accelerator.sync_gradients = part is parts[-1]
        with nullcontext() if accelerator.sync_gradients else accelerator.no_sync(model):
            loss = (
                sum_losses(model, part.map(lambda tensor: tensor.to(accelerator.device))) / targets
            )
            accelerator.backward(loss * accelerator.num_processes)
        share += loss.detach()
    return share


def sum_losses(model: PreTrainedModel, part: Batch) -> torch.Tensor:
    """Return the sum of the cross entropies (nats) of a micro-batch's labels."""
    inputs = (
        {"position_ids": part.position_ids}
        if part.attention_mask is None
        else {"attention_mask": part.attention_mask}
    )
    logits = model(input_ids=part.input_ids, **inputs, use_cache=False).logits
    labels = pad(
        part.labels[:, 1:], (0, 1), value=IGNORE_INDEX
    )  # moved, for logits without their last column would be copied
    return cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORE_INDEX, reduction="sum"
    )


def sync_flags(
    accelerator: Accelerator, seconds: float, late: bool, stop: bool
) -> tuple[float, bool, bool]:
    """Return the main process's clock and whether its checkpoint is due, and whether any process was asked to stop: the same in all of them."""
    if accelerator.num_processes == 1:
        return seconds, late, stop
    main = accelerator.is_main_process
    sums = accelerator.reduce(
        torch.tensor([seconds * main, late * main, stop], device=accelerator.device), "sum"
    ).tolist()
    return sums[0], sums[1] > 0, sums[2] > 0


def scale_learning_rate(step: int, total: int, seconds: float, config: TrainingConfig) -> float:
    """Return the share of the peak learning rate at a step: a linear rise over `warmup_ratio` of the training, then a cosine to zero.

    Where `max_minutes` will end the training, the time counts for the steps that there would have been, so that it reaches zero then.
    """
    warmup = max(1, round(config.warmup_ratio * total))
    done = (
        max(step - 1, total * seconds / (60 * config.max_minutes))
        if config.max_minutes
        else step - 1
    )
    return (
        min(1.0, (done + 1) / warmup)
        * 0.5
        * (1 + math.cos(math.pi * min(1.0, max(0.0, done - warmup) / max(1, total - warmup))))
    )


def choose_learning_rate(model: PreTrainedModel, config: TrainingConfig) -> float:
    """Return 1e-3 at a width of 256, in inverse proportion to the width, and ten times that for a low-rank adaptation.

    1e-3 is measured on the embedded base (`make bench PARTS=quality`), the proportion is that of Yang et al., Tensor Programs V, 2022, for Adam. The
    factor is that of Schulman et al., LoRA Without Regret, 2025; on the embedded base, 1e-2 was best of 1e-3, 3e-3, 1e-2 and 3e-2.
    """
    return 1e-3 * 256 / model.config.get_text_config().hidden_size * (10 if config.lora else 1)


def group_parameters(model: PreTrainedModel, weight_decay: float) -> list[dict]:
    """Split the parameters that are trained so that matrices decay, and biases and norms do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices, vectors = [p for p in trained if p.ndim >= 2], [p for p in trained if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]  # a low-rank adaptation has no vectors
