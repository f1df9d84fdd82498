"""What a repo may cost to be checked, whoever made it.

In: a folder. Out: whether its JSON fits into memory: an object of two characters takes 64 bytes once it is parsed.
"""

from pathlib import Path

MAX_RECORD_BYTES = 2**23
MAX_CONFIG_BYTES = (
    2**22
)  # of all configs together; a tokenizer_config.json takes 1 MiB at most (Gemma 3)
MAX_JSON_COMMAS = (
    3_000_000  # of a file that is parsed; the tokenizer.json of Gemma 3 has 1.3 million
)


def find_excess(folder: Path) -> str | None:
    """Say which JSON files at the root of a repo, which are the ones that are parsed, are larger than any bot's, or None."""
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
