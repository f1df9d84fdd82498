from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pyarrow import parquet
from rich.console import Console
from rich.text import Text
from tokenizers import ByteLevelBPETokenizer, SentencePieceBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.cli.pick import HELP, list_pages
from hubtweets.config import TrainingConfig
from hubtweets.evaluation.sampling import TEXTS_PER_BATCH, can_generate, generate
from hubtweets.models.base import resolve_base
from hubtweets.models.loading import load_base, load_repo
from hubtweets.models.saving import install_weights, save_tokenizer
from hubtweets.models.tokenizer import encode_texts, load_tokenizer
from hubtweets.record import serialization
from hubtweets.record.samples import Overlap, Samples
from hubtweets.stages.run import PROMPTS
from hubtweets.text import to_plain_text
from hubtweets.training.trainer import train
from tests.conftest import environment, run
from tests.terminal import show

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


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def pick_on_terminal(home: Path, typed: str, stop: bool = False, code: int = 0) -> str:
    """Type commands on a terminal of 40 columns, stop it at the end, and return what it shows."""
    plain = environment(home, NO_COLOR="1", TERM="xterm")
    command = ["sample", "lyons____", "--pick"]
    stop_at = "help): " if stop else ""
    screen = show(command, home, plain, columns=40, typed=typed, stop_at=stop_at)
    assert screen.code == code, screen.written
    written = screen.written.replace("\r\n", "\n")
    return written.replace("Number, or Enter (? for help): ", ">\n").replace(" \n", "\n")


def wrap(screen: str) -> str:
    """Return what a terminal of 40 columns shows of lines that are not cut."""
    console = Console(width=40)
    wrapped = (Text(line).wrap(console, 40) for line in screen.split("\n"))
    return "\n".join(line.plain.rstrip() for lines in wrapped for line in lines)


def test_a_page_has_eight_samples_of_one_prompt() -> None:
    assert [tuple(page) for page in list_pages({"a": list(range(1, 18)), "b": [18]})] == [
        ("a", "Prompt 1 of 2, page 1 of 3", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("a", "Prompt 1 of 2, page 2 of 3", [9, 10, 11, 12, 13, 14, 15, 16]),
        ("a", "Prompt 1 of 2, page 3 of 3", [17]),
        ("b", "Prompt 2 of 2, page 1 of 1", [18]),
    ]


def test_samples_are_picked_on_a_terminal(home: Path) -> None:
    """The second, a copy, is not offered, nor the eighth, which has a broken character."""
    path = home / "runs" / "lyons____" / "run.json"
    record = serialization.read_record(path)
    assert record.samples
    listed = list(record.samples.samples)
    listed[7] = replace(listed[7], text=f"{listed[7].prompt} a \ufffd")
    listed[9] = replace(listed[9], text=f"{listed[9].prompt} \x1b[2J\u202eon\n" + "日本" * 500)
    serialization.write_record(
        replace(record, samples=replace(record.samples, samples=tuple(listed))), path
    )
    before = recorded(home)
    assert before.picked == (1, 3, 5, 7, 9) and not before.chosen
    groups = [1], [3, 4], [5, 6], [7], [9, 10]

    def show(place: int, *picked: int) -> str:
        lines = [cut(f'\nPrompt {place} of 5, page 1 of 1: "{PROMPTS[place - 1]}"', 41)]
        for number in groups[place - 1]:
            text = " ".join((listed[number - 1].text or "")[len(PROMPTS[place - 1]) :].split())
            text = "[2J on 日本日本日本日本日本日本…" if number == 10 else cut(text, 32)
            lines.append(f" {' *'[number in picked]}{number:>4}  {text}")
        return "\n".join([*lines, f"Picked: {', '.join(map(str, picked)) or 'none'}", ">", ""])

    def read(number: int) -> str:
        return to_plain_text(listed[number - 1].text or "", 1000)

    first = "Pick the samples that the card of @lyons____ shows.\n" + show(1, *before.picked)
    assert pick_on_terminal(home, "q\n") == wrap(f"{first}Nothing changed.\n")
    assert pick_on_terminal(home, "", stop=True, code=130) == wrap(f"{first}\nNothing changed.\n")
    assert recorded(home) == before
    missing = (
        "not offered: it copies a post, has a broken character, adds nothing to its prompt, "
        "or does not exist\n>\n"
    )
    steps = [
        ("?", "".join(f"{cut(line, 40)}\n" for line in HELP) + ">\n"),
        ("2", f"2: {missing}"),
        ("8 99", f"8: {missing}"),
        ("99", f"99: {missing}"),
        ("one", "one: not the numbers of samples; type them like this: 3,17\n>\n"),
        ("p", show(1, 1, 3, 5, 7, 9)),
        ("1,3,5,7,9", show(1)),
        ("d", "Pick one sample at least, or type q to …\n>\n"),
        ("n", show(2)),
        ("", show(3)),
        ("6", f"6: {read(6)}\n{show(3, 6)}"),
        ("p", show(2, 6)),
        ("n", show(3, 6)),
        ("", show(4, 6)),
        ("", show(5, 6)),
        ("n", show(5, 6)),
        ("10", f"10: {read(10)}\n{show(5, 6, 10)}"),
        (
            "",
            "Checking them with the model\n10: this sample has a broken character and can't be "
            "shown; pick another: hubtweets sample lyons____ --pick\n" + show(5, 6, 10),
        ),
        ("10 5", f"5: {read(5)}\n{show(5, 6, 5)}"),
    ]
    last = "".join(cut(f"- {read(number)}", 40) + "\n" for number in (6, 5))
    end = "Checking them with the model\n"
    end += "picked 6, 5; to publish that, type: hubtweets push lyons____\n"
    shown = pick_on_terminal(home, "".join(f"{typed}\n" for typed, _ in steps) + "d\n")
    assert shown == wrap(first + "".join(expected for _, expected in steps) + end + last)
    assert recorded(home) == replace(before, picked=(6, 5), chosen=True)

    assert run(home, "sample", "lyons____").stderr == "sample: nothing changed, skipped\n"
    assert recorded(home).picked == (6, 5)
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
    said = [line for line in done.stderr.splitlines()[1:] if "of 10 samples" not in line]
    assert (done.returncode, said) == (
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
