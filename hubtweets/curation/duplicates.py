"""Near duplicates: texts that say the same as an earlier one.

In: texts, oldest first. Out: which of them repeat an earlier one, ignoring case and spaces. Two
texts are near duplicates if their character 5-grams have a Jaccard similarity of 0.8 or more, as
two long posts have that differ in one word. Pairs are found by MinHash with banding (Broder 1997;
Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, ch. 3) and then measured exactly, so none
is dropped wrongly; of pairs at 0.8, about one in several hundred is missed.
"""

from collections.abc import Sequence

import numpy as np

SHINGLE_CHARS = 5  # characters
THRESHOLD = 0.8
# A pair of similarity s is compared with probability 1 - (1 - s^ROWS_PER_BAND)^BANDS.
BANDS = 16
ROWS_PER_BAND = 4
MAX_ESTIMATE_ERROR = 0.15  # of a similarity by MinHash: three standard deviations
TEXTS_PER_BATCH = 10_000
MULTIPLIERS = (
    np.random.default_rng(0).integers(0, 2**63, BANDS * ROWS_PER_BAND, dtype=np.uint64) * 2 + 1
)


def find_near_duplicates(texts: Sequence[str]) -> list[int]:
    """Return the indices, in order, of the texts that repeat an earlier one that is not dropped."""
    normalized = [" ".join(text.casefold().split()) for text in texts]
    first: dict[str, int] = {}
    dropped = {
        index for index, text in enumerate(normalized) if first.setdefault(text, index) != index
    }
    rest = [index for index in range(len(texts)) if index not in dropped]
    pairs = find_lsh_candidates(compute_minhash([normalized[index] for index in rest]))
    for earlier, later in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        one, other = rest[earlier], rest[later]
        if one in dropped or other in dropped:
            continue
        if compute_jaccard(normalized[one], normalized[other]) >= THRESHOLD:
            dropped.add(other)
    return sorted(dropped)


def compute_minhash(texts: Sequence[str]) -> np.ndarray:
    """Return the MinHash signatures of texts, [texts, BANDS * ROWS_PER_BAND] uint32.

    A signature holds the least hash of a text's shingles under each of the hash functions.
    """
    batches = [
        minhash_batch(texts[start : start + TEXTS_PER_BATCH])
        for start in range(0, len(texts), TEXTS_PER_BATCH)
    ]
    if not batches:
        return np.empty((0, BANDS * ROWS_PER_BAND), np.uint32)
    return np.concatenate(batches)


def minhash_batch(texts: Sequence[str]) -> np.ndarray:
    # A text shorter than a shingle is padded, so that each text has at least one.
    padded = [text.ljust(SHINGLE_CHARS) for text in texts]
    lengths = np.array([len(text) for text in padded])
    hashes = hash_shingles("".join(padded), lengths)
    starts = np.concatenate([[0], np.cumsum(lengths - SHINGLE_CHARS + 1)[:-1]])
    signature = [
        np.minimum.reduceat((hashes * multiplier) >> np.uint64(32), starts)
        for multiplier in MULTIPLIERS
    ]
    return np.stack(signature, axis=1).astype(np.uint32)


def hash_shingles(joined: str, lengths: np.ndarray) -> np.ndarray:
    """Return the hash of each shingle of texts that are joined to one and have these lengths."""
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    count = len(codes) - SHINGLE_CHARS + 1
    hashes = np.zeros(count, np.uint64)
    for offset in range(SHINGLE_CHARS):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes[offset : count + offset]
    hashes ^= hashes >> np.uint64(29)
    # A shingle that starts in the last characters of a text would reach into the next text.
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    is_inside = np.ones(len(codes), bool)
    for offset in range(1, SHINGLE_CHARS):
        is_inside[starts + lengths - offset] = False
    return hashes[is_inside[:count]]


def find_lsh_candidates(signatures: np.ndarray) -> set[tuple[int, int]]:
    """Return pairs (earlier, later) of texts that agree in all rows of a band.

    Each text is paired with the first text of its band only. Pairs whose signatures rule out a
    similarity of the threshold are left out.
    """
    pairs: set[tuple[int, int]] = set()
    if len(signatures) < 2:
        return pairs
    for band in range(BANDS):
        rows = slice(band * ROWS_PER_BAND, (band + 1) * ROWS_PER_BAND)
        keys = signatures[:, rows].astype(np.uint64) @ MULTIPLIERS[rows]  # one number per text
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        later = np.flatnonzero(first[inverse] != np.arange(len(keys)))
        earlier = first[inverse[later]]
        estimate = (signatures[earlier] == signatures[later]).mean(axis=1)
        likely = estimate >= THRESHOLD - MAX_ESTIMATE_ERROR
        pairs.update(zip(earlier[likely].tolist(), later[likely].tolist(), strict=True))
    return pairs


def compute_jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' shingles."""
    a, b = split_shingles(one), split_shingles(other)
    return len(a & b) / len(a | b)


def split_shingles(text: str) -> set[str]:
    text = text.ljust(SHINGLE_CHARS)
    return {text[start : start + SHINGLE_CHARS] for start in range(len(text) - SHINGLE_CHARS + 1)}
