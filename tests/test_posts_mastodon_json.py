"""Saved statuses of Mastodon's API: HTML, audiences, boosts, and several authors."""

import json
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.post import Columns, Post, Profile

UTC = "2026-01-02T03:04:05+00:00"
ALICE = {
    "id": "1",
    "username": "alice",
    "acct": "alice",
    "display_name": "Alice",
    "note": "<p>I fix.</p>",
    "url": "https://host.example/@alice",
}
BOB = {"id": "2", "username": "bob", "acct": "bob@other.example"}


def status(id: str, content: str = "<p>one &amp; <br>two</p>", **more: Any) -> dict:
    return {
        "id": id,
        "created_at": "2026-01-02T03:04:05.000Z",
        "content": content,
        "visibility": "public",
        "spoiler_text": "",
        "language": "en",
        "account": ALICE,
        "in_reply_to_id": None,
        "reblog": None,
        **more,
    }


STATUSES = [
    status("1"),
    status("2", "", reblog=status("7", "what Bob wrote", account=BOB)),
    status("3", visibility="private"),
    status("4", spoiler_text="food", visibility="unlisted"),
    status("5", in_reply_to_id="1", in_reply_to_account_id="1"),
    status("1"),
    {"id": "6", "error": "gone"},
]
POSTS = [
    Post("1", "one & \ntwo", UTC, "en"),
    Post("2", "", UTC, kind="repost"),
    Post("3", "", UTC, visibility="private"),
    Post("4", "one & \ntwo", UTC, "en", visibility="unlisted", warning=True),
    Post("5", "one & \ntwo", UTC, "en", kind="self_reply"),
]
FILES = {
    "array": json.dumps(STATUSES),
    "lines": "\n".join(map(json.dumps, STATUSES)),
    "pages": json.dumps(STATUSES[:3]) + "\n" + json.dumps(STATUSES[3:]),
    "search": json.dumps({"accounts": [], "statuses": STATUSES}, indent=1),
}


@pytest.mark.parametrize("case", FILES)
def test_files(tmp_path: Path, case: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(FILES[case])
    reading = sources.read_source(path, "alice", Columns())
    assert (reading.kind, list(reading.posts)) == ("mastodon-json", POSTS)
    assert reading.profile == Profile(
        "alice", "Alice", "Mastodon", "I fix.", "1", url="https://host.example/@alice"
    )
    assert reading.warnings == ["a.json: 1 of its items are no posts and were left out"]


def test_a_timeline_of_several_authors(tmp_path: Path) -> None:
    path = tmp_path / "home.json"
    path.write_text(json.dumps([status("1", account=BOB), status("2"), status("3")]))
    assert [post.id for post in sources.read_source(path, "alice", Columns()).posts] == ["2", "3"]
    with pytest.raises(
        HubtweetsError, match=r"posts of 2 authors .*; type alice in place of carol"
    ):
        sources.read_source(path, "carol", Columns())


def samples(folder: Path) -> list[Path]:
    """Write one small file of every kind."""
    path = folder / "statuses.json"
    path.write_text(FILES["array"])
    return [path]
