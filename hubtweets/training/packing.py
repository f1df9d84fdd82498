"""Texts to batches.

In: texts and a tokenizer. Out: batches, the blocks of one optimizer step, and the micro-batches of a process. The documents of an epoch are
shuffled, laid end to end and cut into blocks, `batch_size` x `block_size` tokens a step; epochs follow each other in the same stream, so that no
token is thrown away between them. Of several authors, one who wrote little is drawn from more often, by weight and not by copies: see `passes`.
Position ids restart at every document, by which transformers keeps the documents of a block from attending to each other (it builds the mask from
the resets when no attention mask is given). For a model that does not, a step takes as many tokens in documents of like length, padded. Traded: a
document that a block's end cuts loses its context once per cut.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from hubtweets.models.tokenizer import IGNORE_INDEX

MAX_PASSES = 3.0  # over one author's documents in an epoch


class Batch(NamedTuple):
    """Blocks; each tensor is [blocks, tokens]. Packed ones have position ids, padded ones an attention mask."""

    input_ids: torch.Tensor
    labels: torch.Tensor
    position_ids: torch.Tensor | None = None
    attention_mask: torch.Tensor | None = None

    @property
    def tokens(self) -> int:
        """How many of the tokens are not padding."""
        return (
            self.input_ids.numel()
            if self.attention_mask is None
            else int(self.attention_mask.sum())
        )

    @property
    def targets(self) -> int:
        """How many tokens are foretold."""
        return int((self.labels[:, 1:] != IGNORE_INDEX).sum())

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        """Return the batch with each of its tensors changed."""
        position_ids, attention_mask = (
            None if tensor is None else change(tensor)
            for tensor in (self.position_ids, self.attention_mask)
        )
        return Batch(change(self.input_ids), change(self.labels), position_ids, attention_mask)


def compute_passes(authors: Sequence[Sequence[np.ndarray]]) -> list[float]:
    """Return how many passes over each author's documents an epoch makes; the tokens of an epoch are as many as the authors have together.

    Their shares are as the square roots of what each wrote, half way between drawing every post alike and every author alike; the exponent is
    that of multilingual models (multilingual BERT has 0.7; Conneau, Lample: XLM, 2019, has 0.5). Nobody's posts come more than three times, lest
    they are learnt by heart.
    """
    tokens = np.array([sum(map(len, documents)) for documents in authors], dtype=np.float64)
    found = np.zeros(len(tokens))
    free = np.ones(len(tokens), bool)
    while (
        over := free & (found > MAX_PASSES)
    ).any() or not found.any():  # what those at the most leave is shared by the others
        free &= ~over
        found[over] = MAX_PASSES
        shares = np.sqrt(tokens[free]) / np.sqrt(tokens[free]).sum()
        found[free] = shares * (tokens.sum() - MAX_PASSES * tokens[~free].sum()) / tokens[free]
    return [float(number) for number in found]


def count_steps(
    authors: Sequence[Sequence[np.ndarray]], epochs: float, batch_size: int, block_size: int
) -> int:
    """Return how many full batches `epochs` passes over the documents give, one at least."""
    tokens = sum(len(document) for documents in authors for document in documents)
    return max(1, int(epochs * tokens) // (batch_size * block_size))


def draw_epochs(
    authors: Sequence[Sequence[np.ndarray]], generator: np.random.Generator
) -> Iterator[list[np.ndarray]]:
    """Yield epochs for ever, each a shuffled list of documents; nobody's document comes a second time before all of theirs came."""
    weights = compute_passes(authors)
    drawn = [draw_documents(documents, generator) for documents in authors]
    owed = [0.0] * len(authors)
    while True:
        epoch: list[np.ndarray] = []
        for number, documents in enumerate(authors):
            owed[number] += weights[number] * len(documents)
            epoch += [next(drawn[number]) for _ in range(int(owed[number]))]
            owed[number] %= 1
        yield [epoch[i] for i in generator.permutation(len(epoch))]


def draw_documents(
    documents: Sequence[np.ndarray], generator: np.random.Generator
) -> Iterator[np.ndarray]:
    while True:
        for i in generator.permutation(len(documents)):
            yield documents[i]


def iterate_batches(
    authors: Sequence[Sequence[np.ndarray]],
    batch_size: int,
    block_size: int,
    seed: int,
    packed: bool = True,
) -> Iterator[Batch]:
    """Yield batches of the authors' documents for ever, in an order that only the seed decides."""
    epochs = draw_epochs(authors, np.random.default_rng(seed))
    return (
        pack_batches(epochs, batch_size, block_size)
        if packed
        else pad_batches(epochs, batch_size * block_size, block_size)
    )


def pack_batches(
    epochs: Iterator[list[np.ndarray]], batch_size: int, block_size: int
) -> Iterator[Batch]:
    """Yield batches of `batch_size` full blocks."""
    size = batch_size * block_size
    tokens = np.empty(0, dtype=np.int64)
    positions = np.empty(0, dtype=np.int64)
    while True:
        while len(tokens) < size:
            shuffled = next(epochs)
            tokens = np.concatenate([tokens, *shuffled])
            positions = np.concatenate(
                [positions, *(np.arange(len(d)) % block_size for d in shuffled)]
            )
        shape = (batch_size, block_size)
        input_ids = torch.from_numpy(tokens[:size].reshape(shape))
        position_ids = torch.from_numpy(positions[:size].reshape(shape))
        # a block's first token has no context, and a document's first must not be foretold from the document before it
        labels = input_ids.masked_fill(position_ids == 0, IGNORE_INDEX)
        labels[:, 0] = IGNORE_INDEX
        yield Batch(input_ids, labels, position_ids=position_ids)
        tokens, positions = tokens[size:], positions[size:]


def pad_batches(epochs: Iterator[list[np.ndarray]], size: int, block_size: int) -> Iterator[Batch]:
    """Yield batches of whole documents, `size` tokens in the mean, the shortest first; one longer than a block is cut."""
    step: list[torch.Tensor] = []
    owed = size  # what a batch is over goes off the next one
    for document in chain.from_iterable(epochs):
        pieces = torch.from_numpy(document).split(block_size)
        step += [piece for piece in pieces if len(piece) > 1]  # one token alone foretells nothing
        owed -= len(document)
        if owed <= 0 and step:
            step.sort(key=len)
            input_ids = pad_sequence(step, batch_first=True)
            labels = pad_sequence(
                [piece.index_fill(0, torch.tensor(0), IGNORE_INDEX) for piece in step],
                batch_first=True,
                padding_value=IGNORE_INDEX,
            )
            lengths = torch.tensor([len(piece) for piece in step])
            yield Batch(
                input_ids,
                labels,
                attention_mask=(torch.arange(input_ids.shape[1]) < lengths[:, None]).long(),
            )
            step, owed = [], owed + size


def split_micro_batches(batch: Batch, tokens: int, rank: int, world: int) -> Iterator[Batch]:
    """Cut a batch into what a process takes at once, `tokens` tokens at most but one block at least, and yield its share of each cut.

    Every process gets as many micro-batches, of like shape; where blocks are missing for that, one comes again without labels.
    """
    blocks, longest = batch.input_ids.shape
    lengths = (
        [longest] * blocks if batch.attention_mask is None else batch.attention_mask.sum(1).tolist()
    )
    start = 0
    while start < blocks:
        stop = min(start + world, blocks)
        while (
            stop < blocks
            and (stop - start + world) // world * lengths[min(stop + world, blocks) - 1] <= tokens
        ):
            stop = min(stop + world, blocks)
        own = range(start + rank, stop, world)
        fill = math.ceil((stop - start) / world) - len(own)
        rows, end = [*own, *[start] * fill], lengths[stop - 1]

        def share(tensor: torch.Tensor, rows: list[int] = rows, end: int = end) -> torch.Tensor:
            return tensor[rows, :end]

        part = batch.map(share)
        part.labels[len(own) :] = IGNORE_INDEX
        yield part
        start = stop
