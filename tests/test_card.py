from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from hubtweets import card
from hubtweets.errors import HubtweetsError
from hubtweets.funnel import stats_rows
from hubtweets.hub import html
from hubtweets.hub.cards import body
from hubtweets.posts import SourceKind
from hubtweets.record import Metrics, RunRecord, Score, Tracked, Tracker, TrainingConfig
from hubtweets.rendering import plain
from tests.hostile import HOSTILE
from tests.records import RECORD, cyborg, named, saying

EXPECTED = Path(__file__).parent / "card.md"  # looked at once by a person; `python -m tests.test_card` writes it anew


def metadata(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def visible(text: str) -> str:
    """Return a card's text as a reader sees it, by way of the page that shows it."""
    words: list[str] = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_data = words.append  # type: ignore[method-assign, assignment]
    parser.feed(html.render(body(text), "/huggingtweets/lyons____").html)
    return " ".join("".join(words).split())


def test_the_whole_card() -> None:
    assert card.render(RECORD) == EXPECTED.read_text(encoding="utf-8")


def test_the_front_matter_survives_the_clients_own_round_trip() -> None:
    front = card.front_matter(RECORD)
    assert ModelCardData(**yaml.safe_load(front)).to_dict() == yaml.safe_load(front)
    assert ModelCard(card.render(RECORD)).data.to_dict() == yaml.safe_load(front)


def test_the_scores_are_a_model_index_that_the_client_reads() -> None:
    metrics = Metrics(Score(2.5, 250.0, 1, 1), Score(1.23456789, 15.6, 1, 1))
    name, results = model_index_to_eval_results(metadata(card.render(replace(cyborg(), metrics=metrics)))["model-index"])
    about = ("text-generation", "held-out-posts", "Held-out posts of @lyons____ and @bob")

    def result(kind: str, value: float, metric: str) -> EvalResult:
        return EvalResult(*about, kind, value, metric_name=metric, task_name="Text generation", dataset_split="validation")

    assert name == "lyons____-bob"
    assert results == [
        result("bits_per_byte", 1.2346, "Bits per byte"),
        result("perplexity", 15.6, "Perplexity per token"),
        result("base_bits_per_byte", 2.5, "Bits per byte of the untouched base"),
    ]


@pytest.mark.parametrize(
    ("lora", "library", "relation", "tags"),
    [
        (None, "transformers", "finetune", ["huggingtweets"]),
        ("merged", "transformers", "finetune", ["huggingtweets", "lora"]),
        ("adapter", "peft", "adapter", ["huggingtweets", "lora"]),
    ],
)
def test_a_low_rank_adaptation_is_called_one(lora: str | None, library: str, relation: str, tags: list[str]) -> None:
    text = card.render(replace(RECORD, training=TrainingConfig(learning_rate=3e-4, lora=lora, lora_rank=4)))  # type: ignore[arg-type]
    front = metadata(text)
    assert (front["library_name"], front["base_model_relation"], front["tags"]) == (library, relation, tags)
    assert ("tokenizer=AutoTokenizer.from_pretrained(repo), generation_config=settings)" in text) is (lora == "adapter")
    assert ("pip install peft" in text, "low-rank adapter (LoRA), to be" in text) == (lora == "adapter", lora == "adapter")
    assert "merged into its weights" in text if lora == "merged" else "merged" not in text
    assert ("| LoRA rank | 4 |" in text) == bool(lora)


def training_section(record: RunRecord) -> str:
    return card.render(record).partition("## Training procedure\n")[2].partition("## How to use")[0]


def test_everything_that_was_set_is_told() -> None:
    training = TrainingConfig(2.5, 1_500, 30, 1.5e-3, 0.1, 0.01, 0.5, 16, 1024, patience=5, lora="merged", lora_rank=64, seed=7)
    environment = replace(
        RECORD.environment, mixed_precision="bf16", packed=False, steps=1_200, published_step=1_200, num_processes=4, seconds=7_500.0
    )  # type: ignore[type-var]
    text = training_section(replace(RECORD, training=training, environment=environment))
    table = """\
| Hyperparameter | Value |
| --- | --- |
| Steps | 1,200 (at most 2.5 epochs or 1,500 steps or 30 minutes) |
| Early stopping | after 5 evaluations without a better one |
| Batch | 16 × 1,024 tokens, padded |
| Optimizer | AdamW, weight decay 0.01, gradients clipped to a norm of 0.5 |
| Learning rate | 0.0015 at its peak, after a warm-up of 10 % of the steps; then a cosine to zero |
| LoRA rank | 64 |
| Precision | bf16 |
| Seed | 7 |

It took 2 h 5 min for 102,400 tokens on a CPU, in 4 processes, with python 3.11.7 and torch 2.13.0.
"""
    assert table in text
    assert "The state after the last step, 1,200, which scored best on the held-out posts, is published." in text


def test_one_evaluation_chose_nothing_and_no_history_is_no_picture() -> None:
    text = training_section(replace(RECORD, evaluations=RECORD.evaluations[:1], history=()))
    assert "chose" not in text and "scored best" not in text and "loss.png" not in text
    text = training_section(RECORD)
    assert "chose" in text and "scored best" in text and "resolve/main/loss.png" in text


def test_each_author_has_a_score() -> None:
    assert """\
| @lyons&#95;&#95;&#95;&#95; | 2.500 | 1.250 | 250.0 | 15.6 |
| @bob | 2.750 | 1.500 | 300.0 | 20.0 |
| all | 2.500 | 1.250 | 250.0 | 15.6 |

""" in training_section(cyborg())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (9.4, "9.4 s"), (10.2, "10 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (7_500, "2 h 5 min"), (360_000, "100 h 0 min")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert card.duration(seconds) == expected


def test_runs_that_stand_somewhere_are_linked() -> None:
    tracked = (
        Tracked("tensorboard", "train", None),
        Tracked("wandb", "preprocess", "https://wandb.ai/a_b/hubtweets/runs/p?apiKey=secret"),
        Tracked("wandb", "train", "https://wandb.ai/a_b/hubtweets/runs/t"),
        Tracked("trackio", "train", None),
    )
    text = card.render(replace(RECORD, tracked=tracked))
    assert "is recorded in the [Weights &#38; Biases run](https://wandb.ai/a_b/hubtweets/runs/p).\n" in text
    assert "are recorded in the [Weights &#38; Biases run](https://wandb.ai/a_b/hubtweets/runs/t).\n" in text
    assert "trackio" not in text and "secret" not in text and "TensorBoard are in `runs/`" in text
    text = card.render(replace(RECORD, tracked=()))
    assert "TensorBoard" not in text and "recorded in" not in text


def test_every_tracker_has_a_name() -> None:
    assert set(get_args(Tracker)) == set(card.TRACKERS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://wandb.ai/a/b", "https://wandb.ai/a/b"),
        ("http://host:8080/a%20b", "http://host:8080/a%20b"),
        ("https://wandb.ai/a) [x](https://evil.example", "https://wandb.ai/a%29%20%5Bx%5D%28https://evil.example"),
        ('https://wandb.ai/"><img>', "https://wandb.ai/%22%3E%3Cimg%3E"),
        ("https://wandb.ai/a\n# b\\`c|&copy;", "https://wandb.ai/a%20"),
        ("https://wandb.ai/\ud83d", "https://wandb.ai/"),
        ("https://user:secret@wandb.ai/a", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("/home/me/wandb", None),
        ("https://", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_only_web_addresses_are_linked(url: str, expected: str | None) -> None:
    assert card.address(url) == expected


def test_what_is_not_known_is_left_out() -> None:
    local = replace(
        RECORD,
        base=replace(RECORD.base, id="tiny", on_hub=False, license=None),  # type: ignore[type-var]
        dataset=replace(RECORD.dataset, languages={}, split="hash"),  # type: ignore[type-var]
        sources=(replace(RECORD.sources[0], first=None, last=None, kind="jsonl"),),
        profiles=(replace(RECORD.profiles[0], avatar=None, url=None),),
    )
    text = card.render(local)
    assert list(metadata(text)) == ["library_name", "pipeline_tag", "thumbnail", "tags", "widget", "model-index"]
    assert "avatar" not in text and " from 2019" not in text and "None" not in text and "x.com" not in text
    assert "One post in ten is kept aside" in text


def test_two_authors_stand_side_by_side() -> None:
    text = card.render(cyborg())
    shown = visible(text)
    assert text.count("<img ") == 2 and "Lyons__ 𝓃 🤖 & Bob | B AI CYBORG @lyons____-bob bot" in shown
    assert "posts from 2019-03-01 to 2026-06-24 and @bob's posts." in shown
    assert "| Data | @lyons&#95;&#95;&#95;&#95; | @bob |\n| --- | --- | --- |\n| Tweets downloaded | 3086 | 420 |\n| Retweets | 1225 | 0 |\n" in text
    assert "In 2 of the kept ones an e-mail address or a phone number is masked." in shown
    assert "an epoch passes 0.80 times over @lyons____'s posts and 1.70 times over @bob's posts." in shown
    assert "an X archive and the Bluesky API" in shown


def test_several_languages_are_a_list() -> None:
    record = replace(RECORD, dataset=replace(RECORD.dataset, languages={"en": 0.7, "de": 0.3}))  # type: ignore[type-var]
    assert metadata(card.render(record))["language"] == ["en", "de"]


def test_every_kind_of_source_has_a_name() -> None:
    assert set(get_args(SourceKind)) == set(card.KINDS)


def test_rows_that_are_not_zero_appear() -> None:
    counts = replace(RECORD.counts[0], private=3, superseded=2, short=992)
    assert stats_rows([counts]) == [
        ("Tweets downloaded", [3086]),
        ("Retweets", [1225]),
        ("Not public", [3]),
        ("Older versions of edited tweets", [2]),
        ("Short tweets", [992]),
        ("Tweets kept", [864]),
    ]


@pytest.mark.parametrize("section", ["dataset", "training", "metrics", "samples"])
def test_a_run_that_is_not_that_far_gets_one_line(section: str) -> None:
    with pytest.raises(HubtweetsError, match=rf"^@lyons____ has no {section} to show yet; type: hubtweets (curate|train|sample) lyons____$"):
        card.render(replace(RECORD, **{section: None}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_name_is_text(name: str) -> None:
    text = card.render(named(name))
    assert metadata(text) == metadata(card.render(RECORD))
    assert visible(text) == visible(card.render(RECORD)).replace("Lyons__ 𝓃 🤖", plain(name, 100) or "lyons____")
    assert text.count("\n") == card.render(RECORD).count("\n")


@pytest.mark.parametrize("said", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_post_is_text(said: str) -> None:
    text = card.render(saying(said))
    widget = metadata(text)["widget"][0]
    assert widget == {"text": plain(said), "output": {"text": plain(f"{said} and so on")}}
    assert {key: value for key, value in metadata(text).items() if key != "widget"} == {
        key: value for key, value in metadata(card.render(RECORD)).items() if key != "widget"
    }
    assert visible(text) == visible(card.render(RECORD))


@pytest.mark.parametrize("text", [text for text in HOSTILE if text], ids=lambda text: ascii(text)[:30])
def test_a_hostile_machine_base_or_tracker_is_text(text: str) -> None:
    def of(device: str, version: str, base: str, run: str) -> str:
        environment = replace(RECORD.environment, device=device, versions={"torch": version})  # type: ignore[type-var]
        tracked = (Tracked("wandb", "preprocess", run), Tracked("wandb", "train", run))
        return card.render(replace(RECORD, environment=environment, tracked=tracked, base=replace(RECORD.base, id=base, revision=base)))  # type: ignore[type-var]

    url = f"https://wandb.ai/{text}"
    hostile, tame = of(text, text, text, url), of("DEVICE", "VERSION", "BASE", "https://wandb.ai/")
    assert {**metadata(hostile), "base_model": "BASE"} == metadata(tame)
    assert metadata(hostile)["base_model"] == plain(text)
    shown = visible(tame).replace("revision BASE", f"revision {quote(plain(text))}")
    for place in ("DEVICE", "VERSION", "BASE"):
        shown = shown.replace(place, plain(text))
    assert visible(hostile) == " ".join(shown.split())
    assert hostile.count("\n") == tame.count("\n")


if __name__ == "__main__":
    EXPECTED.write_text(card.render(RECORD), encoding="utf-8")
