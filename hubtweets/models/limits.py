"""What a model of unknown origin may ask for, checked before any of it is built.

In: a folder with its configs and safetensors. Out: a ValueError if they ask for too much. A config
is a few bytes that can ask for any number of layers, labels or embeddings; its weights had to be
uploaded. So a model may have as many parameters as there are weights, and no more parts than real
ones do.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM

from hubtweets.models.inspection import count_parameters

MAX_CONFIG_BYTES = 2**20
# Layers, experts or labels; the deepest models of 2026 have some hundred layers, the widest 512
# experts.
MAX_PARTS = 1000
PART_COUNT_KEY = re.compile(r"(?!.*(size|dim|interval))(?=.*(layer|expert|label))", re.IGNORECASE)


def read_config(path: Path) -> Any:
    """Return a config.

    Raises ValueError if it is no JSON, too long, or asks for more than MAX_PARTS of anything.
    """
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ValueError(f"{path.name} is over {MAX_CONFIG_BYTES} bytes")
    config = json.loads(path.read_text(encoding="utf-8"))
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        if isinstance(value, dict):
            waiting.extend(value.values())
            for key, number in value.items():
                if (
                    isinstance(number, int | float)
                    and number > MAX_PARTS
                    and PART_COUNT_KEY.match(key)
                ):
                    raise ValueError(
                        f"{key} is {number:.4g}, and at most {MAX_PARTS} are loaded here"
                    )
    return config


def list_tensors(file: Any) -> list[str]:
    return list(file.keys())


def count_weights(paths: Iterable[Path]) -> int:
    """Return how many numbers safetensors files hold.

    Raises ValueError if a header does not describe its file.
    """
    return sum(map(count_parameters, paths))


def check_model_size(folder: Path) -> None:
    """Raise ValueError if a model has more parameters than its weights.

    To count them, the model is built without memory.
    """
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(
            AutoConfig.from_pretrained(folder, trust_remote_code=False), trust_remote_code=False
        )
    wanted, stored = (
        sum(parameter.numel() for parameter in model.parameters()),
        count_weights(folder.glob("*.safetensors")),
    )
    if wanted > stored:
        raise ValueError(
            f"its config asks for {wanted:,} parameters, and its weights are {stored:,}"
        )


def check_adapter_rank(config: dict[str, Any], weights: Iterable[Path]) -> None:
    """Raise ValueError if an adapter's rank is larger than any side of its matrices."""
    largest = 0
    for path in weights:
        with safe_open(path, "pt") as file:
            largest = max(
                largest,
                *(max(file.get_slice(name).get_shape(), default=0) for name in list_tensors(file)),
                0,
            )
    ranks = [
        config.get("r"),
        config.get("num_virtual_tokens"),
        *(config.get("rank_pattern") or {}).values(),
    ]
    for rank in ranks:
        if isinstance(rank, int) and rank > largest:
            raise ValueError(
                f"its config asks for a rank of {rank:,}, "
                f"and its largest matrix has a side of {largest:,}"
            )
