"""Which languages posts are in, measured.

In: texts. Out: each language's share. Every text is judged by itself (py3langid, a naive Bayes over character n-grams of 140 languages); those too
short or too mixed to be sure of count for nothing, and a language that less than a tenth of the others are in is taken for an error. Romanised
Hindi and the like fool it: where it is sure of few texts, nothing is said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

MAX_SAMPLE_TEXTS = 2_000  # texts, evenly spaced
MIN_PROBABILITY = 0.5  # least probability
MIN_SHARE = 0.1
MIN_SURE_TEXTS, MIN_SURE_SHARE = 10, 1 / 3  # of which it must be sure, and their share of all
# languages of one script and standard, which short texts don't tell apart, under the code that models and the Hub know
SAME_LANGUAGE = {"yue": "zh", "wuu": "zh", "arz": "ar", "ary": "ar", "nb": "no", "nn": "no"}


def measure_languages(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of each language by its code (ISO 639-1, or 639-3 where that has none), the largest first; none where too few texts tell."""
    sample = texts[:: max(1, len(texts) // MAX_SAMPLE_TEXTS)]
    judged = [load_identifier().classify(text) for text in sample]
    found = Counter(
        normalize_code(code)
        for code, probability in judged
        if probability >= MIN_PROBABILITY and code != "zxx"
    )
    total = found.total()
    if total < max(MIN_SURE_TEXTS, MIN_SURE_SHARE * len(sample)):
        return {}
    return {
        code: round(number / total, 3)
        for code, number in found.most_common()
        if number >= MIN_SHARE * total
    }


def normalize_code(code: str) -> str:
    """Return the code under which a language is compared with a model's, from a code of the Hub's too."""
    code = code.lower().partition("-")[0]
    return SAME_LANGUAGE.get(code, code)


@cache
def load_identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def find_unknown_languages(shares: Mapping[str, float], known: Sequence[str]) -> dict[str, float]:
    """Return the languages with a share in the posts that are none of those a base knows; nothing where it names none, or is multilingual."""
    codes = {normalize_code(code) for code in known}
    return (
        {}
        if not codes or "multilingual" in codes
        else {code: share for code, share in shares.items() if code not in codes}
    )
