"""The record's scores and sampling settings. Nothing here loads a model.

In: a bot. Out: verdicts.
"""

import json
import math

from hubtweets import __version__
from hubtweets.record.run_record import Metrics, Score
from hubtweets.record.samples import SAMPLING_SETTINGS
from hubtweets.verification.claims import Bot, Verdict

OTHER_SETTINGS = {  # that generation_config.json may have
    "do_sample",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "transformers_version",
    "_from_model_config",
}


def check_scores(bot: Bot) -> Verdict:
    """Bits per byte and perplexity agree, and the authors' scores add up to the whole."""
    metrics, by_author = bot.record.metrics, bot.record.metrics_by_author
    assert metrics
    named = [("all", metrics)]
    named += [(f"author {number}", one) for number, one in enumerate(by_author, 1)]
    for whose, scored in named:
        for name, score in (("base", scored.base), ("tuned", scored.tuned)):
            if not has_equal_perplexity(score):
                return False, (
                    f"{score.bits_per_byte:g} bits per byte and a perplexity of "
                    f"{score.perplexity:g} don't agree ({name}, {whose})"
                )
    for name in ("base", "tuned"):
        parts = [getattr(one, name) for one in by_author]
        if not is_sum(getattr(metrics, name), parts):
            return False, f"the authors' scores don't make up the whole ({name})"
    return True, f"{describe_metrics(metrics)}; they agree with each other"


def has_equal_perplexity(score: Score) -> bool:
    """Return whether a score's perplexity is the one of its bits per byte."""
    total = score.tokens * math.log(score.perplexity)
    return math.isclose(count_nats(score), total, rel_tol=1e-6, abs_tol=1e-9)


def is_sum(whole: Score, parts: list[Score]) -> bool:
    """Return whether the parts of a score add up to it."""
    is_close = math.isclose(count_nats(whole), sum(map(count_nats, parts)), rel_tol=1e-6)
    return is_close and whole.bytes == sum(part.bytes for part in parts)


def count_nats(score: Score) -> float:
    """Return the total loss of a score in nats."""
    return score.bits_per_byte * math.log(2) * score.bytes


def describe_metrics(metrics: Metrics) -> str:
    tuned, base = metrics.tuned.bits_per_byte, metrics.base.bits_per_byte
    return f"{tuned:.3f} bits per byte, {base:.3f} of the untouched base"


def check_settings(bot: Bot) -> Verdict:
    """The samples were drawn with hubtweets' settings, and generation_config.json has the same."""
    record = bot.record
    assert record.samples
    if record.hubtweets_version != __version__:
        version = record.hubtweets_version
        return None, f"drawn by another hubtweets; type: pip install hubtweets=={version}"
    file = bot.files().get("generation_config.json")
    config = json.loads(file.read_bytes()) if file else {}
    for name, value in SAMPLING_SETTINGS.items():
        expected = f"and hubtweets samples with {value:g}"
        if (found := record.samples.settings.get(name)) != value:
            return False, f"{name} is {found}, {expected}"
        if (found := config.get(name)) != value:
            return False, f"generation_config.json has {name} {found}, {expected}"
    extra = sorted(config.keys() - SAMPLING_SETTINGS.keys() - OTHER_SETTINGS)
    if extra or config.get("do_sample") is not True:
        name = extra[0] if extra else "do_sample"
        return False, f"generation_config.json sets {name} too, and hubtweets does not"
    return True, ", ".join(f"{name} {value:g}" for name, value in SAMPLING_SETTINGS.items())
