import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from hubtweets.errors import HubtweetsError
from hubtweets.evaluation.bits_per_byte import evaluate
from hubtweets.models.tokenizer import load_tokenizer

TEXTS = ["my dream", "the radio in the shed 🤖", "é"]


@pytest.fixture(scope="module")
def model(base: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(base)


def by_hand(model: PreTrainedModel, base: Path, texts: list[str]) -> tuple[float, int]:
    """Return the nats and tokens of the texts, one token after the other."""
    tokenizer, nats, tokens = load_tokenizer(str(base)), 0.0, 0
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        for n in range(1, len(ids)):
            with torch.no_grad():
                nats -= model(torch.tensor([ids[:n]])).logits[0, -1].log_softmax(-1)[ids[n]].item()
            tokens += 1
    return nats, tokens


def test_it_is_the_sum_over_tokens_by_the_bytes(model: PreTrainedModel, base: Path) -> None:
    nats, tokens = by_hand(model.eval(), base, TEXTS)
    score, _ = evaluate(model, load_tokenizer(str(base)), [TEXTS])
    assert score.bytes == 8 + len("the radio in the shed 🤖".encode()) + 2
    assert score.tokens == tokens
    assert score.bits_per_byte == pytest.approx(nats / math.log(2) / score.bytes, rel=1e-5)
    assert score.perplexity == pytest.approx(math.exp(nats / tokens), rel=1e-5)


def test_a_model_that_knows_nothing_needs_the_bits_of_a_token(base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        model.transformer.wte.weight.zero_()
    score, _ = evaluate(model.eval(), load_tokenizer(str(base)), [TEXTS])
    assert score.bits_per_byte == pytest.approx(
        math.log2(model.config.vocab_size) * score.tokens / score.bytes, rel=1e-5
    )
    assert score.perplexity == pytest.approx(model.config.vocab_size, rel=1e-4)


def test_a_lost_model_gets_one_line(base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(base)
    for scale in (1e6, float("nan")):
        with torch.no_grad():
            model.transformer.wte.weight.mul_(scale)
        with pytest.raises(
            HubtweetsError,
            match=r"^the model is lost \((nan|[\d.e+]+) nats per token\); "
            r"train it with a smaller --learning-rate$",
        ):
            evaluate(model.eval(), load_tokenizer(str(base)), [TEXTS])
    with pytest.raises(HubtweetsError, match=r"^this base has no tokens for these posts"):
        evaluate(model, load_tokenizer(str(base)), [[""]])


def test_batches_and_windows_change_nothing_but_the_context(
    model: PreTrainedModel, base: Path
) -> None:
    tokenizer = load_tokenizer(str(base))
    many = [text * n for n in range(1, 30) for text in TEXTS]
    nats, tokens = by_hand(model, base, many[:9])
    assert evaluate(model, tokenizer, [many[:9]])[0].perplexity == pytest.approx(
        math.exp(nats / tokens), rel=1e-4
    )
    together, alone = evaluate(model, tokenizer, [[text] for text in many])
    assert together.tokens == sum(score.tokens for score in alone)
    assert math.log(together.perplexity) * together.tokens == pytest.approx(
        sum(math.log(s.perplexity) * s.tokens for s in alone), rel=1e-4
    )
    assert evaluate(model, tokenizer, [["my dream " * 500]])[0].tokens > model.config.n_positions


def test_each_author_has_a_score_and_all_of_them_one(model: PreTrainedModel, base: Path) -> None:
    tokenizer = load_tokenizer(str(base))
    authors = [TEXTS, ["another voice entirely"], [text * 3 for text in TEXTS]]
    total, scores = evaluate(model.eval(), tokenizer, authors)
    assert (total.bytes, total.tokens) == (
        sum(score.bytes for score in scores),
        sum(score.tokens for score in scores),
    )
    for author, score in zip(authors, scores, strict=True):
        nats, tokens = by_hand(model, base, author)
        assert score.tokens == tokens
        assert score.bits_per_byte == pytest.approx(
            nats / math.log(2) / sum(len(text.encode()) for text in author), rel=1e-5
        )
    assert total.bits_per_byte * total.bytes == pytest.approx(
        sum(score.bits_per_byte * score.bytes for score in scores)
    )
