"""What a model's files say of it, as the Hub fills in what a card leaves out.

In: a commit, whose files are untrusted: of a JSON file at most MAX_JSON_BYTES are read, and values
of an unexpected type or length are left out. Out: library, task, tags and a short configuration.
"""

import json
import re
from collections.abc import Container
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.storage import Storage

MAX_JSON_BYTES = 2**20  # tokenizer_config.json of a model with 1,000 added tokens has a fifth
MAX_TEXT_CHARS = 2**14  # of a chat template
MAX_WORD_CHARS = 100
MAX_WORDS = 10  # architectures, items of auto_map
WORD = re.compile(rf"[\w./+-]{{1,{MAX_WORD_CHARS}}}", re.ASCII)
WORD_KEYS = ("model_type", "task_type", "base_model_name_or_path", "peft_type", "_class_name")
SPECIAL_TOKENS = (
    "bos_token cls_token eos_token mask_token pad_token sep_token unk_token".split()  # noqa: SIM905
)

# the file that a library always saves; the first that a repo has counts
LIBRARIES = {
    "adapter_config.json": "peft",
    "modules.json": "sentence-transformers",
    "model_index.json": "diffusers",
}
# what the name of a file ends with, and the tag that the Hub makes of it
FORMATS = {
    ".safetensors": "safetensors",
    "pytorch_model.bin": "pytorch",
    "tf_model.h5": "tf",
    "flax_model.msgpack": "jax",
    ".onnx": "onnx",
    ".gguf": "gguf",
}
SEQ2SEQ, SPEECH_TYPES = "AutoModelForSeq2SeqLM", ("whisper", "speech_to_text", "moonshine")
# what the name of a class of transformers ends with: the task, and the class to load it with
TASKS = {
    "ForCausalLM": ("text-generation", "AutoModelForCausalLM"),
    "LMHeadModel": ("text-generation", "AutoModelForCausalLM"),
    "ForMaskedLM": ("fill-mask", "AutoModelForMaskedLM"),
    "ForConditionalGeneration": ("text2text-generation", SEQ2SEQ),
    "ForSequenceClassification": ("text-classification", "AutoModelForSequenceClassification"),
    "ForTokenClassification": ("token-classification", "AutoModelForTokenClassification"),
    "ForQuestionAnswering": ("question-answering", "AutoModelForQuestionAnswering"),
    "ForMultipleChoice": ("multiple-choice", "AutoModelForMultipleChoice"),
    "ForImageClassification": ("image-classification", "AutoModelForImageClassification"),
    "ForObjectDetection": ("object-detection", "AutoModelForObjectDetection"),
    "ForSemanticSegmentation": ("image-segmentation", "AutoModelForSemanticSegmentation"),
    "ForUniversalSegmentation": ("image-segmentation", "AutoModelForUniversalSegmentation"),
    "ForDepthEstimation": ("depth-estimation", "AutoModelForDepthEstimation"),
    "ForVideoClassification": ("video-classification", "AutoModelForVideoClassification"),
    "ForAudioClassification": ("audio-classification", "AutoModelForAudioClassification"),
    "ForCTC": ("automatic-speech-recognition", "AutoModelForCTC"),
    "Model": ("feature-extraction", "AutoModel"),
}
# of an adapter, by its task_type
ADAPTER_TASKS = {
    "CAUSAL_LM": "text-generation",
    "SEQ_2_SEQ_LM": "text2text-generation",
    "SEQ_CLS": "text-classification",
    "TOKEN_CLS": "token-classification",
    "QUESTION_ANS": "question-answering",
    "FEATURE_EXTRACTION": "feature-extraction",
}


@dataclass(frozen=True)
class ModelInfo:
    """`fields` has library_name, pipeline_tag and mask_token, as far as the files say them."""

    fields: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    transformers: dict[str, str] = field(default_factory=dict)


def read_model_info(storage: Storage, commit: Commit) -> ModelInfo:
    """Return what the files in a commit's top folder say of the model."""
    files = {path: entry for path, entry in commit.files.items() if "/" not in path}

    def read(name: str) -> dict[str, Any]:
        entry = files.get(name)
        if entry is None or entry.size > MAX_JSON_BYTES:
            return {}
        return json.loads(read_short_config(storage.blobs.path(entry.sha256)))

    config, tokenizer = read("config.json"), read("tokenizer_config.json")
    adapter, index = read("adapter_config.json"), read("model_index.json")
    library = find_library(files, config)
    loading = find_auto_class(config) if library == "transformers" else {}
    tasks = {
        "transformers": loading.get("pipeline_tag"),
        "sentence-transformers": "sentence-similarity",
        "peft": ADAPTER_TASKS.get(adapter.get("task_type", "")),
    }
    task = tasks.get(library or "")
    mask = tokenizer.get("mask_token") if task == "fill-mask" else None
    fields = {"library_name": library, "pipeline_tag": task, "mask_token": mask}
    parts = {**config, "tokenizer_config": tokenizer, "peft": adapter, "diffusers": index}
    talks = "chat_template" in tokenizer or "chat_template.jinja" in files
    tags = [
        library,
        *(tag for end, tag in FORMATS.items() if any(name.endswith(end) for name in files)),
        config.get("model_type"),
        task,
        "conversational" if talks else None,
        "custom_code" if "auto_map" in config else None,
    ]
    if loading and "tokenizer_config.json" in files:
        loading["processor"] = "AutoTokenizer"
    return ModelInfo(
        {key: value for key, value in fields.items() if value},
        tuple(dict.fromkeys(tag for tag in tags if tag)),
        {key: value for key, value in parts.items() if value},
        loading,
    )


def find_library(files: Container[str], config: dict[str, Any]) -> str | None:
    """Return the library that saved a model, None if no file tells."""
    if found := next((library for name, library in LIBRARIES.items() if name in files), None):
        return found
    return "transformers" if config.keys() & {"model_type", "architectures"} else None


def find_auto_class(config: dict[str, Any]) -> dict[str, str]:
    """Return how transformers loads a model, {} if the name of its class says nothing."""
    name = next(iter(config.get("architectures", ())), "")
    found = next((TASKS[end] for end in TASKS if name.endswith(end)), None)
    if found is None:
        return {}
    task, auto_class = found
    if auto_class == SEQ2SEQ and "vision_config" in config:
        task, auto_class = "image-text-to-text", "AutoModelForImageTextToText"
    elif auto_class == SEQ2SEQ and config.get("model_type") in SPEECH_TYPES:
        task, auto_class = "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq"
    return {"auto_model": auto_class, "pipeline_tag": task}


# A stored content never changes. JSON, for its objects take several times the memory.
@lru_cache(1024)
def read_short_config(path: Path) -> str:
    """Return the known values of a configuration file as a JSON object, {} if it is none."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        values = None
    return json.dumps(shorten(values) if isinstance(values, dict) else {})


def shorten(values: dict[str, Any]) -> dict[str, Any]:
    """Return the known values of a configuration that have the expected type and length."""
    short: dict[str, Any] = {key: values[key] for key in WORD_KEYS if is_word(values.get(key))}
    classes, modules = values.get("architectures"), values.get("auto_map")
    if isinstance(classes, list) and (names := [*filter(is_word, classes[:MAX_WORDS])]):
        short["architectures"] = names
    if isinstance(modules, dict):
        items = [item for item in modules.items() if all(map(is_word, item))]
        short["auto_map"] = dict(items[:MAX_WORDS])
    if isinstance(values.get("vision_config"), dict):
        short["vision_config"] = {}  # only that it has one
    for key in SPECIAL_TOKENS:
        token = values.get(key)
        token = token.get("content") if isinstance(token, dict) else token
        if isinstance(token, str) and len(token) <= MAX_WORD_CHARS:
            short[key] = token.encode("utf-8", "replace").decode()
    template = values.get("chat_template")
    if isinstance(template, str) and len(template) <= MAX_TEXT_CHARS:
        short["chat_template"] = template.encode("utf-8", "replace").decode()
    return short


def is_word(value: object) -> bool:
    return isinstance(value, str) and WORD.fullmatch(value) is not None
