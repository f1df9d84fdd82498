"""Whether the weights of a bot can come from the base that its record names.

In: a bot. Out: a verdict by parameters, vocabulary, and for `tiny` the base's own files. Nothing
here loads a model.
"""

import json
import re

from hubtweets.files import hash_files
from hubtweets.models.base import TINY, resolve_base
from hubtweets.models.inspection import count_parameters
from hubtweets.record.run_record import Base, RunRecord
from hubtweets.verification.claims import Bot, Verdict

# As in Llama-3-70B or SmolLM2-135M.
SIZE_IN_NAME = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])", re.IGNORECASE)
PARAMETERS_PER_UNIT = {"b": 1e9, "m": 1e6}
COMMIT, SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")
# Between the size in a name and the real one: names round, and some leave out the embeddings.
MAX_SIZE_RATIO = 2.0
SHAPE = ("model_type", "vocab_size", "n_embd", "n_layer", "n_head", "n_positions")


def check_base(bot: Bot) -> Verdict:
    """The weights can come from the base that is named."""
    record, files = bot.record, bot.files()
    assert record.base and record.environment and record.training
    if wrong := find_wrong_revision(record.base):
        return False, wrong
    weights = [file for path, file in files.items() if path.endswith(".safetensors")]
    found = sum(map(count_parameters, weights))
    is_adapter = record.training.lora == "adapter"
    if found != (stated := record.environment.parameters):
        return False, f"the weights have {found:,} parameters, and the record says {stated:,}"
    if is_adapter and "adapter_config.json" not in files:
        return False, "the adapter has no adapter_config.json"
    if "adapter_config.json" in files and not is_adapter:
        return False, "there is an adapter_config.json, and the record says nothing of an adapter"
    if is_adapter:
        config = json.loads(files["adapter_config.json"].read_bytes())
        if wrong := compare_adapter(record.base, config):
            return False, wrong
        return True, (
            f"an adapter of {found:,} parameters, as the record says; "
            "its base is on the publisher's word"
        )
    if wrong := compare_with_name(record.base, found):
        return False, wrong
    config = json.loads(files["config.json"].read_bytes())
    tokenizer = json.loads(files["tokenizer.json"].read_bytes())
    return compare_tokenizer(record, config, tokenizer)


def find_wrong_revision(base: Base) -> str | None:
    """Return why a revision can't be one: on the Hub it is a commit, of a local base a SHA-256."""
    pattern, kind = (COMMIT, "a commit") if base.on_hub else (SHA256, "the SHA-256 of a local base")
    return None if pattern.fullmatch(base.revision) else f"{base.revision!r} is not {kind}"


def compare_with_name(base: Base, parameters: int) -> str | None:
    """Return that the size in a base's name is another than that of the weights, or None."""
    size = SIZE_IN_NAME.search(base.id)
    if size is None:
        return None
    named = float(size[1]) * PARAMETERS_PER_UNIT[size[2].lower()]
    if 1 / MAX_SIZE_RATIO <= parameters / named <= MAX_SIZE_RATIO:
        return None
    return f"the weights have {parameters:,} parameters, and {base.id} has about {size[0]}"


def compare_adapter(base: Base, config: dict) -> str | None:
    """Return that an adapter is loaded on another base than the record names, or None."""
    id, revision = config.get("base_model_name_or_path"), config.get("revision")
    if (id, revision) == (base.id, base.revision):
        return None
    return f"the adapter is loaded on {id} at {revision}, not on {base.id} at {base.revision}"


def compare_tokenizer(record: RunRecord, config: dict, tokenizer: dict) -> Verdict:
    """Judge if a model has an embedding for each token, and `tiny` by its own files."""
    assert record.base and record.environment
    tokens = count_tokens(tokenizer)
    rows = config.get("vocab_size") or (config.get("text_config") or {}).get("vocab_size")
    if not isinstance(rows, int) or tokens > rows:
        return False, f"the tokenizer has {tokens:,} tokens, and the model knows {rows}"
    if record.base.id == "tiny" and not record.base.on_hub:
        return compare_with_tiny(record, config, tokenizer)
    return True, (
        f"{record.environment.parameters:,} parameters and {tokens:,} tokens, as the record says; "
        "the base itself is compared with --deep"
    )


def count_tokens(tokenizer: dict) -> int:
    """Return the largest id of a tokenizer.json, plus one.

    The vocabulary of a Unigram model is a list, that of others a mapping.
    """
    vocabulary = tokenizer["model"]["vocab"]
    if isinstance(vocabulary, list):
        largest = len(vocabulary) - 1
    else:
        largest = max(vocabulary.values(), default=-1)
    return max([largest, *(one["id"] for one in tokenizer.get("added_tokens") or ())]) + 1


def compare_with_tiny(record: RunRecord, config: dict, tokenizer: dict) -> Verdict:
    """Compare with the embedded base, whose files are in the package."""
    assert record.base and record.environment
    if record.base.revision != hash_files(sorted(TINY.glob("*.safetensors"))):
        return None, "its base is the `tiny` of another version of hubtweets"
    if record.base != (tiny := resolve_base("tiny")[0]):
        return False, f"the record says of `tiny` {record.base}, and it is {tiny}"
    own_config = json.loads((TINY / "config.json").read_bytes())
    own_tokenizer = json.loads((TINY / "tokenizer.json").read_bytes())
    if tokenizer["model"]["vocab"] != own_tokenizer["model"]["vocab"]:
        return False, "the tokenizer is not that of `tiny`"
    for key in SHAPE:
        if config.get(key) != own_config.get(key):
            return False, f"{key} is {config.get(key)}, and {own_config.get(key)} in `tiny`"
    parameters = record.environment.parameters
    return True, f"{parameters:,} parameters, of the shape and with the tokenizer of `tiny`"
