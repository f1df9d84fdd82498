"""X archives of every generation: items as X wrote them, and damaged files with their errors."""

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.post import Columns, Post, Profile, Reading
from hubtweets.posts.x import archive

MINE, OTHER = "42", "77"


def snowflake(milliseconds: int) -> str:
    return str(milliseconds << 22)


def tweet(id: str = "1000", text: str = "hello to the whole world", **more: Any) -> dict:
    return {
        "tweet": {
            "id_str": id,
            "full_text": text,
            "created_at": "Sat Jul 25 08:26:58 +0000 2026",
            "lang": "en",
            **more,
        }
    }


def note(id: str, text: str) -> dict:
    return {
        "noteTweet": {
            "noteTweetId": id,
            "createdAt": "2026-07-25T08:26:58.000Z",
            "core": {"text": text},
        }
    }


def javascript(variable: str, value: object) -> str:
    return f"window.{variable} = {json.dumps(value)}"


def archive_files(items: list, notes: list | None = None, parts: int = 1) -> dict[str, str]:
    names = ["data/tweets.js"] + [f"data/tweets-part{n}.js" for n in range(1, parts)]
    listed = [
        {"fileName": name, "count": str(len(items[n::parts]))} for n, name in enumerate(names)
    ]
    account = {
        "username": "alice",
        "accountDisplayName": "Alice 🌙",
        "accountId": MINE,
        "email": "secret@example.org",
    }
    files = {
        name: javascript(f"YTD.tweets.part{n}", items[n::parts]) for n, name in enumerate(names)
    }
    files["data/account.js"] = javascript("YTD.account.part0", [{"account": account}])
    files["data/profile.js"] = javascript(
        "YTD.profile.part0",
        [
            {
                "profile": {
                    "description": {"bio": "I fix. https://t.co/abc"},
                    "avatarMediaUrl": "https://x/a.jpg",
                }
            }
        ],
    )
    files["data/profile_media/42-a.jpg"] = "a picture"
    files["data/manifest.js"] = javascript(
        "__THAR_CONFIG", {"dataTypes": {"tweets": {"files": listed}}}
    )
    if notes is not None:
        files["data/note-tweet.js"] = javascript(
            "YTD.note_tweet.part0", [{"noteTweet": n["noteTweet"]} for n in notes]
        )
    return files


def read(path: Path, handle: str = "alice") -> Reading:
    """Read a source whole."""
    reading = sources.read_source(path, handle, Columns())
    return replace(reading, posts=list(reading.posts))


def texts(path: Path) -> list[str]:
    return [post.text for post in read(path).posts]


def write_zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text.encode("utf-8", "surrogatepass"))
    return path


def write_folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


LONG = "a long story about a robot in the shed, " * 10
UTC = "2026-07-25T08:26:58+00:00"
ITEMS: list[tuple[dict, Post]] = [
    (tweet(), Post("1000", "hello to the whole world", UTC, "en")),
    (
        tweet(text="1 &lt; 2 &amp;amp; 3 &gt; 2 &copy;"),
        Post("1000", "1 < 2 &amp; 3 > 2 &copy;", UTC, "en"),
    ),
    (tweet(text="a\nb \ud800 c"), Post("1000", "a\nb \ufffd c", UTC, "en")),
    (  # a link goes by its place in the escaped text, so that what is glued to it stays
        tweet(
            text="a &amp; b https://t.co/abcというニュース",
            entities={"urls": [{"url": "https://t.co/abc", "indices": ["10", "26"]}]},
        ),
        Post("1000", "a & b というニュース", UTC, "en", link=True),
    ),
    (
        tweet(
            text="🤖 pic https://t.co/x",
            entities={"media": [{"indices": [6, 20]}]},
            extended_entities={"media": [{"indices": ["6", "20"]}]},
        ),
        Post("1000", "🤖 pic ", UTC, "en", link=True),
    ),
    (
        tweet(
            text="https://t.co/a b https://t.co/c",
            entities={"urls": [{"indices": ["0", "14"]}, {"indices": ["17", "31"]}]},
        ),
        Post("1000", " b ", UTC, "en", link=True),
    ),
    (
        tweet(text="see https", entities={"urls": [{"indices": ["0", "3"]}]}),
        Post("1000", "see https", UTC, "en"),
    ),
    (  # places that hold no link are somebody's mistake
        tweet(
            text="see https://t.co/x",
            entities={
                "urls": [
                    {"indices": ["0", "9"]},
                    {"indices": ["4", "999"]},
                    {"indices": [-5, "x"]},
                    {"indices": [1]},
                ]
            },
        ),
        Post("1000", "see ", UTC, "en", link=True),
    ),
    (
        tweet(text="say &quot;yes&quot; &amp;quot; it&#39;s"),
        Post("1000", 'say "yes" &quot; it\'s', UTC, "en"),
    ),
    (tweet(text="RT @bob_1: hello"), Post("1000", "RT @bob_1: hello", UTC, "en", "repost")),
    (
        tweet(text="hello", retweeted_status={"id_str": "9"}),
        Post("1000", "hello", UTC, "en", "repost"),
    ),
    (tweet(text="RT @bob hello"), Post("1000", "RT @bob hello", UTC, "en")),
    (
        tweet(in_reply_to_status_id_str="9", in_reply_to_user_id_str=OTHER),
        Post("1000", "hello to the whole world", UTC, "en", "reply"),
    ),
    (
        tweet(in_reply_to_status_id_str="9", in_reply_to_user_id_str=MINE),
        Post("1000", "hello to the whole world", UTC, "en", "self_reply"),
    ),
    (
        tweet(entities={"urls": [{"expanded_url": "https://mobile.twitter.com/bob/status/12"}]}),
        Post("1000", "hello to the whole world", UTC, "en", "quote"),
    ),
    (
        tweet(edit_info={"initial": {"editTweetIds": ["1000", "1001"]}}),
        Post("1000", "hello to the whole world", UTC, "en", superseded=True),
    ),
    (
        tweet(
            edit_info={
                "edit": {
                    "initialTweetId": "9",
                    "editControlInitial": {"editTweetIds": ["9", "1000"]},
                }
            }
        ),
        Post("1000", "hello to the whole world", UTC, "en"),
    ),
    *(
        (tweet(source=source), Post("1000", "hello to the whole world", UTC, "en", app=app))
        for source, app in (
            ('<a href="http://ifttt.com" rel="nofollow">IFTTT</a>', "IFTTT"),
            ('<a href="http://x.org">Tom &amp; Ann\u202e\x1b[2J\n</a>', "Tom & Ann [2J"),
            ("web", "web"),
            ("<b>" * 1_000 + "a", None),
            ("x" * 1_000_000, "x" * 59 + "…"),
            ('<a href="http://x.org"></a>', None),
            ("", None),
            (["web"], None),
        )
    ),
    (tweet(created_at="yesterday", lang=None), Post("1000", "hello to the whole world")),
    ({"id": 1000, "full_text": "bare and numeric"}, Post("1000", "bare and numeric")),
    *(
        (
            {"tweet": {**tweet()["tweet"], field: corrupt}},
            Post("1000", "hello to the whole world", UTC, "en"),
        )
        for field, corrupt in (
            ("entities", None),
            ("entities", {"urls": None}),
            ("entities", {"urls": ["x", None, {}]}),
            ("edit_info", None),
            ("edit_info", {"edit": None, "initial": 5}),
            ("edit_info", {"initial": {"editTweetIds": 5}}),
            ("in_reply_to_status_id_str", None),
        )
    ),
]


@pytest.mark.parametrize(("item", "expected"), ITEMS)
def test_item(tmp_path: Path, item: dict, expected: Post) -> None:
    assert read(write_zip(tmp_path / "a.zip", archive_files([item]))).posts == [expected]


CORRUPT: list[Any] = [
    None,
    True,
    -1,
    10**400,
    1.5,
    "",
    "x",
    "\ud800",
    "1" * 5000,
    [],
    [None],
    ["x"],
    {},
    {"a": {}},
    [[[[]]]],
]
FIELDS = [
    "id_str",
    "id",
    "full_text",
    "created_at",
    "lang",
    "entities",
    "edit_info",
    "in_reply_to_status_id_str",
    "in_reply_to_user_id_str",
]


@pytest.mark.parametrize("field", [*FIELDS, "tweet", "noteTweet", "account", "profile", "manifest"])
def test_whatever_a_field_holds_it_is_read_or_refused(tmp_path: Path, field: str) -> None:
    for corrupt in CORRUPT:
        items = [
            tweet("5"),
            {"tweet": corrupt}
            if field == "tweet"
            else {"tweet": {**tweet()["tweet"], field: corrupt}},
        ]
        files = archive_files(items, [note(snowflake(5_000), LONG)])
        if field == "noteTweet":
            files["data/note-tweet.js"] = javascript(
                "YTD.note_tweet.part0",
                [{"noteTweet": corrupt}, {"noteTweet": {"noteTweetId": corrupt, "core": corrupt}}],
            )
        elif field in ("account", "profile"):
            files[f"data/{field}.js"] = javascript(f"YTD.{field}.part0", [{field: corrupt}])
        elif field == "manifest":
            files["data/manifest.js"] = javascript(
                "__THAR_CONFIG", {"dataTypes": {"tweets": {"files": corrupt}, "tweet": corrupt}}
            )
        with suppress(HubtweetsError):
            reading = read(write_zip(tmp_path / "a.zip", files))
            assert "5" in [post.id for post in reading.posts]


def test_every_corrupt_byte_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", method) as opened:
            opened.writestr("data/tweets.js", javascript("YTD.tweets.part0", [tweet()]))
        whole = path.read_bytes()
        for position in range(0, len(whole), 3):
            path.write_bytes(
                whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
            )
            with suppress(HubtweetsError):
                read(path)


def test_zip_folder_and_single_file_agree(tmp_path: Path) -> None:
    items = [tweet("3"), tweet("1"), tweet("2")]
    files = archive_files(items, parts=2)
    zipped = write_zip(
        tmp_path / "a.zip", {"twitter-2026-07/" + name: text for name, text in files.items()}
    )
    folder = write_folder(tmp_path / "folder", files)
    single = tmp_path / "whatever.js"
    single.write_text("\ufeff" + javascript("YTD.tweets.part0", items) + ";\n", encoding="utf-8")
    from_zip = read(zipped)
    assert sorted(post.id for post in from_zip.posts) == ["1", "2", "3"]
    assert from_zip == read(folder)
    assert sources.hash_source(zipped) == sources.hash_source(folder)
    assert {post.id for post in read(single, "anybody").posts} == {"1", "2", "3"}
    assert from_zip.profile == Profile(
        "alice", "Alice 🌙", "X", "I fix.", MINE, url="https://x.com/alice"
    )
    assert from_zip.avatar == b"a picture"
    assert "secret@example.org" not in repr(from_zip)


NOTES = [
    # the note's text stands in for the cut one: links differ, mentions lead, an ellipsis ends it
    (
        tweet(snowflake(5_020), "@bob " + LONG[:200].strip() + "… https://t.co/abc"),
        [note(snowflake(5_000), LONG)],
        [LONG],
    ),
    # made after the post, or more than a second before it: the note of a post that is not in the
    # archive, which is left out
    (tweet(snowflake(5_020), LONG[:200]), [note(snowflake(5_030), LONG)], [LONG[:200]]),
    (tweet(snowflake(7_020), LONG[:200]), [note(snowflake(5_000), LONG)], [LONG[:200]]),
    # a picture alone begins every note
    (
        tweet(snowflake(5_020), "https://t.co/abc"),
        [note(snowflake(5_000), LONG)],
        ["https://t.co/abc"],
    ),
    # a note's own links are cut out, and nothing of what is glued to them
    (
        tweet(snowflake(5_020), LONG[:200] + "…"),
        [note(snowflake(5_000), LONG + "https://t.co/zzzというニュース")],
        [LONG + "というニュース"],
    ),
    # another text
    (
        tweet(snowflake(5_020), "something else entirely"),
        [note(snowflake(5_000), LONG)],
        ["something else entirely"],
    ),
    # several, of which one has its post
    (
        tweet(snowflake(5_020), LONG[:200] + "…"),
        [
            note(snowflake(9_000), "a deleted one"),
            note(snowflake(5_000), LONG),
            note(snowflake(9_000), "for a circle"),
        ],
        [LONG],
    ),
]


@pytest.mark.parametrize(("item", "notes", "expected"), NOTES)
def test_long_posts_are_whole(tmp_path: Path, item: dict, notes: list, expected: list[str]) -> None:
    path = write_zip(tmp_path / "a.zip", archive_files([item], notes))
    reading = read(path)
    assert [post.text for post in reading.posts] == expected
    cut = any("https:" in note["noteTweet"]["core"]["text"] for note in notes)
    assert [post.link for post in reading.posts] == [cut]
    left = len(notes) - any(LONG in text for text in expected)
    said = (
        f"{path}: left out {left} of note-tweet.js, whose post is not in the archive "
        f"(deleted, or not public)"
    )
    assert reading.warnings == ([said] if left else [])


def test_private_files_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = [
        "direct-messages",
        "like",
        "ip-audit",
        "email-address-change",
        "deleted-tweets",
        "twitter-circle-tweet",
        "deleted-note-tweet",
    ]
    files = archive_files([tweet()]) | {
        f"data/{name}.js": javascript("x", [tweet("5", "private")]) for name in private
    }
    opened: list[str] = []
    real = zipfile.ZipFile.open

    def note_and_open(self: zipfile.ZipFile, name: str, *rest: Any, **more: Any) -> Any:
        opened.append(str(name))
        return real(self, name, *rest, **more)

    monkeypatch.setattr(zipfile.ZipFile, "open", note_and_open)
    path = write_zip(tmp_path / "a.zip", files)
    opened.clear()
    reading = read(path)
    sources.hash_source(path)
    assert [post.text for post in reading.posts] == ["hello to the whole world"]
    assert {Path(name).name for name in opened} <= {
        "tweets.js",
        "account.js",
        "profile.js",
        "manifest.js",
        "note-tweet.js",
        "42-a.jpg",
    }


def change(action: object, date: object = "2026-03-01T10:00:00.000Z") -> dict:
    return {"protectedHistory": {"protectedAt": date, "action": action}}


ODD_ACTIONS: list[Any] = ["unprotect?", "", None, 5, [], "Unlocked"]
ODD_DATES: list[Any] = ["yesterday", "", None, [], {}]
ODD_CHANGES: list[Any] = [None, "x", 5, [], {}, {"protectedHistory": None}]
EARLIER, LATER = "2026-02-01T10:00:00.000Z", "2026-04-01T10:00:00.000Z"
PROTECTED: list[tuple[list[Any], dict[str, Any], bool]] = [
    ([], {}, False),
    ([change("Protect")], {}, True),
    ([change("Unprotect")], {}, False),
    ([change("Protect", EARLIER), change("Unprotect", LATER)], {}, False),
    ([change("Unprotect", LATER), change("Protect", EARLIER)], {}, False),
    ([change("Unprotect", EARLIER), change("Protect", LATER)], {}, True),
    ([change("Protect", LATER), change("Unprotect", EARLIER)], {}, True),
    # what is unclear is protected
    ([change("Unprotect"), change("Protect")], {}, True),
    *(([change(action)], {}, True) for action in ODD_ACTIONS),
    *(([change("Unprotect", date)], {}, True) for date in ODD_DATES),
    *(([corrupt], {}, True) for corrupt in ODD_CHANGES),
    ([], {"protected": True}, True),
    ([], {"protected": "true"}, True),
    ([], {"protected": [False]}, True),
    ([], {"protected": False}, False),
    ([], {"protected": "false"}, False),
    ([change("Unprotect")], {"protected": True}, True),
]


@pytest.mark.parametrize(("history", "more", "protected"), PROTECTED)
@pytest.mark.parametrize("file", ["account", "profile"])
def test_the_posts_of_a_protected_account_are_private(
    tmp_path: Path, history: list, more: dict, protected: bool, file: str
) -> None:
    files = archive_files([tweet(), tweet("2", "RT @bob: hi")]) | {
        "data/protected-history.js": javascript("YTD.protected_history.part0", history)
    }
    [item] = json.loads(files[f"data/{file}.js"].partition(" = ")[2])
    files[f"data/{file}.js"] = javascript(f"YTD.{file}.part0", [{file: item[file] | more}])
    path = write_zip(tmp_path / "a.zip", files)
    reading = read(path)
    assert reading.protected is protected
    seen = (
        [("private", "")] * 2
        if protected
        else [("public", "hello to the whole world"), ("public", "RT @bob: hi")]
    )
    assert [(post.visibility, post.text) for post in reading.posts] == seen
    asked_for = sources.read_source(path, "alice", Columns(), protected=True)
    assert asked_for.protected is protected
    assert [post.text for post in asked_for.posts] == ["hello to the whole world", "RT @bob: hi"]


def broken(tmp_path: Path, case: str) -> Path:
    """Write the corrupt file of a case."""
    good = archive_files([tweet()])
    path = tmp_path / "alice.zip"
    if case == "no archive":
        return write_zip(path, {"holiday.jpg": "sun"})
    if case == "no zip":
        path.write_text("hello")
    elif case == "cut":
        write_zip(path, good)
        path.write_bytes(path.read_bytes()[:-100])
    elif case == "corrupt inside":
        write_zip(path, good)
        data = bytearray(path.read_bytes())
        data[data.index(b"hello to")] ^= 1
        path.write_bytes(data)
    elif case == "no JSON":
        write_zip(path, good | {"data/tweets.js": "window.YTD.tweets.part0 = [ {oops"})
    elif case == "no list at all":
        write_zip(path, good | {"data/tweets.js": "window.YTD"})
    elif case == "cut list":
        write_zip(
            path,
            good | {"data/tweets.js": javascript("YTD.tweets.part0", [tweet(), tweet("2")])[:-1]},
        )
    elif case == "no text":
        write_zip(
            path,
            good | {"data/tweets.js": javascript("YTD.tweets.part0", [{"tweet": {"id_str": "1"}}])},
        )
    elif case == "part missing":
        files = archive_files([tweet(), tweet()], parts=2)
        del files["data/tweets-part1.js"]
        write_zip(path, files)
    elif case == "somebody else's":
        write_zip(path, {name: text.replace('"alice"', '"bob"') for name, text in good.items()})
    elif case == "corrupt directory":
        write_zip(path, good)
        data = bytearray(path.read_bytes())
        data[data.rindex(b"PK\x01\x02") + 6] = 99  # the version that is needed to unpack
        path.write_bytes(data)
    elif case == "two archives":
        write_zip(
            path,
            {"one/" + name: text for name, text in good.items()}
            | {"two/" + name: text for name, text in good.items()},
        )
    elif case == "corrupt history":
        write_zip(
            path, good | {"data/protected-history.js": "window.YTD.protected_history.part0 = [ {"}
        )
    elif case == "deleted posts":
        path = tmp_path / "deleted-tweets.js"
        path.write_text(javascript("YTD.deleted_tweets.part0", [tweet()]))
    return path


ERRORS = {
    "no archive": "{path}: can't read posts from such a file; give an archive of X, Mastodon or "
    "Bluesky or an unchanged export, "
    "or one .jsonl, .json, .csv, .tsv, .parquet or .txt file",
    "no zip": "{path}: cut or damaged (File is not a zip file); download the archive again",
    "cut": "{path}: cut or damaged (File is not a zip file); download the archive again",
    "corrupt inside": "{path}: cut or damaged (Bad CRC-32 for file 'data/tweets.js'); download the "
    "archive again",
    "no JSON": "{path}: data/tweets.js is not what X writes (Expecting property name enclosed in "
    "double quotes: line 1 column 2 (char 1)); "
    "download the archive again",
    "no list at all": "{path}: data/tweets.js is not what X writes (no list in it); download the "
    "archive again",
    "cut list": "{path}: data/tweets.js is not what X writes (cut before its end); download the "
    "archive again",
    "corrupt history": "{path}: data/protected-history.js is not what X writes "
    "(Expecting property name enclosed in double quotes: line 1 column 4 (char 3)); download the "
    "archive again",
    "corrupt directory": "{path}: cut or damaged (zip file version 9.9); "
    "download the archive again",
    "two archives": "{path}: more than one archive in it (one/data/tweets.js and "
    "two/data/tweets.js); give one of them",
    "deleted posts": "{path}: holds deleted_tweets, not public posts; give the whole archive or "
    "its tweets.js",
    "no text": "{path}: item 1 of tweets.js is no post (it lacks id_str or full_text); download "
    "the archive again",
    "part missing": "{path}: tweets-part1.js is missing, though manifest.js lists it; download "
    "the archive again",
    "somebody else's": "{path}: the archive of @bob, not of @alice; type bob in place of alice",
}


@pytest.mark.parametrize(("case", "expected"), ERRORS.items(), ids=ERRORS)
def test_corrupt_files_get_one_line(tmp_path: Path, case: str, expected: str) -> None:
    path = broken(tmp_path, case)
    with pytest.raises(HubtweetsError) as caught:
        read(path)
    assert str(caught.value) == expected.format(path=path)


GENERATIONS = {
    "2019, bare": ("tweet.js", javascript("YTD.tweet.part0", [tweet()["tweet"]])),
    "2021, wrapped": ("data/tweet.js", javascript("YTD.tweet.part0", [tweet()])),
    "2022 and later": ("data/tweets.js", javascript("YTD.tweets.part0", [tweet()])),
    "communities": (
        "data/community-tweet.js",
        javascript("YTD.community_tweet.part0", [tweet(community_id_str="5")]),
    ),
    "tweetback": ("database/tweets.js", "module.exports = " + json.dumps([tweet()])),
}


@pytest.mark.parametrize(("name", "text"), GENERATIONS.values(), ids=GENERATIONS)
def test_every_generation_is_read(tmp_path: Path, name: str, text: str) -> None:
    assert read(write_zip(tmp_path / "a.zip", {name: text})).posts == [
        Post("1000", "hello to the whole world", UTC, "en")
    ]


def test_the_manifest_is_checked(tmp_path: Path) -> None:
    files = archive_files([tweet("1"), tweet("2")])
    manifest = {
        "userInfo": {"accountId": MINE, "userName": "alice", "displayName": "Alice"},
        "archiveInfo": {"isPartialArchive": True},
        "dataTypes": {"tweets": {"files": [{"fileName": "data/tweets.js", "count": "5"}]}},
    }
    files["data/manifest.js"] = javascript("__THAR_CONFIG", manifest)
    del files["data/account.js"]
    reading = read(write_zip(tmp_path / "a.zip", files))
    assert reading.warnings == [
        f"{tmp_path}/a.zip: one part of an archive that X split into several; the posts in the "
        f"other zips are not in it",
        f"{tmp_path}/a.zip: tweets.js holds 2 posts, though manifest.js says 5; download the "
        f"archive again to be sure",
    ]
    assert (reading.profile.handle, reading.profile.name, reading.profile.account_id) == (
        "alice",
        "Alice",
        MINE,
    )


def test_notes_in_parts_are_read_and_missing_ones_named(tmp_path: Path) -> None:
    item = tweet(snowflake(5_020), LONG[:200] + "…")
    files = archive_files([item], [note(snowflake(9_000), "another")])
    files["data/note-tweet-part1.js"] = javascript(
        "YTD.note_tweet.part1", [note(snowflake(5_000), LONG)]
    )
    listed = [
        {"fileName": f"data/{name}.js", "count": "1"} for name in ("note-tweet", "note-tweet-part1")
    ]
    files["data/manifest.js"] = javascript(
        "__THAR_CONFIG", {"dataTypes": {"noteTweet": {"files": listed}}}
    )
    assert texts(write_zip(tmp_path / "a.zip", files)) == [LONG]
    del files["data/note-tweet-part1.js"]
    with pytest.raises(
        HubtweetsError,
        match=r"a\.zip: note-tweet-part1\.js is missing, though manifest\.js lists it; download "
        r"the archive again$",
    ):
        texts(write_zip(tmp_path / "a.zip", files))
    partial = {
        "archiveInfo": {"isPartialArchive": True},
        "dataTypes": {"noteTweet": {"files": listed}},
    }
    reading = read(
        write_zip(
            tmp_path / "a.zip", files | {"data/manifest.js": javascript("__THAR_CONFIG", partial)}
        )
    )
    assert reading.warnings == [
        f"{tmp_path}/a.zip: one part of an archive that X split into several; the posts in the "
        f"other zips (note-tweet-part1.js) are not in it",
        f"{tmp_path}/a.zip: left out 1 of note-tweet.js, whose post is not in the archive "
        f"(deleted, or not public)",
    ]


def test_only_large_parts_are_read_by_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every archive has a community-tweet.js, and nearly every one is empty."""
    files = archive_files([tweet("1")]) | {
        "data/community-tweet.js": javascript("YTD.community_tweet.part0", [])
    }
    monkeypatch.setattr(archive, "ProcessPoolExecutor", None)
    assert [post.id for post in read(write_zip(tmp_path / "a.zip", files)).posts] == ["1"]
    files["data/community-tweet.js"] += " " * archive.LARGE_PART  # one large part
    assert [post.id for post in read(write_zip(tmp_path / "a.zip", files)).posts] == ["1"]
    files["data/tweets.js"] += " " * archive.LARGE_PART
    with pytest.raises(TypeError, match="not callable"):
        list(read(write_zip(tmp_path / "a.zip", files)).posts)


def test_more_parts_than_cores_are_all_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGE_PART", 1)
    parts = 2 * (os.cpu_count() or 1) + 1
    files = archive_files([tweet(str(n)) for n in range(3 * parts)], parts=parts)
    assert sorted(
        int(post.id) for post in read(write_zip(tmp_path / "a.zip", files)).posts
    ) == list(range(3 * parts))


def test_a_bad_part_stops_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGE_PART", 1)
    files = archive_files([tweet(str(n)) for n in range(20)], parts=4) | {
        "data/tweets-part2.js": "window.YTD.tweets.part2 = [ {oops"
    }
    with pytest.raises(
        HubtweetsError,
        match=r"a\.zip: data/tweets-part2\.js is not what X writes \(Expecting property name",
    ):
        read(write_zip(tmp_path / "a.zip", files))


def samples(folder: Path) -> list[Path]:
    """Write one small archive of every kind."""
    files = archive_files(
        [item for item, _ in ITEMS[:10]] + [tweet(snowflake(5_020), LONG[:200])],
        [note(snowflake(5_000), LONG)],
    )
    (folder / "tweets.js").write_text(files["data/tweets.js"])
    parts = archive_files([tweet("1"), tweet("2"), tweet("3")], parts=2)
    return [
        write_zip(folder / "x.zip", files),
        folder / "tweets.js",
        write_folder(folder / "x", parts),
    ]
