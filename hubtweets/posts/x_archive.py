"""The archive that X (Twitter) gives an account's owner: a zip, the unpacked folder, or its tweets.js alone.

The format is nowhere documented; what is relied on here was seen in archives of 2021 to 2026. Only the files named in `WANTED` are opened:
messages, likes, addresses and the other private files are not. Reposts carry no metadata, only the text `RT @name: `. A long post's full text
is in note-tweet.js, under an id made some milliseconds before the post's own.
"""

import hashlib
import json
import lzma
import os
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts import Kind, Post, Profile, Reading, to_utc, well_formed

WANTED = re.compile(r"(manifest|account|profile|note-tweet|(community-)?tweets?(-part\d+)?)\.js")
TWEETS = re.compile(r"(community-)?tweets?(-part\d+)?\.js")
AVATAR = re.compile(r"profile_media/[^/]+$")
VARIABLE = re.compile(r"\s*window\.YTD\.(\w+)\.part\d+\s*=")
PUBLIC = ("tweet", "tweets", "community_tweet")  # deleted posts and those for a circle have other names
REPOST = re.compile(r"RT @\w{1,20}: ")
QUOTE = re.compile(r"//(mobile\.)?(twitter|x)\.com/\w+/status/\d+", re.IGNORECASE)
SHORT_LINK = re.compile(r"https?://t\.co/\w+")
LEADING_MENTIONS = re.compile(r"^(@\w+\s+)+")


class Files:
    """The wanted files of an archive by base name, and how to get their bytes, whatever holds them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            names = [file.relative_to(path).as_posix() for file in sorted(path.rglob("*")) if file.is_file()]
            self._read: Callable[[str], bytes] = lambda name: (path / name).read_bytes()
        elif path.suffix == ".js":
            names = [path.name]
            self._read = lambda name: path.read_bytes()
        else:
            try:
                archive = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, NotImplementedError) as error:
                raise self.damaged(error) from None
            except OSError as error:  # zipfile seeks before the start of a zip that lacks it
                raise self.damaged(error) if error.filename is None else error from None
            names, self._read = archive.namelist(), archive.read
        wanted = [name for name in names if WANTED.fullmatch(name.rpartition("/")[2])]
        self.names = {name.rpartition("/")[2]: name for name in wanted}
        for name in wanted:
            other = self.names[base_name := name.rpartition("/")[2]]
            if other != name and TWEETS.fullmatch(base_name):
                raise HubtweetsError(f"{path}: more than one archive in it ({name} and {other}); give one of them")
        if path.suffix == ".js" and path.is_file():
            self.names = {"tweets.js": path.name}  # whatever it is called
        self.avatars = sorted(name for name in names if AVATAR.search(name))

    def sha256(self) -> str:
        """Return the SHA-256 of the wanted files' names and bytes, in hex: a zip and its unpacked folder have the same."""
        digest = hashlib.sha256()
        for base_name, name in sorted(self.names.items()) + [(name.rpartition("/")[2], name) for name in self.avatars]:
            digest.update(os.fsencode(base_name) + b"\0" + self.read(name))
        return digest.hexdigest()

    def damaged(self, error: Exception) -> HubtweetsError:
        return HubtweetsError(f"{self.path}: no zip, or one that is cut or damaged ({error}); download the archive again")

    def read(self, name: str) -> bytes:
        try:
            return self._read(name)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as error:
            raise self.damaged(error) from None
        except OSError as error:  # without a file's name it is a decompressor's, or a seek to where nothing is
            raise self.damaged(error) if error.filename is None else error from None
        except RuntimeError:  # zipfile's word for an encrypted member
            raise HubtweetsError(f"{self.path}: {name} is locked by a password; unpack the zip and give the folder") from None

    def json(self, base_name: str, opening: str = "[") -> Any:
        """Return the value that `window.x = value;` assigns in a .js file, or None where the archive has no such file."""
        if base_name not in self.names:
            return None
        text = self.read(self.names[base_name]).decode("utf-8-sig", errors="replace")
        variable = VARIABLE.match(text)
        if TWEETS.fullmatch(base_name) and variable and variable[1] not in PUBLIC:
            raise HubtweetsError(f"{self.path}: holds {variable[1]}, not public posts; give the whole archive or its tweets.js")
        try:
            return json.loads(text[text.index(opening) :].rstrip().rstrip(";"))
        except (ValueError, RecursionError) as error:
            where = self.path if self.path.suffix == ".js" else f"{self.path}: {self.names[base_name]}"
            raise HubtweetsError(f"{where} is not what X writes ({error}); download the archive again") from None


def read(path: Path) -> Reading:
    """Read an X archive; raise HubtweetsError where the path is none, is damaged, or lacks a part that its manifest lists."""
    files = Files(path)
    parts = [name for name in files.names if TWEETS.fullmatch(name)]
    if not parts:
        raise HubtweetsError(f"{path}: not an X archive (no tweets.js in it); give the zip that X sent, unchanged")
    check_manifest(files, parts)
    account = dig(next(iter(files.json("account.js") or []), None), "account")
    profile = dig(next(iter(files.json("profile.js") or []), None), "profile")
    notes = Notes(files.json("note-tweet.js") or [])
    account_id = text_of(account, "accountId")
    posts = []
    for part in parts:
        items = files.json(part)
        for number, item in enumerate(items, 1):
            tweet = dig(item, "tweet") or item
            if not isinstance(dig(tweet, "full_text"), str) or not text_of(tweet, "id_str", "id"):
                raise HubtweetsError(f"{path}: item {number} of {part} is no post (it lacks id_str or full_text); download the archive again")
            posts.append(to_post(tweet, account_id, notes))
    posts += notes.left()
    posts.sort(key=lambda post: int(post.id) if is_snowflake(post.id) else 0)
    return Reading(
        kind="x-archive",
        profile=Profile(
            handle=text_of(account, "username") or "",
            name=text_of(account, "accountDisplayName") or text_of(account, "username") or "",
            network="X",
            bio=text_of(dig(profile, "description"), "bio"),
            account_id=account_id,
        ),
        avatar=read_avatar(files, profile),
        posts=posts,
    )


def check_manifest(files: Files, parts: list[str]) -> None:
    """Raise HubtweetsError where manifest.js lists a tweets file that is not there."""
    manifest = files.json("manifest.js", opening="{")
    for kind in ("tweets", "tweet"):
        for entry in listed(manifest, "dataTypes", kind, "files"):
            name = (text_of(entry, "fileName") or "").rpartition("/")[2]
            if name and name not in parts:
                raise HubtweetsError(f"{files.path}: {name} is missing, though manifest.js lists it; download the archive again")


def dig(value: Any, *keys: str) -> Any:
    """Return `value[key][key]...`, or None where the way leads nowhere: a hurt field costs itself, not the posts."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def listed(value: Any, *keys: str) -> list:
    """Return what `dig` finds where that is a list, else an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def text_of(item: Any, *keys: str) -> str | None:
    """Return the first of the keys' values that is there, as text."""
    values = (item.get(key) for key in keys) if isinstance(item, dict) else ()
    return next((well_formed(str(value)) for value in values if isinstance(value, str | int) and value != ""), None)


def to_post(tweet: dict, account_id: str | None, notes: "Notes") -> Post:
    id = text_of(tweet, "id_str", "id") or ""
    text = well_formed(unescape(tweet["full_text"]))
    versions = edit_versions(tweet)
    return Post(
        id=id,
        text=notes.take(id, text) or text,
        created_at=to_utc(tweet.get("created_at")),
        lang=text_of(tweet, "lang"),
        kind=kind_of(tweet, text, account_id),
        superseded=bool(versions) and versions[-1] != id,
    )


def unescape(text: str) -> str:
    """Undo the three escapes that X writes, once; anything else, such as a typed `&copy;`, is the author's own."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def kind_of(tweet: dict, text: str, account_id: str | None) -> Kind:
    if REPOST.match(text):
        return "repost"
    if text_of(tweet, "in_reply_to_status_id_str"):
        return "self_reply" if account_id and text_of(tweet, "in_reply_to_user_id_str") == account_id else "reply"
    urls = [text_of(url, "expanded_url") or "" for url in listed(tweet, "entities", "urls")]
    return "quote" if any(QUOTE.search(url) for url in urls) else "post"


def edit_versions(tweet: dict) -> list[str]:
    """Return the ids of a post's versions, oldest first: each version is an item of its own, and only the last one counts."""
    first = listed(tweet, "edit_info", "initial", "editTweetIds")
    return [str(id) for id in first or listed(tweet, "edit_info", "edit", "editControlInitial", "editTweetIds")]


def read_avatar(files: Files, profile: Any) -> bytes | None:
    url = text_of(profile, "avatarMediaUrl")
    wanted = url.rpartition("/")[2] if url else None
    name = next((name for name in files.avatars if wanted and name.endswith("-" + wanted)), None)
    return files.read(name) if name else None


class Notes:
    """The long posts of note-tweet.js, taken by the post whose cut text begins them."""

    def __init__(self, items: list) -> None:
        self.by_second: dict[int, list[dict]] = defaultdict(list)
        for item in items:
            note = dig(item, "noteTweet")
            id, text = text_of(note, "noteTweetId"), text_of(dig(note, "core"), "text")
            if id and is_snowflake(id) and text:
                self.by_second[milliseconds(id) // 1000].append({"id": id, "text": text, "created_at": to_utc(dig(note, "createdAt"))})

    def take(self, tweet_id: str, text: str) -> str | None:
        """Return the note's text for a post, once: made up to a second before the post, and beginning as the post does."""
        if not is_snowflake(tweet_id) or not self.by_second:
            return None
        moment, begins = milliseconds(tweet_id), folded(text)
        if not begins:  # a picture or a link alone begins every note
            return None
        for second in (moment // 1000, moment // 1000 - 1):
            for note in self.by_second.get(second, []):
                if 0 < moment - milliseconds(note["id"]) < 1000 and folded(note["text"]).startswith(begins):
                    self.by_second[second].remove(note)
                    return note["text"]
        return None

    def left(self) -> list[Post]:
        """Return the notes that no post began, as posts of their own."""
        notes = [note for notes in self.by_second.values() for note in notes]
        return [Post(note["id"], note["text"], note["created_at"]) for note in notes]


def is_snowflake(id: str) -> bool:
    return id.isdecimal() and len(id) <= 20


def milliseconds(snowflake: str) -> int:
    """Return the time part of an X id: milliseconds in its bits from 22 up."""
    return int(snowflake) >> 22


def folded(text: str) -> str:
    """Reduce a text to what a post and its note share: no links, no leading mentions, no final ellipsis, single spaces."""
    text = " ".join(SHORT_LINK.sub("", text).split())
    return LEADING_MENTIONS.sub("", text + " ").strip().removesuffix("…").rstrip()
