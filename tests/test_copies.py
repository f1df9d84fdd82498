"""Copies are found as a person finds them, and as quickly as a person can wait.

They are found too in what a model writes that was shown its posts too often.
"""

import difflib
import random
from dataclasses import replace
from pathlib import Path

import pytest

from hubtweets.evaluation import memorization
from hubtweets.posts.example import sentences
from hubtweets.record.samples import MAX_COPY_EXCESS, MemorizationAudit, Overlap, Sample

POST = (
    "My dream is to repair the old radio in the shed before the first snow falls."  # 76 characters
)
OTHER = "The neighbour's dog repaired nothing at all this morning."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (POST, Overlap(16, 75, 1.0)),
        (f"  {POST.upper()}\n🔧", Overlap(16, 75, 1.0)),
        (
            "My dream, is to repair -- the old radio in the shed (before the first snow falls)",
            Overlap(16, 80, 1.0),
        ),
        ("My dream is to repair the old radio again", Overlap(8, 35, 0.0)),
        (
            "My dream is to repair the old radio in the shed with a very long wooden spoon",
            Overlap(11, 47, 0.6104),
        ),
        ("before the first snow falls.", Overlap(5, 27, 0.0)),
        ("in the shed before the first snow falls", Overlap(8, 39, 1.0)),
        ("in the shed before the first snow fell", Overlap(7, 33, 0.0)),
        ("in the shed", Overlap(3, 11, 0.0)),
        ("My dream is The neighbour's dog", Overlap(4, 19, 0.0)),
        ("this morning My dream is", Overlap(3, 12, 0.0)),
        ("Ｍｙ ｄｒｅａｍ ｉｓ ｔｏ ﬁx it", Overlap(4, 14, 0.0)),
        ("我的梦想是去睡觉", Overlap(5, 5, 0.0)),
        ("我的梦想是修好那台旧收音机，", Overlap(13, 13, 0.0)),
        ("我的梦想是修好那台旧收音机了!", Overlap(14, 14, 1.0)),
        ("nobody said that", Overlap(0, 0, 0.0)),
        ("🔧 … !", Overlap(0, 0, 0.0)),
        ("a lone \ud83d surrogate", Overlap(0, 0, 0.0)),
        ("", Overlap(0, 0, 0.0)),
    ],
)  # fmt: skip
def test_a_text_is_measured(text: str, expected: Overlap) -> None:
    assert memorization.measure_overlaps(
        [text], [POST, OTHER, OTHER, "我的梦想是修好那台旧收音机了，然后睡觉", ""]
    ) == [expected]


def test_it_finds_what_a_slow_search_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memorization, "POSTS_PER_CHUNK", 7)
    chance = random.Random(0)
    posts = [sentences.make_sentence(chance) for _ in range(40)]
    texts = [sentences.make_sentence(chance) for _ in range(20)] + [
        posts[3][20:] + posts[5][:30],
        *posts[:3],
        "",
    ]
    split = [memorization.WORD.findall(memorization.normalize_text(post)) for post in posts]
    for text, found in zip(texts, memorization.measure_overlaps(texts, posts), strict=True):
        words = memorization.WORD.findall(memorization.normalize_text(text))
        longest = max(
            difflib.SequenceMatcher(None, words, post, autojunk=False).find_longest_match().size
            for post in split
        )
        assert found.words == longest
    assert memorization.measure_overlaps([], posts) == [] and memorization.measure_overlaps(
        ["a b"], []
    ) == [Overlap(0, 0, 0.0)]


@pytest.mark.parametrize(
    ("samples", "held_out", "expected"),
    [
        ([POST, OTHER, "new"], [], MemorizationAudit(0.5, 3, 2, 0, 0)),
        ([POST, OTHER, "new"], ["another", "a third"], MemorizationAudit(0.5, 3, 2, 2, 0)),
        (
            [POST, f"{POST} And all of that while the kettle boiled", "new"],
            [POST, POST, "new"],
            MemorizationAudit(1.0, 3, 1, 3, 2),
        ),
        (["new"], ["another"] * 2500, MemorizationAudit(0.5, 1, 0, 834, 0)),
        ([], [], MemorizationAudit(0.5, 0, 0, 0, 0)),
    ],
)
def test_copies_are_counted_against_the_floor(
    samples: list[str], held_out: list[str], expected: MemorizationAudit
) -> None:
    audit, measured = memorization.audit(samples, held_out, [POST, OTHER])
    assert audit == expected and measured == memorization.measure_overlaps(samples, [POST, OTHER])


@pytest.mark.parametrize(
    ("copied", "floor", "expected"),
    [
        (0, 0, False),
        (10, 0, False),
        (11, 0, True),
        (21, 5, False),
        (22, 5, True),
        (200, 86, False),
        (1, 86, False),
    ],
)
def test_a_model_repeats_where_it_copies_more_than_its_author(
    copied: int, floor: int, expected: bool
) -> None:
    assert (
        MemorizationAudit(0.5, 200, copied, 86, floor).is_repetitive == expected
        and MAX_COPY_EXCESS == 0.05
    )


def test_what_copies_or_adds_nothing_is_not_shown() -> None:
    free = Sample("I like", "I like rain", Overlap(2, 6, 0.4))
    shares = [
        free,
        replace(free, copied=Overlap(9, 60, 0.5)),
        replace(free, text="I like \n"),
        replace(free, text=None),
        free,
    ]
    assert MemorizationAudit(0.5, 5, 1, 0, 0).list_showable(shares) == [1, 5]


def test_a_memoriser_is_flagged_and_a_normal_run_is_not(tmp_path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, set_seed

    from hubtweets.config import TrainingConfig
    from hubtweets.evaluation.sampling import generate
    from hubtweets.models.base import resolve_base
    from hubtweets.models.loading import load_base
    from hubtweets.models.tokenizer import encode_texts
    from hubtweets.training.trainer import train

    chance = random.Random(0)
    posts, held_out = (
        [sentences.make_sentence(chance) for _ in range(count)] for count in (60, 10)
    )
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(posts, vocab_size=600, special_tokens=["<end>"], show_progress=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<end>", eos_token="<end>"
    )
    sizes = {
        "n_positions": 256,
        "n_embd": 64,
        "n_layer": 1,
        "n_head": 4,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    set_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    audits = []
    for epochs in (6, 40):
        model, tokenizer = load_base(*resolve_base(str(tmp_path)))
        train(
            model,
            [encode_texts(posts, tokenizer)],
            TrainingConfig(
                num_train_epochs=epochs, learning_rate=1e-2, batch_size=8, block_size=64
            ),
            tmp_path / str(epochs),
            quiet=True,
        )
        texts = [
            text
            for number, prompt in enumerate(("My dream is", "I like"))
            for text in generate(model, tokenizer, prompt, 20, number)
        ]
        audits.append(memorization.audit(texts, held_out, posts)[0])
    normal, memoriser = audits
    assert (normal.is_repetitive, memoriser.is_repetitive) == (False, True)
    assert memoriser.rate > normal.rate + 0.15  # so that it is no matter of chance
