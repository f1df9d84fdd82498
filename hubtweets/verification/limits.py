"""Limits on the repo that is verified, as it may be made to exhaust the memory.

In: a folder. Out: whether its JSON fits into memory: an object of two characters takes 64 bytes
once it is parsed.
"""

from pathlib import Path

MAX_RECORD_BYTES = 2**23
# Of all configs together; a tokenizer_config.json has at most 1 MiB (Gemma 3).
MAX_CONFIG_BYTES = 2**22
# Of a file that is parsed; the tokenizer.json of Gemma 3 has 1.3 million.
MAX_JSON_COMMAS = 3_000_000


def find_excess(folder: Path) -> str | None:
    """Return which JSON files are larger than any bot's, or None.

    The files at the root of the repo are the ones that are parsed.
    """
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix == ".json"]
    for path in files:
        if path.name == "hubtweets.json" and path.stat().st_size > MAX_RECORD_BYTES:
            return f"{path.name} has more than {MAX_RECORD_BYTES:,} bytes"
        if path.read_bytes().count(b",") > MAX_JSON_COMMAS:
            return f"{path.name} has more than {MAX_JSON_COMMAS:,} commas"
    configs = [path for path in folder.rglob("*.json") if "config" in path.name]
    if sum(path.stat().st_size for path in configs) > MAX_CONFIG_BYTES:
        return f"its configs have more than {MAX_CONFIG_BYTES:,} bytes together"
    return None
