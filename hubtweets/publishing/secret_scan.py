"""Scan everything that is pushed for tokens, e-mail addresses and traces of this machine.

In: a file's name and content. Out: a line for each thing found, which never shows the thing itself.
"""

import getpass
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from hubtweets.posts.pii.scrub import EMAIL
from hubtweets.posts.pii.secret_patterns import SECRET
from hubtweets.publishing.diff import list_local_files

MIN_SECRET_CHARS = 12  # a shorter value is not a token
MIN_HOST_CHARS = 6
NAMED_SECRET = re.compile(r"(TOKEN|KEY|SECRET|PASSWORD)$")
TEXT_SUFFIXES = (".md", ".json", ".txt", ".jinja", ".yaml", ".yml", ".toml")
# Pieces of other people's texts, "@mail.org" and "AAAA" among them.
VOCABULARY_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "vocab.txt")
HEADER_BYTES = 8  # in which a safetensors file stores the length of its header

SensitiveValues = dict[str, re.Pattern[bytes]]  # by what they are


def find_sensitive_values(token: str | bool | None) -> SensitiveValues:
    """Return what to look for: this user's secrets, home folder, and names on this machine.

    The client's own token is used if none is given.
    """
    values = {what: compile_pattern(value) for what, value in list_secrets(token).items()}
    home = str(Path.home()).rstrip("/")
    if len(home) >= MIN_SECRET_CHARS:
        values["the path of your home folder"] = compile_pattern(home, r"(?<![\w.-])", r"(?![\w-])")
    elif home:  # a short one, such as /root, counts only with a path in it
        values["the path of your home folder"] = compile_pattern(
            home, r"(?<![\w.-])", r"[/\\]+[\w.]"
        )
    host = socket.gethostname()
    if is_telling(host):
        values["this machine's name"] = compile_pattern(host, r"(?<![\w-])", r"(?![\w-])")
    login = f"{get_user_name()}@{host}"
    values["your name on this machine"] = compile_pattern(login, r"(?<![\w-])", r"(?![\w-])")
    return values


def list_secrets(token: str | bool | None) -> dict[str, str]:
    """Return the token and the secrets in the environment, by what they are."""
    from huggingface_hub import get_token

    secrets = {"your token": (token if isinstance(token, str) else get_token()) or ""}
    for name, value in os.environ.items():
        if NAMED_SECRET.search(name):
            secrets[f"the value of {name}"] = value
    return {what: value for what, value in secrets.items() if len(value) >= MIN_SECRET_CHARS}


def is_telling(host: str) -> bool:
    """Return whether a host's name identifies a machine; a plain word may be in any text."""
    is_word = not re.search(r"[^A-Za-z]", host)
    return len(host) >= MIN_HOST_CHARS and not is_word and not host.startswith("localhost")


def get_user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container, the user may have no name
        return str(os.getuid())


def compile_pattern(value: str, before: str = "", after: str = "") -> re.Pattern[bytes]:
    """Return a pattern for a value as it is, in JSON and in a URL."""
    forms = {value, json.dumps(value)[1:-1], quote(value), quote(value, safe="")}
    choice = b"|".join(re.escape(form.encode()) for form in sorted(forms))
    return re.compile(b"%b(?:%b)%b" % (before.encode(), choice, after.encode()))


def scan_text(text: str, values: SensitiveValues) -> Iterator[str]:
    """Yield what a text reveals."""
    for what, _ in find_matches(text.encode(), values, is_text=True):
        yield what


def scan_file(name: str, content: bytes, values: SensitiveValues) -> Iterator[str]:
    """Yield a line for each thing that a file reveals.

    Text files but vocabularies are also searched for what looks like a secret.
    """
    is_text = name.endswith(TEXT_SUFFIXES)
    for what, place in find_matches(content, values, is_text and name not in VOCABULARY_FILES):
        number = content.count(b"\n", 0, place) + 1
        yield f"{name}{f', line {number}' if is_text else ''}: contains {what}"


def find_matches(
    content: bytes, values: SensitiveValues, is_text: bool
) -> Iterator[tuple[str, int]]:
    """Yield what a content reveals, and the first byte of it."""
    for what, pattern in values.items():
        if match := pattern.search(content):
            yield what, match.start()
    text = content.decode(errors="surrogateescape") if is_text else ""
    for what, shape in (("what looks like a token or a key", SECRET), ("an e-mail address", EMAIL)):
        if seen := shape.search(text):
            yield what, len(text[: seen.start()].encode(errors="surrogateescape"))


def scan_folder(folder: Path, values: SensitiveValues) -> Iterator[str]:
    """Yield what the files of a folder that is to be pushed reveal."""
    for name, path in list_local_files(folder).items():
        yield from scan_file(name, read_content(path), values)


def read_content(path: Path) -> bytes:
    """Return what may hold text: the header of a safetensors file, the whole of any other."""
    if path.suffix != ".safetensors":
        return path.read_bytes()
    with path.open("rb") as file:
        return file.read(
            min(int.from_bytes(file.read(HEADER_BYTES), "little"), path.stat().st_size)
        )
