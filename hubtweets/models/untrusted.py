"""Loads models of unknown origin.

Nothing is fetched, imported or built that the files themselves do not justify.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.errors import HubtweetsError
from hubtweets.models.inspection import ADAPTER_CONFIG, KERNEL_KEYS, REMOTE_CODE_KEYS
from hubtweets.models.limits import check_adapter_rank, check_model_size, read_config
from hubtweets.models.loading import load_folder

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerFast]
ALLOWED_SUFFIXES = (".safetensors", ".json")
ALLOWED_NAMES = ("merges.txt", "vocab.txt", "tokenizer.model")


def load_files(files: Mapping[str, Path], repo_id: str) -> Loaded:
    """Load a model from untrusted files, given by their paths in the repo.

    Before it is built, its config is compared with its weights (see `limits`). Raises
    HubtweetsError if they are no model for texts.
    """
    if not any(path.endswith(".safetensors") for path in files):
        raise HubtweetsError(
            f"{repo_id} has no weights as safetensors, and no other kind is loaded"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            write_model_folder(files, folder)
            if (adapter := folder / ADAPTER_CONFIG).exists():
                config = localize_adapter_base(json.loads(adapter.read_text(encoding="utf-8")))
                check_adapter_rank(config, folder.glob("*.safetensors"))
                adapter.write_text(json.dumps(config), encoding="utf-8")
            else:
                check_model_size(folder)
            model, tokenizer = load_folder(folder)
        except HubtweetsError:
            raise
        except Exception as error:
            # transformers raises a dozen kinds for a model that is broken, foreign or half there.
            raise HubtweetsError(
                f"{repo_id}: its model can't be loaded: {str(error).replace(name, repo_id)}"
            ) from None
    return model.eval(), tokenizer


def write_model_folder(files: Mapping[str, Path], folder: Path) -> None:
    """Put into an empty folder what a model is loaded from.

    The configs are written without the keys that would have code fetched. Raises ValueError if a
    config is bad.
    """
    for path, file in files.items():
        if "/" in path or not (path.endswith(ALLOWED_SUFFIXES) or path in ALLOWED_NAMES):
            continue
        if path in ("config.json", ADAPTER_CONFIG):
            config = remove_code_keys(read_config(file))
            (folder / path).write_text(json.dumps(config), encoding="utf-8")
        else:
            (folder / path).symlink_to(file)


def remove_code_keys(value: Any) -> Any:
    """Return a config without the keys that would have code fetched or imported, at any depth."""
    if isinstance(value, dict):
        return {
            key: remove_code_keys(one)
            for key, one in value.items()
            if key not in REMOTE_CODE_KEYS | KERNEL_KEYS
        }
    return [remove_code_keys(one) for one in value] if isinstance(value, list) else value


def localize_adapter_base(config: dict[str, Any]) -> dict[str, Any]:
    """Return an adapter's config with its base as the folder that this machine has of it.

    Raises HubtweetsError if it has none.
    """
    base, revision = str(config.get("base_model_name_or_path")), config.get("revision")
    try:
        folder = snapshot_download(base, revision=revision, local_files_only=True)
    except (OSError, ValueError):
        raise HubtweetsError(
            f"its base, {base[:200]}, is not on this machine; type: hf download {base[:200]}"
        ) from None
    return {**config, "base_model_name_or_path": folder, "revision": None}
