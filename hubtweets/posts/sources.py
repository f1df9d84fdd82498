"""From a source's name to its posts: which reader reads what.

A source is a path (an archive or a file of posts) or `x:`, `mastodon:`, `bluesky:` or `dataset:`
with a name. The files of a path tell which reader it needs: each reader lists the files that it
would open, and no other file is opened.
"""

import hashlib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from hubtweets.errors import HubtweetsError, suggest
from hubtweets.files import hash_files
from hubtweets.posts import cache
from hubtweets.posts.authors import HANDLE
from hubtweets.posts.container import Container
from hubtweets.posts.post import Columns, Profile, Reading
from hubtweets.posts.source_kinds import ROWS

SERVICES = {row.service: row.module for row in ROWS if row.service}
SERVICE_PATTERN = re.compile(rf"({'|'.join(SERVICES)}):.+")
SERVICE_EXAMPLES = "x:NAME, mastodon:@NAME@HOST, bluesky:NAME, dataset:ID"
FILE_READERS = list(dict.fromkeys(row.module for row in ROWS if not row.service))
SUFFIXES = (
    *(".zip", "", ".tar.gz", ".tgz", ".tar", ".js", ".jsonl", ".json"),
    *(".csv", ".tsv", ".parquet", ".arrow", ".txt", ".car"),
)
X_ARCHIVE_PAGE = "https://x.com/settings/download_your_data"
CACHE_SUFFIX = ".saved.jsonl"
URL = re.compile(r"https://[\w.:/@%~-]+", re.ASCII)  # nothing that Markdown or HTML could act on


class FileReader(Protocol):
    """A module that reads the posts of files."""

    def find_files(self, container: Container, /) -> list[str]:
        """Return the names of the files that `read` opens; none if it can't read the container."""

    def read(self, container: Container, /) -> Reading:
        """Read the posts; raise HubtweetsError if the files are damaged."""


@runtime_checkable
class AuthorReader(Protocol):
    """A module that reads files which may hold the posts of several authors."""

    def find_files(self, container: Container, /) -> list[str]:
        """Return the names of the files that `read_author` opens."""

    def read_author(self, container: Container, handle: str, /) -> Reading:
        """Read the posts of `handle`, or of the only author; raise HubtweetsError if unclear."""


@dataclass(frozen=True)
class FetchOptions:
    """How services are read: dollars per post at X, whether to read again, and who confirms."""

    x_price: float
    refresh: bool
    confirm: Callable[[str], bool]


def assign_sources(
    handles: Sequence[str], given: Sequence[str], typed: bool = True
) -> dict[str, str]:
    """Return the source of each handle, from `SOURCE` or `HANDLE=SOURCE`, else the file named so.

    Raises HubtweetsError if it is unclear which source belongs to which handle. Sources that were
    not typed come from settings that several bots share, and may name other authors.
    """
    named: dict[str, str] = {}
    for text in given:
        assigned = split_assignment(handles, text, typed)
        if assigned is None:
            continue
        handle, source = assigned
        if handle in named:
            raise HubtweetsError(
                f"{text}: {handle} already has a source, {named[handle]}; give one per author"
            )
        named[handle] = source
    return {handle: named.get(handle) or find_file(handle) for handle in handles}


def split_assignment(handles: Sequence[str], text: str, typed: bool) -> tuple[str, str] | None:
    """Return the handle and the source in `SOURCE` or `HANDLE=SOURCE`; None for another author."""
    handle, equals, source = text.partition("=")
    handle = handle.removeprefix("@").lower()
    if equals and handle in handles:
        return handle, source
    if equals and HANDLE.fullmatch(handle) and not Path(text).exists():
        if not typed:
            return None
        raise HubtweetsError(
            f"--posts {text}: {handle} is none of {', '.join(handles)}; "
            f"type: --posts {handles[0]}={source}"
        )
    if len(handles) > 1:
        raise HubtweetsError(f"{text}: whose posts? type: --posts {handles[0]}={text}")
    return handles[0], text


def find_file(handle: str) -> str:
    """Return the file or folder in the working folder that is named after the handle."""
    there = {path.name.casefold(): path.name for path in sorted(Path().iterdir())}
    for suffix in SUFFIXES:
        if found := there.get(handle.casefold() + suffix):
            if not suffix and Path(found).is_file():
                raise HubtweetsError(
                    f"{found} is a file, not a handle; "
                    f"type a name for the bot, and --posts {shlex.quote(found)}"
                )
            return found
    named = {name.removesuffix(suffix) for name in there for suffix in SUFFIXES if suffix}
    advice = suggest(handle, sorted(named - there.keys())) or (
        f"name them: --posts FILE; X gives you yours at {X_ARCHIVE_PAGE}; "
        f"to try it with made-up posts, type: hubtweets example {handle}.zip"
    )
    raise HubtweetsError(
        f"no posts of {handle} here (looked for {handle}.zip, {handle}.jsonl and so on); {advice}"
    )


# ---- services


def resolve_path(source: str, handle: str, folder: Path, columns: Columns) -> Path:
    """Return where a source's posts are, or will be once they were fetched from the network."""
    if not SERVICE_PATTERN.fullmatch(source):
        return Path(source)
    # only datasets have columns, and may have other authors
    key = f"{source} {columns} {handle}" if source.startswith("dataset:") else source
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}{CACHE_SUFFIX}"


def is_remote(source: str, handle: str, folder: Path, columns: Columns, refresh: bool) -> bool:
    """Return whether `fetch_if_needed` would use the network, which takes time and maybe money."""
    return SERVICE_PATTERN.fullmatch(source) is not None and (
        refresh or not resolve_path(source, handle, folder, columns).exists()
    )


def fetch_if_needed(
    source: str,
    handle: str,
    folder: Path,
    columns: Columns,
    options: FetchOptions,
    say: Callable[[str], None],
) -> Path:
    """Return a source's path; posts of a service are fetched once and kept in the folder."""
    path = resolve_path(source, handle, folder, columns)
    if not SERVICE_PATTERN.fullmatch(source):
        return path
    if path.exists() and not options.refresh:
        day = date.fromtimestamp(path.stat().st_mtime)
        say(f"{source}: using the posts fetched on {day}; --refresh fetches them again")
        return path
    say(f"{source}: fetching")
    folder.mkdir(parents=True, exist_ok=True)
    cache.write_reading(fetch_reading(source, handle, columns, options, say), path)
    return path


def fetch_reading(
    source: str,
    handle: str,
    columns: Columns,
    options: FetchOptions,
    say: Callable[[str], None],
) -> Reading:
    """Fetch an account's posts from its service, or those of `handle` in a dataset on the Hub.

    Raises HubtweetsError if there are none, or the service refuses.
    """
    service, _, name = source.partition(":")
    module: Any = load_module(SERVICES[service])
    if service == "x":
        return module.fetch(name, options.x_price, say, options.confirm)
    if service == "dataset":
        return module.fetch(name, columns, handle)
    return module.fetch(name, say)


# ---- files


def load_module(name: str) -> object:
    """Import a reader when it is needed, so that no other format's libraries are loaded."""
    return import_module(f"hubtweets.posts.{name}")


def choose_reader(path: Path) -> tuple[Container, FileReader | AuthorReader]:
    """Return a path's container and its reader.

    Raises HubtweetsError if the path does not exist, or if no reader knows its files.
    """
    if not path.is_file() and not path.is_dir():
        raise HubtweetsError(
            f"{path}: file not found, and not one of {SERVICE_EXAMPLES}; "
            "name the posts: --posts FILE"
        )
    container = Container(path)
    for name in FILE_READERS:
        reader = cast(FileReader, load_module(name))
        if reader.find_files(container):
            return container, reader
    place = "this folder" if path.is_dir() else "such a file"
    raise HubtweetsError(
        f"{path}: can't read posts from {place}; give an archive of X, Mastodon or Bluesky or an "
        "unchanged export, or one .jsonl, .json, .csv, .tsv, .parquet or .txt file"
    )


def hash_source(path: Path) -> str:
    """Return the SHA-256, in hex, of the files that `read_source` opens.

    A zip and the folder unpacked from it have the same.
    """
    if path.name.endswith(CACHE_SUFFIX):
        return hash_files([path])
    container, reader = choose_reader(path)
    return container.sha256(reader.find_files(container))


def read_source(path: Path, handle: str, columns: Columns, protected: bool = False) -> Reading:
    """Read the posts of `handle` from an archive or file.

    Raises HubtweetsError if it is damaged or belongs to someone else. The posts of a protected
    account come without their text unless `protected` asks for them.
    """
    from hubtweets.posts.x import api_v2

    if path.name.endswith(CACHE_SUFFIX):
        reading = cache.read_reading(path)
    else:
        reading = read_files(path, handle, columns)
        check_owner(path, reading.profile, handle)
    if reading.protected and not protected:
        reading = replace(reading, posts=map(api_v2.hide_text, reading.posts))
    return replace(reading, profile=complete_profile(reading.profile, handle))


def read_files(path: Path, handle: str, columns: Columns) -> Reading:
    """Read the posts of `handle` with the reader that knows a path's files."""
    from hubtweets.posts.tables import files

    container, reader = choose_reader(path)
    if reader is cast(FileReader, files):  # the only files with columns that a user can name
        return files.read(container, columns, handle)
    if isinstance(reader, AuthorReader):
        return reader.read_author(container, handle)
    return reader.read(container)


def check_owner(path: Path, owner: Profile, handle: str) -> None:
    """Raise HubtweetsError if an X archive is not of `handle`.

    A source of a service names its account itself, so it is not checked.
    """
    if owner.network != "X" or not owner.handle or owner.handle.lower() == handle:
        return
    advice = "give another with --posts"
    if HANDLE.fullmatch(owner.handle):
        advice = f"type {owner.handle} in place of {handle}"
    raise HubtweetsError(f"{path}: the archive of @{owner.handle}, not of @{handle}; {advice}")


def complete_profile(profile: Profile, handle: str) -> Profile:
    """Fill in the handle and the name, and drop a URL that isn't plain."""
    return replace(
        profile,
        handle=profile.handle or handle,
        name=profile.name or profile.handle or handle,
        url=profile.url if profile.url and URL.fullmatch(profile.url) else None,
    )
