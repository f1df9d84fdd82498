"""An example X archive of a made-up person, in the format of 2026.

In: a path, a number of posts, a seed. Out: a zip as X makes it: manifest, account, profile with
avatar, tweets.js in parts, note-tweet.js. Every post follows from its number and the seed, and is
written as soon as it is made, so that a million of them need no memory.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hubtweets.files import replace_atomically
from hubtweets.posts.example.tweets import ACCOUNT_ID, HANDLE, POSTS, make_tweets

PART_BYTES = 100 * 2**20  # X begins a new part of tweets.js here
NAME = "Lyons__ 𝓃 🤖"
AVATAR = "kZW7LH6v.png"
INDEX = (
    b"<!doctype html><title>A made-up archive</title>"
    b"<p>Nobody wrote these posts; hubtweets made them."
)


def write_archive(
    path: Path, posts: int = POSTS, seed: int = 0, part_bytes: int = PART_BYTES
) -> None:
    """Write the archive of `posts` posts, always the same for the same arguments."""
    notes: list[dict] = []
    with replace_atomically(path) as partial, Zip(partial) as archive:
        parts = write_parts(archive, make_tweets(posts, seed, notes), part_bytes)
        for name, items in make_profile_files().items():
            archive.add(f"data/{name}.js", to_javascript(f"window.YTD.{name}.part0", items))
        wrapped = [{"noteTweet": note} for note in notes]
        archive.add("data/note-tweet.js", to_javascript("window.YTD.note_tweet.part0", wrapped))
        archive.add(f"data/profile_media/{ACCOUNT_ID}-{AVATAR}", draw_avatar())
        manifest = make_manifest(parts, len(notes))
        archive.add("data/manifest.js", to_javascript("window.__THAR_CONFIG", manifest))
        archive.add("Your archive.html", INDEX)


def write_parts(archive: "Zip", tweets: Iterator[dict], part_bytes: int) -> list[dict]:
    """Write the tweets in parts of about `part_bytes`, and return the manifest's list of them."""
    parts: list[dict] = []
    pending = next(tweets, None)
    while pending is not None:
        name = f"tweets-part{len(parts)}" if parts else "tweets"
        with archive.begin(f"data/{name}.js") as file:
            size, count = file.write(f"window.YTD.tweets.part{len(parts)} = [".encode()), 0
            while pending is not None and size < part_bytes:
                item = json.dumps({"tweet": pending}, ensure_ascii=False, indent=2)
                size += file.write(("," * (count > 0) + "\n" + item).encode())
                count += 1
                pending = next(tweets, None)
            file.write(b"\n]")
        variable = f"YTD.tweets.part{len(parts)}"
        parts.append({"fileName": f"data/{name}.js", "globalName": variable, "count": str(count)})
    return parts


class Zip(zipfile.ZipFile):
    """A zip file whose bytes do not depend on the clock."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w")

    def begin(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, (2026, 7, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        return self.open(info, "w", force_zip64=True)

    def add(self, name: str, content: bytes) -> None:
        with self.begin(name) as file:
            file.write(content)


def to_javascript(variable: str, value: object) -> bytes:
    return f"{variable} = {json.dumps(value, ensure_ascii=False, indent=2)}".encode()


def make_profile_files() -> dict[str, list]:
    created = "2019-03-01T00:00:00.000Z"
    account = {
        "email": "nobody@example.org",
        "createdVia": "web",
        "username": HANDLE,
        "accountId": ACCOUNT_ID,
        "createdAt": created,
    }
    description = {
        "bio": "Fixes machines, bakes bread, does not exist.",
        "website": "https://example.org",
        "location": "the shed",
    }
    url = f"https://pbs.twimg.com/profile_images/1353378455178633217/{AVATAR}"
    return {
        "account": [{"account": {**account, "accountDisplayName": NAME}}],
        "profile": [{"profile": {"description": description, "avatarMediaUrl": url}}],
    }


def make_manifest(parts: list[dict], notes: int) -> dict:
    note_file = {
        "fileName": "data/note-tweet.js",
        "globalName": "YTD.note_tweet.part0",
        "count": str(notes),
    }
    return {
        "userInfo": {"accountId": ACCOUNT_ID, "userName": HANDLE, "displayName": NAME},
        "archiveInfo": {
            "sizeBytes": "0",
            "generationDate": "2026-07-01T00:00:00.000Z",
            "isPartialArchive": False,
            "maxPartSizeBytes": "53687091200",
        },
        "dataTypes": {
            "tweets": {"mediaDirectory": "data/tweets_media", "files": parts},
            "noteTweet": {"files": [note_file]},
        },
    }


def draw_avatar() -> bytes:
    """Draw a robot's face and return it as a PNG of 400 x 400 pixels with smooth edges."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (1600, 1600), "#3b82c4")
    draw = ImageDraw.Draw(image)
    draw.line((800, 160, 800, 440), fill="#1b2a41", width=48)
    draw.ellipse((712, 88, 888, 264), fill="#ffd166")
    draw.rounded_rectangle(
        (320, 420, 1280, 1320), radius=168, fill="#e8eef4", outline="#1b2a41", width=40
    )
    for left in (500, 880):
        draw.ellipse((left, 640, left + 220, 860), fill="#1b2a41")
        draw.ellipse((left + 112, 680, left + 176, 744), fill="#ffffff")
    draw.rounded_rectangle((560, 1020, 1040, 1140), radius=56, fill="#1b2a41")
    for x in range(660, 1000, 100):
        draw.line((x, 1020, x, 1140), fill="#e8eef4", width=16)
    buffer = io.BytesIO()
    image.reduce(4).save(buffer, "PNG")
    return buffer.getvalue()
