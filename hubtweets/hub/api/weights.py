"""How many parameters a model has, and of which types, from the headers of its weights.

In: a commit, whose files are untrusted. Only headers are read, and only short ones; safetensors
checks each against its file.
"""

import math
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.storage import Storage

MAX_WEIGHT_FILES = 200
MAX_HEADER_BYTES = 2**21  # a model of 1,000 layers has a tenth of it
MODEL_WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors", re.ASCII)
LENGTH_BYTES = 8  # before a header is its length


class Weights(NamedTuple):
    """The number of a model's parameters, and their types, the most frequent first."""

    parameters: int
    types: tuple[str, ...]


def describe_weights(storage: Storage, commit: Commit) -> Weights | None:
    """Return what the weights in a commit's top folder are, None without readable ones."""
    paths = [
        storage.blobs.path(entry.sha256)
        for name, entry in commit.files.items()
        if "/" not in name and name.endswith(".safetensors")
    ]
    counts = sum(map(count_by_type, paths[:MAX_WEIGHT_FILES]), Counter[str]())
    if not counts:
        return None
    return Weights(counts.total(), tuple(name for name, _ in counts.most_common()))


def count_parameters(storage: Storage, commit: Commit) -> dict[str, Any] | None:
    """Return the parameters by type and their total, as the Hub counts those of `model` files.

    None without such files, or if the header of one can't be read.
    """
    names = [name for name in commit.files if MODEL_WEIGHTS.fullmatch(name)][:MAX_WEIGHT_FILES]
    if "model.safetensors" in names:
        names = ["model.safetensors"]
    counts = [count_by_type(storage.blobs.path(commit.files[name].sha256)) for name in names]
    if not counts or not all(counts):
        return None
    parameters = sum(counts, Counter[str]())
    return {"parameters": dict(parameters), "total": parameters.total()}


@lru_cache(256)  # a content never changes
def count_by_type(path: Path) -> Counter[str]:
    """Return the number of parameters of each type, none if a header is invalid or too long."""
    from safetensors import SafetensorError, safe_open

    counts = Counter[str]()
    try:
        with path.open("rb") as file:
            if int.from_bytes(file.read(LENGTH_BYTES), "little") > MAX_HEADER_BYTES:
                return counts
        with safe_open(path, "np") as tensors:
            for name in tensors.keys():  # noqa: SIM118
                tensor = tensors.get_slice(name)
                counts[tensor.get_dtype()] += math.prod(tensor.get_shape())
    except (SafetensorError, OSError):
        counts.clear()
    return counts
