"""How well a model predicts texts that it has not seen.

In: a causal language model, its tokenizer, each author's held-out texts. Out: bits per byte, the
one unit that compares models with different tokenizers. Every process scores its share of the
batches, and the sums are added up, so that any number of them gives the same score.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hubtweets.errors import HubtweetsError
from hubtweets.models.probing import get_context_length
from hubtweets.models.tokenizer import IGNORE_INDEX, encode_texts
from hubtweets.progress import track
from hubtweets.record.run_record import Score

TOKENS_PER_BATCH = 1024
MAX_NATS_PER_TOKEN = 100  # nats per token; knowing nothing costs some 10
DEFAULT_CONTEXT_TOKENS = 1024  # the window for models that read texts of any length


class Window(NamedTuple):
    """BOS and at most the context's tokens of a text of an author."""

    author: int
    tokens: torch.Tensor


@torch.no_grad()
def evaluate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    authors: Sequence[Sequence[str]],
    accelerator: Accelerator | None = None,
    unit: str | None = None,
) -> tuple[Score, list[Score]]:
    """Return the score of all texts, and the score of each author's texts.

    Bits per byte = sum of -log2 p(token) / UTF-8 bytes, and perplexity = exp(mean of -ln p(token)).
    Both are over the tokens of the texts, each text after BOS alone. The EOS after a text is left
    out because it has no bytes (as in nanochat's `evaluate_bpb`). Texts longer than the model's
    context are scored window by window.

    Call it in each process of the accelerator, on a model in evaluation mode. Raises HubtweetsError
    if the model has diverged, or if the tokenizer has no tokens for the texts. Progress is reported
    in batches called `unit`, if that is given.
    """
    bare = accelerator.unwrap_model(model) if accelerator else model
    context = get_context_length(bare) or DEFAULT_CONTEXT_TOKENS
    windows = [
        Window(number, tokens)
        for number, texts in enumerate(authors)
        for text in encode_texts(texts, tokenizer)
        for tokens in split_windows(text[:-1], context)
    ]
    sums = torch.zeros(len(authors), 2, dtype=torch.float64)  # nats and tokens
    rank, world = (accelerator.process_index, accelerator.num_processes) if accelerator else (0, 1)
    shared = list(batch_windows(windows))
    # Every process must call the model as often, so batches of no tokens fill up the rest.
    if windows:
        shared += [[Window(0, windows[0].tokens[:1])]] * (-len(shared) % world)
    for number, batch in enumerate(track(shared, unit, len(shared)) if unit else shared):
        if number % world == rank:
            owners = torch.tensor([window.author for window in batch])
            sums.index_add_(
                0, owners, score_windows([window.tokens for window in batch], model, bare.device)
            )
    if accelerator and world > 1:
        sums = accelerator.reduce(sums.to(accelerator.device), "sum").cpu()
    sizes = [sum(len(text.encode()) for text in texts) for texts in authors]
    scores = [
        make_score(nats, int(tokens), size)
        for (nats, tokens), size in zip(sums.tolist(), sizes, strict=True)
    ]
    nats, tokens = sums.sum(0).tolist()
    return make_score(nats, int(tokens), sum(sizes)), scores


def measure_bits_per_byte(
    tokenizer: PreTrainedTokenizerBase,
    authors: Sequence[Sequence[str]],
    model: PreTrainedModel,
    accelerator: Accelerator,
) -> float:
    """Score all texts in every process of the accelerator, as the trainer asks for."""
    return evaluate(model, tokenizer, authors, accelerator)[0].bits_per_byte


def make_score(nats: float, tokens: int, size: int) -> Score:
    if tokens == 0:
        raise HubtweetsError("this base has no tokens for these posts; take another one: --base ID")
    if not nats / tokens < MAX_NATS_PER_TOKEN:
        raise HubtweetsError(
            f"the model is lost ({nats / tokens:.3g} nats per token); "
            "train it with a smaller --learning-rate"
        )
    return Score(nats / math.log(2) / size, math.exp(nats / tokens), size, tokens)


def score_windows(
    windows: Sequence[torch.Tensor], model: PreTrainedModel, device: torch.device
) -> torch.Tensor:
    """Return the nats and the number of tokens of each window, [windows, 2]."""
    input_ids = pad_sequence(list(windows), batch_first=True).to(device)
    labels = pad_sequence(list(windows), batch_first=True, padding_value=IGNORE_INDEX).to(device)
    logits = model(
        input_ids=input_ids, attention_mask=(labels != IGNORE_INDEX).long(), use_cache=False
    ).logits
    labels = labels[:, 1:]
    losses = cross_entropy(
        logits[:, :-1].flatten(0, 1).float(),
        labels.flatten(),
        ignore_index=IGNORE_INDEX,
        reduction="none",
    )
    return torch.stack(
        [
            losses.view(labels.shape).cpu().double().sum(1),
            (labels != IGNORE_INDEX).cpu().double().sum(1),
        ],
        1,
    )


def split_windows(document: np.ndarray, context: int) -> list[torch.Tensor]:
    """Cut BOS and tokens into windows of at most `context`, each with BOS before it."""
    bos, tokens = document[:1], document[1:]
    return [
        torch.from_numpy(np.concatenate([bos, tokens[i : i + context - 1]]))
        for i in range(0, len(tokens), context - 1)
    ]


def batch_windows(windows: list[Window]) -> Iterator[list[Window]]:
    """Yield windows of similar length together.

    A batch has as many as fit TOKENS_PER_BATCH with their padding, and one at least.
    """
    batch: list[Window] = []
    for window in sorted(windows, key=lambda window: len(window.tokens)):
        if batch and (len(batch) + 1) * len(window.tokens) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
