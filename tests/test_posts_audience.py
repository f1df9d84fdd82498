"""The audience of a table's rows: every column and value that tells, and what is kept."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pyarrow import parquet

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container
from hubtweets.posts.post import Columns, Post, Reading
from hubtweets.posts.tables import files

SECRET = "nobody but my friends may read this"


def read(path: Path) -> tuple[list[Post], list[str]]:
    reading: Reading = files.read(Container(path), Columns(), "alice")
    return list(reading.posts), reading.warnings


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the format of the file's suffix."""
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def visibilities(path: Path) -> list[str]:
    """Return each post's visibility, and check that private ones have no text or language."""
    posts, _ = read(path)
    assert all((post.visibility == "private") == (post.text == "") for post in posts)
    assert all(post.lang is None for post in posts if post.visibility == "private")
    return [post.visibility for post in posts]


PUBLIC = {
    "public": "public",
    "Public": "public",
    " public ": "public",
    "EVERYONE": "public",
    "world": "public",
    "unlisted": "unlisted",
    "home": "unlisted",
}
NOT_PUBLIC = [
    *(
        "private",
        "direct",
        "followers",
        "followers_only",
        "followers-only",
        "protected",
        " private ",
        "Private",
        "specified",
        "limited",
        "mutual",
    ),
    *(
        "circle",
        "friends",
        "friends_only",
        "only_me",
        "self",
        "nobody",
        "draft",
        "deleted",
        "members",
        "subscribers",
        "unknown",
        "publicly",
        "not public",
    ),
    *(
        "",
        " ",
        "null",
        "nan",
        "true",
        "false",
        "0",
        "1",
        "\u200bpublic",
        "ｐｕｂｌｉｃ",
        "public,private",
        "[public]",
        "x" * 10_000,
    ),
]
NESTED: list[Any] = [
    None,
    True,
    False,
    1,
    0,
    1.0,
    10**30,
    float("nan"),
    ["public"],
    [],
    {"value": "public"},
    {"public": True},
    {},
]


@pytest.mark.parametrize(
    "column",
    [
        "visibility",
        "Visibility",
        "privacy",
        "audience",
        "scope",
        "post_visibility",
        "statusVisibility",
        "meta.x_privacy",
        "access level",
    ],
)
def test_only_a_short_list_of_values_is_public(tmp_path: Path, column: str) -> None:
    values = [*PUBLIC, *NOT_PUBLIC, *NESTED]
    found = visibilities(
        write_rows(
            tmp_path / "a.jsonl",
            [{"text": SECRET, "lang": "en", column: value} for value in values],
        )
    )
    assert found == [*PUBLIC.values()] + ["private"] * len(NOT_PUBLIC + NESTED)


TRUE: list[Any] = [True, 1, 1.0, "true", " True ", "YES", "y", "t", "1"]
FALSE: list[Any] = [False, 0, 0.0, "false", " False ", "NO", "n", "f", "0"]
UNKNOWN: list[Any] = ["maybe", "public", "private", 2, -1, 1e999, [False], {"a": False}, ["true"]]
NOTHING: list[Any] = [None, "", " ", "null", "NaN", float("nan"), [], {}]
FLAGS = {
    # column: visibility of a true value, a false one, an unknown one, none
    "private": ("private", "public", "private", "private"),
    "isPrivate": ("private", "public", "private", "private"),
    "protected": ("private", "public", "private", "private"),
    "user.protected": ("private", "public", "private", "private"),
    "user.legacy.protected": ("private", "public", "private", "private"),
    "channelIsPrivate": ("private", "public", "private", "private"),
    "user.unprotected": ("public", "private", "private", "private"),
    "user_is_protected": ("private", "public", "private", "private"),
    "friends-only": ("private", "public", "private", "private"),
    "localOnly": ("private", "public", "private", "private"),
    "dm": ("private", "public", "private", "private"),
    "public": ("public", "private", "private", "private"),
    "is_public": ("public", "private", "private", "private"),
    "is_published": ("public", "private", "private", "private"),
    "unlisted": ("unlisted", "public", "private", "private"),
    "deleted": ("private", "public", "private", "public"),
    "is_draft": ("private", "public", "private", "public"),
    "deletedAt": ("private", "public", "private", "public"),
    "withheld_in_countries": ("private", "public", "private", "public"),
}


@pytest.mark.parametrize("column", FLAGS)
def test_a_flag_is_read_by_its_sense(tmp_path: Path, column: str) -> None:
    cases = list(zip((TRUE, FALSE, UNKNOWN, NOTHING), FLAGS[column], strict=True))
    rows = [
        {"text": SECRET, "lang": "en", column: value} for values, _ in cases for value in values
    ]
    expected = [visibility for values, visibility in cases for _ in values]
    assert visibilities(write_rows(tmp_path / "a.jsonl", rows)) == expected


ROWS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "the narrowest of several columns counts": [
        ({"visibility": "public", "private": True}, "private"),
        ({"visibility": "public", "privacy": "home"}, "unlisted"),
        ({"visibility": "public", "Visibility": "friends"}, "private"),
    ],
    "an author's object": [
        ({"user": {"protected": True}}, "private"),
        ({"user": {"protected": False}}, "public"),
        ({"user": {"protected": None}}, "private"),
    ],
    "an author who is a name": [({"user": "alice"}, "public"), ({"author": None}, "public")],
    "a status, which need not be of an audience": [
        ({"status": "ok"}, "public"),
        ({"status": 200}, "public"),
        ({"status": " Draft"}, "private"),
    ],
    "a row that lacks the column": [
        ({}, "private"),
        ({"visibility": "public"}, "public"),
        ({}, "private"),
    ],
    "a row that lacks the flag": [({"private": False}, "public"), ({}, "private")],
    "a row that lacks the author": [
        ({"user": {"protected": False}}, "public"),
        ({"user": None}, "private"),
    ],
    "a row that was not deleted": [
        ({}, "public"),
        ({"deleted": True}, "private"),
        ({"status": "deleted"}, "private"),
    ],
    "a column of empty cells": [({"visibility": None}, "private"), ({"visibility": ""}, "private")],
    "columns that only sound alike": [
        ({"public_metrics": 1, "private_note": "x", "sensitive": True, "locked": True}, "public")
    ],
}


@pytest.mark.parametrize("case", ROWS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_rows(tmp_path: Path, name: str, case: str) -> None:
    rows = [{"text": SECRET, **row} for row, _ in ROWS[case]]
    assert visibilities(write_rows(tmp_path / name, rows)) == [
        visibility for _, visibility in ROWS[case]
    ]


def test_a_parquet_table_and_csv_files(tmp_path: Path) -> None:
    rows = [
        {"text": SECRET, "user": {"protected": flag}, "status": "ok"}
        for flag in (False, True, None)
    ]
    assert visibilities(write_rows(tmp_path / "a.parquet", rows)) == [
        "public",
        "private",
        "private",
    ]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "1.csv").write_text(
        f"text,Privacy\n{SECRET},Everyone\n{SECRET},circle\n{SECRET},\n{SECRET}\n"
    )
    (tmp_path / "folder" / "2.csv").write_text(f"text\n{SECRET}\n")
    assert visibilities(tmp_path / "folder") == [
        "public",
        "private",
        "private",
        "private",
        "private",
    ]
    (tmp_path / "b.json").write_text(
        json.dumps(["a text of nobody knows whom", {"text": "mine", "private": False}])
    )
    assert visibilities(tmp_path / "b.json") == ["private", "public"]


def test_a_column_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,visibility,id,visibility\nhello,private,1,public\n")
    with pytest.raises(HubtweetsError) as caught:
        read(tmp_path / "a.csv")
    expected = (
        "two columns are called 'visibility', and both may tell who can read a post; "
        "rename or remove one"
    )
    assert str(caught.value) == f"{tmp_path}/a.csv: {expected}"


def left_out(number: int, reasons: str) -> str:
    return (
        f"left out {number} not known to be public ({reasons}); public are only: public, "
        f"everyone, world, unlisted, home"
    )


WARNINGS: list[tuple[list[Any], list[str]]] = [
    (["public", "home"], []),
    (
        ["friends", "friends", "public", None],
        [left_out(3, "'visibility': 'friends', 'visibility': None")],
    ),
    (
        ["a\nb\x1b[2J", {"a": 1}],
        [left_out(2, "'visibility': 'a\\nb\\x1b[2J', 'visibility': a dict")],
    ),
    (["alice@example.org " + "x" * 10_000], [left_out(1, f"'visibility': '[email] {'x' * 32}'")]),
    (
        [*map(str, range(100))],
        [left_out(100, ", ".join(f"'visibility': '{n}'" for n in range(5)) + ", ...")],
    ),
]


@pytest.mark.parametrize(("values", "expected"), WARNINGS, ids=range(len(WARNINGS)))
def test_what_was_left_out_is_said_in_one_line(
    tmp_path: Path, values: list[Any], expected: list[str]
) -> None:
    path = write_rows(
        tmp_path / "a.jsonl", [{"text": SECRET, "visibility": value} for value in values]
    )
    _, warnings = read(path)
    assert warnings == [f"{path}: {line}" for line in expected]
    assert all(line.isprintable() and len(line) < 500 + len(str(path)) for line in warnings)


def test_a_row_that_says_nothing_is_named_too(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [{"text": "a"}, {"text": "b", "visibility": "public"}])
    _, warnings = read(path)
    assert warnings == [f"{path}: {left_out(1, 'nothing says who can read it')}"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_no_odd_value_is_public(tmp_path: Path) -> None:
    """`make test CORRUPT=2000` tries as many."""

    @seed(0)
    @settings(max_examples=int(os.environ.get("CORRUPT", "100")), deadline=None, database=None)
    @given(st.sampled_from(["visibility", "protected", "user"]), JSON)
    def read_odd(column: str, value: Any) -> None:
        posts, warnings = read(
            write_rows(
                tmp_path / "a.jsonl",
                [{"text": SECRET, column: value}, {"text": SECRET, "visibility": "public"}],
            )
        )
        word = value.strip().casefold() if isinstance(value, str) else value
        known = {"visibility": PUBLIC, "protected": [*FALSE], "user": []}[column]
        assert posts[0].visibility == "private" or word in known
        assert posts[1].visibility == "public"
        assert all(line.isprintable() and len(line) < 1000 for line in warnings)

    read_odd()
