import os
import pty
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pyarrow import parquet
from tokenizers import ByteLevelBPETokenizer, SentencePieceBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.cli.main import main
from hubtweets.config import TrainingConfig
from hubtweets.evaluation.sampling import TEXTS_PER_BATCH, can_generate, generate
from hubtweets.models.base import resolve_base
from hubtweets.models.loading import load_base, load_repo
from hubtweets.models.saving import install_weights, save_tokenizer
from hubtweets.models.tokenizer import encode_texts, load_tokenizer
from hubtweets.record import serialization
from hubtweets.record.samples import Overlap, Samples
from hubtweets.training.trainer import train
from tests.conftest import run

TEXTS = [
    "my dream is to repair the radio",
    "my dream is a bigger shed",
    "my dream is the radio in the shed",
    "my shed is my dream",
]
SIZES = {
    "n_positions": 256,
    "n_embd": 32,
    "n_layer": 1,
    "n_head": 2,
    "bos_token_id": 1,
    "eos_token_id": 1,
}

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerFast]


def taught(folder: Path, epochs: int, **special: str) -> Loaded:
    """Return a model that was trained on TEXTS, as the published weights are loaded."""
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        TEXTS, vocab_size=300, special_tokens=["<start>", "<end>", "<pad>"], show_progress=False
    )
    PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, **special).save_pretrained(
        folder / "base"
    )
    tokenizer = load_tokenizer(str(folder / "base"))
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **SIZES)).save_pretrained(folder / "base")
    model, tokenizer = load_base(*resolve_base(str(folder / "base")))
    config = TrainingConfig(
        num_train_epochs=epochs, learning_rate=1e-2, batch_size=4, block_size=32
    )
    result = train(
        model, [encode_texts(TEXTS, tokenizer)], config, folder / "checkpoints", quiet=True
    )
    (folder / "repo").mkdir()
    save_tokenizer(tokenizer, result.weights)
    install_weights(result.weights, folder / "repo", [])
    return load_repo(folder / "repo")


@pytest.mark.parametrize(
    "special",
    [
        {"eos_token": "<end>"},
        {"eos_token": "<end>", "pad_token": "<end>"},
        {"bos_token": "<end>", "eos_token": "<end>", "pad_token": "<end>"},
        {"bos_token": "<start>", "eos_token": "<end>", "pad_token": "<pad>"},
    ],
    ids=["neither BOS nor pad", "no BOS, pad is EOS", "all one", "all there"],
)
def test_the_model_learns_to_stop(tmp_path: Path, special: dict[str, str]) -> None:
    model, tokenizer = taught(tmp_path, 100, **special)
    prompt = tokenizer("my dream", return_tensors="pt", return_token_type_ids=False)
    posts = model.generate(**prompt, num_return_sequences=50)
    assert (posts[:, prompt["input_ids"].shape[1] :] == tokenizer.eos_token_id).any(1).sum() >= 45
    assert len(generate(model, tokenizer, "my dream", 3, 0)) == 3


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return taught(tmp_path_factory.mktemp("taught"), 400, eos_token="<end>")


def test_many_texts_are_made_some_at_a_time(loaded: Loaded) -> None:
    texts = generate(*loaded, "my dream", 2 * TEXTS_PER_BATCH + 5, seed=1)
    assert len(texts) == 2 * TEXTS_PER_BATCH + 5 and texts[:TEXTS_PER_BATCH] == generate(
        *loaded, "my dream", TEXTS_PER_BATCH, seed=1
    )
    assert (
        texts[:TEXTS_PER_BATCH] != texts[TEXTS_PER_BATCH : 2 * TEXTS_PER_BATCH]
        and generate(*loaded, "my dream", 0, seed=1) == []
    )


def test_what_the_model_wrote_it_could_write_and_what_was_changed_it_could_not(
    loaded: Loaded,
) -> None:
    written = set(generate(*loaded, "my dream", 40, seed=2))
    assert written == set(TEXTS[:3]) and all(
        can_generate(*loaded, "my dream", text) for text in written
    )
    for text in written:
        words = text.split()
        for place in range(2, len(words)):
            assert not can_generate(
                *loaded, "my dream", " ".join([*words[:place], "spoons", *words[place + 1 :]])
            ), text


@pytest.mark.parametrize(
    ("prompt", "text", "settings", "expected"),
    [
        ("my dream", "my dream is a bigger shed", {}, True),
        ("my dream is a", "my dream is a bigger shed", {}, True),
        ("my dream", "my dream is a bigger", {}, False),  # it would go on
        ("my dream", "my dream is a bigger", {"max_new_tokens": 9}, False),  # more than it may
        ("my dream", "my dream is a bigger shed  shed", {}, False),
        ("my dream", "my dream", {}, False),
        ("my dream", "", {}, False),
        ("my shed", "my dream is a bigger shed", {}, False),
        ("my dr", "my dream is a bigger shed", {}, False),  # in other tokens
        ("my dream", "my dream is a bigger shed" * 99, {"max_new_tokens": 10**6}, False),
        (
            "my dream is a",
            "my dream is a bigger shed",
            {"top_k": 1, "top_p": 0.01},
            True,
        ),  # the one way to go on
        ("my dream is a", "my dream is a bigger", {"stop": True}, True),  # it had to stop there
        ("my dream", "my dream is spoons", {}, False),
        ("my dream", "my dream is spoons", {"top_p": 1.0}, True),  # nothing is cut
    ],
)
def test_a_text_is_judged_by_the_models_own_settings(
    loaded: Loaded,
    monkeypatch: pytest.MonkeyPatch,
    prompt: str,
    text: str,
    settings: dict[str, float],
    expected: bool,
) -> None:
    model, tokenizer = loaded
    if settings.pop("stop", False):
        settings["max_new_tokens"] = len(tokenizer(text)["input_ids"]) - len(
            tokenizer(prompt)["input_ids"]
        )
    for name, value in settings.items():
        monkeypatch.setattr(model.generation_config, name, value)
    assert can_generate(model, tokenizer, prompt, text) == expected


@pytest.mark.parametrize("settings", [{"top_k": 1}, {"top_p": 0.01}, {"temperature": 1e-3}])
def test_only_the_likeliest_is_left_where_the_settings_say_so(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, settings: dict[str, float]
) -> None:
    for name, value in settings.items():
        monkeypatch.setattr(loaded[0].generation_config, name, value)
    assert [can_generate(*loaded, "my dream", text) for text in TEXTS[:3]].count(True) == 1


def test_the_space_after_a_prompt_stays_whatever_the_tokenizer_does_with_it(tmp_path: Path) -> None:
    bpe = SentencePieceBPETokenizer()
    bpe.train_from_iterator(
        TEXTS, vocab_size=100, special_tokens=["<unk>", "<end>"], show_progress=False
    )
    PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, eos_token="<end>", unk_token="<unk>"
    ).save_pretrained(tmp_path / "base")
    tokenizer = load_tokenizer(str(tmp_path / "base"))
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **SIZES)).save_pretrained(
        tmp_path / "base"
    )
    model, tokenizer = load_base(*resolve_base(str(tmp_path / "base")))
    texts = generate(model, tokenizer, "my dream", 8, seed=3)
    assert all(text.startswith("my dream") for text in texts) and any(
        text.startswith("my dream shed") for text in texts
    )


def recorded(folder: Path) -> Samples:
    samples = serialization.read_record(folder / "runs" / "lyons____" / "run.json").samples
    assert samples
    return samples


@pytest.fixture
def home(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published run, in whose folder this process works.

    The second of its samples copies a post, and the fourth is longer than any.
    """
    path = workplace / "runs" / "lyons____" / "run.json"
    record = serialization.read_record(path)
    assert record.samples
    listed = list(record.samples.samples)
    listed[1] = replace(listed[1], copied=Overlap(20, 99, 1.0))
    listed[3] = replace(listed[3], text=listed[3].prompt + " word" * 400)
    serialization.write_record(
        replace(record, samples=replace(record.samples, samples=tuple(listed))), path
    )
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("HUBTWEETS_SAMPLES", "10")
    return workplace


def test_samples_are_picked_on_a_terminal(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = recorded(home)
    assert before.picked[0] == 1 and len(before.picked) <= 5 and not before.chosen
    first, last = before.picked[0], before.picked[-1]
    ours, theirs = pty.openpty()
    os.write(ours, f"{last}, {first}\n".encode())
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        main(["sample", "lyons____", "--pick"], standalone_mode=False)
    os.close(ours)
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [int(line.split()[0]) for line in lines[:-2]] == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [line[:2] for line in lines[-2:]] == ["- ", "- "]
    assert f"Which samples should the card show [{','.join(map(str, before.picked))}]: " in said.err
    assert said.err.endswith(
        f"picked {last}, {first}; to publish that, type: hubtweets push lyons____\n"
    )
    assert recorded(home) == replace(before, picked=(last, first), chosen=True)

    assert run(home, "sample", "lyons____").stderr == "sample: nothing changed, skipped\n"
    assert recorded(home).picked == (last, first)
    anew = run(
        home,
        "sample",
        "lyons____",
        "--prompt",
        "The radio",
        "--prompt",
        "The radio",
        "--samples",
        "3",
    )
    assert anew.stderr.startswith(
        "sample: 3 posts from 'The radio'\nsample: 0 of 3 copy a post (0.0%), as do "
    )
    made = recorded(home)
    assert (
        {one.prompt for one in made.samples} == {"The radio"}
        and len(made.samples) == 3
        and len(made.picked) <= 1
        and not made.chosen
    )
    number = str(made.picked[0]) if made.picked else "1"
    assert "sample:" not in run(home, "sample", "lyons____", "--pick", number).stderr
    assert recorded(home).samples == made.samples
    run(home, "sample", "lyons____", "--prompt", "The kite", "--samples", "2", "--pick", "1")
    assert [one.prompt for one in recorded(home).samples] == ["The kite"] * 2
    path = home / "runs" / "lyons____" / "run.json"
    record = serialization.read_record(path)
    stages = {name: stage for name, stage in record.stages.items() if name != "sample"}
    serialization.write_record(replace(record, samples=None, audit=None, stages=stages), path)
    run(home, "sample", "lyons____", "--pick", "1")
    assert len(recorded(home).samples) == 10


def test_what_copies_a_post_is_not_shown_and_is_said(workplace: Path) -> None:
    path, posts = (
        workplace / "runs" / "lyons____" / name for name in ("run.json", "dataset/train.parquet")
    )
    before, table = recorded(workplace), parquet.read_table(posts)
    texts = [one.text for one in before.samples[:2]] + ["new"] * (len(table) - 2)
    parquet.write_table(table.set_column(table.column_names.index("text"), "text", [texts]), posts)
    record = serialization.read_record(path)
    serialization.write_record(
        replace(
            record,
            stages={name: stage for name, stage in record.stages.items() if name != "sample"},
        ),
        path,
    )
    done = run(workplace, "sample", "lyons____")
    assert (done.returncode, done.stderr.splitlines()[1:]) == (
        0,
        [
            "sample: 2 of 10 copy a post (20.0%), as do 0.0% of the held-out posts",
            (
                "warning: this model repeats its posts; "
                "fewer --num-train-epochs, or more posts, make it write more of its own"
            ),
        ],
    )
    after = recorded(workplace)
    assert [one.copied.share for one in after.samples[:2]] == [1.0, 1.0] and [
        one.text for one in after.samples
    ] == [one.text for one in before.samples]
    assert (
        after.picked == before.picked[1:]
        and before.samples[before.picked[0] - 1].prompt == "My dream is"
    )


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ([], "no terminal to ask on; name the samples: hubtweets sample lyons____ --pick 3,17"),
        (["0"], "0: there are samples 1 to 10; type: hubtweets sample lyons____ --pick"),
        (["1,11"], "11: there are samples 1 to 10; type: hubtweets sample lyons____ --pick"),
        (
            ["1 2"],
            (
                "2: this sample copies a post, or adds nothing to its prompt; "
                "pick another: hubtweets sample lyons____ --pick"
            ),
        ),
        (
            ["4"],
            (
                "4: this sample has a broken character and can't be shown; pick another: "
                "hubtweets sample lyons____ --pick"
            ),
        ),
        (["one"], "one: not the numbers of samples; type them like this: 3,17"),
        ([","], ",: not the numbers of samples; type them like this: 3,17"),
    ],
)
def test_what_cannot_be_picked_gets_one_line(home: Path, typed: list[str], expected: str) -> None:
    before = recorded(home)
    done = run(home, "sample", "lyons____", "--pick", *typed)
    assert (done.returncode, done.stderr) == (1, f"Error: {expected}\n")
    assert recorded(home) == before
