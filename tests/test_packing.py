from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from hubtweets.models.tokenizer import IGNORE_INDEX, encode_texts, load_tokenizer
from hubtweets.training.packing import (
    Batch,
    compute_passes,
    count_steps,
    draw_epochs,
    iterate_batches,
    split_micro_batches,
)

DOCUMENTS = [
    np.array([0, *range(start, start + size), 0]) for start, size in ((10, 3), (20, 7), (40, 1))
]


def test_encode_puts_bos_before_and_eos_after(base: Path) -> None:
    tokenizer = load_tokenizer(str(base))
    documents = encode_texts(["my dream", "</s> <|endoftext|>"], tokenizer)
    assert [document[0] for document in documents] == [0, 0]
    assert [document[-1] for document in documents] == [0, 0]
    assert [tokenizer.decode(document[1:-1]) for document in documents] == [
        "my dream",
        "</s> <|endoftext|>",
    ]
    assert 0 not in documents[1][1:-1]  # a special token that somebody wrote is text
    assert encode_texts([], tokenizer) == []


def test_every_token_comes_once_an_epoch_and_none_is_padding() -> None:
    stream = iterate_batches([DOCUMENTS], batch_size=2, block_size=4, seed=1)
    tokens = torch.cat(
        [next(stream).input_ids.flatten() for _ in range(17)]
    )  # 17 x 8 tokens are 8 epochs of 17
    assert sorted(tokens.tolist()) == sorted(8 * np.concatenate(DOCUMENTS).tolist())


def test_documents_stay_whole_in_the_stream() -> None:
    stream = iterate_batches([DOCUMENTS], batch_size=1, block_size=17, seed=3)
    batch = next(stream)
    assert batch.position_ids is not None
    starts = (batch.position_ids[0] == 0).nonzero().flatten().tolist()
    pieces = [piece.tolist() for piece in torch.tensor_split(batch.input_ids[0], starts[1:])]
    assert sorted(pieces) == sorted(document.tolist() for document in DOCUMENTS)


def test_labels_never_cross_a_document_or_a_block() -> None:
    batch = next(iterate_batches([DOCUMENTS], batch_size=3, block_size=5, seed=0))
    expected = batch.input_ids.clone()
    expected[batch.position_ids == 0] = IGNORE_INDEX
    expected[:, 0] = IGNORE_INDEX
    assert torch.equal(batch.labels, expected)


def test_positions_restart_within_long_documents() -> None:
    batch = next(iterate_batches([[np.arange(10)]], batch_size=3, block_size=4, seed=0))
    assert batch.position_ids is not None and batch.position_ids.tolist() == [
        [0, 1, 2, 3],
        [0, 1, 2, 3],
        [0, 1, 0, 1],
    ]


def test_the_seed_alone_decides_the_order() -> None:
    first, second, other = (
        torch.stack([next(stream).input_ids for _ in range(9)])
        for stream in (iterate_batches([DOCUMENTS], 1, 5, s) for s in (1, 1, 2))
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_count_steps() -> None:
    assert [count_steps([DOCUMENTS], epochs, 2, 4) for epochs in (0.1, 1, 2, 8)] == [1, 2, 4, 17]


SMALL, LARGE = [np.array([1, n, 2]) for n in range(110)], [np.array([3, n, 4]) for n in range(1000)]


def test_a_small_author_is_drawn_from_more_often_by_the_root_of_what_each_wrote() -> None:
    assert compute_passes([DOCUMENTS]) == [1.0]
    assert compute_passes([SMALL, SMALL]) == [1.0, 1.0]
    tiny, huge = compute_passes([SMALL[:2], LARGE])
    assert (tiny, huge) == (3.0, pytest.approx((1002 - 3 * 2) / 1000))
    assert compute_passes([SMALL[:2], SMALL[:3], LARGE])[:2] == [3.0, 3.0]
    small, large = compute_passes([SMALL, LARGE])
    assert small / large == pytest.approx((1000 / 110) ** 0.5)
    assert small * 110 + large * 1000 == pytest.approx(1110)  # an epoch stays as long


def test_a_post_comes_again_only_when_all_of_its_author_came() -> None:
    epochs = draw_epochs([SMALL, LARGE], np.random.default_rng(0))
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(4):
        seen.update(tuple(document.tolist()) for document in next(epochs))
    small = [seen[tuple(document.tolist())] for document in SMALL]
    large = [seen[tuple(document.tolist())] for document in LARGE]
    assert abs(sum(small) + sum(large) - 4 * 1110) < 4
    assert max(small) - min(small) <= 1 and max(large) - min(large) <= 1
    assert (min(small), max(large)) == (
        10,
        4,
    )  # the original showed the small author's 36 to 40 times


def shown(batch: Batch) -> list[list[int]]:
    """Return what a model would be shown of a batch, without padding."""
    masks = (
        torch.ones_like(batch.input_ids) if batch.attention_mask is None else batch.attention_mask
    )
    return [row[mask.bool()].tolist() for row, mask in zip(batch.input_ids, masks, strict=True)]


def test_padded_batches_hold_whole_documents_of_like_length() -> None:
    long = [*DOCUMENTS, np.arange(100, 111)]  # cut into 8 and 3
    stream = iterate_batches([long], batch_size=2, block_size=8, seed=0, packed=False)
    taken = [next(stream) for _ in range(28)]  # 28 x 16 tokens are 16 epochs of 28
    pieces = {tuple(row) for batch in taken for row in shown(batch)}
    assert pieces == {
        tuple(piece.tolist())
        for document in long
        for piece in (document[:8], document[8:])
        if len(piece) > 1
    }
    for batch in taken:
        lengths = [len(row) for row in shown(batch)]
        assert lengths == sorted(lengths) and lengths[-1] == batch.input_ids.shape[1] <= 8
        assert batch.position_ids is None and batch.attention_mask is not None
        expected = batch.input_ids.masked_fill(batch.attention_mask == 0, IGNORE_INDEX)
        expected[:, 0] = IGNORE_INDEX
        assert torch.equal(batch.labels, expected)
        assert batch.tokens == sum(lengths) and batch.targets == sum(lengths) - len(lengths)
    assert abs(sum(batch.tokens for batch in taken) - 28 * 16) < 20


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("tokens", "world"),
    [(8, 1), (16, 1), (1, 1), (1000, 1), (8, 2), (16, 2), (24, 3), (16, 5), (1000, 7)],
)
def test_micro_batches_are_the_batch_shared_out(packed: bool, tokens: int, world: int) -> None:
    documents = [
        np.array([0, *range(start, start + size), 0])
        for start, size in zip(range(10, 5000, 9), [3, 7, 1, 6, 2] * 40, strict=False)
    ]
    batch = next(iterate_batches([documents], batch_size=8, block_size=8, seed=1, packed=packed))
    shares = [list(split_micro_batches(batch, tokens, rank, world)) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1  # each process calls the model as often
    for parts in zip(*shares, strict=True):
        assert len({part.input_ids.shape for part in parts}) == 1
        assert parts[0].input_ids.numel() <= max(tokens, parts[0].input_ids.shape[1])
    labels = Counter(
        tuple(row)
        for share in shares
        for part in share
        for row in part.labels.tolist()
        if set(row) != {IGNORE_INDEX}
    )
    longest = batch.labels.shape[1]
    expected = Counter(tuple(row) for row in batch.labels.tolist())
    assert (
        Counter((*row, *[IGNORE_INDEX] * (longest - len(row))) for row in labels.elements())
        == expected
    )
    assert sum(part.targets for share in shares for part in share) == batch.targets
