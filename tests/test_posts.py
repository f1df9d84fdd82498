"""What readers share: dates, names of sources, containers, JSON streams, the cache, HTTP."""

import io
import json
import os
import re
import tarfile
import zipfile
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import cache as saved
from hubtweets.posts import container, json_stream, sources
from hubtweets.posts.container import Container
from hubtweets.posts.parsing import to_utc
from hubtweets.posts.post import Columns, Post, Profile, Reading
from hubtweets.posts.sources import FetchOptions

MOMENT = "2026-07-25T08:26:58+00:00"
NO_DATES: list[Any] = [
    *(
        "yesterday",
        "",
        "01/02/2026",
        "32.01.2026",
        "2026/13/01",
        "Sat Feb 31 08:26:58 +0000 2026",
        "Sat Xyz 25 08:26:58 +0000 2026",
        "9" * 30,
        "0001-01-01T00:00:00+14:00",
    ),
    *(None, True, 10**400, float("nan"), float("inf"), [], {}, b"2026"),
]
DATES: list[tuple[Any, str | None]] = [
    ("Sat Jul 25 08:26:58 +0000 2026", MOMENT),
    ("2026-07-25T08:26:58.000Z", "2026-07-25T08:26:58+00:00"),
    ("2026-07-25 10:26:58 +0200", MOMENT),
    ("2026-07-25 08:26:58 UTC", MOMENT),
    ("2026-07-25T01:26:58-07:00", MOMENT),
    ("2026-07-25", "2026-07-25T00:00:00+00:00"),
    ("2026/07/25 08:26:58", MOMENT),
    ("25.07.2026 08:26:58", MOMENT),
    ("25.07.2026", "2026-07-25T00:00:00+00:00"),
    (1784968018, MOMENT),
    (1784968018000, MOMENT),
    ("1784968018", MOMENT),
    (1784968018.0, MOMENT),
    (datetime(2026, 7, 25, 10, 26, 58, tzinfo=timezone(timedelta(hours=2))), MOMENT),
    (datetime(2026, 7, 25, 8, 26, 58), MOMENT),
    *((corrupt, None) for corrupt in NO_DATES),
]


@pytest.mark.parametrize(("date", "expected"), DATES)
def test_dates(date: Any, expected: str | None) -> None:
    assert to_utc(date) == expected


def test_dates_agree_with_the_standard_library() -> None:
    for number in range(0, 2_000_000_000, 12_345_678):
        when = datetime.fromtimestamp(number, UTC)
        assert (
            to_utc(when.strftime("%a %b %d %H:%M:%S %z %Y")) == when.isoformat() == to_utc(number)
        )


def zip_with(path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)


def tar_with(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
        link = tarfile.TarInfo("link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)


def folder_with(path: Path, names: list[str]) -> None:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(name)
    (path / "link.json").symlink_to("/etc/passwd")
    (path / "loop").symlink_to(path)
    os.mkfifo(path / "pipe.json")


@pytest.mark.parametrize(
    ("make", "name"), [(zip_with, "a.zip"), (tar_with, "a.tar.gz"), (folder_with, "a")]
)
def test_a_container_holds_its_regular_files_and_nothing_else(
    tmp_path: Path, make: Any, name: str
) -> None:
    names = ["data/a.json", "b.txt"]
    make(tmp_path / name, names)
    held = Container(tmp_path / name)
    assert sorted(held.names) == sorted(names)
    assert [held.read(one) for one in names] == [one.encode() for one in names]
    one_by_one = Container(tmp_path / name).sha256(names)
    zip_with(tmp_path / "same.zip", names)
    assert one_by_one == Container(tmp_path / "same.zip").sha256(names)


def test_a_large_file_is_not_read_at_once(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.js", "w", force_zip64=True) as file,
    ):
        for _ in range(9):
            file.write(bytes(2**20))
    with pytest.raises(HubtweetsError) as caught:
        Container(tmp_path / "a.zip").read("a.js")
    assert (
        str(caught.value)
        == f"{tmp_path}/a.zip: a.js holds more than 8 MiB, which such a file never does; "
        f"download the archive again"
    )


def test_a_locked_zip_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    zip_with(tmp_path / "a.zip", ["a.js"])
    whole = bytearray((tmp_path / "a.zip").read_bytes())
    whole[6] |= 1  # the flag that says encrypted, in the file's header and in the directory
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(
        HubtweetsError,
        match=r"a\.zip: a\.js is locked by a password; unpack the zip and give the folder$",
    ):
        Container(tmp_path / "a.zip").read("a.js")


@pytest.mark.parametrize(("make", "name"), [(zip_with, "a.zip"), (tar_with, "a.tar.gz")])
@pytest.mark.parametrize(("files", "refused"), [(2, False), (5, True)])
def test_an_archive_of_endless_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, name: str, files: int, refused: bool
) -> None:
    monkeypatch.setattr(container, "MAX_FILES", 3)
    make(tmp_path / name, [f"{n}.json" for n in range(files)])
    said = (
        r": lists more than 3 files, or 32 MiB of names and attributes; unpack it and give "
        r"the folder$"
    )
    with pytest.raises(HubtweetsError, match=re.escape(name) + said) if refused else nullcontext():
        assert len(Container(tmp_path / name).names) == files


@pytest.mark.parametrize(
    ("constant", "most"), [("MAX_TAR_HEADER", 1000), ("MAX_TAR_HEADERS", 3000), ("MAX_NAMES", 200)]
)
def test_a_tar_of_endless_headers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constant: str, most: int
) -> None:
    tar_with(tmp_path / "a.tar.gz", ["x" * 150, "y" * 150])
    assert len(Container(tmp_path / "a.tar.gz").names) == 2
    monkeypatch.setattr(container, constant, most)
    with pytest.raises(
        HubtweetsError,
        match=r"a\.tar\.gz: lists more than 200,000 files, or .+; unpack it and give the folder$",
    ):
        Container(tmp_path / "a.tar.gz")


ARRAYS: list[tuple[str, list]] = [
    ("[]", [""]),
    (json.dumps([*range(10_000, 10_100)]), ["", *range(10_000, 10_100)]),
    ("window.x = [1, {}, [2, [3]], 45]", ["window.x = ", 1, {}, [2, [3]], 45]),
    ('\ufeff x [ "ü🤖",\n{"a": "]"} ,"b"]; and more', [" x ", "ü🤖", {"a": "]"}, "b"]),
]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(("text", "expected"), ARRAYS)
def test_arrays_come_item_by_item_wherever_the_pieces_end(
    text: str, expected: list, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        json_stream, "BLOCK_BYTES", max(block, len(expected[0].encode()) + 5)
    )  # what is before the array comes in one piece
    assert list(json_stream.stream_items(io.BytesIO(text.encode()))) == expected


CORRUPT_ARRAYS = {
    "": "no list in it",
    "{}": "no list in it",
    " " * 5000 + "[]": "no list in it",
    "[1, 2": "cut before its end",
    '[{"a": ': "Expecting value",
    "[{oops}]": "Expecting property name enclosed in double quotes",
    "[" * 100_000: "maximum recursion depth exceeded",
    "[" + "9" * 5000 + "]": "Exceeds the limit",
    '["' + "x" * 40 * 2**20 + '"]': "an item of more than 1,048,576 characters",
}


@pytest.mark.parametrize(("text", "reason"), CORRUPT_ARRAYS.items(), ids=range(len(CORRUPT_ARRAYS)))
def test_corrupt_arrays(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(json_stream.stream_items(io.BytesIO(text.encode())))


NAMED: list[tuple[list[str], list[str], dict[str, str] | str]] = [
    (["alice"], ["a.zip"], {"alice": "a.zip"}),
    (["alice"], ["x=a.csv"], "--posts x=a.csv: x is none of alice; type: --posts alice=a.csv"),
    (
        ["Alice.csv"],
        [],
        "Alice.csv is a file, not a handle; type a name for the bot, and --posts Alice.csv",
    ),
    (["alice"], ["not a handle=y.zip"], {"alice": "not a handle=y.zip"}),
    (["alice"], ["is=there.zip"], {"alice": "is=there.zip"}),
    (["alice"], ["alice=a.zip"], {"alice": "a.zip"}),
    (
        ["alice", "bob"],
        ["bob=bluesky:bob.example", "@Alice=a=b.zip"],
        {"alice": "a=b.zip", "bob": "bluesky:bob.example"},
    ),
    (["alice", "bob"], ["bob=b.zip"], {"alice": "Alice.csv", "bob": "b.zip"}),
    (["alice", "bob"], ["a.zip"], "a.zip: whose posts? type: --posts alice=a.zip"),
    (
        ["alice"],
        ["a.zip", "b.zip"],
        "b.zip: alice already has a source, a.zip; give one per author",
    ),
    (
        ["bob"],
        [],
        "no posts of bob here (looked for bob.zip, bob.jsonl and so on); name them: --posts FILE; "
        "X gives you yours at https://x.com/settings/download_your_data; "
        "to try it with made-up posts, type: hubtweets example bob.zip",
    ),
]


@pytest.mark.parametrize(("handles", "given", "expected"), NAMED)
def test_whose_posts_are_where(
    handles: list[str],
    given: list[str],
    expected: dict[str, str] | str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Alice.csv").write_text("text\nhello\n")
    (tmp_path / "is=there.zip").write_text("here")
    if isinstance(expected, dict):
        assert sources.assign_sources(handles, given) == expected
    else:
        with pytest.raises(HubtweetsError) as caught:
            sources.assign_sources(handles, given)
        assert str(caught.value) == expected


def test_settings_may_name_the_authors_of_other_bots() -> None:
    assert sources.assign_sources(["alice"], ["bob=b.zip", "alice=a.zip"], typed=False) == {
        "alice": "a.zip"
    }


READING = Reading(
    "bluesky-api",
    Profile(
        "bob.example",
        "Bob",
        "Bluesky",
        "bio \u2028",
        "did:plc:bob",
        None,
        "https://bsky.app/profile/bob.example",
    ),
    b"\x89PNG",
    [
        Post("1", "hello\nworld", MOMENT, "en", "reply", "unlisted", link=True),
        Post("2", "", visibility="private"),
    ],
    ["a warning"],
    "org/posts",
)


def test_what_a_service_gave_is_kept_and_read_back(tmp_path: Path) -> None:
    saved.write_reading(READING, tmp_path / "a.saved.jsonl")
    back = saved.read_reading(tmp_path / "a.saved.jsonl")
    assert replace(back, posts=list(back.posts)) == READING


@pytest.mark.parametrize("text", ["", "{}", "[]\n", '{"kind": 1}\n', "hello"])
def test_what_was_kept_and_is_corrupt_gets_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.saved.jsonl").write_text(text)
    with pytest.raises(HubtweetsError) as caught:
        list(saved.read_reading(tmp_path / "a.saved.jsonl").posts)
    assert (
        str(caught.value)
        == f"{tmp_path}/a.saved.jsonl: corrupt; remove it, and the posts are fetched again"
    )


def test_a_service_is_read_once_unless_refreshed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    said: list[str] = []

    def fetch(source: str, *_: object) -> Reading:
        asked.append(source)
        return READING

    monkeypatch.setattr(sources, "fetch_reading", fetch)
    fetching = FetchOptions(0.005, False, lambda cost: False)
    for again in (fetching, fetching, replace(fetching, refresh=True)):
        path = sources.fetch_if_needed(
            "bluesky:bob.example", "bob", tmp_path / "sources", Columns(), again, said.append
        )
    assert (
        asked == ["bluesky:bob.example"] * 2
        and len(said) == 3
        and "--refresh fetches them again" in said[1]
    )
    assert (
        sources.fetch_if_needed(
            "bluesky:carol.example", "bob", tmp_path / "sources", Columns(), fetching, said.append
        )
        != path
    )
    assert list(sources.read_source(path, "bob", Columns()).posts) == READING.posts
    assert sources.fetch_if_needed(
        "a.zip", "bob", tmp_path, Columns(), fetching, said.append
    ) == Path("a.zip")
    for columns in (Columns(), Columns(text="body")):  # another column, another reading
        sources.fetch_if_needed(
            "dataset:org/name", "bob", tmp_path / "sources", columns, fetching, said.append
        )
    assert asked[-2:] == ["dataset:org/name"] * 2


def test_an_account_that_was_paid_for_may_have_another_name_than_the_bot(tmp_path: Path) -> None:
    saved.write_reading(
        replace(READING, profile=Profile("alice", "Alice", "X")), tmp_path / "a.saved.jsonl"
    )
    assert (
        list(sources.read_source(tmp_path / "a.saved.jsonl", "mybot", Columns()).posts)
        == READING.posts
    )


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://x.com/a_b", True), ("https://x.com/a)<b", False), ("javascript:alert(1)", False)],
)
def test_an_address_that_markdown_could_act_on_is_left_out(
    tmp_path: Path, url: str, kept: bool
) -> None:
    saved.write_reading(
        replace(READING, profile=replace(READING.profile, url=url)), tmp_path / "a.saved.jsonl"
    )
    assert sources.read_source(tmp_path / "a.saved.jsonl", "bob", Columns()).profile.url == (
        url if kept else None
    )


UNREADABLE = {
    "alice.docx": "can't read posts from such a file; give an archive of X, Mastodon or Bluesky "
    "or an unchanged export, "
    "or one .jsonl, .json, .csv, .tsv, .parquet or .txt file",
    "nothing.zip": "file not found, and not one of x:NAME, mastodon:@NAME@HOST, bluesky:NAME, "
    "dataset:ID; name the posts: --posts FILE",
}


@pytest.mark.parametrize(("name", "expected"), UNREADABLE.items(), ids=UNREADABLE)
def test_what_no_reader_knows(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "alice.docx").write_text("hello")
    with pytest.raises(HubtweetsError) as caught:
        sources.read_source(tmp_path / name, "alice", Columns())
    assert str(caught.value) == f"{tmp_path / name}: {expected}"
