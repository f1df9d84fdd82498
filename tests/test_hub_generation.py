"""Texts that the Hub makes with the models that it keeps, which are anybody's."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hubtweets.hub import local, widget
from hubtweets.hub.storage import Repo, Storage

ADAPTER = "adapter_config.json"
PROMPT = "my dream is"
CODE = "import pathlib; pathlib.Path({marker!r}).touch()\nfrom transformers import GPT2Config, GPT2LMHeadModel\n"
ENDLESS = {
    "do_sample": True,
    "num_return_sequences": 2,
    "max_new_tokens": 200,
    "eos_token_id": None,
    "pad_token_id": 0,
}  # a text has its 200 tokens, whatever they are


@pytest.fixture(scope="module")
def model(base: Path) -> dict[str, bytes]:
    """The files of a model that goes on without end."""
    files = {path.name: path.read_bytes() for path in base.iterdir() if path.is_file()}
    return {**files, "generation_config.json": json.dumps(ENDLESS).encode()}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage(tmp_path_factory.mktemp("models") / "hub")


@pytest.fixture(scope="module")
def endpoint(storage: Storage) -> Iterator[str]:
    with local.running(storage) as endpoint:
        yield endpoint


def put(storage: Storage, name: str, files: dict[str, bytes]) -> Repo:
    return storage.create_repo("models", f"huggingtweets/{name}", False, "huggingtweets", files)


def ask(endpoint: str, name: str, prompt: object = PROMPT, count: object = 1, **headers: str) -> httpx2.Response:
    address = f"{endpoint}/_generate/huggingtweets/{name}"
    return httpx2.post(address, json={"prompt": prompt, "count": count}, headers=headers, timeout=60)


def lines(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_texts_come_piece_by_piece_as_sample_makes_them(endpoint: str, storage: Storage, model: dict[str, bytes], tmp_path: Path) -> None:
    from hubtweets import models, sampling

    put(storage, "bot", model)
    first, *pieces, last = lines(ask(endpoint, "bot", count=2))
    assert (list(first), last) == (["seed"], {"done": True})
    texts = ["".join(piece["text"] for piece in pieces if piece["index"] == index) for index in (0, 1)]
    assert [piece["index"] for piece in pieces] == sorted(piece["index"] for piece in pieces)
    assert len(pieces) > 100 and texts[0] != texts[1]
    for name, content in model.items():
        (tmp_path / name).write_bytes(content)
    assert [texts[0]] == sampling.generate(*models.load_repo(tmp_path), PROMPT, 1, first["seed"])
    assert texts[1].startswith(PROMPT)


def test_what_no_page_of_this_hub_would_send_is_refused(endpoint: str, storage: Storage, model: dict[str, bytes]) -> None:
    storage.change_settings(put(storage, "gated", model), None, "auto")
    storage.change_settings(put(storage, "private", model), True, None)
    refused = [
        (ask(endpoint, "gated"), 401, "huggingtweets/gated is gated; log in to read it"),
        (ask(endpoint, "private"), 401, "no repository huggingtweets/private among the models"),
        (ask(endpoint, "nope"), 401, "no repository huggingtweets/nope among the models"),
        (ask(endpoint, "private", prompt="x" * 1001, Authorization=f"Bearer {storage.token}"), 400, "a prompt is a text of at most 1,000 characters"),
        (ask(endpoint, "private", prompt=3, Authorization=f"Bearer {storage.token}"), 400, "a prompt is a text of at most 1,000 characters"),
        *(
            (ask(endpoint, "private", count=n, Authorization=f"Bearer {storage.token}"), 400, "count is a number from 1 to 5")
            for n in (0, 6, "1", True)
        ),
        (ask(endpoint, "gated", Origin="https://evil.example"), 403, "another site's page can't write here: the Origin is not this Hub"),
        (httpx2.post(f"{endpoint}/_generate/huggingtweets/gated", data={"prompt": "x"}), 415, "a prompt comes as application/json"),
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer, _, _ in refused] == [(status, error) for _, status, error in refused]


def changed(files: dict[str, bytes], name: str, **values: object) -> dict[str, bytes]:
    return {**files, name: json.dumps({**json.loads(files.get(name, b"{}")), **values}).encode()}


def test_a_model_that_is_hurt_or_foreign_gives_one_line(
    endpoint: str, storage: Storage, model: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    reached: list[object] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("socket.connect", "socket.getaddrinfo") and "127.0.0.1" not in str(arguments):
            reached.append(arguments)

    sys.addaudithook(watch)
    marker = tmp_path / "ran"
    code = CODE.format(marker=str(marker)).encode()
    by_name = {"auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.GPT2LMHeadModel", "AutoTokenizer": ["code.T", None]}}
    adapter = {"adapter_model.safetensors": b"x"}
    named: dict[str, Any] = {"peft_type": "LORA", "revision": None, "megatron_config": {}, "megatron_core": "antigravity"}
    no_weights, not_here = "has no weights as safetensors, and no other kind is loaded", "is not on this machine; type: hf download"
    hostile = [
        ("card", {"README.md": b"# only a card"}, f"huggingtweets/card {no_weights}"),
        ("pickle", {name: content for name, content in model.items() if name != "model.safetensors"} | {"pytorch_model.bin": b"x"}, no_weights),
        ("both", {**model, "model.safetensors": b"", "pytorch_model.bin": b"x"}, "huggingtweets/both: its model can't be loaded: "),
        ("cut", {**model, "model.safetensors": model["model.safetensors"][:1000]}, "huggingtweets/cut: its model can't be loaded: "),
        ("foreign", changed(model, "config.json", model_type="unheard"), "huggingtweets/foreign: its model can't be loaded: "),
        ("hears", changed(model, "config.json", model_type="wav2vec2"), "huggingtweets/hears: its model can't be loaded: "),
        ("number", {**model, "config.json": b"3"}, "huggingtweets/number: its model can't be loaded: "),
        ("half", {**model, "config.json": b"{"}, "huggingtweets/half: its model can't be loaded: "),
        ("shapeless", {name: content for name, content in model.items() if name != "config.json"}, "huggingtweets/shapeless: its model can't be"),
        ("other", changed(model, "config.json", n_embd=64), "huggingtweets/other: its model can't be loaded: "),
        ("mute", {name: content for name, content in model.items() if "token" not in name}, "huggingtweets/mute: its tokenizer knows no token of"),
        ("code", {**changed(model, "config.json", model_type="x", **by_name), "code.py": code}, "huggingtweets/code: its model can't be loaded: "),
        ("adapter", changed(adapter, ADAPTER, base_model_name_or_path="evil/base", **named), f"its base, evil/base, {not_here} evil/base"),
        ("path", changed(adapter, ADAPTER, base_model_name_or_path=str(tmp_path), **named), f"its base, {tmp_path}, {not_here} {tmp_path}"),
        ("baseless", changed(adapter, ADAPTER, **named), f"its base, None, {not_here} None"),
    ]
    said = {}
    for name, files, _ in hostile:
        put(storage, name, files)
        said[name] = lines(ask(endpoint, name))[-1].get("error", "")
    watching = False
    assert [(name, said[name]) for name, _, line in hostile if line not in said[name]] == []
    assert not [error for error in said.values() if "\n" in error or "/tmp/tmp" in error or "Traceback" in error]
    assert reached == [] and not marker.exists()
    put(storage, "short", model)
    too_long = lines(ask(endpoint, "short", prompt="my dream is to repair the radio " * 30))[-1]
    assert "is too long for this model; give 56 tokens at most" in too_long["error"]


def test_a_config_has_nothing_imported_or_fetched_but_the_model_works(
    endpoint: str, storage: Storage, model: dict[str, bytes], tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    tokenizer = changed(model, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.T", "code.T"]})
    files = changed(tokenizer, "config.json", auto_map={"AutoModelForCausalLM": "code.M"}, attn_implementation="evil/kernel")
    files = changed(files, "generation_config.json", num_beams=3, do_sample=False)  # which can't be streamed
    put(storage, "kernel", {**files, "code.py": CODE.format(marker=str(marker)).encode()})
    _, prompt, text, last = lines(ask(endpoint, "kernel"))
    assert (prompt, list(text), last) == ({"index": 0, "text": PROMPT}, ["index", "text"], {"done": True})
    assert not marker.exists()


def test_an_adapter_is_loaded_with_a_base_of_this_machine(
    endpoint: str, storage: Storage, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants
    from peft import LoraConfig, get_peft_model

    from hubtweets import models

    commit = "a" * 40
    cached = tmp_path / "models--somebody--base"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "snapshots" / commit).symlink_to(base)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    adapted = get_peft_model(models.load_model(str(base)), LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    adapted.save_pretrained(str(tmp_path / "adapter"))
    files = {path.name: path.read_bytes() for path in [*(tmp_path / "adapter").iterdir(), *base.glob("token*")]}
    files = changed(files, ADAPTER, base_model_name_or_path="somebody/base", revision=commit)
    put(storage, "lora", {**files, "generation_config.json": json.dumps(ENDLESS).encode()})
    assert lines(ask(endpoint, "lora"))[-1] == {"done": True}


def test_it_stops_where_nobody_listens(endpoint: str, storage: Storage, model: dict[str, bytes]) -> None:
    from hubtweets.hub import generation

    put(storage, "quitter", model)
    assert lines(ask(endpoint, "quitter"))[-1] == {"done": True}
    (loaded, _), *others = generation.kept.values()
    assert others == []  # one model is held at a time
    steps: list[int] = []
    hook = loaded.register_forward_hook(lambda *_: steps.append(1))
    with httpx2.stream("POST", f"{endpoint}/_generate/huggingtweets/quitter", json={"prompt": PROMPT, "count": 5}, timeout=60) as answer:
        next(answer.iter_lines())
    widget.thread.submit(hook.remove).result()  # one thread makes texts, so that this waits for it
    assert len(steps) < 500  # of 1,000


@pytest.mark.parametrize(("error", "line"), [(ValueError("one\ntwo"), "one"), (KeyError(), "KeyError"), (OSError("x" * 1000), "x" * 500)])
def test_an_error_is_one_short_line(error: Exception, line: str) -> None:
    def fail(say: widget.Say) -> None:
        raise error

    async def said() -> list[str]:
        return [text async for text in widget.stream(fail)]

    assert asyncio.run(said()) == [json.dumps({"error": line}) + "\n"]
