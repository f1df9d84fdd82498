import random

import pytest

from hubtweets.curation import duplicates
from hubtweets.curation.duplicates import compute_jaccard, find_near_duplicates
from hubtweets.posts.example import sentences

REPEATS: list[tuple[list[str], list[int]]] = [
    ([], []),
    (["one"], []),
    (["the same text", "another text", "the same text"], [2]),
    (["The same TEXT!", "the  same\ntext!"], [1]),
    (["Good night 💔", "Good night 🌙", "C++ is better than C", "C is better than C++"], []),
    (
        [
            "मैं घर जा रहा हूँ",
            "मैं घर जा रही हूँ",
            "ซื้อข้าวมาให้แม่แล้วนะ",
            "ซื้อข่าวมาให้แม่แล้วนะ",
        ],
        [],
    ),
    (
        [
            "day 12 of the rain in Cork, and there is no end in sight",
            "Day 13 of the rain in Cork, and there is no end in sight",
        ],
        [1],
    ),
    (["the kettle boiled before the train came", "the kettle fell before the plane came"], []),
    (["🤖", "🤖", "👩‍🔧"], [1]),
    (["a", "b", "a"], [2]),
    (
        [
            "今日は本当に良い天気ですね散歩しましょう",
            "今日は本当に良い天気ですね散歩しましょうね",
            "明日は雨が降るそうです",
        ],
        [1],
    ),
    ([""] * 3, [1, 2]),
    (["lone \ud83d surrogate", "lone \ud83d surrogate"], [1]),
]


@pytest.mark.parametrize(("texts", "expected"), REPEATS)
def test_repeats(texts: list[str], expected: list[int]) -> None:
    assert find_near_duplicates(texts) == expected


def test_it_finds_what_comparing_every_pair_finds() -> None:
    """As with the slow way, no text is dropped that should stay, and few stay that should not."""
    generator = random.Random(0)
    texts = [sentences.make_sentence(generator) for _ in range(100)]
    for _ in range(100):
        words = generator.choice(texts).split()
        words[generator.randrange(len(words))] = generator.choice(
            ["a", "some", "Halifax", "anything"]
        )
        texts.append(" ".join(words))
    said = [text.casefold() for text in texts]

    def is_repeat(later: int, dropped: list[int]) -> bool:
        return any(
            earlier not in dropped
            and compute_jaccard(said[earlier], said[later]) >= duplicates.THRESHOLD
            for earlier in range(later)
        )

    slow: list[int] = []
    for later in range(len(texts)):
        if is_repeat(later, slow):
            slow.append(later)
    fast = find_near_duplicates(texts)
    assert all(is_repeat(later, fast) for later in fast)
    assert len(slow) > 50 and len(fast) >= 0.95 * len(slow)
