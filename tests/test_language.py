import random

import pytest

from hubtweets import grammar, language

JAPANESE = ["今日はとてもいい天気ですね", "明日は雨が降るそうです", "おはようございます"]
GERMAN = ["Heute ist das Wetter sehr schön und ich gehe in den Park.", "Ich weiß nicht, was ich heute Abend kochen soll."]
ENGLISH = [grammar.sentence(random.Random(seed)) for seed in range(100)]
MEASURED: list[tuple[list[str], dict[str, float]]] = [
    (ENGLISH, {"en": 1.0}),
    (JAPANESE, {"ja": 1.0}),
    (ENGLISH[:10] + JAPANESE * 10, {"ja": 0.75, "en": 0.25}),
    (ENGLISH + GERMAN, {"en": 0.98}),  # less than a tenth is taken for an error
    (["今天天气很好,我去公园散步了", "这个电影真的太好看了"], {"zh": 1.0}),
    (["오늘은 날씨가 좋네요"], {"ko": 1.0}),
    (["lol", "!!!", "🤖"], {}),
    ([], {}),
]


@pytest.mark.parametrize(("texts", "expected"), MEASURED, ids=range(len(MEASURED)))
def test_languages_are_measured(texts: list[str], expected: dict[str, float]) -> None:
    assert language.measure(texts) == expected
