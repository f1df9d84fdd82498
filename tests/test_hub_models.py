"""What the embedded Hub says of a model beyond its card, from files that may be anyone's."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import HfApi

from hubtweets.hub.api.model_info import MAX_JSON_BYTES, find_auto_class, read_model_info
from hubtweets.hub.storage.storage import Storage
from tests.test_pages import make_weights

BOT = "huggingtweets/bot"
GPT2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}
TOKENIZER = {"eos_token": {"content": "<end>", "lstrip": False}, "chat_template": "{{ x }}"}
GENERATION = {"library_name": "transformers", "pipeline_tag": "text-generation"}


def dump(value: object) -> bytes:
    return json.dumps(value).encode()


def create_repo(root: Path, files: dict[str, bytes], kind: str = "models") -> Storage:
    storage = Storage(root / "hub")
    storage.create_repo(kind, BOT, False, "x", files)
    return storage


FILES: list[tuple[dict[str, bytes], dict[str, Any]]] = [
    ({}, {"tags": []}),
    (
        {
            "config.json": dump(GPT2 | {"n_layer": 1, "secret": "x"}),
            "model.safetensors": make_weights(F32=3, BF16=4),
            "tokenizer_config.json": dump(TOKENIZER | {"added_tokens_decoder": {}}),
        },
        {
            **GENERATION,
            "tags": ["transformers", "safetensors", "gpt2", "text-generation", "conversational"],
            "config": GPT2
            | {"tokenizer_config": {"eos_token": "<end>", "chat_template": "{{ x }}"}},
            "transformersInfo": {
                "auto_model": "AutoModelForCausalLM",
                "pipeline_tag": "text-generation",
                "processor": "AutoTokenizer",
            },
            "safetensors": {"parameters": {"F32": 3, "BF16": 4}, "total": 7},
        },
    ),
    (  # the card says more, or otherwise
        {
            "config.json": dump(GPT2),
            "README.md": b"---\npipeline_tag: fill-mask\ntags: [a, gpt2]\nbase_model: c/d\n---\n",
        },
        {
            "library_name": "transformers",
            "pipeline_tag": "fill-mask",
            "tags": [
                *("transformers", "gpt2", "text-generation", "a", "fill-mask"),
                *("base_model:c/d", "base_model:finetune:c/d"),
            ],
            "config": GPT2,
            "transformersInfo": {
                "auto_model": "AutoModelForCausalLM",
                "pipeline_tag": "text-generation",
            },
        },
    ),
    (
        {
            "adapter_config.json": dump({"task_type": "CAUSAL_LM", "peft_type": "LORA", "r": 8}),
            "adapter_model.safetensors": make_weights(F32=3),
            "README.md": b"---\nbase_model: [c/d, e/f]\n---\n",
        },
        {
            "library_name": "peft",
            "pipeline_tag": "text-generation",
            "tags": [
                *("peft", "safetensors", "text-generation", "base_model:c/d", "base_model:e/f"),
                *("base_model:adapter:c/d", "base_model:adapter:e/f"),
            ],
            "config": {"peft": {"task_type": "CAUSAL_LM", "peft_type": "LORA"}},
        },
    ),
    (
        {
            "config.json": dump(
                {"architectures": ["BertForMaskedLM"], "auto_map": {"AutoModel": "a.B"}}
            ),
            "tokenizer_config.json": dump({"mask_token": "[MASK]"}),
            "pytorch_model.bin": b"",
            "onnx/model.onnx": b"",
            "model-00001-of-00002.safetensors": make_weights(F32=3),
            "model-00002-of-00002.safetensors": make_weights(F32=4),
            "other.safetensors": make_weights(F32=5),
        },
        {
            "library_name": "transformers",
            "pipeline_tag": "fill-mask",
            "mask_token": "[MASK]",
            "tags": ["transformers", "safetensors", "pytorch", "fill-mask", "custom_code"],
            "config": {
                "architectures": ["BertForMaskedLM"],
                "auto_map": {"AutoModel": "a.B"},
                "tokenizer_config": {"mask_token": "[MASK]"},
            },
            "transformersInfo": {
                "auto_model": "AutoModelForMaskedLM",
                "pipeline_tag": "fill-mask",
                "processor": "AutoTokenizer",
            },
            "safetensors": {"parameters": {"F32": 7}, "total": 7},
        },
    ),
    (
        {"modules.json": b"[]", "config.json": dump({"architectures": ["BertModel"]})},
        {
            "library_name": "sentence-transformers",
            "pipeline_tag": "sentence-similarity",
            "tags": ["sentence-transformers", "sentence-similarity"],
            "config": {"architectures": ["BertModel"]},
        },
    ),
    (
        {"model_index.json": dump({"_class_name": "FluxPipeline"})},
        {
            "library_name": "diffusers",
            "tags": ["diffusers"],
            "config": {"diffusers": {"_class_name": "FluxPipeline"}},
        },
    ),
]
KEYS = (
    *("library_name", "pipeline_tag", "mask_token", "tags"),
    *("config", "transformersInfo", "safetensors"),
)


@pytest.mark.parametrize(("files", "expected"), FILES)
def test_what_files_say(
    hub: tuple[str, str], tmp_path: Path, files: dict[str, bytes], expected: dict[str, Any]
) -> None:
    create_repo(tmp_path, files)
    found = httpx2.get(f"{hub[0]}/api/models/{BOT}").json()
    assert {key: found[key] for key in KEYS if key in found} == expected
    info = HfApi(endpoint=hub[0]).model_info(BOT)
    assert info.safetensors == expected.get("safetensors")


def test_a_listing_tells_details_when_asked(hub: tuple[str, str], tmp_path: Path) -> None:
    create_repo(tmp_path, FILES[1][0])
    create_repo(tmp_path, FILES[1][0], "datasets")
    url, expected = f"{hub[0]}/api/models", FILES[1][1]
    [plain] = httpx2.get(url, params={"pipeline_tag": "text-generation", "filter": "gpt2"}).json()
    assert plain["library_name"] == "transformers" and not {"config", "safetensors"} & {*plain}
    [one] = httpx2.get(url, params={"expand": ["safetensors", "config"]}).json()
    assert one == {
        **{"_id": BOT, "id": BOT},
        **{key: expected[key] for key in ("safetensors", "config")},
    }
    assert httpx2.get(url, params={"pipeline_tag": "fill-mask"}).json() == []
    dataset = httpx2.get(f"{hub[0]}/api/datasets/{BOT}").json()
    assert dataset["tags"] == [] and not {"config", "pipeline_tag"} & {*dataset}


DEEP = b'{"a":' + b"[" * 100_000
LONG = "x" * 101
HOSTILE: dict[str, dict[str, bytes]] = {
    "not JSON": {"config.json": b"\xff{", "tokenizer_config.json": b""},
    "no objects": {"config.json": b"[1]", "tokenizer_config.json": b'"a"'},
    "deep": {"config.json": DEEP, "tokenizer_config.json": DEEP},
    "other types": {
        "config.json": dump({"architectures": {"a": 1}, "model_type": ["gpt2"], "auto_map": [1]}),
        "tokenizer_config.json": dump({"eos_token": {"content": 5}, "chat_template": [{}]}),
    },
    "odd texts": {
        "config.json": dump({"architectures": ["<b>", 5, LONG, "a\n"], "model_type": "\ud800"}),
        "tokenizer_config.json": dump({"eos_token": LONG, "chat_template": "x" * (2**14 + 1)}),
    },
    "long": {"config.json": dump(GPT2 | {"x": "y" * MAX_JSON_BYTES})},
    "long header": {"model.safetensors": (2**62).to_bytes(8, "little") + b"{}"},
    "huge header": {"model.safetensors": (2**30).to_bytes(8, "little") + bytes(2**21)},
    "half a header": {
        "model-00001-of-00002.safetensors": make_weights(F32=3),
        "model-00002-of-00002.safetensors": b"{}",
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_as_expected_is_left_out(
    hub: tuple[str, str], tmp_path: Path, name: str
) -> None:
    create_repo(tmp_path, HOSTILE[name])
    for path in (f"/api/models/{BOT}", "/api/models?expand=config", f"/{BOT}", "/"):
        assert httpx2.get(hub[0] + path).status_code == 200, path
    found = httpx2.get(f"{hub[0]}/api/models/{BOT}").json()
    tags = ["safetensors"] if "header" in name else []
    assert {key: found[key] for key in KEYS if key in found} == {"tags": tags}


def test_texts_of_a_tokenizer_are_made_valid(hub: tuple[str, str], tmp_path: Path) -> None:
    tokenizer = {"eos_token": "\ud800<b>", "chat_template": "\ud800"}
    create_repo(tmp_path, {"tokenizer_config.json": dump(tokenizer)})
    found = httpx2.get(f"{hub[0]}/api/models/{BOT}").json()
    assert found["config"] == {"tokenizer_config": {"eos_token": "?<b>", "chat_template": "?"}}


def test_many_words_are_cut(tmp_path: Path) -> None:
    names = [f"A{number}" for number in range(10_000)]
    config = {"architectures": names, "auto_map": dict.fromkeys(names, "a.B")}
    storage = create_repo(tmp_path, {"config.json": dump(config)})
    repo = storage.find_repo("models", BOT)
    assert repo
    found = read_model_info(storage, storage.resolve(repo, "main")).config
    assert {key: len(value) for key, value in found.items()} == dict.fromkeys(config, 10)


def test_a_long_relation_to_many_base_models_stays_short(
    hub: tuple[str, str], tmp_path: Path
) -> None:
    card = f"---\nbase_model: [{'a,' * 5000}]\nbase_model_relation: {'x' * 30_000}\n---\n"
    create_repo(tmp_path, {"README.md": card.encode()})
    found = httpx2.get(f"{hub[0]}/api/models/{BOT}").json()
    assert found["tags"] == ["base_model:a", "base_model:merge:a"]


TASKS = {
    "GPT2LMHeadModel": "text-generation",
    "LlamaForCausalLM": "text-generation",
    "BertForMaskedLM": "fill-mask",
    "T5ForConditionalGeneration": "text2text-generation",
    "RobertaForSequenceClassification": "text-classification",
    "BertForTokenClassification": "token-classification",
    "BertForQuestionAnswering": "question-answering",
    "ViTForImageClassification": "image-classification",
    "DetrForObjectDetection": "object-detection",
    "SegformerForSemanticSegmentation": "image-segmentation",
    "Wav2Vec2ForCTC": "automatic-speech-recognition",
    "BertModel": "feature-extraction",
    "Unknown": None,
}


def test_tasks_by_the_names_of_classes() -> None:
    found = {name: find_auto_class({"architectures": [name]}).get("pipeline_tag") for name in TASKS}
    assert found == TASKS
    generation = {"architectures": ["XForConditionalGeneration"]}
    others: list[dict[str, Any]] = [{"vision_config": {}}, {"model_type": "whisper"}]
    assert [find_auto_class(generation | more)["pipeline_tag"] for more in others] == [
        "image-text-to-text",
        "automatic-speech-recognition",
    ]
