"""Twitter's archives of 2013 to 2019."""

import json
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts.post import Post, Profile
from tests.test_posts_x_archive import read, write_folder, write_zip

ITEMS: list[tuple[dict[str, Any], Post]] = [
    (
        {
            "id": 10,
            "text": "so &quot;new&quot; &amp; it&#39;s http://t.co/a",
            "created_at": "Fri Feb 01 13:00:11 +0000 2013",
        }
        | {"entities": {"urls": [{"url": "http://t.co/a", "indices": [34, 47]}]}},
        Post("10", 'so "new" & it\'s ', "2013-02-01T13:00:11+00:00", link=True),
    ),
    (
        {
            "id_str": "11",
            "text": "a later style of dates",
            "created_at": "2015-10-01 15:59:20 +0000",
        },
        Post("11", "a later style of dates", "2015-10-01T15:59:20+00:00"),
    ),
    (
        {"id_str": "12", "text": "RT @bob: hello", "retweeted_status": {"id": 5, "text": "hello"}},
        Post("12", "RT @bob: hello", kind="repost"),
    ),
    (
        {"id_str": "15", "text": "RT @bob: typed by hand", "source": "<a>web</a>"},
        Post("15", "RT @bob: typed by hand", app="web"),
    ),
    (
        {"id_str": "16", "text": "for my followers", "user": {"protected": True}},
        Post("16", "", visibility="private"),
    ),
    (
        {"id_str": "13", "text": "@bob hi", "in_reply_to_status_id": 9, "in_reply_to_user_id": 77},
        Post("13", "@bob hi", kind="reply"),
    ),
    (
        {
            "id_str": "14",
            "text": "and so on",
            "in_reply_to_status_id": 13,
            "in_reply_to_user_id": 42,
        },
        Post("14", "and so on", kind="self_reply"),
    ),
]
USER = {
    "screen_name": "alice",
    "full_name": "Alice",
    "bio": "I fix. http://t.co/abc",
    "id": "42",
    "location": "here",
    "created_at": "2010",
}
TABLE = (
    '"tweet_id","in_reply_to_status_id","in_reply_to_user_id","timestamp","source","text",'
    '"retweeted_status_id","expanded_urls"\r\n'
    '"1","","","2013-02-01 13:00:11 +0000","web","two\nlines, &amp; a ""quote""","",""\r\n'
    '"2","9","77","2013-02-01 13:00:12 +0000","web","@bob hi","",""\r\n'
    '"3","","","2013-02-01 13:00:13 +0000","web","RT @bob: hello","5",""\r\n'
    '"4","","","no date","web","RT @bob: by hand","",""\r\n'
)


def archive(months: dict[str, list]) -> dict[str, str]:
    files = {
        f"data/js/tweets/{month}.js": f"Grailbird.data.tweets_{month} = \n {json.dumps(items)}"
        for month, items in months.items()
    }
    return files | {
        "data/js/user_details.js": f"var user_details =  {json.dumps(USER)}",
        "data/js/tweet_index.js": "var tweet_index = []",
    }


MONTHS = archive(
    {"2013_02": [item for item, _ in ITEMS[:2]], "2015_10": [item for item, _ in ITEMS[2:]]}
)


def test_months_in_zip_folder_and_alone(tmp_path: Path) -> None:
    zipped = read(
        write_zip(
            tmp_path / "a.zip",
            {"tweets/" + name: text for name, text in MONTHS.items()} | {"tweets.csv": TABLE},
        )
    )
    assert zipped.posts == [post for _, post in ITEMS]
    assert (zipped.kind, zipped.profile) == (
        "x-grailbird",
        Profile("alice", "Alice", "X", "I fix.", "42", url="https://x.com/alice"),
    )
    assert zipped == read(write_folder(tmp_path / "a", MONTHS))
    (tmp_path / "2013_02.js").write_text(MONTHS["data/js/tweets/2013_02.js"])
    assert read(tmp_path / "2013_02.js").posts == [post for _, post in ITEMS[:2]]


def test_the_table_alone(tmp_path: Path) -> None:
    (tmp_path / "tweets.csv").write_bytes(b"\xef\xbb\xbf" + TABLE.encode())
    assert read(tmp_path / "tweets.csv").posts == [
        Post("1", 'two\nlines, & a "quote"', "2013-02-01T13:00:11+00:00", app="web"),
        Post("2", "@bob hi", "2013-02-01T13:00:12+00:00", kind="reply", app="web"),
        Post("3", "RT @bob: hello", "2013-02-01T13:00:13+00:00", kind="repost", app="web"),
        Post("4", "RT @bob: by hand", app="web"),
    ]


def test_tables_by_month(tmp_path: Path) -> None:
    head, *rows = TABLE.splitlines(keepends=True)
    path = write_zip(
        tmp_path / "a.zip",
        {"data/csv/2013_02.csv": head + rows[2], "data/csv/2013_03.csv": head + rows[3]},
    )
    assert [post.id for post in read(path).posts] == ["2", "3"]


ERRORS = {
    "data/js/tweets/2013_02.js is not what Twitter writes (no list in it); use an unedited copy": {
        "data/js/tweets/2013_02.js": "hello"
    },
    "item 1 of 2013_02.js is no post (it lacks id or text); use an unedited copy": archive(
        {"2013_02": [{"text": "no id"}]}
    ),
    "data/js/user_details.js is not what Twitter writes (substring not found); use an unedited "
    "copy": {
        **MONTHS,
        "data/js/user_details.js": "hello",
    },
    "line 2 of tweets.csv is no post; use an unedited copy": {
        "tweets.csv": '"tweet_id","in_reply_to_status_id"\r\n"1",""\r\n'
    },
}


@pytest.mark.parametrize(("expected", "files"), ERRORS.items(), ids=ERRORS)
def test_corrupt_files_get_one_line(tmp_path: Path, expected: str, files: dict[str, str]) -> None:
    with pytest.raises(HubtweetsError) as caught:
        read(write_zip(tmp_path / "a.zip", files))
    assert str(caught.value) == f"{tmp_path}/a.zip: {expected}"


def samples(folder: Path) -> list[Path]:
    """Write one small archive of every kind."""
    (folder / "tweets.csv").write_text(TABLE)
    return [write_zip(folder / "grailbird.zip", MONTHS), folder / "tweets.csv"]
