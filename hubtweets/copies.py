"""How much of a text was said before: the runs that it has in common with other texts.

In: texts, and those that they may be copied from. Out: for each text its longest common run in words and in characters, and the share of it that
lies in long ones. Texts are compared as they sound: case, spaces and compatible forms of a character do not count.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from hubtweets.samples import Audit, Copied

SHORTEST = 12  # characters; common runs shorter than that are how people talk
MANY = 0.5  # share of a text from which it counts as a copy, at least
LONG = 40  # characters; from here on a run counts as copied
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64


def audit(samples: Sequence[str], held_out: Sequence[str], posts: Sequence[str]) -> tuple[Audit, list[Copied]]:
    """Count the copies among the samples, and among held-out posts for the floor; return the count with each sample's measure."""
    measured, floor = copied(samples, posts), copied(held_out, posts)
    threshold = max(MANY, float(np.quantile([one.share for one in floor], 0.95)) if floor else 0.0)
    copies, same = (sum(one.share >= threshold for one in group) for group in (measured, floor))
    return Audit(threshold, len(samples), copies, len(held_out), same), measured


def copied(texts: Sequence[str], sources: Sequence[str]) -> list[Copied]:
    """Compare each text with all sources."""
    texts, sources = [normalise(text) for text in texts], [normalise(source) for source in sources]
    runs = common_runs([letters(text) for text in texts], [letters(source) for source in sources], SHORTEST)
    identifiers: dict[str, int] = {}
    words = common_runs([words_of(text, identifiers) for text in texts], [words_of(source, identifiers) for source in sources], 1)
    found = []
    for (lengths, _), (word_lengths, _) in zip(runs, words, strict=True):
        longest = int(lengths.max(initial=0))
        inside = np.zeros(len(lengths), bool)
        for start in np.flatnonzero(lengths >= LONG):
            inside[start : start + lengths[start]] = True
        found.append(Copied(int(word_lengths.max(initial=0)), longest, round(float(inside.mean()), 4) if len(inside) else 0.0))
    return found


def normalise(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def letters(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def words_of(text: str, identifiers: dict[str, int]) -> np.ndarray:
    return np.array([identifiers.setdefault(word, len(identifiers)) for word in re.findall(r"\w+", text)], np.uint32)


class Grams:
    """Sequences one behind the other, and the hash of any piece of one in constant time.

    The hash of symbols s at i is the sum of mix(s[i + k]) * BASE**k modulo 2**64, from prefix sums (Karp and Rabin, 1987).
    """

    def __init__(self, sequences: Sequence[np.ndarray]) -> None:
        sizes = np.array([len(sequence) for sequence in sequences], np.int64)
        symbols = np.concatenate([*sequences, np.zeros(0, np.uint32)])
        self.owner = np.repeat(np.arange(len(sequences)), sizes)
        self.left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(symbols))  # symbols from here to the end of its sequence
        self.sizes = sizes
        powers = np.cumprod(np.concatenate([[np.uint64(1)], np.full(len(symbols), BASE)]), dtype=np.uint64)
        self.sums = np.concatenate([[np.uint64(0)], np.cumsum(mix(symbols) * powers[:-1], dtype=np.uint64)])
        inverse = np.uint64(pow(int(BASE), -1, 2**64))
        self.inverses = np.cumprod(np.concatenate([[np.uint64(1)], np.full(max(0, len(symbols) - 1), inverse)]), dtype=np.uint64)

    def hashes(self, positions: np.ndarray, size: int) -> np.ndarray:
        return (self.sums[positions + size] - self.sums[positions]) * self.inverses[positions]


def mix(symbols: np.ndarray) -> np.ndarray:
    """Spread symbols over 64 bits (the finalizer of SplitMix64)."""
    x = symbols.astype(np.uint64) + BASE
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def common_runs(texts: Sequence[np.ndarray], sources: Sequence[np.ndarray], shortest: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each position of each text the length of the longest run from there that a source has too, 0 under the shortest, and the source."""
    ours, theirs = Grams(texts), Grams(sources)
    lengths, owners = np.zeros(len(ours.owner), np.int64), np.zeros(len(ours.owner), np.int64)
    here, there = np.arange(len(ours.owner)), np.arange(len(theirs.owner))
    size = shortest
    while len(here) and len(there):  # a run of n is one of n - 1 too, so that fewer positions are left each time
        here, there = here[ours.left[here] >= size], there[theirs.left[there] >= size]
        wanted, found = ours.hashes(here, size), theirs.hashes(there, size)
        asked = np.unique(wanted)
        place = np.searchsorted(asked, found)
        there = there[(place < len(asked)) & (asked[np.minimum(place, len(asked) - 1)] == found)] if len(asked) else there[:0]
        known, first = np.unique(theirs.hashes(there, size), return_index=True)
        place = np.minimum(np.searchsorted(known, wanted), max(0, len(known) - 1))
        same = known[place] == wanted if len(known) else np.zeros(len(wanted), bool)
        here = here[same]
        lengths[here], owners[here] = size, theirs.owner[there[first[place[same]]]] if len(known) else 0
        size += 1
    return list(zip(np.split(lengths, np.cumsum(ours.sizes)[:-1]), np.split(owners, np.cumsum(ours.sizes)[:-1]), strict=True))
