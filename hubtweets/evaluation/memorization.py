"""How much of a text was said before: the runs of words that it has in common with other texts.

In: texts, and those that they may be copied from. Out: for each text its longest common run in
words and in characters, and the share of it that lies in long ones. Texts are compared as they
sound: case, spaces, punctuation and compatible forms of a character do not count.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate, count, islice

import numpy as np

from hubtweets.record.samples import MIN_RUN_CHARS, MIN_WHOLE_CHARS, MemorizationAudit, Overlap

MIN_COPY_SHARE = 0.5  # share of a text from which it counts as a copy, at least
FLOOR_QUANTILE = 0.95  # share of the held-out posts that stay under the threshold
MAX_HELD_OUT_POSTS = 1000  # posts that the floor is measured on
POSTS_PER_CHUNK = 2**16  # posts that are searched at once

# Scripts without spaces: each character is a word.
UNSPACED_SCRIPTS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
)
VOWEL_SIGN_SCRIPTS = "\u0900-\u0dff"  # scripts whose vowel signs are no letters to `re`
WORD = re.compile(rf"[{UNSPACED_SCRIPTS}]|(?:[^\W{UNSPACED_SCRIPTS}]|[{VOWEL_SIGN_SCRIPTS}])+")
ASCII_WORD = re.compile(r"\w+", re.ASCII)  # finds the same words in ASCII, three times as fast


def audit(
    samples: Sequence[str], held_out: Sequence[str], posts: Sequence[str]
) -> tuple[MemorizationAudit, list[Overlap]]:
    """Return the count of copies among the samples, and each sample's measure.

    The floor is the count among held-out posts. Of more than MAX_HELD_OUT_POSTS, some at even
    distances make the floor.
    """
    held_out = held_out[:: -(-len(held_out) // MAX_HELD_OUT_POSTS) or 1]
    found = measure_overlaps([*samples, *held_out], posts)
    measured, floor = found[: len(samples)], found[len(samples) :]
    threshold = max(
        MIN_COPY_SHARE,
        float(np.quantile([one.share for one in floor], FLOOR_QUANTILE)) if floor else 0.0,
    )
    copies, same = (sum(one.share >= threshold for one in group) for group in (measured, floor))
    return MemorizationAudit(threshold, len(samples), copies, len(held_out), same), measured


def measure_overlaps(texts: Sequence[str], sources: Sequence[str]) -> list[Overlap]:
    """Compare each text with all sources."""
    texts, sources = (
        [normalize_text(text) for text in texts],
        list(dict.fromkeys(normalize_text(source) for source in sources)),
    )
    spans = [[match.span() for match in choose_pattern(text).finditer(text)] for text in texts]
    numbers: dict[str, int] = {}
    ours = [
        [numbers.setdefault(text[start:end], len(numbers) + 1) for start, end in words]
        for text, words in zip(texts, spans, strict=True)
    ]
    theirs = (
        [numbers.get(word, 0) for word in choose_pattern(source).findall(source)]
        for source in sources
    )
    return [
        measure_overlap(text, words, runs)
        for text, words, runs in zip(texts, spans, find_common_runs(ours, theirs), strict=True)
    ]


def choose_pattern(text: str) -> re.Pattern[str]:
    return ASCII_WORD if text.isascii() else WORD


def normalize_text(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def measure_overlap(text: str, words: Sequence[tuple[int, int]], runs: Sequence[int]) -> Overlap:
    """Return how much of a text is found in the sources.

    `words` are the places of its words, and `runs` says for each of them how many words from there
    a source has, too.
    """
    at = list(
        accumulate(
            (2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text), initial=0
        )
    )
    whole = at[words[-1][1]] - at[words[0][0]] if words else 0
    longest = inside = reached = 0
    for first, (run, (start, _)) in enumerate(zip(runs, words, strict=True)):
        end = words[first + run - 1][1] if run else start
        longest = max(longest, end - start)
        if at[end] - at[start] >= min(MIN_RUN_CHARS, max(MIN_WHOLE_CHARS, whole)):
            inside += at[max(end, reached)] - at[max(start, reached)]
            reached = max(end, reached)
    return Overlap(max(runs, default=0), longest, round(inside / whole, 4) if whole else 0.0)


def find_common_runs(
    texts: Sequence[Sequence[int]], sources: Iterator[Sequence[int]]
) -> list[list[int]]:
    """Return for each symbol of each text the longest run from there that a source has, too.

    A run is given by its length, and symbol 0 equals no other. For example, the text [1, 2, 3, 4]
    and the sources [9, 1, 2, 3] and [3, 4, 1] give [3, 2, 2, 1]:

        symbol  longest run  length
        1       1 2 3        3, in the first source
        2       2 3          2, in the first source
        3       3 4          2, in the second source
        4       4            1, in the second source

    All runs of one symbol are looked up at once, then those among them that go on for another, and
    so on. Equal runs of a length have the same number, so a run with its next symbol is a pair of
    numbers. In the example, all four symbols are found as runs of one symbol, 1 2, 2 3 and 3 4 as
    runs of two, and 1 2 3 as a run of three.
    """
    ours = join_sequences(texts)
    symbols, lengths = int(ours.max(initial=0)) + 1, np.zeros(len(ours), np.int64)
    while chunk := list(islice(sources, POSTS_PER_CHUNK)):
        theirs = join_sequences(chunk)
        here, there = np.flatnonzero(ours), np.flatnonzero(theirs)
        wanted, found = ours[here], theirs[there]
        for size in count(1):
            runs, number = np.unique(wanted, return_inverse=True)
            place = np.minimum(np.searchsorted(runs, found), len(runs) - 1)
            same = runs[place] == found if len(runs) else np.zeros(len(found), bool)
            there, place = there[same], place[same]
            known = np.zeros(len(runs), bool)
            known[place] = True
            here, number = here[known[number]], number[known[number]]
            if not len(here):
                break
            lengths[here] = np.maximum(lengths[here], size)
            here, wanted = extend_runs(here, number, ours[here + size], symbols)
            there, found = extend_runs(there, place, theirs[there + size], symbols)
    ends = np.cumsum([len(text) + 1 for text in texts])
    return [runs[:-1].tolist() for runs in np.split(lengths, ends[:-1])] if len(ends) else []


def extend_runs(
    positions: np.ndarray, numbers: np.ndarray, following: np.ndarray, symbols: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of runs that another symbol follows, and each pair as one number.

    A pair is the number of a run and the symbol that follows it.
    """
    on = following > 0
    return positions[on], numbers[on] * symbols + following[on]


def join_sequences(sequences: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the sequences one after the other with a 0 after each."""
    return np.fromiter((symbol for sequence in sequences for symbol in (*sequence, 0)), np.int64)
