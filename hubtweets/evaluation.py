"""How well a model foretells texts it has not seen.

In: a causal language model, its tokenizer, held-out texts. Out: bits per byte, the one unit that compares models with different tokenizers.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hubtweets.errors import HubtweetsError
from hubtweets.models import context_of
from hubtweets.packing import IGNORED, encode
from hubtweets.record import Score

TOKENS_PER_BATCH = 4096
HOPELESS = 100  # nats per token; knowing nothing costs some 10
UNBOUNDED = 1024  # the window for models that read texts of any length


@torch.no_grad()
def evaluate(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Score:
    """Score texts: bits per byte = sum of -log2 p(token) / UTF-8 bytes, and perplexity = exp(mean of -ln p(token)).

    Both are over the tokens of the texts, each text after BOS alone; the EOS after a text is left out, for it has no bytes (as in nanochat's
    `evaluate_bpb`). Texts longer than the model's context are scored window by window. Raises HubtweetsError for a model that has diverged, and
    for a tokenizer that has no tokens for the texts.
    """
    model.eval()
    context = context_of(model) or UNBOUNDED
    windows = [window for document in encode(texts, tokenizer) for window in split(document[:-1], context)]
    nats, tokens = 0.0, 0
    for batch in batches(windows):
        input_ids = pad_sequence(batch, batch_first=True).to(model.device)
        labels = pad_sequence(batch, batch_first=True, padding_value=IGNORED).to(model.device)
        logits = model(input_ids=input_ids, attention_mask=(labels != IGNORED).long()).logits
        loss = cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum")
        nats += loss.item()
        tokens += int((labels[:, 1:] != IGNORED).sum())
    if tokens == 0:
        raise HubtweetsError("this base has no tokens for these posts; take another one: --base ID")
    if not nats / tokens < HOPELESS:
        raise HubtweetsError(f"the model is lost ({nats / tokens:.3g} nats per token); train it with a smaller --learning-rate")
    total_bytes = sum(len(text.encode()) for text in texts)
    return Score(nats / math.log(2) / total_bytes, math.exp(nats / tokens), total_bytes, tokens)


def split(document: np.ndarray, context: int) -> list[np.ndarray]:
    """Cut BOS and tokens into windows of at most `context`, each with BOS before it."""
    bos, tokens = document[:1], document[1:]
    return [np.concatenate([bos, tokens[i : i + context - 1]]) for i in range(0, len(tokens), context - 1)]


def batches(windows: list[np.ndarray]) -> Iterator[list[torch.Tensor]]:
    """Yield windows of like length together, as many as fit TOKENS_PER_BATCH with their padding, one at least."""
    batch: list[torch.Tensor] = []
    for window in sorted(windows, key=len):
        if batch and (len(batch) + 1) * len(window) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(torch.from_numpy(window))
    if batch:
        yield batch
