import random

import pytest

from hubtweets.curation import language
from hubtweets.posts.example import sentences

JAPANESE = ["今日はとてもいい天気ですね", "明日は雨が降るそうです", "おはようございます"]
GERMAN = [
    "Heute ist das Wetter sehr schön und ich gehe in den Park.",
    "Ich weiß nicht, was ich heute Abend kochen soll.",
]
ENGLISH = [sentences.make_sentence(random.Random(seed)) for seed in range(100)]
CHINESE = [
    "今天天气很好,我去公园散步了",
    "这个电影真的太好看了",
    "中国的高铁发展得很快",
    "台灣的夜市很好吃",
    "我昨天买了一本新书",
]
CANTONESE = ["我哋今晚去邊度食飯好呢", "佢話聽日會嚟搵我哋玩", "你做咩唔早啲同我講呀"]
MEASURED: list[tuple[list[str], dict[str, float]]] = [
    (ENGLISH, {"en": 1.0}),
    (JAPANESE * 4, {"ja": 1.0}),
    (ENGLISH[:10] + JAPANESE * 10, {"ja": 0.75, "en": 0.25}),
    (ENGLISH + GERMAN, {"en": 0.98}),  # less than a tenth is taken for an error
    (CHINESE * 3 + CANTONESE, {"zh": 1.0}),
    (["오늘은 날씨가 좋네요"] * 10, {"ko": 1.0}),
    (JAPANESE * 3, {}),  # too few
    (["lol", "!!!", "🤖"] * 20 + JAPANESE * 4, {}),  # sure of too few
    ([], {}),
]


@pytest.mark.parametrize(("texts", "expected"), MEASURED, ids=range(len(MEASURED)))
def test_languages_are_measured(texts: list[str], expected: dict[str, float]) -> None:
    assert language.measure_languages(texts) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("EN", "en"), ("zh-TW", "zh"), ("yue", "zh"), ("nb", "no"), ("multilingual", "multilingual")],
)
def test_codes_are_compared_by_their_standard(code: str, expected: str) -> None:
    assert language.normalize_code(code) == expected
