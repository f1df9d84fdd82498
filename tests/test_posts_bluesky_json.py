"""Saved answers of Bluesky's API: author feeds and records, whole or item by item."""

import json
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.post import Columns, Post, Profile

DID, OTHER = "did:plc:aliceaaaaaaaaaaaaaaaaaaa", "did:plc:bobbbbbbbbbbbbbbbbbbbbbb"
DATE, UTC = "2026-07-25T08:26:58.000Z", "2026-07-25T08:26:58+00:00"
POST, REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"
ALICE = {"did": DID, "handle": "alice.example", "displayName": "Alice 🌙"}
BOB = {"did": OTHER, "handle": "bob.example"}
PROFILE = Profile(
    "alice.example",
    "Alice 🌙",
    "Bluesky",
    account_id=DID,
    url=f"https://bsky.app/profile/{DID}",
)


def record(text: str = "hello there", **more: Any) -> dict:
    return {"$type": POST, "text": text, "createdAt": DATE, "langs": ["en"], **more}


def view(key: str, author: dict = ALICE, **more: Any) -> dict:
    uri = f"at://{author['did']}/{POST}/{key}"
    return {"uri": uri, "cid": "b", "author": author, "record": record(**more), "likeCount": 3}


def row(key: str, value: dict, collection: str = POST) -> dict:
    return {"uri": f"at://{DID}/{collection}/{key}", "cid": "b", "value": value}


LINK = {
    "index": {"byteStart": 4, "byteEnd": 9},
    "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.org/a"}],
}
BY_ALICE = {"$type": "app.bsky.feed.defs#reasonRepost", "by": ALICE, "indexedAt": DATE}
FEED = [
    {"post": view("1"), "reason": {"$type": "app.bsky.feed.defs#reasonPin"}},
    {"post": view("9", BOB, text="what Bob wrote"), "reason": BY_ALICE},
    {
        "post": view("2", reply={"parent": {"uri": f"at://{OTHER}/{POST}/8"}}),
        "reply": {"parent": view("8", BOB, text="what Bob asked"), "root": {}},
    },
    {"post": view("3", text="see x.org", facets=[LINK])},
    {"post": view("1")},
]
FEED_POSTS = [
    Post("1", "hello there", UTC, "en"),
    Post("9", "", UTC, kind="repost"),
    Post("2", "hello there", UTC, "en", "reply"),
    Post("3", "see ", UTC, "en", link=True),
]
RECORDS = [
    row("1", record()),
    row("2", record(reply={"parent": {"uri": f"at://{DID}/{POST}/1"}})),
    row("3", {"$type": REPOST, "subject": {"uri": "x"}, "createdAt": DATE}, REPOST),
    row("4", {"$type": "app.bsky.feed.like", "createdAt": DATE}, "app.bsky.feed.like"),
    {"uri": f"at://{DID}/{POST}/5", "value": None},
    7,
]
RECORD_POSTS = [
    Post("1", "hello there", UTC, "en"),
    Post("2", "hello there", UTC, "en", "self_reply"),
    Post("3", "", UTC, kind="repost"),
]
RECORDS_WARNING = ["3 of its items are no posts and were left out"]


def lines(*values: object) -> str:
    return "\n".join(map(json.dumps, values)) + "\n"


# the content of a file, its posts and warnings
FILES: dict[str, tuple[str, list[Post], list[str]]] = {
    "a feed": (json.dumps({"feed": FEED, "cursor": "x"}), FEED_POSTS, []),
    "a feed over many lines": (json.dumps({"cursor": "x", "feed": FEED}, indent=2), FEED_POSTS, []),
    "pages": (lines({"feed": FEED[:2], "cursor": "x"}, {"feed": FEED[2:]}), FEED_POSTS, []),
    "an array of pages": (json.dumps([{"feed": FEED[:2]}, {"feed": FEED[2:]}]), FEED_POSTS, []),
    "items": (json.dumps(FEED), FEED_POSTS, []),
    "lines of items": (lines(*FEED), FEED_POSTS, []),
    "posts": (json.dumps({"posts": [view("1")]}), FEED_POSTS[:1], []),
    "a post that is gone first": (
        json.dumps({"feed": [{"post": {"uri": "at://x/y/z", "notFound": True}}, *FEED]}),
        FEED_POSTS,
        ["1 of its items are no posts and were left out"],
    ),
    "records": (json.dumps({"records": RECORDS, "cursor": "3"}), RECORD_POSTS, RECORDS_WARNING),
    "lines of records": (lines(*RECORDS), RECORD_POSTS, RECORDS_WARNING),
}


@pytest.mark.parametrize("case", FILES)
def test_files(tmp_path: Path, case: str) -> None:
    content, posts, warnings = FILES[case]
    path = tmp_path / "alice.json"
    path.write_text(content)
    reading = sources.read_source(path, "alice", Columns())
    assert (list(reading.posts), reading.kind) == (posts, "bluesky-json")
    assert reading.warnings == [f"alice.json: {warning}" for warning in warnings]
    if "record" in case:  # it has no more than the DID
        assert (reading.profile.handle, reading.profile.account_id) == ("alice", DID)
    else:
        assert reading.profile == PROFILE


def test_a_timeline_of_several_authors(tmp_path: Path) -> None:
    path, asks = tmp_path / "timeline.json", {"labels": [{"val": "!no-unauthenticated"}]}
    feed = [
        {"post": view("1", ALICE | asks)},
        {"post": view("2", BOB, text="of Bob")},
        {"post": view("2", BOB, text="of Bob"), "reason": BY_ALICE | {"by": ALICE | asks}},
    ]
    path.write_text(json.dumps({"feed": feed}))
    with pytest.raises(HubtweetsError) as caught:
        sources.read_source(path, "alice", Columns())
    assert str(caught.value) == (
        f"{path}: posts of 2 authors (alice.example 2, bob.example 1), none of them alice; "
        "type alice.example in place of alice to read only theirs"
    )
    reading = sources.read_source(path, "alice.example", Columns())
    assert [(post.id, post.kind) for post in reading.posts] == [("1", "post"), ("2", "repost")]
    assert reading.warnings == [
        "alice.example asks not to be shown to those who are not logged in (!no-unauthenticated): "
        "publish the bot only with their consent",
        f"{path}: left out 1 by other authors (bob.example 1)",
    ]


def samples(folder: Path) -> list[Path]:
    """Write one small file of every kind."""
    paths = [folder / "feed.json", folder / "records.jsonl"]
    for path, case in zip(paths, ("a feed over many lines", "lines of records"), strict=True):
        path.write_text(FILES[case][0])
    return paths
