"""The archive that X (Twitter) gives an account's owner since 2019: a zip, the unpacked folder, or its tweets.js alone.

The format is nowhere documented; what is relied on here was seen in archives of 2021 to 2026. Only the files named in `WANTED` are opened:
messages, likes, addresses and the other private files are not. A large account's posts lie in parts of some 100 MiB, which are read by as many
processes as there are cores. A long post's full text is in note-tweet.js, under an id made some milliseconds before the post's own. A note without
a post is left out: the post was deleted, or was for a circle, and note-tweet.js doesn't tell.
"""

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name, corrupt_error
from hubtweets.posts.json_stream import stream_items
from hubtweets.posts.parsing import dig, get_list, get_text, to_utc
from hubtweets.posts.post import Post, Profile, Reading
from hubtweets.posts.x.tweet import is_tweet, to_post

WANTED = re.compile(
    r"(manifest|account|profile|protected-history|(note-tweet|(community-)?tweets?)(-part\d+)?)\.js"
)
NOTES = re.compile(r"note-tweet(-part\d+)?\.js")
TWEETS = re.compile(r"(community-)?tweets?(-part\d+)?\.js")
AVATAR = re.compile(r"profile_media/[^/]+$")
VARIABLE = re.compile(r"\s*window\.YTD\.(\w+)\.part\d+\s*=")
PUBLIC = (
    "tweet",
    "tweets",
    "community_tweet",
)  # deleted posts and those for a circle have other names
MAX_PART = 1_000_000  # posts; a part of 100 MiB has some hundred thousand
GRAILBIRD = "Grailbird.data"  # what the files of the archives before 2019 begin with
SHORT_LINK = re.compile(r"https?://t\.co/[A-Za-z0-9]+")
LEADING_MENTIONS = re.compile(r"^(@\w+\s+)+")


def find_files(container: Container) -> list[str]:
    """Return the files that `read` opens; raise HubtweetsError where there is more than one archive in the container."""
    if not container.path.is_dir() and container.path.suffix == ".js":
        with container.open(container.names[0]) as file:
            return container.names if GRAILBIRD.encode() not in file.read(100) else []
    wanted = sorted(
        (name for name in container.names if WANTED.fullmatch(base_name(name))),
        key=lambda name: (base_name(name), name),
    )
    tweets = [name for name in wanted if TWEETS.fullmatch(base_name(name))]
    for one, other in pairwise(tweets):
        if base_name(one) == base_name(other):
            raise HubtweetsError(
                f"{container.path}: more than one archive in it ({one} and {other}); give one of them"
            )
    return (
        wanted + sorted(name for name in container.names if AVATAR.search(name)) if tweets else []
    )


def read(container: Container) -> Reading:
    """Read an X archive; raise HubtweetsError where it is damaged or lacks a part that its manifest lists."""
    names = {base_name(name): name for name in find_files(container)}
    if container.path.suffix == ".js" and not container.path.is_dir():
        names = {"tweets.js": container.names[0]}  # whatever it is called
    parts = [name for name in names if TWEETS.fullmatch(name)]
    manifest = load_js(container, names, "manifest.js", "{")
    warnings = check_manifest(container, manifest, names)
    account = dig(next(iter(load_js(container, names, "account.js", "[") or []), None), "account")
    profile = dig(next(iter(load_js(container, names, "profile.js", "[") or []), None), "profile")
    user = dig(manifest, "userInfo")
    handle = get_text(account, "username") or get_text(user, "userName") or ""
    account_id = get_text(account, "accountId") or get_text(user, "accountId")
    notes = Notes(
        note
        for name in names
        if NOTES.fullmatch(name)
        for note in read_items(container, names[name])
    )
    return Reading(
        kind="x-archive",
        profile=Profile(
            handle=handle,
            name=get_text(account, "accountDisplayName") or get_text(user, "displayName") or handle,
            network="X",
            bio=get_text(dig(profile, "description"), "bio"),
            account_id=account_id,
            url=f"https://x.com/{handle}" if re.fullmatch(r"\w{1,20}", handle, re.ASCII) else None,
        ),
        avatar=read_avatar(container, names, profile),
        posts=read_posts(
            container.path,
            {part: names[part] for part in parts},
            account_id,
            notes,
            get_post_counts(manifest),
            warnings,
        ),
        warnings=warnings,
        protected=is_protected(
            load_js(container, names, "protected-history.js", "["), (account, profile, user)
        ),
    )


def is_protected(history: Any, owner: Iterable[Any]) -> bool:
    """Tell whether the account was protected when the archive was made, by the last change in protected-history.js; if that is unclear, it was.

    An account that is public again shows all its posts, those of the time before too. The history reaches back six months (X's own README.txt).
    """
    if any(dig(item, "protected") not in (None, False, "false") for item in owner):
        return True
    changes = [
        (
            to_utc(dig(item, "protectedHistory", "protectedAt")),
            dig(item, "protectedHistory", "action"),
        )
        for item in history or []
    ]
    if any(date is None for date, _ in changes):
        return True
    last = max((date or "" for date, _ in changes), default=None)
    return any(action != "Unprotect" for date, action in changes if date == last)


def load_js(container: Container, names: dict[str, str], wanted: str, opening: str) -> Any:
    """Return the value that `window.x = value;` assigns in a small .js file, or None where the archive has no such file."""
    if wanted not in names:
        return None
    text = container.read(names[wanted]).decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text[text.index(opening) :].rstrip().rstrip(";"))
    except (ValueError, RecursionError) as error:
        raise corrupt_error(container, names[wanted], error, "X") from None


def check_manifest(container: Container, manifest: Any, names: Iterable[str]) -> list[str]:
    """Raise HubtweetsError where manifest.js lists a file of posts that is not there; return a warning where the archive is one of several."""
    missing = [name for name in get_post_counts(manifest) if name not in names]
    if dig(manifest, "archiveInfo", "isPartialArchive") is True:
        lacks = f" ({', '.join(missing)})" if missing else ""
        return [
            f"{container.path}: one part of an archive that X split into several; the posts in the other zips{lacks} are not in it"
        ]
    if missing:
        raise HubtweetsError(
            f"{container.path}: {missing[0]} is missing, though manifest.js lists it; download the archive again"
        )
    return []


def get_post_counts(manifest: Any) -> dict[str, str | None]:
    """Return the manifest's list of post files and how many posts it says each holds."""
    kinds = ("tweets", "tweet", "communityTweet", "communityTweets", "noteTweet")
    entries = [entry for kind in kinds for entry in get_list(manifest, "dataTypes", kind, "files")]
    named = {
        base_name(get_text(entry, "fileName") or ""): get_text(entry, "count") for entry in entries
    }
    return {
        name: count
        for name, count in named.items()
        if TWEETS.fullmatch(name) or NOTES.fullmatch(name)
    }


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
    notes: "Notes",
    counts: dict[str, str | None],
    warnings: list[str],
) -> Iterator[Post]:
    """Yield the posts of every part, the long ones whole, and warn of notes that belong to no post."""
    tasks = [(path, name, account_id) for name in parts.values()]
    batches: Iterable[Iterable[Post]] = (
        map_in_processes(read_whole_part, tasks) if len(tasks) > 1 else [read_part(*tasks[0])]
    )
    for part, posts in zip(parts, batches, strict=True):
        number = 0
        for post in posts:
            number += 1
            note = notes.take(post.id, post.text)
            yield post if note is None else post._replace(text=note)
        if (count := counts.get(part)) is not None and count != str(number):
            warnings.append(
                f"{path}: {part} holds {number:,} posts, though manifest.js says {count}; download the archive again to be sure"
            )
    if left := notes.count():
        warnings.append(
            f"{path}: left out {left:,} of note-tweet.js, whose post is not in the archive (deleted, or not public)"
        )


def map_in_processes(work: Callable[..., list[Post]], tasks: list[tuple]) -> Iterator[list[Post]]:
    """Yield each task's result in order, worked on by as many processes as there are cores, but not far ahead of who takes them."""
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
            f"{path}: {name} holds more than {MAX_PART:,} posts, which no part does; download the archive again"
        )
    return posts


def read_part(path: Path, name: str, account_id: str | None) -> Iterator[Post]:
    """Yield the posts of one file; raise HubtweetsError where it is damaged or holds something else."""
    container = Container(path)
    with container.open(name) as file:
        stream = stream_items(file)
        try:
            variable = VARIABLE.match(next(stream))
            if variable and variable[1] not in PUBLIC:
                raise HubtweetsError(
                    f"{path}: holds {variable[1]}, not public posts; give the whole archive or its tweets.js"
                )
            for number, item in enumerate(stream, 1):
                tweet = dig(item, "tweet") or item
                if not is_tweet(tweet):
                    wrong = f"item {number} of {base_name(name)} is no post (it lacks id_str or full_text)"
                    raise HubtweetsError(f"{path}: {wrong}; download the archive again")
                yield to_post(tweet, account_id, tweet["full_text"])
        except ValueError as error:
            raise corrupt_error(container, name, error, "X") from None


def read_avatar(container: Container, names: Iterable[str], profile: Any) -> bytes | None:
    url = get_text(profile, "avatarMediaUrl")
    wanted = base_name(url) if url else None
    name = next(
        (
            name
            for name in container.names
            if wanted and AVATAR.search(name) and name.endswith("-" + wanted)
        ),
        None,
    )
    return container.read(name) if name else None


class Notes:
    """The long posts of note-tweet.js, taken by the post whose cut text begins them."""

    def __init__(self, notes: Iterable[Any]) -> None:
        self.by_second: dict[int, list[dict]] = defaultdict(list)
        for item in notes:
            note = dig(item, "noteTweet")
            id, text = get_text(note, "noteTweetId"), get_text(dig(note, "core"), "text")
            if id and is_snowflake(id) and text:
                text = SHORT_LINK.sub("", text)
                self.by_second[get_milliseconds(id) // 1000].append({"id": id, "text": text})

    def take(self, tweet_id: str, text: str) -> str | None:
        """Return the note's text for a post, once: made up to a second before the post, and beginning as the post does."""
        if not self.by_second or not is_snowflake(tweet_id):
            return None
        moment = get_milliseconds(tweet_id)
        for second in (moment // 1000, moment // 1000 - 1):
            for note in self.by_second.get(second, ()):
                begins = normalize_text(text)  # a picture or a link alone begins every note
                if (
                    begins
                    and 0 < moment - get_milliseconds(note["id"]) < 1000
                    and normalize_text(note["text"]).startswith(begins)
                ):
                    self.by_second[second].remove(note)
                    return note["text"]
        return None

    def count(self) -> int:
        """Return how many notes were not taken."""
        return sum(map(len, self.by_second.values()))


def is_snowflake(id: str) -> bool:
    return id.isascii() and id.isdecimal() and len(id) <= 20


def get_milliseconds(snowflake: str) -> int:
    """Return the time part of an X id: milliseconds in its bits from 22 up."""
    return int(snowflake) >> 22


def normalize_text(text: str) -> str:
    """Reduce a text to what a post and its note share: no links, no leading mentions, no final ellipsis, single spaces."""
    text = " ".join(SHORT_LINK.sub("", text).split())
    return LEADING_MENTIONS.sub("", text + " ").strip().removesuffix("…").rstrip()
