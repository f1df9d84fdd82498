"""An X archive of somebody who does not exist, in the format of 2026.

In: a path, a number of posts, a seed. Out: a zip as X makes it: manifest, account, profile with avatar, tweets.js in parts, note-tweet.js. Every
post follows from its number and the seed, and is written as soon as it is made, so that a million of them need no memory.
"""

import hashlib
import io
import json
import math
import random
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from hubtweets.files import replace_atomically
from hubtweets.posts.example import sentences

HANDLE, NAME, ACCOUNT_ID = "lyons____", "Lyons__ 𝓃 🤖", "1353378455178633217"
POSTS, REPOSTS, SHORTS = 3086, 1225, 997  # the counts of the original's card; they leave 864
PART_BYTES = 100 * 2**20  # X begins a new part of tweets.js here
FIRST_DAY = int(datetime(2019, 3, 1, tzinfo=UTC).timestamp() * 1000)
LAST_DAY = int(datetime(2026, 6, 30, tzinfo=UTC).timestamp() * 1000)
SNOWFLAKE_EPOCH = 1288834974657  # milliseconds
AVATAR = "kZW7LH6v.png"
OTHERS = [
    "maya_solder",
    "tomfixes",
    "bakerjune",
    "radio_ines",
    "old_otto",
    "kite_club",
    "repair_cafe",
    "nightbus_n7",
]


def write_archive(
    path: Path, posts: int = POSTS, seed: int = 0, part_bytes: int = PART_BYTES
) -> None:
    """Write the archive of `posts` posts, always the same for the same numbers."""
    parts: list[dict] = []
    notes: list[dict] = []
    with replace_atomically(path) as partial, Zip(partial) as archive:
        tweets = make_tweets(posts, seed, notes)
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
            parts.append(
                {
                    "fileName": f"data/{name}.js",
                    "globalName": f"YTD.tweets.part{len(parts)}",
                    "count": str(count),
                }
            )
        for name, items in make_profile_files().items():
            archive.add(f"data/{name}.js", to_javascript(f"window.YTD.{name}.part0", items))
        archive.add(
            "data/note-tweet.js",
            to_javascript("window.YTD.note_tweet.part0", [{"noteTweet": note} for note in notes]),
        )
        archive.add(f"data/profile_media/{ACCOUNT_ID}-{AVATAR}", draw_avatar())
        archive.add(
            "data/manifest.js",
            to_javascript("window.__THAR_CONFIG", make_manifest(parts, len(notes))),
        )
        archive.add(
            "Your archive.html",
            b"<!doctype html><title>A made-up archive</title><p>Nobody wrote these posts; hubtweets made them.",
        )


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


def make_tweets(posts: int, seed: int, notes: list[dict]) -> Iterator[dict]:
    """Yield tweets in no order of time, as X does; the long ones leave their whole text in `notes`."""
    generator = random.Random(seed)
    reposts, shorts = posts * REPOSTS // POSTS, posts * SHORTS // POSTS
    kinds = bytearray(b"r" * reposts + b"s" * shorts + b"k" * (posts - reposts - shorts))
    generator.shuffle(kinds)
    stride = next(
        n for n in range(max(1, posts // 3), posts + 2) if math.gcd(n, posts) == 1
    )  # visits each moment once
    spacing = (LAST_DAY - FIRST_DAY) // posts
    seen: set[bytes] = set()
    last_id = 0
    for index, kind in enumerate(kinds):
        milliseconds = (
            FIRST_DAY
            + (index * stride % posts) * spacing
            + generator.randrange(min(spacing, 10**6) or 1)
        )
        tweet_id = make_snowflake(milliseconds, generator)
        if kind == ord("r"):
            text = f"RT @{generator.choice(OTHERS)}: {sentences.make_sentence(generator)} {sentences.make_sentence(generator)}"
            tweet = make_tweet(
                tweet_id, milliseconds, text if len(text) <= 140 else text[:139] + "…"
            )
        elif kind == ord("s"):
            tweet = make_own_tweet(
                tweet_id, milliseconds, sentences.make_short_text(generator), generator, last_id
            )
        else:
            text = sentences.make_sentence(generator)
            while hash_text(text) in seen:
                text = sentences.make_sentence(generator)
            seen.add(hash_text(text))
            if generator.random() < 0.02:
                text = " ".join([text, *(sentences.make_sentence(generator) for _ in range(4))])
                made = milliseconds - generator.randrange(13, 42)
                notes.append(make_note(make_snowflake(made, generator), made, text))
                text = text[:270].rsplit(" ", 1)[0] + "… " + make_short_link(generator)
                tweet = make_tweet(tweet_id, milliseconds, text)
            else:
                tweet = make_own_tweet(tweet_id, milliseconds, text, generator, last_id)
            last_id = tweet_id
        yield tweet


def make_own_tweet(
    tweet_id: int, milliseconds: int, text: str, generator: random.Random, last_id: int
) -> dict:
    """Return a post, reply, thread or quote, some with a link or a picture behind the text."""
    chance = generator.random()
    if chance < 0.12:
        friend = generator.choice(OTHERS)
        reply = {
            "in_reply_to_status_id_str": str(tweet_id - 2**36),
            "in_reply_to_user_id_str": str(10**9 + OTHERS.index(friend)),
        }
        return make_tweet(
            tweet_id,
            milliseconds,
            f"@{friend} {text}",
            reply={**reply, "in_reply_to_screen_name": friend},
        )
    if chance < 0.18 and last_id:
        reply = {
            "in_reply_to_status_id_str": str(last_id),
            "in_reply_to_user_id_str": ACCOUNT_ID,
            "in_reply_to_screen_name": HANDLE,
        }
        return make_tweet(tweet_id, milliseconds, text, reply=reply)
    if chance < 0.26:
        link = make_short_link(generator)
        quoted = f"https://x.com/{generator.choice(OTHERS)}/status/{tweet_id - 2**40}"
        return make_tweet(
            tweet_id,
            milliseconds,
            f"{text} {link}",
            links={link: quoted if chance < 0.22 else "https://example.org/plans"},
        )
    if chance < 0.32:
        return make_tweet(
            tweet_id, milliseconds, f"{text} {make_short_link(generator)}", media=True
        )
    return make_tweet(tweet_id, milliseconds, text)


def make_tweet(
    tweet_id: int,
    milliseconds: int,
    text: str,
    links: dict[str, str] | None = None,
    media: bool = False,
    reply: dict[str, str] | None = None,
) -> dict:
    """Return a tweet as tweets.js holds it: escaped text, every number a string, entities by code point of the escaped text."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    entities: dict[str, list] = {
        "hashtags": [
            {"text": m[1], "indices": get_indices(m)} for m in re.finditer(r"#(\w+)", escaped)
        ],
        "symbols": [],
        "user_mentions": [
            {"name": m[1], "screen_name": m[1], "indices": get_indices(m)}
            for m in re.finditer(r"@(\w+)", escaped)
        ],
        "urls": [
            {
                "url": m[0],
                "expanded_url": links[m[0]],
                "display_url": links[m[0]].removeprefix("https://"),
                "indices": get_indices(m),
            }
            for m in re.finditer(r"https://t\.co/\w+", escaped)
            if links
        ],
    }
    if media:
        found = re.search(r"https://t\.co/\w+$", escaped)
        assert found
        picture = {
            "url": found[0],
            "expanded_url": f"https://x.com/{HANDLE}/status/{tweet_id}/photo/1",
            "type": "photo",
            "indices": get_indices(found),
        }
        entities["media"] = [picture]
    return {
        "edit_info": {
            "initial": {
                "editTweetIds": [str(tweet_id)],
                "editsRemaining": "5",
                "isEditEligible": reply is None,
            }
        },
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": entities,
        "display_text_range": ["0", str(len(escaped))],
        "favorite_count": str(tweet_id // 2**22 % 7),
        "id_str": str(tweet_id),
        "truncated": False,
        "retweet_count": str(tweet_id // 2**22 % 3),
        "id": str(tweet_id),
        "created_at": datetime.fromtimestamp(milliseconds / 1000, UTC).strftime(
            "%a %b %d %H:%M:%S +0000 %Y"
        ),
        "favorited": False,
        "full_text": escaped,
        "lang": "en",
        **(reply or {}),
    }


def make_note(note_id: int, milliseconds: int, text: str) -> dict:
    """Return a long post as note-tweet.js holds it: its text is not escaped."""
    created = (
        datetime.fromtimestamp(milliseconds / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
    core = {
        "styletags": [],
        "urls": [],
        "text": text,
        "mentions": [],
        "cashtags": [],
        "hashtags": [],
    }
    return {
        "noteTweetId": str(note_id),
        "createdAt": created,
        "updatedAt": created,
        "lifecycle": {"value": "1", "name": "Live"},
        "core": core,
    }


def get_indices(match: re.Match) -> list[str]:
    return [str(match.start()), str(match.end())]


def make_snowflake(milliseconds: int, generator: random.Random) -> int:
    return (milliseconds - SNOWFLAKE_EPOCH) << 22 | generator.randrange(2**22)


def make_short_link(generator: random.Random) -> str:
    return "https://t.co/" + "".join(
        generator.choices("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789", k=10)
    )


def hash_text(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


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
    note_files = [
        {
            "fileName": "data/note-tweet.js",
            "globalName": "YTD.note_tweet.part0",
            "count": str(notes),
        }
    ]
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
            "noteTweet": {"files": note_files},
        },
    }


def draw_avatar() -> bytes:
    """Draw a robot's face and return it as a PNG of 400 x 400 pixels."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (400, 400), "#3b82c4")
    draw = ImageDraw.Draw(image)
    draw.line((200, 40, 200, 110), fill="#1b2a41", width=12)
    draw.ellipse((178, 22, 222, 66), fill="#ffd166")
    draw.rounded_rectangle(
        (80, 105, 320, 330), radius=42, fill="#e8eef4", outline="#1b2a41", width=10
    )
    for left in (125, 220):
        draw.ellipse((left, 160, left + 55, 215), fill="#1b2a41")
        draw.ellipse((left + 28, 170, left + 44, 186), fill="#ffffff")
    draw.rounded_rectangle((140, 255, 260, 285), radius=14, fill="#1b2a41")
    for x in range(165, 260, 25):
        draw.line((x, 255, x, 285), fill="#e8eef4", width=4)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
