"""Misskey's export of notes: every kind of note with its Post, and damaged files."""

import json
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.container import Container
from hubtweets.posts.exports import misskey
from hubtweets.posts.post import Columns, Post, Profile, Reading
from tests.test_posts_x_archive import write_folder, write_zip

DATE, UTC = "2026-07-25T08:26:58.000Z", "2026-07-25T08:26:58+00:00"
TEXT = "hello to the whole world"


def note(id: Any = "9a", **more: Any) -> dict[str, Any]:
    """Return a note as Misskey exports it."""
    written: dict[str, Any] = {
        "id": id,
        "text": TEXT,
        "createdAt": DATE,
        "fileIds": [],
        "files": [],
        "replyId": None,
        "renoteId": None,
        "poll": None,
        "cw": None,
        "visibility": "public",
        "visibleUserIds": [],
        "localOnly": False,
        "reactionAcceptance": None,
    }
    return written | more


PRIVATE = Post("9a", "", UTC, None, "post", "private")
NOTES: list[tuple[dict[str, Any], Post]] = [
    (note(), Post("9a", TEXT, UTC)),
    (note(visibility="home"), Post("9a", TEXT, UTC, visibility="unlisted")),
    (note(visibility="followers"), PRIVATE),
    (note(visibility="specified", visibleUserIds=["8x"]), PRIVATE),
    (note(visibility="hidden"), PRIVATE),
    (note(visibility="Public"), PRIVATE),
    (note(visibility=None), PRIVATE),
    (note(visibility=["public"]), PRIVATE),
    (note(localOnly=True), PRIVATE),
    (note(localOnly=None), PRIVATE),
    (note(localOnly="no"), PRIVATE),
    ({name: value for name, value in note().items() if name != "visibility"}, PRIVATE),
    ({name: value for name, value in note().items() if name != "localOnly"}, Post("9a", TEXT, UTC)),
    (
        note(replyId="8a", visibility="followers", cw="secret"),
        Post("9a", "", UTC, None, "reply", "private"),
    ),
    (note(cw="spoilers"), Post("9a", TEXT, UTC, warning=True)),
    (note(cw=""), Post("9a", TEXT, UTC, warning=True)),
    (note(renoteId="8a", text=None), Post("9a", "", UTC, kind="repost")),
    (note(renoteId="8a", text=""), Post("9a", "", UTC, kind="repost")),
    (
        note(renoteId="8a", text=None, visibility="followers"),
        Post("9a", "", UTC, None, "repost", "private"),
    ),
    (note(renoteId="8a"), Post("9a", TEXT, UTC, kind="quote")),
    (note(replyId="8a"), Post("9a", TEXT, UTC, kind="reply")),
    (note(replyId="1a"), Post("9a", TEXT, UTC, kind="self_reply")),
    (note(replyId="9a"), Post("9a", TEXT, UTC, kind="reply")),
    (
        note(text="see [my site](https://a.example/x_(y)) now"),
        Post("9a", "see my site now", UTC, link=True),
    ),
    (note(text=None, fileIds=["7"]), Post("9a", "", UTC)),
    (note(text={"a": 1}, createdAt="yesterday", cw=None), Post("9a", "")),
    (note(text="a \ud800 b", id=9), Post("9", "a \ufffd b", UTC)),
]


def read(path: Path) -> Reading:
    return sources.read_source(path, "alice", Columns())


def write(path: Path, notes: list[Any]) -> Path:
    path.write_text("[" + ",\n".join(json.dumps(one) for one in notes) + "]", encoding="utf-8")
    return path


def samples(folder: Path) -> list[Path]:
    """Write a small export alone, in a zip and in a folder."""
    bare = write(folder / "notes-2026-07-25-08-26-58.json", [item for item, _ in NOTES[:12]])
    text = {"notes.json": bare.read_text()}
    return [bare, write_zip(folder / "misskey.zip", text), write_folder(folder / "misskey", text)]


@pytest.mark.parametrize(("item", "expected"), NOTES)
def test_note(tmp_path: Path, item: dict[str, Any], expected: Post) -> None:
    reading = read(write(tmp_path / "notes.json", [note("1a"), item]))
    assert list(reading.posts) == [Post("1a", TEXT, UTC), expected]
    assert (reading.kind, reading.profile, reading.avatar, reading.warnings) == (
        "misskey",
        Profile("alice", "alice"),
        None,
        [],
    )


def test_every_container_gives_the_same(tmp_path: Path) -> None:
    for path in samples(tmp_path):
        reading = read(path)
        assert (reading.kind, list(reading.posts)) == ("misskey", [post for _, post in NOTES[:12]])


@pytest.mark.parametrize(
    "first",
    [
        {"text": "a"},
        note(userId="8x"),
        note(user={"id": "8x"}),
        {"id": "1", "visibility": "public"},
        "a",
        None,
        5,
    ],
)
def test_other_files_are_not_its_kind(tmp_path: Path, first: object) -> None:
    assert misskey.find_files(Container(write(tmp_path / "a.json", [first, note()]))) == []


def test_what_is_no_note_is_left_out_and_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "notes.json", [note(), None, "x", {}, note(id=""), note(id=[]), note("2")]
    )
    reading = read(path)
    assert [post.id for post in reading.posts] == ["9a", "2"]
    assert reading.warnings == [f"{path}: left out 5 items that are not notes"]


def test_a_cut_file_gets_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "notes.json", [note(), note("2")])
    path.write_text(path.read_text()[:-1])
    with pytest.raises(HubtweetsError) as caught:
        list(read(path).posts)
    assert (
        str(caught.value)
        == f"{path} is not what Misskey writes (cut before its end); export the notes again"
    )
