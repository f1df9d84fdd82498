"""Which languages posts are in, measured.

In: texts. Out: each language's share. Every text is judged by itself (py3langid, a naive Bayes over character n-grams, 97 languages); those too
short or too mixed to be sure of count for nothing, and a language that less than a tenth are in is taken for an error.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

SAMPLE = 2_000  # texts, evenly spaced
SURE = 0.5  # least probability
LEAST_SHARE = 0.1


def measure(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of each language by its ISO 639-1 code, the largest first; none where no text tells."""
    step = max(1, len(texts) // SAMPLE)
    judged = (identifier().classify(text) for text in texts[::step])
    found = Counter(code for code, probability in judged if probability >= SURE)
    total = found.total()
    return {code: round(number / total, 3) for code, number in found.most_common() if number >= LEAST_SHARE * total}


@cache
def identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
