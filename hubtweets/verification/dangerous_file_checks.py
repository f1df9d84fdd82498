"""The files of an untrusted repo: none may run code when it is loaded, and weights are safetensors.

In: a folder. Out: verdicts that need no record. A file is judged by its name and by its content;
what is not known to be harmless is not called so.
"""

import io
import json
import pickletools
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hubtweets.models.inspection import KERNEL_KEYS, REMOTE_CODE_KEYS, count_parameters
from hubtweets.publishing.diff import HUB_FILES
from hubtweets.verification.claims import Verdict, list_files

# Pickles, and formats that can hold one or other code.
PICKLED = (
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".joblib",
    ".npy",
    ".npz",
    ".h5",
    ".hdf5",
    ".keras",
    ".msgpack",
    ".nemo",
    ".pb",
    ".onnx",
)
CODE = (
    ".py",
    ".pyc",
    ".pyd",
    ".ipynb",
    ".sh",
    ".bash",
    ".bat",
    ".cmd",
    ".ps1",
    ".js",
    ".mjs",
    ".wasm",
    ".so",
    ".dll",
    ".dylib",
    ".exe",
    ".jar",
    ".pth",
)
HARMLESS = (
    ".md",
    ".txt",
    ".json",
    ".jsonl",
    ".csv",
    ".tsv",
    ".yaml",
    ".yml",
    ".bib",
    ".cff",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
)
HARMLESS_DATA = (".safetensors", ".gguf", ".parquet", ".jinja")
HARMLESS_NAMES = re.compile(
    r"\.gitattributes|\.gitignore|LICEN[CS]E|NOTICE|AUTHORS|runs/events\.out\.tfevents\.[\w.-]+",
    re.ASCII,
)
ARCHIVES = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x04\x22\x4d\x18",
)
# Operations of pickles (Lib/pickletools.py) that import what a name says, and that call something.
IMPORTS = {"GLOBAL", "STACK_GLOBAL", "INST"}
CALLS = {
    "REDUCE",
    "INST",
    "OBJ",
    "NEWOBJ",
    "NEWOBJ_EX",
    "BUILD",
    "EXT1",
    "EXT2",
    "EXT4",
    "PERSID",
    "BINPERSID",
}
# A module's name and its attribute's. A text that begins like an operation has more words.
NAMES = re.compile(r"[\w.]+ [\w.]+")
MAX_PICKLE_OPS = 10_000
HEAD_BYTES = 2**20  # of a file that are looked at
CONFIG = re.compile(r"(.*/)?[^/]*config[^/]*\.json")


def check_code(folder: Path) -> Verdict:
    """No file runs code when it is loaded: no pickle, no script, no config that names code.

    Every file is of a kind that is known to be harmless.
    """
    files = list_files(folder)
    for path, file in files.items():
        if danger := find_danger(path, file):
            return False, f"{path} {danger}"
    unknown = [
        path
        for path in files
        if not path.lower().endswith(HARMLESS + HARMLESS_DATA)
        and not HARMLESS_NAMES.fullmatch(path)
    ]
    if unknown:
        return (
            None,
            f"{unknown[0]} is of a kind that is not known to be harmless; "
            "look at it before you load this bot",
        )
    count = len(files.keys() - set(HUB_FILES))
    return True, f"none of the {count} files runs when it is loaded"


def check_weights(folder: Path) -> Verdict:
    """The weights are whole safetensors files."""
    weights = [file for path, file in list_files(folder).items() if path.endswith(".safetensors")]
    if not weights:
        return False, "there are no weights as safetensors"
    try:
        return True, f"{sum(map(count_parameters, weights)):,} parameters, all in safetensors"
    except ValueError as error:
        return False, str(error)


def find_danger(path: str, file: Path) -> str | None:
    """Say how a file can run code, or None."""
    name = path.lower()
    if name.endswith(PICKLED) or is_pickle(file):
        return "is or holds a pickle, which runs code when it is loaded"
    if name.endswith(CODE) or name.startswith("custom_generate/"):
        return "is code"
    if not name.endswith(".safetensors") and is_archive(file):
        return "is an archive, and what is in it can't be seen on the Hub"
    if CONFIG.fullmatch(path) and (keys := sorted(set(remote_code(file)))):
        return f"names code to be fetched or imported ({keys[0]})"
    return None


def is_pickle(file: Path) -> bool:
    """Tell whether a file is a pickle of any protocol, by its operations.

    A pickle parses, and imports or calls something, or goes on for too long to be anything else.
    """
    with file.open("rb") as opened:
        stream = io.BytesIO(opened.read(HEAD_BYTES))
    imports = calls = False
    try:
        for number, (operation, argument, _) in enumerate(pickletools.genops(stream), 1):
            imports = (
                imports
                or operation.name == "STACK_GLOBAL"
                or (operation.name in IMPORTS and bool(NAMES.fullmatch(str(argument))))
            )
            calls = calls or operation.name in CALLS
            if number == MAX_PICKLE_OPS:
                return True
    except Exception:
        # pickletools raises ValueError, and what its readers raise: UnicodeDecodeError, IndexError,
        # OverflowError.
        is_cut = file.stat().st_size > HEAD_BYTES and stream.tell() == HEAD_BYTES
        if is_cut and is_safetensors(file):  # the length of its header may begin like a long text
            return imports and calls
        # What comes before a broken operation is run all the same.
        return is_cut or (imports and calls)
    return imports or calls or stream.getvalue().startswith(b"\x80")


def is_safetensors(file: Path) -> bool:
    try:
        count_parameters(file)
    except ValueError:
        return False
    return True


def is_archive(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(512)
    try:
        return (
            head.startswith(ARCHIVES)
            or head[257:262] == b"ustar"
            or zipfile.is_zipfile(file)
            or tarfile.is_tarfile(file)
        )
    except (OSError, EOFError, ValueError):
        return True


def remote_code(file: Path) -> Iterator[str]:
    """Yield the keys of a config, at any depth, that name code.

    Raises ValueError if it is not JSON.
    """
    waiting: list[Any] = [json.loads(file.read_bytes())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from (
                key
                for key, held in value.items()
                if (key in REMOTE_CODE_KEYS and held) or (key in KERNEL_KEYS and "/" in str(held))
            )
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
