"""Turns texts into batches.

In: each author's documents, as token ids. Out: batches, the blocks of one optimizer step, and the
micro-batches of a process. The documents of an epoch are shuffled, laid end to end and cut into
blocks, `batch_size` x `block_size` tokens a step. Epochs follow each other in the same stream, so
no token is dropped between them. Authors with fewer posts are sampled more often, to balance them:
see `compute_passes`.

Position ids restart at every document. From them transformers builds a mask that keeps the
documents of a block from attending to each other, if no attention mask is given. For a model that
ignores position ids, a step takes as many tokens in whole documents of similar length, padded.
Traded: a document that is cut by the end of a block loses its context once per cut.
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
    """Blocks of tokens; each tensor is [blocks, tokens].

    Packed blocks have position ids, padded ones an attention mask.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    position_ids: torch.Tensor | None = None
    attention_mask: torch.Tensor | None = None

    @property
    def tokens(self) -> int:
        """Number of tokens without padding."""
        if self.attention_mask is None:
            return self.input_ids.numel()
        return int(self.attention_mask.sum())

    @property
    def targets(self) -> int:
        """Number of target tokens."""
        return int((self.labels[:, 1:] != IGNORE_INDEX).sum())

    @property
    def lengths(self) -> list[int]:
        """Number of tokens of each block, without padding."""
        if self.attention_mask is None:
            blocks, tokens = self.input_ids.shape
            return [tokens] * blocks
        return self.attention_mask.sum(1).tolist()

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        """Return the batch with each of its tensors changed."""
        changed = (None if tensor is None else change(tensor) for tensor in self)
        return Batch(*changed)  # type: ignore[arg-type]

    def select(self, rows: list[int], end: int) -> "Batch":
        """Return these blocks, up to a token."""
        return self.map(lambda tensor: tensor[rows, :end])

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return self.map(lambda tensor: tensor.to(device))


def compute_passes(authors: Sequence[Sequence[np.ndarray]]) -> list[float]:
    """Return the number of passes over each author's documents in an epoch.

    An epoch has as many tokens as the authors have together. Each author's share grows with the
    square root of the tokens they wrote, half way between sampling every post alike and every
    author alike; the exponent is that of multilingual models (multilingual BERT has 0.7; Conneau,
    Lample: XLM, 2019, has 0.5). It is capped at 3 passes to limit memorization; the other authors
    share what is left over.
    """
    tokens = np.array([sum(map(len, documents)) for documents in authors], dtype=np.float64)
    passes = np.zeros(len(tokens))
    free = np.ones(len(tokens), bool)  # authors below the cap
    while (over := free & (passes > MAX_PASSES)).any() or not passes.any():
        free &= ~over
        passes[over] = MAX_PASSES
        shares = np.sqrt(tokens[free]) / np.sqrt(tokens[free]).sum()
        passes[free] = shares * (tokens.sum() - MAX_PASSES * tokens[~free].sum()) / tokens[free]
    return [float(number) for number in passes]


def count_steps(
    authors: Sequence[Sequence[np.ndarray]], epochs: float, batch_size: int, block_size: int
) -> int:
    """Return the number of full batches in `epochs` passes over the documents, at least one."""
    tokens = sum(len(document) for documents in authors for document in documents)
    return max(1, int(epochs * tokens) // (batch_size * block_size))


def draw_epochs(
    authors: Sequence[Sequence[np.ndarray]], generator: np.random.Generator
) -> Iterator[list[np.ndarray]]:
    """Yield endless epochs, each a shuffled list of documents.

    A document is not drawn again before all documents of its author were drawn.
    """
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
    """Yield the documents again and again, each time in another order."""
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
    """Yield endless batches of the authors' documents, in an order that only the seed decides."""
    epochs = draw_epochs(authors, np.random.default_rng(seed))
    if packed:
        return pack_batches(epochs, batch_size, block_size)
    return pad_batches(epochs, batch_size * block_size, block_size)


def pack_batches(
    epochs: Iterator[list[np.ndarray]], batch_size: int, block_size: int
) -> Iterator[Batch]:
    """Yield batches of `batch_size` full blocks."""
    size = batch_size * block_size
    shape = (batch_size, block_size)
    tokens = np.empty(0, dtype=np.int64)
    positions = np.empty(0, dtype=np.int64)
    while True:
        while len(tokens) < size:
            shuffled = next(epochs)
            restarts = [np.arange(len(document)) % block_size for document in shuffled]
            tokens = np.concatenate([tokens, *shuffled])
            positions = np.concatenate([positions, *restarts])
        input_ids = torch.from_numpy(tokens[:size].reshape(shape))
        position_ids = torch.from_numpy(positions[:size].reshape(shape))
        # no target: a block's first token, which has no context, and a document's first token,
        # whose context is another document
        labels = input_ids.masked_fill(position_ids == 0, IGNORE_INDEX)
        labels[:, 0] = IGNORE_INDEX
        yield Batch(input_ids, labels, position_ids=position_ids)
        tokens, positions = tokens[size:], positions[size:]


def pad_batches(epochs: Iterator[list[np.ndarray]], size: int, block_size: int) -> Iterator[Batch]:
    """Yield batches of whole documents, `size` tokens on average, the shortest document first.

    A document that is longer than a block is cut.
    """
    pieces: list[torch.Tensor] = []
    owed = size  # the excess of a batch is taken off the next one
    for document in chain.from_iterable(epochs):
        cut = torch.from_numpy(document).split(block_size)
        pieces += [piece for piece in cut if len(piece) > 1]  # one token alone has no target
        owed -= len(document)
        if owed <= 0 and pieces:
            yield pad_documents(sorted(pieces, key=len))
            pieces, owed = [], owed + size


def pad_documents(documents: Sequence[torch.Tensor]) -> Batch:
    """Return a batch with one document per row."""
    input_ids = pad_sequence(list(documents), batch_first=True)
    targets = [document.index_fill(0, torch.tensor(0), IGNORE_INDEX) for document in documents]
    labels = pad_sequence(targets, batch_first=True, padding_value=IGNORE_INDEX)
    lengths = torch.tensor([len(document) for document in documents])
    mask = torch.arange(input_ids.shape[1]) < lengths[:, None]
    return Batch(input_ids, labels, attention_mask=mask.long())


def split_micro_batches(batch: Batch, tokens: int, rank: int, world_size: int) -> Iterator[Batch]:
    """Yield a process's micro-batches of a batch, `tokens` tokens at most but at least one block.

    Every process gets as many micro-batches, of the same shapes. If there are too few blocks for
    that, one is repeated without labels.
    """
    lengths = batch.lengths
    start = 0
    while start < len(lengths):
        stop = find_cut(lengths, start, tokens, world_size)
        own = range(start + rank, stop, world_size)
        fill = math.ceil((stop - start) / world_size) - len(own)
        rows, end = [*own, *[start] * fill], lengths[stop - 1]
        part = batch.select(rows, end)
        part.labels[len(own) :] = IGNORE_INDEX
        yield part
        start = stop


def find_cut(lengths: Sequence[int], start: int, tokens: int, world_size: int) -> int:
    """Return the end of the blocks from `start` on that the processes take at once.

    Each process takes at most one more block per `world_size` blocks, padded to the longest of
    them, which is the last one.
    """
    blocks = len(lengths)
    stop = min(start + world_size, blocks)
    while stop < blocks:
        longer = min(stop + world_size, blocks)
        rows = (stop - start + world_size) // world_size
        if rows * lengths[longer - 1] > tokens:
            break
        stop = longer
    return stop
