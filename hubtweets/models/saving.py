"""Weights and configs written into folders that `pipeline()` loads."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically
from hubtweets.models.inspection import ADAPTER_CONFIG

if TYPE_CHECKING:
    from peft import PeftModel


def write_weights(
    model: "PreTrainedModel | PeftModel", folder: Path, state_dict: dict[str, Any] | None = None
) -> None:
    """Write a model's weights and configs into a fresh folder, whole or not at all.

    Of a model with an adapter, the adapter alone is written. `state_dict` are weights that were
    gathered from several processes. Raises HubtweetsError if they can't be written.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        if isinstance(model, PreTrainedModel):
            model.save_pretrained(folder, state_dict=state_dict)
        else:
            model.save_pretrained(str(folder), state_dict=state_dict, save_embedding_layers=False)
            (folder / "README.md").unlink()
            model.generation_config.save_pretrained(folder)
            config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
            # peft has a set, whose order differs from process to process.
            config["target_modules"].sort()
            (folder / ADAPTER_CONFIG).write_text(
                json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
    except (OSError, SafetensorError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise make_write_error(folder, error) from None


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write a tokenizer beside the weights; raise HubtweetsError if it can't be written."""
    try:
        tokenizer.save_pretrained(folder)
    except OSError as error:
        raise make_write_error(folder, error) from None


def install_weights(folder: Path, repo: Path, old: Sequence[Path]) -> list[Path]:
    """Copy a folder with weights and tokenizer into the repo, in place of the old files.

    Returns the files that are in the repo now.
    """
    for path in old:
        path.unlink(missing_ok=True)
    written = [repo / path.name for path in sorted(folder.iterdir())]
    for path in written:
        with replace_atomically(path) as partial:
            shutil.copyfile(folder / path.name, partial)
    return written


def make_write_error(folder: Path, error: Exception) -> HubtweetsError:
    return HubtweetsError(
        f"{folder}: the weights can't be written ({error}); "
        "free some disk space and type the command again"
    )
