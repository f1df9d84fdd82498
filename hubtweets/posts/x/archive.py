"""The archive that X (Twitter) gives an account's owner since 2019: a zip, a folder, or tweets.js.

In: the zip, the folder unpacked from it, or its tweets.js alone. Out: a Reading. The format is not
documented; the code relies on what archives of 2021 to 2026 contain. Only the files named in
`WANTED` are opened, so never the messages, likes, addresses and other private files. A large
account's posts are in parts of some 100 MiB, which are read by as many processes as there are
cores. A long post's whole text is in note-tweet.js. A note without a post is left out: the post was
deleted, or was for a circle, and note-tweet.js doesn't say which.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name, corrupt_error
from hubtweets.posts.json_stream import stream_items
from hubtweets.posts.links import remove_short_links
from hubtweets.posts.parsing import dig, get_list, get_text, to_utc
from hubtweets.posts.post import Post, Profile, Reading
from hubtweets.posts.x.notes import Notes
from hubtweets.posts.x.tweet import is_tweet, to_post

WANTED = re.compile(
    r"(manifest|account|profile|protected-history|(note-tweet|(community-)?tweets?)(-part\d+)?)\.js"
)
NOTES = re.compile(r"note-tweet(-part\d+)?\.js")
TWEETS = re.compile(r"(community-)?tweets?(-part\d+)?\.js")
AVATAR = re.compile(r"profile_media/[^/]+$")
VARIABLE = re.compile(r"\s*window\.YTD\.(\w+)\.part\d+\s*=")
# deleted posts and those for a circle have other names
PUBLIC = ("tweet", "tweets", "community_tweet")
MAX_PART = 1_000_000  # posts; a part of 100 MiB has some hundred thousand
LARGE_PART = 4 * 2**20  # bytes, which are read in about the time that a process takes to start
GRAILBIRD = "Grailbird.data"  # the files of archives before 2019 begin with it


def find_files(container: Container) -> list[str]:
    """Return the files that `read` opens; raise HubtweetsError if there are two archives."""
    if is_tweets_alone(container):
        with container.open(container.names[0]) as file:
            return container.names if GRAILBIRD.encode() not in file.read(100) else []
    wanted = sorted(
        (name for name in container.names if WANTED.fullmatch(base_name(name))),
        key=lambda name: (base_name(name), name),
    )
    tweets = [name for name in wanted if TWEETS.fullmatch(base_name(name))]
    if not tweets:
        return []
    for one, other in pairwise(tweets):
        if base_name(one) == base_name(other):
            raise HubtweetsError(
                f"{container.path}: more than one archive in it ({one} and {other}); "
                "give one of them"
            )
    return wanted + sorted(name for name in container.names if AVATAR.search(name))


def is_tweets_alone(container: Container) -> bool:
    return not container.path.is_dir() and container.path.suffix == ".js"


def read(container: Container) -> Reading:
    """Read an X archive; raise HubtweetsError if it is damaged or lacks a listed part."""
    names = {base_name(name): name for name in find_files(container)}
    if is_tweets_alone(container):
        names = {"tweets.js": container.names[0]}  # under any name
    manifest = load_js(container, names, "manifest.js", "{")
    warnings = check_manifest(container, manifest, names)
    account = load_first(container, names, "account")
    profile = load_first(container, names, "profile")
    user = dig(manifest, "userInfo")
    owner = to_profile(account, profile, user)
    history = load_js(container, names, "protected-history.js", "[")
    parts = {name: path for name, path in names.items() if TWEETS.fullmatch(name)}
    return Reading(
        kind="x-archive",
        profile=owner,
        avatar=read_avatar(container, profile),
        posts=read_posts(
            container.path,
            parts,
            owner.account_id,
            Notes(read_notes(container, names)),
            get_post_counts(manifest),
            warnings,
        ),
        warnings=warnings,
        protected=is_protected(history, (account, profile, user)),
    )


def load_first(container: Container, names: dict[str, str], kind: str) -> Any:
    """Return the one object of account.js or profile.js, or None."""
    items = load_js(container, names, f"{kind}.js", "[") or []
    return dig(next(iter(items), None), kind)


def to_profile(account: Any, profile: Any, user: Any) -> Profile:
    """Return the Profile in account.js and profile.js, else in the manifest."""
    handle = get_text(account, "username") or get_text(user, "userName") or ""
    name = get_text(account, "accountDisplayName") or get_text(user, "displayName") or handle
    is_plain = re.fullmatch(r"\w{1,20}", handle, re.ASCII)
    return Profile(
        handle=handle,
        name=name,
        network="X",
        bio=remove_short_links(get_text(dig(profile, "description"), "bio")),
        account_id=get_text(account, "accountId") or get_text(user, "accountId"),
        url=f"https://x.com/{handle}" if is_plain else None,
    )


def read_notes(container: Container, names: dict[str, str]) -> Iterator[Any]:
    for name, path in names.items():
        if NOTES.fullmatch(name):
            yield from read_items(container, path)


def is_protected(history: Any, owner: Iterable[Any]) -> bool:
    """Return whether the account was protected when the archive was made; True if unclear.

    The last change in protected-history.js tells, which reaches back six months (X's own
    README.txt). An account that is public again shows all its posts, older ones included.
    """
    if any(dig(item, "protected") not in (None, False, "false") for item in owner):
        return True
    items = [dig(item, "protectedHistory") for item in history or []]
    changes = [(to_utc(dig(item, "protectedAt")), dig(item, "action")) for item in items]
    if any(date is None for date, _ in changes):
        return True
    last = max((date or "" for date, _ in changes), default=None)
    return any(action != "Unprotect" for date, action in changes if date == last)


def load_js(container: Container, names: dict[str, str], wanted: str, opening: str) -> Any:
    """Return the value that a small .js file assigns (`window.x = value;`), or None without it."""
    if wanted not in names:
        return None
    text = container.read(names[wanted]).decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text[text.index(opening) :].rstrip().rstrip(";"))
    except (ValueError, RecursionError) as error:
        raise corrupt_error(container, names[wanted], error, "X") from None


def check_manifest(container: Container, manifest: Any, names: Iterable[str]) -> list[str]:
    """Raise HubtweetsError if a file of posts in manifest.js is missing.

    Returns a warning instead if X split the archive into several.
    """
    missing = [name for name in get_post_counts(manifest) if name not in names]
    if dig(manifest, "archiveInfo", "isPartialArchive") is True:
        lacks = f" ({', '.join(missing)})" if missing else ""
        return [
            f"{container.path}: one part of an archive that X split into several; "
            f"the posts in the other zips{lacks} are not in it"
        ]
    if missing:
        raise HubtweetsError(
            f"{container.path}: {missing[0]} is missing, though manifest.js lists it; "
            "download the archive again"
        )
    return []


def get_post_counts(manifest: Any) -> dict[str, str | None]:
    """Return the files of posts that the manifest lists, with how many posts each should hold."""
    counts: dict[str, str | None] = {}
    for kind in ("tweets", "tweet", "communityTweet", "communityTweets", "noteTweet"):
        for entry in get_list(manifest, "dataTypes", kind, "files"):
            name = base_name(get_text(entry, "fileName") or "")
            if TWEETS.fullmatch(name) or NOTES.fullmatch(name):
                counts[name] = get_text(entry, "count")
    return counts


def read_items(container: Container, name: str) -> Iterator[Any]:
    """Yield the items of a file that assigns a list."""
    with container.open(name) as file:
        stream = stream_items(file)
        try:
            next(stream)
            yield from stream
        except ValueError as error:
            raise corrupt_error(container, name, error, "X") from None


def read_posts(
    path: Path,
    parts: dict[str, str],
    account_id: str | None,
    notes: Notes,
    counts: dict[str, str | None],
    warnings: list[str],
) -> Iterator[Post]:
    """Yield the posts of every part with their whole texts, and warn of notes without a post."""
    tasks = [(path, name, account_id) for name in parts.values()]
    batches: Iterable[Iterable[Post]] = (read_part(*task) for task in tasks)
    if sum(is_large(path, name) for name in parts.values()) > 1:
        batches = map_in_processes(read_whole_part, tasks)
    for part, posts in zip(parts, batches, strict=True):
        number = 0
        for post in posts:
            number += 1
            note = notes.take(post.id, post.text)
            if note:
                text, link = note
                post = post._replace(text=text, link=post.link or link)
            yield post
        if (count := counts.get(part)) is not None and count != str(number):
            warnings.append(
                f"{path}: {part} holds {number:,} posts, though manifest.js says {count}; "
                "download the archive again to be sure"
            )
    if left := notes.count():
        warnings.append(
            f"{path}: left out {left:,} of note-tweet.js, "
            "whose post is not in the archive (deleted, or not public)"
        )


def is_large(path: Path, name: str) -> bool:
    """Return whether a process of its own would read a part sooner.

    Most accounts have one part, and a community-tweet.js without any post.
    """
    with Container(path).open(name) as file:
        return len(file.read(LARGE_PART)) == LARGE_PART


def map_in_processes(work: Callable[..., list[Post]], tasks: list[tuple]) -> Iterator[list[Post]]:
    """Yield each task's result in order, with one process per core.

    No more tasks are started than there are processes, so that results don't pile up in memory.
    """
    workers = min(len(tasks), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting = iter(tasks)
        running: list[Future] = [pool.submit(work, *task) for task in islice(waiting, workers)]
        while running:
            done = running.pop(0).result()
            running += [pool.submit(work, *task) for task in islice(waiting, 1)]
            yield done


def read_whole_part(path: Path, name: str, account_id: str | None) -> list[Post]:
    posts = list(islice(read_part(path, name, account_id), MAX_PART + 1))
    if len(posts) > MAX_PART:
        raise HubtweetsError(
            f"{path}: {name} holds more than {MAX_PART:,} posts, which no part does; "
            "download the archive again"
        )
    return posts


def read_part(path: Path, name: str, account_id: str | None) -> Iterator[Post]:
    """Yield the posts of one file; raise HubtweetsError if it is damaged or holds other items."""
    container = Container(path)
    with container.open(name) as file:
        stream = stream_items(file)
        try:
            variable = VARIABLE.match(next(stream))
            if variable and variable[1] not in PUBLIC:
                raise HubtweetsError(
                    f"{path}: holds {variable[1]}, not public posts; "
                    "give the whole archive or its tweets.js"
                )
            for number, item in enumerate(stream, 1):
                tweet = dig(item, "tweet") or item
                if not is_tweet(tweet):
                    raise HubtweetsError(
                        f"{path}: item {number} of {base_name(name)} is no post "
                        "(it lacks id_str or full_text); download the archive again"
                    )
                yield to_post(tweet, account_id, tweet["full_text"])
        except ValueError as error:
            raise corrupt_error(container, name, error, "X") from None


def read_avatar(container: Container, profile: Any) -> bytes | None:
    """Return the picture that profile.js names, if it is in the archive."""
    url = get_text(profile, "avatarMediaUrl")
    wanted = base_name(url) if url else None
    for name in container.names:
        if wanted and AVATAR.search(name) and name.endswith("-" + wanted):
            return container.read(name)
    return None
