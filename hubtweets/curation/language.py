"""The languages of posts, measured.

In: texts. Out: each language's share. Each text is classified by itself (py3langid, a naive Bayes
classifier over character n-grams of 140 languages). Texts that are too short or too mixed to be
sure of are ignored, and a language of less than a tenth of the others is taken for an error.
Romanised Hindi and the like mislead the classifier: if it is sure of few texts, no language is
returned.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

MAX_SAMPLE_TEXTS = 2_000  # evenly spaced
MIN_PROBABILITY = 0.5  # of a text's language
MIN_SHARE = 0.1  # of a language among the texts
MIN_SURE_TEXTS = 10  # whose language must be sure
MIN_SURE_SHARE = 1 / 3
# Languages of one script and standard, which short texts don't tell apart, by their codes; and the
# code that models and the Hub use.
SAME_LANGUAGE = {"yue": "zh", "wuu": "zh", "arz": "ar", "ary": "ar", "nb": "no", "nn": "no"}


def measure_languages(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of each language, the largest first; none if too few texts are sure.

    Codes are those of ISO 639-1, or of ISO 639-3 for languages without one.
    """
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
    """Return the code by which the languages of posts and models are compared."""
    code = code.lower().partition("-")[0]
    return SAME_LANGUAGE.get(code, code)


@cache
def load_identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def find_unknown_languages(shares: Mapping[str, float], known: Sequence[str]) -> dict[str, float]:
    """Return the posts' languages, with their shares, that a base model does not name.

    There are none if the base names no language, or is multilingual.
    """
    codes = {normalize_code(code) for code in known}
    if not codes or "multilingual" in codes:
        return {}
    return {code: share for code, share in shares.items() if code not in codes}
