from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.models.loading import load_base
from hubtweets.models.tokenizer import encode_texts
from hubtweets.record.run_record import Base
from tests.bench import peers

TEXTS = [f"my dream is to repair the radio in shed {number}" for number in range(16)]


@pytest.fixture
def loaded(base: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    return load_base(Base("one-layer", "", None, (), on_hub=False), str(base))


@torch.no_grad()
def loss(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> float:
    """Return the mean loss over TEXTS of a model that is as `load` leaves it.

    Such a model is in fp32 and without dropout.
    """
    batch = peers.pad([torch.from_numpy(document) for document in encode_texts(TEXTS, tokenizer)])
    assert not model.training and "forward" not in vars(model)
    return model(**batch).loss.item()


@pytest.mark.parametrize(
    ("size", "epochs", "expected"),
    [
        (4, 1, [[0, 4, 0, 5], [6, 0, 1, 2]]),
        (3, 2, [[0, 4, 0], [5, 6, 0], [1, 2, 3], [0, 1, 2], [3, 0, 4], [0, 5, 6]]),
        (10, 1, [[0, 4, 0, 5, 6, 0, 1, 2, 3, 0]]),
        (99, 1, [[0, 4, 0, 5, 6, 0, 1, 2, 3, 0]]),
    ],
)
def test_blocks_are_cut_as_the_original_cut_them(
    size: int, epochs: int, expected: list[list[int]]
) -> None:
    documents = [np.array([0, *tokens, 0]) for tokens in ([1, 2, 3], [4], [5, 6])]
    assert [block.tolist() for block in peers.blocks(documents, size, epochs, seed=1)] == expected


@pytest.mark.parametrize(
    ("peer", "tokens", "steps"),
    [
        (
            lambda model, tokenizer: peers.original(model, tokenizer, TEXTS, learning_rate=1e-2),
            lambda lengths: (4 * sum(lengths - 1) + 1) // 256 * 256,
            None,
        ),
        (
            lambda model, tokenizer: peers.original(
                model, tokenizer, TEXTS, learning_rate=1e-2, max_steps=3
            ),
            lambda _: 3 * 256,
            3,
        ),
        (
            lambda model, tokenizer: peers.original(
                model, tokenizer, TEXTS[:1], learning_rate=1e-2, epochs=1
            ),
            lambda lengths: lengths[0],
            1,
        ),
        (
            lambda model, tokenizer: peers.padded(
                model, tokenizer, TEXTS, "no", learning_rate=1e-2
            ),
            lambda lengths: 4 * sum(lengths),
            8,
        ),
        (
            lambda model, tokenizer: peers.padded(
                model, tokenizer, TEXTS[:8], "bf16", learning_rate=1e-2, max_steps=1
            ),
            lambda lengths: sum(lengths[:8]),
            1,
        ),
    ],
)
def test_peers_learn_from_as_many_tokens_as_they_tell(
    loaded: tuple[PreTrainedModel, PreTrainedTokenizerFast],
    peer: Callable[..., peers.Trained],
    tokens: Callable[[np.ndarray], int],
    steps: int | None,
) -> None:
    model, tokenizer = loaded
    lengths = np.array([len(document) for document in encode_texts(TEXTS, tokenizer)])
    before = loss(model, tokenizer)
    trained = peer(*loaded)
    assert trained.tokens == tokens(lengths)
    assert trained.steps == (steps or trained.tokens // 256)
    assert loss(model, tokenizer) < before


def test_padding_is_not_learnt() -> None:
    batch = peers.pad([torch.tensor([0, 7, 8, 0]), torch.tensor([0, 9])])
    assert {name: tensor.tolist() for name, tensor in batch.items()} == {
        "input_ids": [[0, 7, 8, 0], [0, 9, 0, 0]],
        "attention_mask": [[1, 1, 1, 1], [1, 1, 0, 0]],
        "labels": [[0, 7, 8, 0], [0, 9, -100, -100]],
    }
