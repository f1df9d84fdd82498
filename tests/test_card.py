"""The card's text: golden cards of real runs, and what each part of a record does to it."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from hubtweets.card import model_card
from hubtweets.card.card_parser import strip_front_matter
from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.hub.pages import sanitize
from hubtweets.posts.source_kinds import SOURCES, SourceKind
from hubtweets.record import serialization
from hubtweets.record.counts import build_stats_rows
from hubtweets.record.run_record import (
    File,
    License,
    RunRecord,
    Source,
    Target,
    Terms,
    Tracked,
    Tracker,
)
from hubtweets.record.samples import MemorizationAudit
from hubtweets.text import to_link_target
from tests.records import RECORD, cyborg

# hubtweets.json of real runs with their cards, and the card of a made-up adapter of two authors;
# `python -m tests.test_card` writes the cards anew
CARDS = Path(__file__).parent / "cards"
REAL = ("lyons____", "digitalgov")


def adapter() -> RunRecord:
    """A record of two authors whose bot is an adapter."""
    return replace(cyborg(), training=TrainingConfig(learning_rate=3e-4, lora="adapter", lora_r=64))


def metadata(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def visible(text: str) -> str:
    """Return a card's text as a reader sees it, by way of the page that shows it."""
    words: list[str] = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_data = words.append  # type: ignore[method-assign, assignment]
    card = sanitize.render_card(strip_front_matter(text), "/huggingtweets/lyons____")
    parser.feed(card.intro + card.html)
    return " ".join("".join(words).split())


@pytest.mark.parametrize("name", REAL)
def test_the_whole_card_of_a_real_run(name: str) -> None:
    record, published = serialization.read_public_record(
        (CARDS / f"{name}.json").read_text(encoding="utf-8"), name
    )
    assert (
        model_card.render(record) == published == (CARDS / f"{name}.md").read_text(encoding="utf-8")
    )


def test_the_whole_card_of_an_adapter_of_two_authors() -> None:
    assert model_card.render(adapter()) == (CARDS / "adapter.md").read_text(encoding="utf-8")


def test_a_low_rank_adaptation_is_called_one() -> None:
    texts: dict[str, str]
    texts = {
        lora: model_card.render(
            replace(RECORD, training=TrainingConfig(learning_rate=3e-4, lora=lora, lora_r=4))
        )
        for lora in ("adapter", "merged")
    }
    texts["none"] = model_card.render(RECORD)
    assert {lora for lora, text in texts.items() if "pip install peft" in text} == {"adapter"}
    assert {lora for lora, text in texts.items() if "low-rank adapter (LoRA), to be" in text} == {
        "adapter"
    }
    assert {lora for lora, text in texts.items() if "--enable-lora --lora-modules" in text} == {
        "adapter"
    }
    assert {lora for lora, text in texts.items() if "merged into its weights" in text} == {"merged"}
    assert {lora for lora, text in texts.items() if "- LoRA rank: **4**\n" in text} == {
        "adapter",
        "merged",
    }


def training_section(record: RunRecord) -> str:
    return (
        model_card.render(record)
        .partition("## Training procedure\n")[2]
        .partition("## Does it copy?")[0]
    )


def test_everything_that_was_set_is_told() -> None:
    training = TrainingConfig(
        2.5,
        1_500,
        30,
        1.5e-3,
        0.1,
        0.01,
        0.5,
        16,
        1024,
        eval_steps=40,
        early_stopping_patience=5,
        lora="merged",
        lora_r=64,
        seed=7,
    )
    environment = replace(
        RECORD.environment,
        mixed_precision="bf16",
        packed=False,
        steps=1_200,
        published_step=1_200,
        num_processes=4,
        seconds=7_500.0,
    )  # type: ignore[type-var]
    text = training_section(replace(RECORD, training=training, environment=environment))
    assert (
        """\
- Steps: 1,200 (at most **2.5 epochs** or **1,500 steps** or **30 minutes**)
- Early stopping: **5 evaluations**, one every **40 steps**
- Batch: **16** × **1,024 tokens**, padded
- Optimizer: AdamW, weight decay **0.01**, gradient norm **0.5**
- Learning rate: **0.0015**, cosine, warm-up **10 %**
- LoRA rank: **64**
- Precision: bf16
- Seed: **7**

Values other than the default are in bold. Training took 2 h 5 min for 102,400 tokens \
on a CPU, in 4 processes.
"""
        in text
    )
    assert "Step 1,200 of 1,200 is published, chosen on the held-out posts" in text


def test_one_evaluation_chose_nothing_and_no_history_is_no_picture() -> None:
    text = training_section(replace(RECORD, evaluations=RECORD.evaluations[:1], history=()))
    assert "Step 80 of 100 is published.\n" in text and "loss.png" not in text
    text = training_section(RECORD)
    assert "is published, chosen on" in text and "resolve/main/loss.png" in text


def test_each_author_has_a_score() -> None:
    assert """\
| @lyons\\_\\_\\_\\_ | 2.500 | 1.250 |
| @bob | 2.750 | 1.500 |
| all | 2.500 | 1.250 |

""" in training_section(cyborg())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (9.4, "9.4 s"),
        (10.2, "10 s"),
        (59.6, "1 min 0 s"),
        (61, "1 min 1 s"),
        (7_500, "2 h 5 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert model_card.format_duration(seconds) == expected


def test_runs_that_stand_somewhere_are_linked() -> None:
    tracked = (
        Tracked("tensorboard", "train", None),
        Tracked("wandb", "preprocess", "https://wandb.ai/a_b/hubtweets/runs/p?apiKey=secret"),
        Tracked("wandb", "train", "https://wandb.ai/a_b/hubtweets/runs/t"),
        Tracked("trackio", "train", None),
    )
    text = model_card.render(replace(RECORD, tracked=tracked))
    assert (
        "is recorded in the [Weights & Biases run](https://wandb.ai/a_b/hubtweets/runs/p).\n"
        in text
    )
    assert (
        "are recorded in the [Weights & Biases run](https://wandb.ai/a_b/hubtweets/runs/t).\n"
        in text
    )
    assert "trackio" not in text and "secret" not in text and "TensorBoard: `runs/`" in text
    text = model_card.render(replace(RECORD, tracked=()))
    assert "TensorBoard" not in text and "recorded in" not in text


def test_every_tracker_has_a_name() -> None:
    assert set(get_args(Tracker)) == set(model_card.TRACKERS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://wandb.ai/a/b", "https://wandb.ai/a/b"),
        ("http://host:8080/a%20b", "http://host:8080/a%20b"),
        (
            "https://wandb.ai/a) [x](https://evil.example",
            "https://wandb.ai/a%29%20%5Bx%5D%28https://evil.example",
        ),
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
    assert to_link_target(url) == expected


def test_what_is_not_known_is_left_out() -> None:
    local = replace(
        RECORD,
        base=replace(RECORD.base, id="tiny", on_hub=False),  # type: ignore[type-var]
        dataset=replace(  # type: ignore[type-var]
            RECORD.dataset,
            languages={},
            split="hash",
            rows=(),
        ),
        sources=(replace(RECORD.sources[0], first=None, last=None, kind="jsonl"),),
        profiles=(replace(RECORD.profiles[0], avatar=None, url=None),),
        samples=replace(RECORD.samples, picked=()),  # type: ignore[type-var]
    )
    text = model_card.render(local)
    assert not [
        word
        for word in (
            "avatar",
            " from 2019",
            "None",
            "x.com/lyons",
            "Language",
            "Follow",
            "Prompts in bold",
        )
        if word in text
    ]
    assert "one in ten is held out" in text and "The 5 samples are not shown.\n" in text


def section(record: RunRecord, title: str) -> str:
    return model_card.render(record).partition(f"## {title}\n\n")[2].partition("\n\n##")[0]


def test_what_the_audit_found() -> None:
    def said(*audit: Any) -> str:
        return section(replace(RECORD, audit=MemorizationAudit(*audit)), "Does it copy?")

    warning = "\n\n**It repeats its training posts more than their author does.**"
    assert said(0.5625, 200, 7, 1_086, 43) == (
        "Copies of training posts: 7 of 200 samples (3.5 %), and 43 of 1,086 held-out posts "
        "(4 %), since people repeat themselves.\n\n"
        "<details>\n<summary>What counts as a copy</summary>\n\n"
        "56.2 % or more of its text is in training posts, in stretches of 40 characters or more; "
        "of 28 to 39 characters, all of it.\n\n</details>"
    )
    assert warning in said(0.5, 200, 150, 86, 0)
    assert warning not in said(0.5, 200, 0, 86, 0)
    assert ", and 0 of 0 held-out posts, since" in said(0.5, 200, 0, 0, 0)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {},
            "The weights are under mit, the licence of their base. It does not cover the posts:\n"
            "@lyons\\_\\_\\_\\_'s came from an X archive, "
            "which only the account's owner is given.\n"
            "The publisher has not stated whether their author agreed.\n",
        ),
        (
            {
                "terms": Terms(License("other", "A|B", "https://x.example/a b"), "own"),
                "sources": (Source("bluesky-api", "a", None, None),),
            },
            "The weights are under [A\\|B](https://x.example/a%20b), which the publisher "
            "chose, since their base names none that the Hub knows. "
            "It does not cover the posts:\n"
            "@lyons\\_\\_\\_\\_'s came from the Bluesky API, which is public.\n"
            "The publisher says that they are the publisher's own.\n",
        ),
        (
            {
                "base": replace(RECORD.base, license=None),  # type: ignore[type-var]
                "terms": Terms(License("mit"), "given"),
                "sources": (Source("csv", "a", None, None),),
            },
            "The weights are under mit, which the publisher chose, since their base names none. "
            "It does not cover the posts:\n"
            "@lyons\\_\\_\\_\\_'s came from a CSV file.\n"
            "The publisher says that their author agreed.\n",
        ),
    ],
)
def test_licence_and_rights(parts: Any, expected: str) -> None:
    text = section(replace(RECORD, **parts), "Licence and rights")
    assert text.partition("\n**To have this bot")[0] == expected
    own = "imitates @lyons____, who published it but did not write these posts."
    assert (own in visible(model_card.render(replace(RECORD, **parts)))) == (
        "own" in str(parts.get("terms"))
    )


def test_where_to_ask_and_what_to_type() -> None:
    local = replace(RECORD, target=Target("http://127.0.0.1:8086", "me/bot"))
    assert (
        "taken down**, ask in its [discussions](http://127.0.0.1:8086/me/bot/discussions).\n"
        in model_card.render(local)
    )
    assert "`hubtweets verify me/bot --hub http://127.0.0.1:8086`" in model_card.render(local)
    assert "`hubtweets verify huggingtweets/lyons____`" in model_card.render(RECORD)


def test_a_public_dataset_is_linked() -> None:
    text = model_card.render(
        replace(RECORD, sources=(Source("dataset", "a", None, None, "org/posts"),))
    )
    assert ", from the dataset [org/posts](https://huggingface.co/datasets/org/posts).\n" in text
    assert "came from a dataset, which is public." in text


def test_llama_cpp_needs_a_gguf() -> None:
    files = tuple(
        File(path, "a" * 64, 1)
        for path in ("config.json", "$(rm).gguf", "model-q4.gguf", "other.gguf")
    )
    assert "--hf-file model-q4.gguf --prompt" in model_card.render(replace(RECORD, files=files))
    assert "llama" not in model_card.render(replace(RECORD, files=files[:2]))


@pytest.mark.parametrize(
    ("rank", "expected"),
    [(4, ""), (16, ""), (17, " --max-lora-rank 32"), (64, " --max-lora-rank 64"), (600, "")],
)
def test_vllm_is_told_of_a_high_rank(rank: int, expected: str) -> None:
    text = model_card.render(
        replace(RECORD, training=TrainingConfig(learning_rate=1e-3, lora="adapter", lora_r=rank))
    )
    repo = "huggingtweets/lyons____"
    base = f"openai-community/gpt2 --revision {'d' * 40}"
    command = f"vllm serve {base} --enable-lora{expected} --lora-modules {repo}={repo}\n"
    assert command in text


def test_two_authors_stand_side_by_side() -> None:
    text = model_card.render(cyborg())
    shown = visible(text)
    assert text.count("<img ") == 2
    assert "Lyons__ 𝓃 🤖 & Bob | B AI CYBORG AI BOT of 2 people @lyons____-bob bot" in shown
    assert "posts from 2019-03-01 to 2026-06-24 and @bob's posts." in shown
    assert (
        "| Data | @lyons\\_\\_\\_\\_ | @bob |\n| --- | --- | --- |\n"
        "| Posts downloaded | 3,086 | 420 |\n| Reposts | 1,225 | 0 |\n" in text
    )
    assert "In 2 of them personal data is masked." in shown
    assert (
        "an epoch passes 0.80 times over @lyons____'s posts and 1.70 times over @bob's posts."
        in shown
    )
    assert "came from an X archive, which only" in shown and "came from the Bluesky API" in shown


def test_the_language_that_was_measured() -> None:
    text = model_card.render(
        replace(
            RECORD,
            dataset=replace(  # type: ignore[type-var]
                RECORD.dataset,
                languages={"en": 0.7, "de": 0.2, "fr": 0.104},
            ),
        )
    )
    assert "Languages: en (70 %), de (20 %) and fr (10.4 %).\n" in text
    assert metadata(text)["language"] == ["en", "de", "fr"]


def test_every_kind_of_source_has_a_name() -> None:
    assert set(get_args(SourceKind)) == set(SOURCES)


def test_rows_that_are_not_zero_appear() -> None:
    counts = replace(RECORD.counts[0], private=3, superseded=2, short=992)
    assert build_stats_rows([counts]) == [
        ("Tweets downloaded", [3086]),
        ("Retweets", [1225]),
        ("Not public", [3]),
        ("Older versions of edited tweets", [2]),
        ("Short tweets", [992]),
        ("Tweets kept", [864]),
    ]


@pytest.mark.parametrize("missing", ["dataset", "training", "metrics", "samples", "audit"])
def test_a_run_that_is_not_that_far_gets_one_line(missing: str) -> None:
    with pytest.raises(
        HubtweetsError,
        match=rf"^@lyons____ has no {missing} yet; "
        r"type: hubtweets (curate|train|sample) lyons____$",
    ):
        model_card.render(replace(RECORD, **{missing: None}))  # type: ignore[arg-type]


def write_cards() -> None:
    """Render every golden card anew from its record."""
    for name in REAL:
        path = CARDS / f"{name}.json"
        public = json.loads(path.read_text(encoding="utf-8"))
        public.pop("card")
        record = serialization.parse_record(json.dumps(public), serialization.PRIVATE_SECTIONS)
        path.write_text(
            serialization.dumps_public(record, model_card.render(record)), encoding="utf-8"
        )
        (CARDS / f"{name}.md").write_text(model_card.render(record), encoding="utf-8")
    (CARDS / "adapter.md").write_text(model_card.render(adapter()), encoding="utf-8")


if __name__ == "__main__":
    write_cards()
