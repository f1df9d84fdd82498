"""What must not be in anything that is pushed: tokens, e-mail addresses, and what tells of this machine.

In: a file's name and content. Out: a line for each thing that it gives away, which never shows the thing itself.
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
from hubtweets.posts.pii.secret_forms import SECRET

LONG = 12  # characters: what is shorter than this is no token
TELLING = 6  # characters of a host's name
NAMED_SECRET = re.compile(r"(TOKEN|KEY|SECRET|PASSWORD)$")
TEXTS = (".md", ".json", ".txt", ".jinja", ".yaml", ".yml", ".toml")
VOCABULARIES = (
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
)  # pieces of other people's texts, "@mail.org" and "AAAA" among them
HEADER = 8  # bytes, in which a safetensors file says how long its header is

Marks = dict[str, re.Pattern[bytes]]


def marks(token: str | bool | None) -> Marks:
    """Return what to look for by what it is: this user's tokens, the client's own where none is given, home folder and name on this host."""
    from huggingface_hub import get_token

    token = token if isinstance(token, str) else get_token()
    environment = {
        f"the value of {name}": value
        for name, value in os.environ.items()
        if NAMED_SECRET.search(name)
    }
    secrets = {
        what: value
        for what, value in {"your token": token or "", **environment}.items()
        if len(value) >= LONG
    }
    known = {what: pattern(value) for what, value in secrets.items()}
    home = str(Path.home()).rstrip("/")
    if home:  # as short a one as /root may stand in any text, but for what is in it
        known["the path of your home folder"] = pattern(
            home, r"(?<![\w.-])", r"(?![\w-])" if len(home) >= LONG else r"[/\\]+[\w.]"
        )
    host = socket.gethostname()
    if (
        len(host) >= TELLING and re.search(r"[^A-Za-z]", host) and not host.startswith("localhost")
    ):  # a word may stand in any text
        known["this machine's name"] = pattern(host, r"(?<![\w-])", r"(?![\w-])")
    known["your name on this machine"] = pattern(f"{user()}@{host}", r"(?<![\w-])", r"(?![\w-])")
    return known


def user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for its user
        return str(os.getuid())


def pattern(value: str, before: str = "", after: str = "") -> re.Pattern[bytes]:
    """Return a pattern for a value as it is, in JSON and in an address."""
    forms = {value, json.dumps(value)[1:-1], quote(value), quote(value, safe="")}
    return re.compile(
        b"%b(?:%b)%b"
        % (
            before.encode(),
            b"|".join(re.escape(form.encode()) for form in sorted(forms)),
            after.encode(),
        )
    )


def in_text(text: str, looked_for: Marks) -> Iterator[str]:
    """Yield what a text gives away."""
    yield from (what for what, _ in found(text.encode(), looked_for, is_text=True))


def in_file(name: str, content: bytes, looked_for: Marks) -> Iterator[str]:
    """Yield a line for each thing that a file gives away: in any file what is looked for, in a text also what looks like a secret."""
    is_text = name.endswith(TEXTS)
    for what, place in found(content, looked_for, is_text and name not in VOCABULARIES):
        number = content.count(b"\n", 0, place) + 1
        yield f"{name}{f', line {number}' if is_text else ''}: holds {what}"


def found(content: bytes, looked_for: Marks, is_text: bool) -> Iterator[tuple[str, int]]:
    """Yield what is in a content, and at which byte it first is."""
    for what, mark in looked_for.items():
        if match := mark.search(content):
            yield what, match.start()
    text = content.decode(errors="surrogateescape") if is_text else ""
    for what, shape in (("what looks like a token or a key", SECRET), ("an e-mail address", EMAIL)):
        if seen := shape.search(text):
            yield what, len(text[: seen.start()].encode(errors="surrogateescape"))


def in_folder(folder: Path, looked_for: Marks) -> Iterator[str]:
    """Yield what the files of a folder that is to be pushed give away."""
    for path in sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    ):
        yield from in_file(path.relative_to(folder).as_posix(), content_of(path), looked_for)


def content_of(path: Path) -> bytes:
    """Return what may hold text: of weights their header, of any other file all of it."""
    if path.suffix != ".safetensors":
        return path.read_bytes()
    with path.open("rb") as file:
        return file.read(min(int.from_bytes(file.read(HEADER), "little"), path.stat().st_size))
