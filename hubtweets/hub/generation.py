"""The texts that a repo's model makes here, while somebody waits for them.

In: a repo and a prompt. Out: texts, piece by piece. A model is anybody's, so only its numbers are used: safetensors, a tokenizer's tables and
settings, without those settings that would have code fetched or imported. The last model stays loaded, for the next prompt is mostly its own.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import set_seed
from huggingface_hub import snapshot_download
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.errors import HubtweetsError
from hubtweets.hub.storage import Commit, Repo, Storage
from hubtweets.models import ADAPTER, context_of, read_repo
from hubtweets.posts import well_formed
from hubtweets.samples import MAX_NEW_TOKENS
from hubtweets.sampling import encode

Say = Callable[[int, str], None]
Loaded = tuple[PreTrainedModel, PreTrainedTokenizerFast]

MOST_NEW_TOKENS = 512
MAX_LAYERS = 1024
SUFFIXES = (".safetensors", ".json")
NAMES = ("merges.txt", "vocab.txt", "tokenizer.model")
# a config's keys that would have transformers or peft fetch kernels, or import modules by name
FETCHING = {"attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation", "auto_map", "auto_mapping"}
FETCHING |= {"megatron_config", "megatron_core"}

kept: dict[tuple[Path, str, str], Loaded] = {}


@torch.no_grad()
def generate(storage: Storage, repo: Repo, commit: Commit, prompt: str, count: int, seed: int, say: Say) -> None:
    """Make `count` texts that start with the prompt and say them piece by piece, with their index; raise HubtweetsError where the repo can't.

    The first is what `sampling.generate` makes of the seed; what `say` raises ends it all.
    """
    key = (storage.root, repo.id, commit.id)
    if key not in kept:
        kept.clear()  # before the next is loaded, so that there is one in memory
        kept[key] = load(storage, repo, commit)
    model, tokenizer = kept[key]
    prompt = well_formed(prompt)
    inputs = encode(model, tokenizer, prompt)
    if not inputs["input_ids"].numel():
        raise HubtweetsError(f"{repo.id}: its tokenizer knows no token of this prompt")
    set_seed(seed)
    for index in range(count):
        say(index, prompt)
        streamer = Streamer(tokenizer, partial(say, index))
        beams = model.generation_config.num_beams or 1  # they are known at the end only
        sequences = model.generate(**inputs, num_return_sequences=1, streamer=streamer if beams == 1 else None)
        streamer.add(sequences[0, inputs["input_ids"].shape[1] :])


def load(storage: Storage, repo: Repo, commit: Commit) -> Loaded:
    """Load a repo's model from what is here and from nowhere else; raise HubtweetsError where that is no model for texts."""
    model, tokenizer = load_files({path: storage.blobs.path(entry.sha256).absolute() for path, entry in commit.files.items()}, repo.id)
    settings, room = model.generation_config, (context_of(model) or MAX_NEW_TOKENS * 2) // 2
    settings.max_new_tokens = min(settings.max_new_tokens or min(MAX_NEW_TOKENS, room), MOST_NEW_TOKENS)
    return model, tokenizer


def load_files(files: Mapping[str, Path], repo_id: str) -> Loaded:
    """Load a model from anybody's files, given by their paths in the repo; raise HubtweetsError where they are no model for texts."""
    if not any(path.endswith(".safetensors") for path in files):
        raise HubtweetsError(f"{repo_id} has no weights as safetensors, and no other kind is loaded")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            lay_out(files, folder)
            if (adapter := folder / ADAPTER).exists():
                adapter.write_text(json.dumps(at_hand(json.loads(adapter.read_text(encoding="utf-8")))), encoding="utf-8")
            model, tokenizer = read_repo(folder)
        except HubtweetsError:
            raise
        except Exception as error:  # transformers raises a dozen kinds for a model that is hurt, foreign or half there
            raise HubtweetsError(f"{repo_id}: its model can't be loaded: {str(error).replace(name, repo_id)}") from None
    return model.eval(), tokenizer


def lay_out(files: Mapping[str, Path], folder: Path) -> None:
    """Put into an empty folder what a model is loaded from, its configs without what would have code fetched; raise ValueError for hurt ones."""
    for path, file in files.items():
        if "/" in path or not (path.endswith(SUFFIXES) or path in NAMES):
            continue
        if path in ("config.json", ADAPTER):
            config = without_fetching(json.loads(file.read_text(encoding="utf-8")))
            check_layers(config)
            (folder / path).write_text(json.dumps(config), encoding="utf-8")
        else:
            (folder / path).symlink_to(file)


def check_layers(config: Any) -> None:
    """Raise ValueError for a config with more layers or experts than any model has: each is made before its weights are found to be missing."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, one in items:
            if isinstance(one, int) and ("layer" in str(key) or "expert" in str(key)) and one > MAX_LAYERS:
                raise ValueError(f"its {key} is {one}, and {MAX_LAYERS:,} are the most")
            waiting.append(one)


def without_fetching(value: Any) -> Any:
    """Return a config without the keys that would have code fetched or imported, at any depth."""
    if isinstance(value, dict):
        return {key: without_fetching(one) for key, one in value.items() if key not in FETCHING}
    return [without_fetching(one) for one in value] if isinstance(value, list) else value


def at_hand(config: dict[str, Any]) -> dict[str, Any]:
    """Return an adapter's config with its base as the folder that this machine has of it; raise HubtweetsError where it has none."""
    base, revision = str(config.get("base_model_name_or_path")), config.get("revision")
    try:
        folder = snapshot_download(base, revision=revision, local_files_only=True)
    except (OSError, ValueError):
        raise HubtweetsError(f"its base, {base[:200]}, is not on this machine; type: hf download {base[:200]}") from None
    return {**config, "base_model_name_or_path": folder, "revision": None}


class Streamer:
    """Says what `generate` adds to a prompt as soon as it is whole characters."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, say: Callable[[str], None]) -> None:
        self.tokenizer, self.say, self.said = tokenizer, say, ""
        self.tokens: torch.Tensor | None = None

    def put(self, tokens: torch.Tensor) -> None:
        if self.tokens is None:  # the prompt comes first
            self.tokens = tokens.new_empty(0)
            return
        self.tokens = torch.cat([self.tokens, tokens])
        self.add(self.tokens, whole=False)

    def end(self) -> None:
        """Leave what is not whole to who has all tokens."""

    def add(self, tokens: torch.Tensor, whole: bool = True) -> None:
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        if len(text) > len(self.said) and (whole or not text.endswith("\ufffd")):
            self.say(text[len(self.said) :])
            self.said = text
