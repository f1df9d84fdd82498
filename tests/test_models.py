import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, GPT2Tokenizer, pipeline

from hubtweets import base as bases
from hubtweets import models, sampling
from hubtweets.errors import HubtweetsError
from hubtweets.record import Base

LOCAL = Base("one-layer", "0" * 64, None, (), on_hub=False)


@pytest.fixture(scope="module")
def repo(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `save` makes of the one-layer base, taught to stop at once so that generation can be followed."""
    folder = tmp_path_factory.mktemp("run") / "repo"
    folder.mkdir()
    model, tokenizer = models.load(LOCAL, str(base))
    models.save(model, tokenizer, folder, [])
    return folder


def test_the_folder_holds_safetensors_and_the_settings(repo: Path) -> None:
    assert sorted(path.name for path in repo.iterdir()) == [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    settings = json.loads((repo / "generation_config.json").read_text())
    assert {name: settings[name] for name in ("do_sample", "top_p", "max_new_tokens", "eos_token_id", "pad_token_id")} == {
        "do_sample": True, "top_p": 0.95, "max_new_tokens": 160, "eos_token_id": 0, "pad_token_id": 0,
    }  # fmt: skip
    config = AutoTokenizer.from_pretrained(repo)
    assert config("my")["input_ids"][0] == 0


def test_gpt2s_own_tokenizer_class_gets_its_bos_too(repo: Path, tmp_path: Path) -> None:
    plain = AutoTokenizer.from_pretrained(repo)
    vocabulary = json.loads(plain.backend_tokenizer.to_str())["model"]
    tokenizer = GPT2Tokenizer(vocab=vocabulary["vocab"], merges=[tuple(merge) for merge in vocabulary["merges"]])
    tokenizer.save_pretrained(tmp_path / "gpt2")
    assert AutoTokenizer.from_pretrained(tmp_path / "gpt2")("my dream")["input_ids"][0] != 0
    models.load_tokenizer(str(tmp_path / "gpt2")).save_pretrained(tmp_path / "ours")
    ids = AutoTokenizer.from_pretrained(tmp_path / "ours")("my dream")["input_ids"]
    assert ids == [0, *tokenizer("my dream")["input_ids"]]


def test_sampling_is_what_the_pipeline_does(repo: Path) -> None:
    model, tokenizer = models.load_repo(repo)
    texts = sampling.generate(model, tokenizer, "my dream", 3, seed=5)
    assert texts == sampling.generate(model, tokenizer, "my dream", 3, seed=5) != sampling.generate(model, tokenizer, "my dream", 3, seed=6)
    torch.manual_seed(5)
    generator = pipeline("text-generation", model=str(repo))
    piped = [item["generated_text"] for item in generator("my dream", num_return_sequences=3)]
    assert piped == texts
    assert all(text.startswith("my dream") for text in texts)


def test_a_prompt_that_does_not_fit_gets_one_line(repo: Path) -> None:
    with pytest.raises(HubtweetsError) as caught:
        sampling.generate(*models.load_repo(repo), "my dream " * 60, 1, 0)
    assert str(caught.value) == "a prompt of 481 tokens is too long for this model; give 96 tokens at most"


@pytest.mark.parametrize(
    ("matter", "expected"),
    [
        ("license: mit", "mit"),
        ('license: "\\ud800"', "\ufffd"),
        ("license: [a]", None),
        ("1: 2", None),
        ("self: 1", None),
        ("license: !!timestamp x", None),
        ("a: [", None),
    ],
)
def test_a_hurt_card_costs_its_licence_only(base: Path, tmp_path: Path, matter: str, expected: str | None) -> None:
    shutil.copytree(base, tmp_path / "base")
    (tmp_path / "base" / "README.md").write_text(f"---\n{matter}\n---\n")
    assert bases.resolve(str(tmp_path / "base"))[0].license == expected


def test_saving_replaces_the_old_files(base: Path, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "merges.txt").write_text("of another base")
    (repo / "README.md").write_text("a card")
    models.save(*models.load(LOCAL, str(base)), repo, [repo / "merges.txt"])
    assert (repo / "README.md").exists() and not (repo / "merges.txt").exists()


def test_a_folder_is_a_base(base: Path) -> None:
    resolved, location = bases.resolve(str(base))
    assert (resolved.id, resolved.on_hub, location) == ("one-layer", False, str(base))
    assert len(resolved.revision) == 64


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty", "empty: no model in this folder (it lacks config.json or *.safetensors); try --base tiny"),
        ("no such/base/at all", "no such/base/at all: neither a folder nor a model's id; try --base tiny or --base openai-community/gpt2"),
    ],
)
def test_an_unknown_base_gets_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(HubtweetsError) as caught:
        bases.resolve(name)
    assert str(caught.value) == expected


def test_a_folder_that_is_no_causal_model_gets_one_line(base: Path, tmp_path: Path) -> None:
    for path in base.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(HubtweetsError, match=r"^one-layer: can't be loaded as a causal language model \(.+\); try --base tiny$"):
        models.load(LOCAL, str(tmp_path))
