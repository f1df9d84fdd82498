"""Where posts come from.

In: a path. Out: a Reading, the same for every place: one Profile and the Posts, oldest first. One module per place reads its format; nothing
after this package knows which one it was.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from hubtweets.errors import HubtweetsError

Kind = Literal["post", "reply", "self_reply", "quote", "repost"]
Visibility = Literal["public", "unlisted", "private"]

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Post:
    """One post as its author's readers saw it: unescaped, links and line breaks still in it."""

    id: str
    text: str
    created_at: str | None = None  # ISO 8601, UTC
    lang: str | None = None  # what the place itself says, not measured
    kind: Kind = "post"
    visibility: Visibility = "public"
    superseded: bool = False  # an older version of a post that was edited later


@dataclass(frozen=True)
class Profile:
    """The public face of an author."""

    handle: str
    name: str
    network: str | None = None
    bio: str | None = None
    account_id: str | None = None
    avatar: str | None = None  # a file in the run's repo/ folder


@dataclass(frozen=True)
class Reading:
    """What a source gave: its kind, one author's profile, avatar (an image file's bytes) and posts."""

    kind: str
    profile: Profile
    avatar: bytes | None
    posts: list[Post]


def well_formed(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 file can hold, by U+FFFD."""
    return LONE_SURROGATE.sub("\ufffd", text)


def to_utc(date: object) -> str | None:
    """Turn a date as ISO 8601 or as X writes it ("Sat Jul 25 08:26:58 +0000 2026") into ISO 8601 in UTC, or None where it is neither."""
    if not isinstance(date, str):
        return None
    for parse in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")):
        try:
            found = parse(date)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            continue
    return None


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' bytes one after the other, in hex."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def hash_source(path: Path) -> str:
    """Return the SHA-256, in hex, of what `read` would open; raise HubtweetsError where there is nothing."""
    if is_x_archive(path):
        from hubtweets.posts import x_archive

        return x_archive.Files(path).sha256()
    return hash_files([path])


def is_x_archive(path: Path) -> bool:
    """Tell an X archive from a JSONL file; raise HubtweetsError for anything else."""
    if not path.is_file() and not path.is_dir():
        raise HubtweetsError(f"{path}: no such file; name the posts: --posts FILE")
    if path.is_file() and path.suffix not in (".zip", ".js", ".jsonl"):
        raise HubtweetsError(f"{path}: not a kind of file that posts are read from; give an X archive (.zip, a folder, .js) or .jsonl")
    return path.suffix != ".jsonl"


def find_source(handle: str) -> Path:
    """Return the file or folder of the working folder that is named after the handle; raise HubtweetsError where there is none."""
    candidates = [Path(handle + suffix) for suffix in (".zip", "", ".js", ".jsonl")]
    for path in candidates:
        if path.exists():
            return path
    names = ", ".join(map(str, candidates))
    raise HubtweetsError(f"no posts of {handle} here (looked for {names}); name them: hubtweets publish {handle} --posts FILE")


def read(path: Path, handle: str) -> Reading:
    """Read the posts of `handle` from an X archive (zip, folder or .js) or a .jsonl file; raise HubtweetsError for anything else."""
    from hubtweets.posts import files, x_archive

    if is_x_archive(path):
        reading = x_archive.read(path)
        if reading.profile.handle and reading.profile.handle.lower() != handle:
            other = reading.profile.handle
            raise HubtweetsError(f"{path}: the archive of @{other}, not of @{handle}; type: hubtweets publish {other} --posts {path}")
    else:
        reading = files.read_jsonl(path, handle)
    if not reading.posts:
        raise HubtweetsError(f"{path}: no posts in it; ask X for the archive again, or give another file with --posts")
    return reading
