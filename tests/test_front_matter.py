"""What the Hub reads of a card: these keys, these values, checked."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from hubtweets.card import metadata, model_card
from hubtweets.card.hub_schema import find_faults
from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import (
    License,
    Metrics,
    RunRecord,
    Score,
    Source,
    Target,
    Terms,
    Tracked,
)
from hubtweets.record.samples import MemorizationAudit, Overlap, Sample, Samples
from tests.records import RECORD, cyborg, saying

SETTINGS = {"temperature": 0.8, "top_p": 0.95, "top_k": 0, "max_new_tokens": 160}


def given(**parts: Any) -> RunRecord:
    return replace(RECORD, **parts)


def test_everything_that_is_known() -> None:
    samples = Samples(
        3,
        SETTINGS | {"top_k": 40},
        (
            Sample("I like", "I like pie.", Overlap(1, 6, 0.0)),
            Sample("I", "I x", Overlap(0, 0, 0.9)),
        ),
        (1,),
    )
    known = replace(
        cyborg(),
        terms=Terms(License("other", "PIE", "https://pie.example/text")),
        training=TrainingConfig(learning_rate=1e-3, lora="adapter"),
        dataset=replace(RECORD.dataset, languages={"en": 0.7, "de": 0.3}),  # type: ignore[type-var]
        sources=(RECORD.sources[0], Source("dataset", "e" * 64, None, None, "org/posts")),
        tracked=(
            Tracked("wandb", "train", "https://wandb.ai/x"),
            Tracked("trackio", "train", "https://huggingface.co/spaces/me/runs?key=secret"),
        ),
        samples=samples,
        metrics=Metrics(Score(2.5, 250.0, 1, 1), Score(1.23456789, 15.6, 1, 1)),
    )
    assert model_card.render(known).startswith("""\
---
language:
- en
- de
license: other
license_name: PIE
license_link: https://pie.example/text
library_name: peft
pipeline_tag: text-generation
base_model: openai-community/gpt2
base_model_revision: dddddddddddddddddddddddddddddddddddddddd
base_model_relation: adapter
datasets:
- org/posts
thumbnail: https://huggingface.co/huggingtweets/lyons____-bob/resolve/main/predictions.png
tags:
- huggingtweets
- lora
- trackio:https://huggingface.co/spaces/me/runs
widget:
- text: I like
  example_title: I like
  output:
    text: I like pie.
  parameters:
    do_sample: true
    temperature: 0.8
    top_p: 0.95
    top_k: 40
    max_new_tokens: 160
model-index:
- name: lyons____-bob
  results:
  - task:
      type: text-generation
      name: Text generation
    dataset:
      name: Held-out posts of @lyons____ and @bob
      type: held-out-posts
      split: validation
    metrics:
    - type: bits_per_byte
      value: 1.2346
      name: Bits per byte
    - type: perplexity
      value: 15.6
      name: Perplexity per token
---
""")
    assert list(metadata.build_metadata(known)) == list(metadata.KEYS)
    assert find_faults(metadata.build_metadata(known), "model") == []


def test_what_is_not_known_is_left_out() -> None:
    local = given(
        base=replace(  # type: ignore[type-var]
            RECORD.base,
            id="a folder of mine",
            revision="x",
            on_hub=False,
            license=None,
        ),
        dataset=replace(RECORD.dataset, languages={}),  # type: ignore[type-var]
        samples=replace(RECORD.samples, picked=()),  # type: ignore[type-var]
    )
    assert list(metadata.build_metadata(local)) == [
        "license",
        "library_name",
        "pipeline_tag",
        "thumbnail",
        "tags",
        "model-index",
    ]
    named = given(
        terms=Terms(License("mit", "MIT", "https://mit.example"))
    )  # the Hub reads these of `other` alone
    assert metadata.build_metadata(named).keys() == metadata.build_metadata(RECORD).keys()


def test_the_client_reads_it_back() -> None:
    front = metadata.build_metadata(RECORD)
    assert (
        ModelCardData(**front).to_dict() == front == yaml.safe_load(metadata.dump_metadata(RECORD))
    )
    assert ModelCard(model_card.render(RECORD)).data.to_dict() == front
    name, results = model_index_to_eval_results(front["model-index"])
    about = ("text-generation", "held-out-posts", "Held-out posts of @lyons____")
    more: dict[str, Any] = {"task_name": "Text generation", "dataset_split": "validation"}
    assert (name, results) == (
        "lyons____",
        [
            EvalResult(*about, "bits_per_byte", 1.25, metric_name="Bits per byte", **more),
            EvalResult(*about, "perplexity", 15.6, metric_name="Perplexity per token", **more),
        ],
    )


@pytest.mark.parametrize(
    ("lora", "library", "relation", "tags"),
    [
        (None, "transformers", "finetune", ["huggingtweets"]),
        ("merged", "transformers", "finetune", ["huggingtweets", "lora"]),
        ("adapter", "peft", "adapter", ["huggingtweets", "lora"]),
    ],
)
def test_a_low_rank_adaptation_is_called_one(
    lora: Any, library: str, relation: str, tags: list[str]
) -> None:
    front = metadata.build_metadata(given(training=TrainingConfig(learning_rate=3e-4, lora=lora)))
    assert (front["library_name"], front["base_model_relation"], front["tags"]) == (
        library,
        relation,
        tags,
    )


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "0o17",
        "-1",
        "+.5",
        "12:30",
        "2026-01-02",
        "0x1F",
        "1_000",
        "no",
        "~",
        "",
        "# a",
        "- b",
        "a: b",
        "'",
        "e3",
    ],
)
def test_a_text_is_a_text_in_every_yaml(text: str) -> None:
    """YAML 1.2, the Hub's, takes 1e3 and 0o17 for numbers, and PyYAML does not."""
    line = next(
        line
        for line in metadata.dump_metadata(saying(text)).splitlines()
        if line.startswith("- text:")
    )
    assert yaml.safe_load(line) == [{"text": text}]
    assert line in (f"- text: '{text}'", f'- text: "{text}"', "- text: ''''", "- text: e3")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"base": {"id": "a/b/c"}},
            "the card's base_model: 'a/b/c' is not a repo id; publish again with another",
        ),
        (
            {"base": {"id": "../x"}},
            "the card's base_model: '../x' is not a repo id; publish again with another",
        ),
        (
            {"base": {"revision": "main"}},
            "the card's base_model_revision: 'main' is not a commit; type: hubtweets train HANDLE",
        ),
        (
            {"sources": {"dataset": "my posts"}},
            "the card's datasets: 'my posts' is not a repo id; publish again with another",
        ),
        (
            {"target": {"repo_id": "me/a--b"}},
            "the card's repo: 'me/a--b' is not a repo id; publish again with another",
        ),
        (
            {"terms": {"license": License("mine")}},
            'the card\'s "license" must be one of '
            "https://huggingface.co/docs/hub/repositories-licenses, or other, not 'mine'",
        ),
        (
            {"dataset": {"languages": {"English": 1.0}}},
            "the card's \"language\" with value 'English' is not valid; "
            "it must be an ISO 639 code of 2 or 3 lowercase letters, code or multilingual",
        ),
    ],
)
def test_what_the_hub_would_refuse_is_refused_here(
    parts: dict[str, dict[str, Any]], said: str
) -> None:
    ((section, change),) = parts.items()
    old = getattr(RECORD, section)
    with pytest.raises(HubtweetsError) as raised:
        model_card.render(
            given(
                **{
                    section: tuple(replace(one, **change) for one in old)
                    if isinstance(old, tuple)
                    else replace(old, **change)
                }
            )
        )
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("text", "share"),
    [("My dream is a copied pie.", 0.5), ("My dream is a copied pie.", 1.0), (None, 0.0)],
)
def test_a_copy_is_never_shown(text: str | None, share: float) -> None:
    samples = Samples(
        0,
        SETTINGS,
        (
            Sample("My dream is", "My dream is x", Overlap(0, 0, 0.0)),
            Sample("My dream is", text, Overlap(4, 20, share)),
        ),
        (1, 2),
    )
    corrupt = given(samples=samples, audit=MemorizationAudit(0.5, 2, 1, 86, 1))
    with pytest.raises(
        HubtweetsError,
        match=r"^sample 2 copies a post and can't be shown; "
        r"type: hubtweets sample lyons____ --pick$",
    ):
        model_card.render(corrupt)
    assert "copied pie" not in model_card.render(
        replace(corrupt, samples=replace(samples, picked=(1,)))
    )


def test_the_repo_may_stand_on_any_hub() -> None:
    front = metadata.build_metadata(given(target=Target("http://127.0.0.1:8086", "me/bot")))
    assert front["thumbnail"] == "http://127.0.0.1:8086/me/bot/resolve/main/predictions.png"
