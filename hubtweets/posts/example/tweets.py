"""The tweets of the example archive, as tweets.js and note-tweet.js hold them.

In: a number of posts, a seed. Out: tweets, one at a time, and the notes of the long ones. About a
third are reposts, a third too short to learn from, and some are replies, threads, quotes and posts
with links or pictures.
"""

import hashlib
import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hubtweets.posts.example import sentences

HANDLE, ACCOUNT_ID = "lyons____", "1353378455178633217"
POSTS, REPOSTS, SHORTS = 3086, 1225, 997  # the counts of the original's card; they leave 864
FIRST_DAY = int(datetime(2019, 3, 1, tzinfo=UTC).timestamp() * 1000)
LAST_DAY = int(datetime(2026, 6, 30, tzinfo=UTC).timestamp() * 1000)
SNOWFLAKE_EPOCH = 1288834974657  # milliseconds
OTHERS = [
    *("maya_solder", "tomfixes", "bakerjune", "radio_ines"),
    *("old_otto", "kite_club", "repair_cafe", "nightbus_n7"),
]


@dataclass(frozen=True)
class Moment:
    """When a post is made, in milliseconds since 1970, with the id that X gives it then."""

    milliseconds: int
    id: int


def make_tweets(posts: int, seed: int, notes: list[dict]) -> Iterator[dict]:
    """Yield tweets in any order of time, as X does; `notes` gets the texts of the long ones."""
    generator = random.Random(seed)
    reposts, shorts = posts * REPOSTS // POSTS, posts * SHORTS // POSTS
    kinds = bytearray(b"r" * reposts + b"s" * shorts + b"k" * (posts - reposts - shorts))
    generator.shuffle(kinds)
    seen: set[bytes] = set()
    last_id = 0
    for kind, moment in zip(kinds, make_moments(posts, generator), strict=True):
        if kind == ord("r"):
            tweet = make_repost(moment, generator)
        elif kind == ord("s"):
            text = sentences.make_short_text(generator)
            tweet = make_own_tweet(moment, text, generator, last_id)
        else:
            text = make_new_sentence(seen, generator)
            if generator.random() < 0.02:
                tweet = make_long_tweet(moment, text, generator, notes)
            else:
                tweet = make_own_tweet(moment, text, generator, last_id)
            last_id = moment.id
        yield tweet


def make_moments(posts: int, generator: random.Random) -> Iterator[Moment]:
    """Yield moments spread over the account's time, in no order."""
    # a stride without a common divisor visits each moment once
    strides = range(max(1, posts // 3), posts + 2)
    stride = next(stride for stride in strides if math.gcd(stride, posts) == 1)
    spacing = (LAST_DAY - FIRST_DAY) // posts
    for index in range(posts):
        start = FIRST_DAY + (index * stride % posts) * spacing
        milliseconds = start + generator.randrange(min(spacing, 10**6) or 1)
        yield Moment(milliseconds, make_snowflake(milliseconds, generator))


def make_new_sentence(seen: set[bytes], generator: random.Random) -> str:
    """Return a sentence that was not made before, and add its hash to `seen`."""
    text = sentences.make_sentence(generator)
    while hash_text(text) in seen:
        text = sentences.make_sentence(generator)
    seen.add(hash_text(text))
    return text


def make_repost(moment: Moment, generator: random.Random) -> dict:
    """Return a repost, whose text X cuts to 140 characters."""
    text = f"RT @{generator.choice(OTHERS)}: {sentences.make_sentence(generator)}"
    text = f"{text} {sentences.make_sentence(generator)}"
    return make_tweet(moment, text if len(text) <= 140 else text[:139] + "…")


def make_long_tweet(moment: Moment, text: str, generator: random.Random, notes: list[dict]) -> dict:
    """Return a long post, whose text is cut, and add its whole text to `notes`."""
    text = " ".join([text, *(sentences.make_sentence(generator) for _ in range(4))])
    made = moment.milliseconds - generator.randrange(13, 42)
    notes.append(make_note(make_snowflake(made, generator), made, text))
    return make_tweet(moment, text[:270].rsplit(" ", 1)[0] + "… " + make_short_link(generator))


def make_own_tweet(moment: Moment, text: str, generator: random.Random, last_id: int) -> dict:
    """Return a post, reply, thread or quote, some with a link or a picture after the text."""
    chance = generator.random()
    if chance < 0.12:
        friend = generator.choice(OTHERS)
        user_id = str(10**9 + OTHERS.index(friend))
        reply = make_reply(moment.id - 2**36, user_id, friend)
        return make_tweet(moment, f"@{friend} {text}", reply=reply)
    if chance < 0.18 and last_id:
        return make_tweet(moment, text, reply=make_reply(last_id, ACCOUNT_ID, HANDLE))
    if chance < 0.26:
        link = make_short_link(generator)
        quoted = f"https://x.com/{generator.choice(OTHERS)}/status/{moment.id - 2**40}"
        target = quoted if chance < 0.22 else "https://example.org/plans"
        return make_tweet(moment, f"{text} {link}", links={link: target})
    if chance < 0.32:
        return make_tweet(moment, f"{text} {make_short_link(generator)}", media=True)
    return make_tweet(moment, text)


def make_reply(tweet_id: int, user_id: str, screen_name: str) -> dict[str, str]:
    return {
        "in_reply_to_status_id_str": str(tweet_id),
        "in_reply_to_user_id_str": user_id,
        "in_reply_to_screen_name": screen_name,
    }


def make_tweet(
    moment: Moment,
    text: str,
    links: dict[str, str] | None = None,
    media: bool = False,
    reply: dict[str, str] | None = None,
) -> dict:
    """Return a tweet as tweets.js holds it: escaped text, every number a string."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    entities = make_entities(escaped, links or {})
    if media:
        entities["media"] = [make_picture(escaped, moment.id)]
    edits = {
        "editTweetIds": [str(moment.id)],
        "editsRemaining": "5",
        "isEditEligible": reply is None,
    }
    created = datetime.fromtimestamp(moment.milliseconds / 1000, UTC)
    return {
        "edit_info": {"initial": edits},
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": entities,
        "display_text_range": ["0", str(len(escaped))],
        "favorite_count": str(moment.id // 2**22 % 7),
        "id_str": str(moment.id),
        "truncated": False,
        "retweet_count": str(moment.id // 2**22 % 3),
        "id": str(moment.id),
        "created_at": created.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "favorited": False,
        "full_text": escaped,
        "lang": "en",
        **(reply or {}),
    }


def make_entities(escaped: str, links: dict[str, str]) -> dict[str, list]:
    """Return the entities of a text, with their positions in code points of the escaped text."""
    hashtags = re.finditer(r"#(\w+)", escaped)
    mentions = re.finditer(r"@(\w+)", escaped)
    urls = re.finditer(r"https://t\.co/\w+", escaped) if links else ()
    return {
        "hashtags": [{"text": m[1], "indices": get_indices(m)} for m in hashtags],
        "symbols": [],
        "user_mentions": [
            {"name": m[1], "screen_name": m[1], "indices": get_indices(m)} for m in mentions
        ],
        "urls": [
            {
                "url": m[0],
                "expanded_url": links[m[0]],
                "display_url": links[m[0]].removeprefix("https://"),
                "indices": get_indices(m),
            }
            for m in urls
        ],
    }


def make_picture(escaped: str, tweet_id: int) -> dict:
    """Return the entity of a picture, whose link ends the text."""
    found = re.search(r"https://t\.co/\w+$", escaped)
    assert found
    return {
        "url": found[0],
        "expanded_url": f"https://x.com/{HANDLE}/status/{tweet_id}/photo/1",
        "type": "photo",
        "indices": get_indices(found),
    }


def make_note(note_id: int, milliseconds: int, text: str) -> dict:
    """Return a long post as note-tweet.js holds it: its text is not escaped."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    created = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    names = ("styletags", "urls", "text", "mentions", "cashtags", "hashtags")
    core = {name: text if name == "text" else [] for name in names}
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
