"""The files of a bot against its record: which there are, and their hashes."""

import unicodedata
from collections.abc import Iterable

import regex

from hubtweets.files import hash_files
from hubtweets.publishing.diff import CARD, HUB_FILES, RECORD
from hubtweets.verification.claims import Bot, Verdict

# Files beside the weights that transformers, peft, sentence-transformers or vLLM load by their
# name, and weights.
LOADED = regex.compile(
    r"[^/]*(adapter|config|index|map|modules|params|processor|template|token|vocab)[^/]*"
    r"\.(json|model)|[^/]*\.(jinja|model)|merges\.txt|vocab\.txt"
    r"|additional_chat_templates/.*|.*\.safetensors",
    regex.IGNORECASE,
)


def check_files(bot: Bot) -> Verdict:
    """Every file that the record lists is there as it lists it.

    Others are named, and none of them is loaded with the weights.
    """
    files = bot.files()
    if twice := find_doubles(files):
        return False, f"{twice[0]} and {twice[1]} are one file where case does not count"
    for file in bot.record.files:
        path = files.get(file.path)
        if path is None:
            return False, f"{file.path} is missing"
        if (path.stat().st_size, hash_files([path])) != (file.size, file.sha256):
            return (
                False,
                f"{file.path} is not the file that was pushed (its SHA-256 is another one)",
            )
    others = files.keys() - {file.path for file in bot.record.files} - {CARD, RECORD, *HUB_FILES}
    if loaded := next((path for path in sorted(others) if LOADED.fullmatch(path)), None):
        return False, f"{loaded} is not hubtweets', and is loaded with the weights"
    if weights := next((path for path in sorted(others) if path.lower().endswith(".gguf")), None):
        return None, f"{weights} is not hubtweets', and its weights can't be compared"
    note = (
        f"; not hubtweets': {', '.join(sorted(others)[:5])}{', …' if len(others) > 5 else ''}"
        if others
        else ""
    )
    count = len(bot.record.files)
    return True, f"all {count} beside {CARD} and {RECORD} are as they were pushed{note}"


def find_doubles(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return two paths that are the same on some disks, or None.

    Such a disk does not tell case or the forms of a character apart.
    """
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(unicodedata.normalize("NFKC", path).casefold(), path)
        if other != path:
            return other, path
    return None
