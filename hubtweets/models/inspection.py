"""What is in a base, as far as its files tell without loading it.

In: a base as `resolve_base` found it. Out: its files and their sizes, its config, how many
parameters it has.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Base

# Keys of a config that have transformers or peft import modules by name or fetch them.
REMOTE_CODE_KEYS = {
    "auto_map",
    "auto_mapping",
    "custom_generate",
    "custom_pipelines",
    "megatron_config",
    "megatron_core",
}
# Keys of a config under which an id has transformers or peft fetch a kernel.
KERNEL_KEYS = {
    "attn_implementation",
    "_attn_implementation",
    "experts_implementation",
    "_experts_implementation",
}
# In the name of a class such as BertForMaskedLM.
OTHER_TASK = re.compile(r"For(?!CausalLM|ConditionalGeneration)\w+")
ADAPTER_CONFIG = "adapter_config.json"
WEIGHT_FILE = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
# What goes from a base into what is made of it; all else is written anew.
REUSED_FILES = ("config.json", "tokenizer.json")


@dataclass(frozen=True)
class CheckpointInfo:
    """What is in a base.

    `sizes` are the bytes of its own files by name, `download` is the bytes that are still to be
    downloaded, and `texts` are the contents of its REUSED_FILES.
    """

    sizes: dict[str, int]
    config: dict[str, Any]
    parameters: int
    download: int
    texts: dict[str, bytes]

    @property
    def context(self) -> int | None:
        """How many tokens it can read at once, None if its config does not tell."""
        known = (self.config.get(key) for key in ("max_position_embeddings", "n_positions"))
        return next((length for length in known if isinstance(length, int)), None)


def inspect_base(base: Base, location: str) -> CheckpointInfo:
    """Return what is in a base.

    Raises HubtweetsError if that is no causal language model, or no safetensors.
    """
    import httpx2
    from huggingface_hub.errors import (
        HfHubHTTPError,
        NotASafetensorsRepoError,
        SafetensorsParsingError,
    )

    try:
        found = inspect_on_hub(base) if base.on_hub else inspect_folder(Path(location))
    except (httpx2.TransportError, ConnectionError, HfHubHTTPError, OSError) as error:
        raise HubtweetsError(
            f"{base.id}: its files can't be read ({str(error).partition(chr(10))[0]}); "
            "type the command again"
        ) from None
    except (
        NotASafetensorsRepoError,
        SafetensorsParsingError,
        ValueError,
        RecursionError,
        AttributeError,
        TypeError,
        KeyError,
    ):
        raise HubtweetsError(
            f"{base.id}: has no config.json and *.safetensors that can be read; "
            "take another base: --base ID"
        ) from None
    architectures = [
        name for name in found.config.get("architectures") or [] if isinstance(name, str)
    ]
    if found.config.get("is_encoder_decoder") or (
        architectures and all(map(OTHER_TASK.search, architectures))
    ):
        kind = ", ".join(architectures) or "an encoder and a decoder"
        raise HubtweetsError(
            f"{base.id}: {kind} is no causal language model; take another base: --base ID"
        )
    return found


def check_adapter(base: Base, training: TrainingConfig) -> None:
    """Raise HubtweetsError if others could not load an adapter of this base."""
    if training.lora == "adapter" and not base.on_hub:
        raise HubtweetsError(
            f"{base.id} is not on the Hub, so others can't load an adapter for it; "
            "type --lora --merge"
        )


def check_context(base: Base, context: int | None, training: TrainingConfig) -> None:
    """Raise HubtweetsError if a base could not read a block.

    `context` is how many tokens the base reads at once, None if it has no bound.
    """
    if context and training.block_size > context:
        raise HubtweetsError(
            f"{base.id} reads {context} tokens at most, not {training.block_size}; "
            f"type: --block-size {context}"
        )


def inspect_folder(folder: Path) -> CheckpointInfo:
    from huggingface_hub.hf_api import get_local_safetensors_metadata

    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}
    texts = {name: (folder / name).read_bytes() for name in REUSED_FILES if name in sizes}
    parameters = get_local_safetensors_metadata(folder).parameter_count
    return CheckpointInfo(sizes, parse_config(texts), sum(parameters.values()), 0, texts)


def inspect_on_hub(base: Base) -> CheckpointInfo:
    """Ask the Hub, or look into the cache if the Hub is away."""
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache

    api = HfApi()
    try:
        info = api.model_info(base.id, revision=base.revision, files_metadata=True)
    except (httpx2.TransportError, ConnectionError):
        cached = try_to_load_from_cache(base.id, "config.json", revision=base.revision)
        if not isinstance(cached, str):
            raise
        return inspect_folder(Path(cached).parent)
    sizes = {
        file.rfilename: file.size or 0 for file in info.siblings or [] if "/" not in file.rfilename
    }
    texts = {
        name: Path(hf_hub_download(base.id, name, revision=base.revision)).read_bytes()
        for name in REUSED_FILES
        if name in sizes
    }
    parameters = api.get_safetensors_metadata(base.id, revision=base.revision).parameter_count
    missing = [
        name
        for name in list_weight_files(sizes)
        if not isinstance(try_to_load_from_cache(base.id, name, revision=base.revision), str)
    ]
    return CheckpointInfo(
        sizes,
        parse_config(texts),
        sum(parameters.values()),
        sum(sizes[name] for name in missing),
        texts,
    )


def count_parameters(file: Path) -> int:
    """Return how many numbers a safetensors file holds.

    Raises ValueError if its header does not describe the file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "np") as tensors:
            return sum(
                math.prod(tensors.get_slice(name).get_shape())
                for name in tensors.keys()  # noqa: SIM118
            )
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file.name} is not a safetensors file ({error})") from None


def list_weight_files(sizes: dict[str, int]) -> list[str]:
    """Return the names of the files that hold a model's weights."""
    return [name for name in sizes if WEIGHT_FILE.fullmatch(name)]


def parse_config(texts: dict[str, bytes]) -> dict[str, Any]:
    config = json.loads(texts["config.json"])
    if not isinstance(config, dict):
        raise ValueError("no object")
    return config
