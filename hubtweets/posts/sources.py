"""From a source's name to its posts: which reader reads what.

A source is a path (an archive or a file of posts) or `x:`, `mastodon:`, `bluesky:` or `dataset:` with a name. A file's reader is known by the
files in it; it lists those that it would open, and nothing else is opened.
"""

import hashlib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import ModuleType

from hubtweets.errors import HubtweetsError
from hubtweets.files import hash_files
from hubtweets.posts import cache as saved
from hubtweets.posts.container import Container
from hubtweets.posts.post import Columns, Reading

SERVICE_PATTERN = re.compile(r"(x|mastodon|bluesky|dataset):.+")
SUFFIXES = (
    ".zip",
    "",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".js",
    ".jsonl",
    ".json",
    ".csv",
    ".tsv",
    ".parquet",
    ".arrow",
    ".txt",
    ".car",
)
HANDLE = re.compile(r"[\w.-]{1,96}", re.ASCII)
SERVICES = "x:NAME, mastodon:@NAME@HOST, bluesky:NAME, dataset:ID"
CACHE_SUFFIX = ".saved.jsonl"
URL = re.compile(r"https://[\w.:/@%~-]+", re.ASCII)  # nothing that Markdown or HTML could act on


@dataclass(frozen=True)
class FetchOptions:
    """How services are read: dollars a post at X, whether again, and who is asked before money is spent."""

    x_price: float
    refresh: bool
    confirm: Callable[[str], bool]


def load_readers() -> list[ModuleType]:
    """Return the modules that read archives, each with `files(container)`, the names it would open, and `read(container)`."""
    from hubtweets.posts.bluesky import archive as bluesky
    from hubtweets.posts.exports import exports, misskey
    from hubtweets.posts.mastodon import archive as mastodon
    from hubtweets.posts.x import archive as x_archive
    from hubtweets.posts.x import grailbird, saved_json

    return [x_archive, grailbird, mastodon, misskey, bluesky, exports, saved_json]


def find_file(handle: str) -> str:
    """Return the file or folder of the working folder that is named after the handle; raise HubtweetsError where there is none."""
    there = {path.name.casefold(): path.name for path in sorted(Path().iterdir())}
    for suffix in SUFFIXES:
        if found := there.get(handle.casefold() + suffix):
            if not suffix and Path(found).is_file():
                raise HubtweetsError(
                    f"{found} is a file, not a handle; type a name for the bot, and --posts {shlex.quote(found)}"
                )
            return found
    raise HubtweetsError(
        f"no posts of {handle} here (looked for {handle}.zip, {handle}.jsonl and so on); name them: --posts FILE"
    )


def assign_sources(
    handles: Sequence[str], given: Sequence[str], typed: bool = True
) -> dict[str, str]:
    """Return the source of each handle from `SOURCE` or `HANDLE=SOURCE`, else the file named after it; raise HubtweetsError where that is unclear.

    What was not typed comes from settings that several bots share, and may name other authors.
    """
    named: dict[str, str] = {}
    for source in given:
        handle, equals, rest = source.partition("=")
        handle = handle.removeprefix("@").lower()
        if not (equals and handle in handles):
            if equals and HANDLE.fullmatch(handle) and not Path(source).exists():
                if typed:
                    raise HubtweetsError(
                        f"--posts {source}: {handle} is none of {', '.join(handles)}; type: --posts {handles[0]}={rest}"
                    )
                continue
            if len(handles) > 1:
                raise HubtweetsError(f"{source}: whose posts? type: --posts {handles[0]}={source}")
            handle, rest = handles[0], source
        if handle in named:
            raise HubtweetsError(
                f"{source}: {handle} has a source already, {named[handle]}; give one for each author"
            )
        named[handle] = rest
    return {handle: named.get(handle) or find_file(handle) for handle in handles}


def choose_reader(path: Path) -> tuple[Container, ModuleType]:
    """Return a path's container and its reader; raise HubtweetsError where there is nothing, or nothing that a reader knows."""
    from hubtweets.posts.tables import files

    if not path.is_file() and not path.is_dir():
        raise HubtweetsError(
            f"{path}: no such file, nor one of {SERVICES}; name the posts: --posts FILE"
        )
    container = Container(path)
    for reader in [*load_readers(), files]:
        if reader.find_files(container):
            return container, reader
    place = "this folder" if path.is_dir() else "such a file"
    raise HubtweetsError(
        f"{path}: no posts are read from {place}; give an archive of X, Mastodon or Bluesky or an export as it came, "
        "or one .jsonl, .json, .csv, .tsv, .parquet or .txt file"
    )


def resolve_path(source: str, folder: Path, columns: Columns) -> Path:
    """Return where a source's posts are, or will be once they were read over the network."""
    if not SERVICE_PATTERN.fullmatch(source):
        return Path(source)
    asked = (
        f"{source} {columns}" if source.startswith("dataset:") else source
    )  # services have no columns
    return folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}{CACHE_SUFFIX}"


def is_remote(source: str, folder: Path, columns: Columns, refresh: bool) -> bool:
    """Tell whether `locate` would read a source over the network, which takes time and maybe money."""
    return SERVICE_PATTERN.fullmatch(source) is not None and (
        refresh or not resolve_path(source, folder, columns).exists()
    )


def fetch_if_needed(
    source: str, folder: Path, columns: Columns, fetching: FetchOptions, say: Callable[[str], None]
) -> Path:
    """Return the path of a source: what a service has to give is read over the network and kept in the folder, the first time only."""
    path = resolve_path(source, folder, columns)
    if not SERVICE_PATTERN.fullmatch(source):
        return path
    if path.exists() and not fetching.refresh:
        say(
            f"{source}: read on {date.fromtimestamp(path.stat().st_mtime)}, taken from there; --refresh reads it again"
        )
        return path
    say(f"{source}: reading")
    folder.mkdir(parents=True, exist_ok=True)
    saved.write_reading(fetch_reading(source, columns, fetching, say), path)
    return path


def fetch_reading(
    source: str, columns: Columns, fetching: FetchOptions, say: Callable[[str], None]
) -> Reading:
    """Read an account's posts from its service, or a dataset from the Hub; raise HubtweetsError where that can't be."""
    from hubtweets.posts.bluesky import api as bluesky_api
    from hubtweets.posts.mastodon import api as mastodon_api
    from hubtweets.posts.tables import files
    from hubtweets.posts.x import api as x_api

    service, _, name = source.partition(":")
    if service == "x":
        return x_api.fetch(name, fetching.x_price, say, fetching.confirm)
    if service == "mastodon":
        return mastodon_api.fetch(name, say)
    if service == "bluesky":
        return bluesky_api.fetch(name, say)
    return files.fetch_dataset(name, columns)


def hash_source(path: Path) -> str:
    """Return the SHA-256, in hex, of what `read` would open: a zip and its unpacked folder have the same."""
    if path.name.endswith(CACHE_SUFFIX):
        return hash_files([path])
    container, reader = choose_reader(path)
    return container.sha256(reader.find_files(container))


def read_source(path: Path, handle: str, columns: Columns, protected: bool = False) -> Reading:
    """Read the posts of `handle` from an archive or file; raise HubtweetsError where it is none, is damaged, or is somebody else's.

    The posts of a protected account come without their text unless `protected` asks for them.
    """
    from hubtweets.posts.tables import files
    from hubtweets.posts.x import api_v2

    if path.name.endswith(CACHE_SUFFIX):
        reading = saved.read_reading(path)
    else:
        container, reader = choose_reader(path)
        reading = files.read(container, columns) if reader is files else reader.read(container)
        theirs = reading.profile.handle
        if (
            reading.profile.network == "X" and theirs and theirs.lower() != handle
        ):  # who names an account of a service knows whose it is
            advice = (
                f"type {theirs} in place of {handle}"
                if HANDLE.fullmatch(theirs)
                else "give another with --posts"
            )
            raise HubtweetsError(f"{path}: the archive of @{theirs}, not of @{handle}; {advice}")
    if reading.protected and not protected:
        reading = replace(reading, posts=map(api_v2.hide_text, reading.posts))
    found = reading.profile
    url = found.url if found.url and URL.fullmatch(found.url) else None
    return replace(
        reading,
        profile=replace(
            found, handle=found.handle or handle, name=found.name or found.handle or handle, url=url
        ),
    )
