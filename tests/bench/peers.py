"""The peers that the trainer is measured against, and what the machine can do at most.

A peer takes a model in fp32, its tokenizer and training texts. It trains the model in place and
leaves it ready to be evaluated. It returns the tokens that the model was trained on and the seconds
that this took, from the first step to the last. Imports, encoding and the making of the optimizer
are not timed, which favours the peers.
"""

import tempfile
import time
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from torch.nn.utils.rnn import pad_sequence
from torch.utils.benchmark import Timer
from torch.utils.data import DataLoader
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_cosine_schedule_with_warmup,
)

from hubtweets.models.hardware import choose_device
from hubtweets.models.probing import get_context_length
from hubtweets.models.tokenizer import IGNORE_INDEX, encode_texts

LONGEST_BLOCK = 1024
POSTS_PER_BATCH = 8
DROPOUT = 0.1  # GPT-2's own


class Trained(NamedTuple):
    """What a training took; `tokens` leaves out padding."""

    tokens: int
    seconds: float
    steps: int


class Clock(TrainerCallback):
    """Notes when the Trainer's loop begins and ends."""

    began = ended = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.began = now()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self.ended = now()


def original(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    learning_rate: float = 1.372e-4,
    epochs: int = 4,
    max_steps: int | None = None,
    seed: int = 0,
) -> Trained:
    """Train as huggingtweets did, by transformers' Trainer.

    The recipe is from borisdayma/huggingtweets, huggingtweets-demo.ipynb: one block of 1024 tokens
    (or of what the model reads at once) a step, fp32, AdamW, a cosine without warm-up. What the
    Trainer of today does better is left in: clipped gradients, the fused AdamW. The schedule ends
    at `max_steps` if that is less.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = DROPOUT  # which the embedded base comes without; it stays so
    examples = blocks(
        encode_texts(texts, tokenizer),
        min(LONGEST_BLOCK, get_context_length(model) or LONGEST_BLOCK),
        epochs,
        seed,
    )
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=min(
                len(examples), max_steps or len(examples)
            ),  # in one pass, for the epochs are in the blocks
            per_device_train_batch_size=1,
            learning_rate=learning_rate,
            lr_scheduler_type="cosine",
            seed=seed,
            bf16=False,
            use_cpu=choose_device().type == "cpu",
            dataloader_pin_memory=choose_device().type == "cuda",
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        dataset = [
            {"input_ids": block, "labels": block} for block in map(torch.from_numpy, examples)
        ]
        trainer = Trainer(model=model, args=arguments, train_dataset=dataset, callbacks=[clock])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    forget()
    model.eval().config.use_cache = True  # as they were before the Trainer
    steps = trainer.state.global_step
    return Trained(steps * len(examples[0]), clock.ended - clock.began, steps)


def blocks(documents: Sequence[np.ndarray], size: int, epochs: int, seed: int) -> list[np.ndarray]:
    """Lay the documents of all epochs end to end and cut them into blocks.

    Each epoch is shuffled, and one EOS stands between two documents. What is left over is dropped.
    If all of it is less than a block, it is the one block; the original had none then.
    """
    random, shuffled = Random(seed), list(documents)
    parts = [documents[0][-1:]]  # EOS stands at both ends
    for _ in range(epochs):
        random.shuffle(shuffled)
        parts += [document[1:] for document in shuffled]
    stream = np.concatenate(parts)
    return [stream[start : start + size] for start in range(0, len(stream) - size + 1, size)] or [
        stream
    ]


def padded(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    mixed_precision: str,
    learning_rate: float = 5e-5,
    epochs: int = 4,
    max_steps: int | None = None,
    seed: int = 0,
) -> Trained:
    """Train by the plain Accelerate loop of its nlp_example.py; a post is a row.

    The settings are those of transformers' run_clm_no_trainer.py. A step is eight posts, padded to
    the longest of them, with AdamW without decay, here the fused one, and a cosine without warm-up.
    `mixed_precision` is "no" or "bf16". The schedule ends at `max_steps` if that is less.
    """
    forget()
    accelerator = Accelerator(mixed_precision=mixed_precision, cpu=choose_device().type == "cpu")
    set_seed(seed)
    context = get_context_length(model) or LONGEST_BLOCK
    documents = [
        torch.from_numpy(document[:context]) for document in encode_texts(texts, tokenizer)
    ]
    loader: DataLoader = DataLoader(
        documents,  # type: ignore[arg-type]  # a list will do
        batch_size=POSTS_PER_BATCH,
        shuffle=True,
        collate_fn=pad,
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, weight_decay=0.0, fused=True
    )
    total = min(epochs * len(loader), max_steps or epochs * len(loader))
    scheduler = get_cosine_schedule_with_warmup(
        optimizer, num_warmup_steps=0, num_training_steps=total
    )
    prepared, optimizer, loader, scheduler = accelerator.prepare(
        model, optimizer, loader, scheduler
    )

    prepared.train()
    tokens, step, began = torch.zeros((), dtype=torch.long, device=accelerator.device), 0, now()
    while step < total:
        for batch in loader:
            tokens += batch["attention_mask"].sum()
            loss = prepared(**batch).loss
            accelerator.backward(loss)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            step += 1
            if step == total:
                break
    seconds = now() - began
    vars(model.eval()).pop(
        "forward", None
    )  # which Accelerate put over the model's own, or it were evaluated in mixed precision too
    forget()
    return Trained(int(tokens), seconds, total)


def pad(documents: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a batch as the models of transformers take it.

    Each tensor is [documents, tokens of the longest].
    """
    labels = pad_sequence(list(documents), batch_first=True, padding_value=IGNORE_INDEX)
    return {
        "input_ids": labels.clamp(min=0),
        "attention_mask": (labels != IGNORE_INDEX).long(),
        "labels": labels,
    }


def forget() -> None:
    """Make Accelerate forget its first choice of precision.

    The next training in this process makes a choice of its own.
    """
    AcceleratorState._reset_state(reset_partial_state=True)


def now() -> float:
    """Return the time in seconds, once the accelerator has done what it was told."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter()


def gpt2_124m() -> PreTrainedModel:
    """Return a model of GPT-2's smallest size with random weights, in fp32.

    It is on the GPU if there is one.
    """
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=50257)).to(choose_device())


def matmul_flops(rows: int, inner: int, columns: int, dtype: torch.dtype) -> float:
    """Return the FLOP/s of a product of [rows, inner] and [inner, columns].

    These are floating-point operations per second, in the best of several measurements.
    """
    left = torch.randn(rows, inner, device=choose_device()).to(dtype)
    right = torch.randn(inner, columns, device=choose_device()).to(dtype)
    timer = Timer(
        "torch.mm(left, right)",
        globals={"torch": torch, "left": left, "right": right},
        num_threads=torch.get_num_threads(),
    )
    return 2 * rows * inner * columns / min(timer.blocked_autorange(min_run_time=1).times)
