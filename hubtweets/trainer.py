"""The training loop, on Accelerate.

In: a causal language model, each author's encoded documents, a TrainingConfig. Out: the model, trained in place, and the history of its loss. It
knows nothing of posts, so that it trains the embedded base too. A checkpoint is written every `checkpoint_seconds`; the next call with the same
arguments goes on from it. Ctrl-C and SIGTERM write one first.
"""

import json
import logging
import math
import platform
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm
from transformers import PreTrainedModel

from hubtweets.errors import HubtweetsError
from hubtweets.packing import IGNORED, Batch, batches, count_steps
from hubtweets.record import HistoryPoint, TrainingConfig

logging.getLogger("accelerate").setLevel(logging.ERROR)  # it warns at every checkpoint that tied weights are kept once


@dataclass
class Progress:
    """Where a training run stands; saved with each checkpoint. `seconds` leaves out what a kill threw away."""

    step: int
    seconds: float
    history: list[HistoryPoint]
    pending: list[float]  # losses since the last point of the history


@dataclass(frozen=True)
class Result:
    """A finished training, and what it ran on."""

    progress: Progress
    device: str
    num_processes: int
    mixed_precision: str


def choose_precision() -> str:
    """Return Accelerate's `mixed_precision` for this machine: bf16 where the hardware multiplies in it, else fp32 ("no")."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
    if torch.backends.mps.is_available():
        return "no"
    cpu = torch.cpu.get_capabilities()  # without these two, bf16 on a CPU is emulated and 60 to 200 times slower
    return "bf16" if cpu.get("avx512_bf16") or cpu.get("amx_bf16") else "no"


def train(
    model: PreTrainedModel, documents: Sequence[Sequence[np.ndarray]], config: TrainingConfig, checkpoints: Path, quiet: bool = False
) -> Result:
    """Fine-tune the model in place on the authors' packed documents and return its history and what it ran on.

    The learning rate rises linearly over the first `warmup_ratio` of the steps and falls to zero on a cosine. The loss is the sum of the token
    losses divided by the tokens of the whole step over all processes; DDP averages gradients, hence the factor `num_processes`.
    """
    accelerator = Accelerator(mixed_precision=choose_precision())
    set_seed(config.seed)
    peak = config.learning_rate or default_learning_rate(model)
    model.train()
    model.config.use_cache = False
    optimizer = torch.optim.AdamW(parameter_groups(model, config.weight_decay), lr=peak, fused=True)
    total = count_steps(documents, config.epochs, config.batch_size, config.block_size)
    warmup = max(1, round(config.warmup_ratio * total))
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * max(0, step - warmup) / max(1, total - warmup))),
    )
    model, optimizer = accelerator.prepare(model, optimizer)
    accelerator.register_for_checkpointing(scheduler)
    progress = restore(accelerator, checkpoints) or Progress(0, 0.0, [], [])

    rank, world = accelerator.process_index, accelerator.num_processes
    bar = Bar(total, progress.step, quiet or not accelerator.is_main_process)
    before, began = progress.seconds, time.monotonic()
    saved = began
    with stoppable() as stop:
        for step, batch in enumerate(batches(documents, config.batch_size, config.block_size, config.seed)):
            if step < progress.step:
                continue
            if step == total:
                break
            batch = Batch(*(tensor[rank::world].to(accelerator.device) for tensor in batch))
            overdue = float(accelerator.is_main_process and time.monotonic() - saved > config.checkpoint_seconds)
            counts = [(batch.labels != IGNORED).sum(), overdue, float(stop())]
            local = torch.tensor(counts, dtype=torch.float32, device=accelerator.device)
            tokens, checkpoint_now, stop_now = accelerator.reduce(local, "sum").tolist()

            logits = model(input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False).logits
            loss = cross_entropy(logits[:, :-1].flatten(0, 1).float(), batch.labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum")
            loss = loss * world / tokens
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            learning_rate = float(scheduler.get_last_lr()[0])
            scheduler.step()
            optimizer.zero_grad()

            progress.step, progress.seconds = step + 1, before + time.monotonic() - began
            mean_loss = accelerator.reduce(loss.detach(), "mean").item()
            if not math.isfinite(mean_loss):
                raise HubtweetsError(f"the loss is {mean_loss} at step {progress.step}; type a smaller --learning-rate than {peak:g}")
            progress.pending.append(mean_loss)
            if progress.step % config.logging_steps == 0 or progress.step == total:
                progress.history.append(HistoryPoint(progress.step, fmean(progress.pending), learning_rate))
                progress.pending.clear()
            bar.update(mean_loss, batch.input_ids.numel() * world)
            if checkpoint_now or stop_now:
                save(accelerator, checkpoints, progress)
                saved = time.monotonic()
            if stop_now:
                raise HubtweetsError(f"stopped at step {progress.step} of {total}, which is saved; type the command again to go on from there")
    bar.close()
    accelerator.unwrap_model(model).config.use_cache = True
    return Result(progress, device_name(accelerator.device), world, accelerator.mixed_precision)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Take the first Ctrl-C or SIGTERM as a wish, which the function tells of; the second one acts as ever."""
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        asked.append(number)
        restore_handlers()

    def restore_handlers() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    if threading.current_thread() is not threading.main_thread():  # which alone may handle signals
        yield lambda: False
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        restore_handlers()


def default_learning_rate(model: PreTrainedModel) -> float:
    """Return 1e-3 at a width of 256, and less in proportion for wider models."""
    return 1e-3 * 256 / model.config.get_text_config().hidden_size


def parameter_groups(model: PreTrainedModel, weight_decay: float) -> list[dict]:
    """Split the parameters so that matrices decay, and biases and norms do not."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def save(accelerator: Accelerator, checkpoints: Path, progress: Progress) -> None:
    """Write the state into a fresh folder and put it in the place of the last checkpoint, so that a cut write never counts."""
    fresh, last = checkpoints / "writing", checkpoints / f"step-{progress.step}"
    if accelerator.is_main_process:
        shutil.rmtree(fresh, ignore_errors=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(fresh))
    except (OSError, RuntimeError, SafetensorError) as error:  # torch's word for a full disk is RuntimeError
        shutil.rmtree(fresh, ignore_errors=True)
        raise HubtweetsError(f"{checkpoints}: the checkpoint can't be written ({error}); free some disk space and type the command again") from None
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        older = [path for path in checkpoints.iterdir() if path != fresh]
        (fresh / "progress.json").write_text(json.dumps(asdict(progress)))
        fresh.rename(last)
        for path in older:
            shutil.rmtree(path)


def restore(accelerator: Accelerator, checkpoints: Path) -> Progress | None:
    """Load the newest whole checkpoint and return where it stood, or None where there is none."""
    whole = sorted(checkpoints.glob("step-*/progress.json"), key=lambda path: int(path.parent.name.removeprefix("step-")))
    if not whole:
        return None
    accelerator.load_state(str(whole[-1].parent))
    saved = json.loads(whole[-1].read_text())
    return Progress(**{**saved, "history": [HistoryPoint(**point) for point in saved["history"]]})


def device_name(device: torch.device) -> str:
    """Return what the hardware calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return str(torch.cpu.get_capabilities().get("cpu_name") or platform.processor() or device.type)


class Bar:
    """A progress bar with loss and tokens per second; where nobody watches a terminal, a plain line every tenth of the way."""

    def __init__(self, total: int, start: int, quiet: bool) -> None:
        self.total, self.step, self.start, self.quiet = total, start, start, quiet
        self.tokens, self.began = 0, time.monotonic()
        self.tty = not quiet and sys.stderr.isatty()
        if start and not quiet:
            print(f"train: goes on from the checkpoint at step {start} of {total}", file=sys.stderr, flush=True)
        self.bar = tqdm(total=total, initial=start, unit="step", disable=not self.tty)

    def update(self, loss: float, tokens: int) -> None:
        self.step += 1
        self.tokens += tokens
        speed = self.tokens / (time.monotonic() - self.began)
        self.bar.set_postfix_str(f"loss {loss:.3f}, {speed:,.0f} tokens/s")
        self.bar.update()
        tenth = max(1, self.total // 10)
        if not self.quiet and not self.tty and (self.step % tenth == 0 or self.step == self.total):
            print(f"step {self.step} of {self.total}: loss {loss:.3f}, {speed:,.0f} tokens/s", file=sys.stderr, flush=True)

    def close(self) -> None:
        self.bar.close()
