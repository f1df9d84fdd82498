"""Texts that say the same again, exactly or nearly.

In: texts, oldest first. Out: which of them repeat an earlier one, case and spaces aside. Two texts are near duplicates when their character 5-grams
have a Jaccard similarity of 0.8 or more, as a long post has with itself where one word is another. Pairs are found by
MinHash with banding (Broder 1997; Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, ch. 3) and then measured exactly, so that none is
wrongly dropped; of pairs at 0.8, one in some hundred is overlooked.
"""

from collections.abc import Sequence

import numpy as np

SHINGLE_CHARS = 5  # characters
THRESHOLD = 0.8
BANDS, ROWS_PER_BAND = (
    16,
    4,
)  # a pair of similarity s is looked at with probability 1 - (1 - s^ROWS)^BANDS
TEXTS_PER_BATCH = 10_000
MULTIPLIERS = (
    np.random.default_rng(0).integers(0, 2**63, BANDS * ROWS_PER_BAND, dtype=np.uint64) * 2 + 1
)


def find_near_duplicates(texts: Sequence[str]) -> list[int]:
    """Return, in order, the indices of the texts that an earlier one that stays already says."""
    said = [" ".join(text.casefold().split()) for text in texts]
    first: dict[str, int] = {}
    dropped = {index for index, text in enumerate(said) if first.setdefault(text, index) != index}
    rest = [index for index in range(len(texts)) if index not in dropped]
    signatures = compute_minhash([said[index] for index in rest])
    for earlier, later in sorted(
        find_lsh_candidates(signatures), key=lambda pair: (pair[1], pair[0])
    ):
        one, other = rest[earlier], rest[later]
        if (
            one not in dropped
            and other not in dropped
            and compute_jaccard(said[one], said[other]) >= THRESHOLD
        ):
            dropped.add(other)
    return sorted(dropped)


def compute_minhash(texts: Sequence[str]) -> np.ndarray:
    """Return each text's MinHash signature, [texts, BANDS * ROWS] uint32: the least hash of its shingles under each of the hash functions."""
    parts = [
        minhash_batch(texts[start : start + TEXTS_PER_BATCH])
        for start in range(0, len(texts), TEXTS_PER_BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty((0, BANDS * ROWS_PER_BAND), np.uint32)


def minhash_batch(texts: Sequence[str]) -> np.ndarray:
    # one long row of characters; a text shorter than a shingle is padded, so that each has one at least
    padded = [text.ljust(SHINGLE_CHARS) for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), np.uint32).astype(
        np.uint64
    )
    lengths = np.array([len(text) for text in padded])
    hashes = np.zeros(len(codes) - SHINGLE_CHARS + 1, np.uint64)
    for offset in range(SHINGLE_CHARS):
        hashes = (
            hashes * np.uint64(0x9E3779B97F4A7C15)
            + codes[offset : len(codes) - SHINGLE_CHARS + 1 + offset]
        )
    hashes ^= hashes >> np.uint64(29)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    inside = np.ones(
        len(codes), bool
    )  # a shingle that begins in the last characters of a text would reach into the next
    for offset in range(1, SHINGLE_CHARS):
        inside[starts + lengths - offset] = False
    hashes = hashes[inside[: len(hashes)]]
    starts = np.concatenate([[0], np.cumsum(lengths - SHINGLE_CHARS + 1)[:-1]])
    signature = [
        np.minimum.reduceat((hashes * multiplier) >> np.uint64(32), starts)
        for multiplier in MULTIPLIERS
    ]
    return np.stack(signature, axis=1).astype(np.uint32)


def find_lsh_candidates(signatures: np.ndarray) -> set[tuple[int, int]]:
    """Return pairs (earlier, later) of texts that agree in all rows of some band, each text with the first of its band only.

    Those whose signatures agree in so few places that a similarity of the threshold is out of the question are left out.
    """
    pairs: set[tuple[int, int]] = set()
    if len(signatures) < 2:
        return pairs
    for band in range(BANDS):
        rows = slice(band * ROWS_PER_BAND, (band + 1) * ROWS_PER_BAND)
        keys = (
            signatures[:, rows].astype(np.uint64) @ MULTIPLIERS[rows]
        )  # one number for a band's rows
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        later = np.flatnonzero(first[inverse] != np.arange(len(keys)))
        earlier = first[inverse[later]]
        alike = (signatures[earlier] == signatures[later]).mean(axis=1)
        likely = alike >= THRESHOLD - 0.15  # three standard deviations of the estimate
        pairs.update(zip(earlier[likely].tolist(), later[likely].tolist(), strict=True))
    return pairs


def compute_jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' shingles."""
    a, b = split_shingles(one), split_shingles(other)
    return len(a & b) / len(a | b)


def split_shingles(text: str) -> set[str]:
    text = text.ljust(SHINGLE_CHARS)
    return {text[start : start + SHINGLE_CHARS] for start in range(len(text) - SHINGLE_CHARS + 1)}
