"""Saved JSON of X: tweets as twarc and the APIs write them, and damaged files with their line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container
from hubtweets.posts.post import Post, Profile
from hubtweets.posts.x import saved_json

TEXT = "hello to the whole world"
UTC, V1_UTC = "2022-10-03T17:57:11+00:00", "2026-07-25T08:26:58+00:00"
ALICE = {
    "id": "42",
    "username": "alice",
    "name": "Alice 🌙",
    "description": "I fix. https://t.co/abc",
}
BOB = {"id": "77", "username": "bob", "name": "Bob"}
V1_ALICE = {
    "id": 42,
    "id_str": "42",
    "screen_name": "alice",
    "name": "Alice 🌙",
    "description": "I fix.",
    "protected": False,
}
PROFILE = Profile("alice", "Alice 🌙", "X", "I fix.", "42", url="https://x.com/alice")
NO_PROFILE = Profile("", "", "X")
CUT = (
    "{}: {} of its posts are cut; save them with tweet_mode=extended, "
    "or with tweet.fields=note_tweet of API v2"
)
TWARC = {"__twarc": {"url": "https://api.twitter.com/2/users/42/tweets", "version": "2.14.1"}}


def v2(id: str = "5", text: str = TEXT, **more: Any) -> dict:
    return {
        "id": id,
        "text": text,
        "author_id": "42",
        "created_at": "2022-10-03T17:57:11.000Z",
        "lang": "en",
        **more,
    }


def v1(id: str = "5", text: str = TEXT, **more: Any) -> dict:
    head = {
        "id": int(id),
        "id_str": id,
        "created_at": "Sat Jul 25 08:26:58 +0000 2026",
        "lang": "en",
        "user": V1_ALICE,
    }
    return {**head, "full_text": text, **more}


def short(id: str = "5", text: str = TEXT, **more: Any) -> dict:
    tweet = v1(id, **more)
    return {**tweet, "text": text} if tweet.pop("full_text") else tweet


def page(*tweets: dict) -> dict:
    others = {"users": [BOB, ALICE], "tweets": [v2("1", "what Bob wrote", author_id="77")]}
    return {
        "data": list(tweets),
        "includes": others,
        "meta": {"result_count": len(tweets)},
        **TWARC,
    }


def referring(type: str, **more: Any) -> dict:
    return {
        "referenced_tweets": [{"type": type, "id": "1", "text": "what Bob wrote", "author": BOB}],
        **more,
    }


def post(id: str = "5", text: str = TEXT, **more: Any) -> Post:
    return Post(id, text, **{"created_at": UTC, "lang": "en", **more})


def v1_post(id: str = "5", text: str = TEXT, **more: Any) -> Post:
    return Post(id, text, **{"created_at": V1_UTC, "lang": "en", **more})


def write_lines(path: Path, *values: object) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


EVERY_V2 = [
    v2("5", source="Twitter Web App"),
    v2("6", "RT @bob: what Bob w…", **referring("retweeted")),
    v2("7", "@bob yes", **referring("replied_to", in_reply_to_user_id="77")),
    v2("8", "and so on", **referring("replied_to", in_reply_to_user_id="42")),
    v2(
        "9",
        "look https://t.co/a",
        **referring("quoted"),
        entities={"urls": [{"start": 5, "end": 19}]},
    ),
    v2("10", TEXT, edit_history_tweet_ids=["10", "11"]),
    v2("11", "cut…", edit_history_tweet_ids=["10", "11"], note_tweet={"text": "not cut"}),
    v2(
        "12",
        "@bob's account has been withheld in India in response to a legal demand. Learn more.",
        **referring("retweeted"),
        source="IFTTT",
    ),
]
EVERY_V2_POST = [
    post("5", app="Twitter Web App"),
    post("6", "RT @bob: what Bob w…", kind="repost"),
    post("7", "@bob yes", kind="reply"),
    post("8", "and so on", kind="self_reply"),
    post("9", "look ", kind="quote", link=True),
    post("10", superseded=True),
    post("11", "not cut"),
    post("12", "", kind="repost", visibility="private", lang=None),
]
EVERY_V1 = [
    v1("5", "🌙 1 &lt; 2 https://t.co/a", entities={"urls": [{"indices": [11, 25]}]}),
    v1("6", "what Bob wrote", retweeted_status=v1("1", user={"id_str": "77"})),
    v1("7", "@bob yes", in_reply_to_status_id=1, in_reply_to_user_id=77),
    v1("8", "and so on", in_reply_to_status_id_str="5", in_reply_to_user_id_str="42"),
    v1("9", is_quote_status=True),
    short(
        "10",
        "a long st… https://t.co/b",
        truncated=True,
        entities={"urls": [{"indices": [11, 25]}]},
        extended_tweet={
            "full_text": "a long story, https://t.co/c told",
            "entities": {"urls": [{"indices": [14, 28]}]},
        },
    ),
    short("11", "old", source="<a>Echofon</a>"),
    v1("12", withheld_in_countries=["IN"]),
    v1("13", withheld_in_countries=[]),
]
EVERY_V1_POST = [
    v1_post("5", "🌙 1 < 2 ", link=True),
    v1_post("6", "what Bob wrote", kind="repost"),
    v1_post("7", "@bob yes", kind="reply"),
    v1_post("8", "and so on", kind="self_reply"),
    v1_post("9", kind="quote"),
    v1_post("10", "a long story,  told", link=True),
    v1_post("11", "old", app="Echofon"),
    v1_post("12", "", visibility="private", lang=None),
    v1_post("13"),
]


def samples(folder: Path) -> list[Path]:
    """Write one small valid file of every kind that is read."""
    array, one, tweets = folder / "v1_array.json", folder / "answer.json", folder / "v2_array.json"
    array.write_text(json.dumps(EVERY_V1))
    one.write_text(json.dumps(page(*EVERY_V2), indent=2))
    tweets.write_text(json.dumps(EVERY_V2))
    pages = write_lines(folder / "pages.jsonl", page(*EVERY_V2[:4]), page(*EVERY_V2[2:]))
    zipped = folder / "pages.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(pages, "saved/pages.jsonl")
    return [
        pages,
        zipped,
        write_lines(
            folder / "flat.jsonl", *({**tweet, "author": ALICE, **TWARC} for tweet in EVERY_V2)
        ),
        write_lines(folder / "v1.jsonl", *EVERY_V1),
        array,
        one,
        tweets,
    ]


OUTCOMES = [EVERY_V2_POST] * 3 + [EVERY_V1_POST] * 2 + [EVERY_V2_POST] * 2


@pytest.mark.parametrize("number", range(len(OUTCOMES)))
def test_every_kind_of_file(tmp_path: Path, number: int) -> None:
    path = samples(tmp_path)[number]
    container = Container(path)
    assert saved_json.find_files(container) == (
        ["saved/pages.jsonl"] if path.suffix == ".zip" else [path.name]
    )
    reading = saved_json.read_author(container, "alice")
    profile = (
        PROFILE if path.name != "v2_array.json" else NO_PROFILE
    )  # bare tweets have no more than an id
    assert (reading.kind, reading.profile, reading.avatar) == ("x-json", profile, None)
    assert (list(reading.posts), reading.warnings) == (OUTCOMES[number], [])


FILES: list[tuple[str, list[object], list[Post], Profile, list[str]]] = [
    (
        "an empty page first",
        [{"meta": {"result_count": 0}, **TWARC}, page(v2())],
        [post()],
        PROFILE,
        [],
    ),
    ("an empty answer first", [{"meta": {"result_count": 0}}, page(v2())], [post()], PROFILE, []),
    (
        "a page that is refused",
        [{"errors": [{"title": "x"}], **TWARC}, page(v2())],
        [post()],
        PROFILE,
        [],
    ),
    (
        "a page that starts with a corrupt item",
        [page(v2()), page({"id": None}, v2("6"))],
        [post(), post("6")],
        PROFILE,
        ["a.jsonl: 1 of its items are no posts and were left out"],
    ),
    (
        "a stream's pages",
        [{"data": v2(), "includes": {"users": [ALICE]}, "matching_rules": []}],
        [post()],
        PROFILE,
        [],
    ),
    (
        "pages that overlap",
        [page(v2("5"), v2("6")), page(v2("6"), v2("7"))],
        [post("5"), post("6"), post("7")],
        PROFILE,
        [],
    ),
    ("no users", [v2(), v2("6")], [post(), post("6")], NO_PROFILE, []),
    (
        "an id-only user",
        [v1(user={"id": 42, "id_str": "42"})],
        [v1_post()],
        Profile("", "", "X", None, "42"),
        [],
    ),
    (
        "a user that lies",
        [v1(user={"id_str": "42", "screen_name": "../x"})],
        [v1_post()],
        Profile("", "", "X", None, "42"),
        [],
    ),
    (
        "a lone surrogate",
        [v1(text="a \ud800 b", user=None, entities={})],
        [v1_post(text="a \ufffd b")],
        NO_PROFILE,
        [],
    ),
    (
        "a protected account",
        [v1(user=V1_ALICE | {"protected": True})],
        [v1_post(text="", lang=None, visibility="private")],
        PROFILE,
        [],
    ),
    (
        "a protected author",
        [v2(author=ALICE | {"protected": True})],
        [post(text="", lang=None, visibility="private")],
        PROFILE,
        [],
    ),
    (
        "cut tweets of v2",
        [
            v2("1", "x" * 274 + "…"),
            v2("2", "y" * 116 + "… https://t.co/b"),
            v2("3", "z" * 274 + "…", note_tweet={"text": "not cut"}),
            v2("4", "I wonder…"),
        ],
        [
            post("1", "x" * 274 + "…"),
            post("2", "y" * 116 + "… https://t.co/b"),
            post("3", "not cut"),
            post("4", "I wonder…"),
        ],
        NO_PROFILE,
        [CUT.format("a.jsonl", 2)],
    ),
    (
        "a cut tweet",
        [short(text="cut… https://t.co/b", truncated=True)],
        [v1_post(text="cut… https://t.co/b")],
        PROFILE,
        [CUT.format("a.jsonl", 1)],
    ),
    (
        "notices of a stream",
        [
            v1(),
            {"delete": {"status": {"id": 1}}},
            7,
            None,
            [],
            {"id": 10**40, "text": "x"},
            v1("6"),
        ],
        [v1_post(), v1_post("6")],
        PROFILE,
        ["a.jsonl: 4 of its items are no posts and were left out"],
    ),
]


@pytest.mark.parametrize(
    ("lines", "expected", "profile", "warnings"),
    [case[1:] for case in FILES],
    ids=[case[0] for case in FILES],
)
def test_file(
    tmp_path: Path, lines: list, expected: list[Post], profile: Profile, warnings: list[str]
) -> None:
    reading = saved_json.read_author(Container(write_lines(tmp_path / "a.jsonl", *lines)), "alice")
    assert (list(reading.posts), reading.profile, reading.warnings) == (expected, profile, warnings)


CORRUPT: list[Any] = [
    None,
    True,
    -1,
    10**400,
    float("nan"),
    "",
    "x",
    "\ud800",
    [],
    [None],
    ["x"],
    [[{}]],
    {},
    {"a": {}},
]
V2_FIELDS = [
    "author_id",
    "created_at",
    "lang",
    "entities",
    "note_tweet",
    "referenced_tweets",
    "edit_history_tweet_ids",
    "author",
]
V1_FIELDS = [
    "created_at",
    "lang",
    "entities",
    "extended_entities",
    "extended_tweet",
    "edit_info",
    "in_reply_to_status_id",
    "user",
    "truncated",
]


@pytest.mark.parametrize(
    ("tweet", "field"), [(v2, field) for field in V2_FIELDS] + [(v1, field) for field in V1_FIELDS]
)
def test_a_corrupt_field_costs_itself(
    tmp_path: Path, tweet: Callable[[str], dict], field: str
) -> None:
    for corrupt in CORRUPT:
        if (corrupt == "x" and field == "author_id") or (
            field == "author_id" and corrupt in (-1, "\ud800")
        ):
            continue  # another author
        path = write_lines(tmp_path / "a.jsonl", tweet("4"), {**tweet("5"), field: corrupt})
        first, second = saved_json.read_author(Container(path), "alice").posts
        assert (first.id, second.id, second.text) == ("4", "5", TEXT)


def test_what_stands_beside_the_posts_may_be_corrupt(tmp_path: Path) -> None:
    for corrupt in CORRUPT:
        for key in ("includes", "meta", "errors", "__twarc"):
            path = write_lines(
                tmp_path / "a.jsonl",
                {**page(v2()), key: corrupt},
                {**page(v2("6")), "includes": {"users": corrupt}},
            )
            assert list(saved_json.read_author(Container(path), "alice").posts) == [
                post(),
                post("6"),
            ]


NOT_OURS: list[tuple[str, str]] = [
    ("a.jsonl", '{"text": "one"}\n'),
    ("a.jsonl", '{"id": "1", "text": "one", "created_at": "2022-10-03T17:57:11.000Z"}\n'),
    ("a.jsonl", '{"id_str": "1", "text": "one", "created_at": "2022-10-03"}\n'),
    (
        "a.jsonl",
        '{"id_str": "1", "text": "one", "is_retweet": "f", "created_at": "Sat Jul 25 08:26:58 '
        '+0000 2026"}\n',
    ),
    ("a.jsonl", '{"id_str": "1", "full_text": 7, "user": {}}\n'),
    ("a.jsonl", '{"data": [{"id": "1", "name": "Alice", "username": "alice"}], "__twarc": {}}\n'),
    ("a.jsonl", '{"text": "one"\n'),
    ("a.jsonl", ""),
    ("a.jsonl", "[" * 100_000),
    ("a.json", "[]"),
    ("a.json", "[7]"),
    ("a.json", '"x"'),
    (
        "a.json",
        '{\n  "name": "x",\n  "messages": [{"id": "1", "text": "one", "author_id": "5"}]\n}',
    ),
    ("a.json", '{\n  "data": [{"id": "1", "text": "one"}'),
    ("a.txt", json.dumps(v1())),
    ("._a.json", json.dumps(v1())),
]


@pytest.mark.parametrize(("name", "content"), NOT_OURS)
def test_what_is_not_of_x_is_left_to_others(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert saved_json.find_files(Container(tmp_path / name)) == []


def test_the_only_json_file_of_a_folder(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", v1())
    (tmp_path / "notes.txt").write_text("sun")
    (tmp_path / "._a.jsonl").write_bytes(b"\0\5")
    assert saved_json.find_files(Container(tmp_path)) == ["a.jsonl"]
    write_lines(tmp_path / "b.jsonl", v1("6"))
    assert saved_json.find_files(Container(tmp_path)) == []


ERRORS: dict[str, tuple[str, str]] = {
    "a cut line": (
        json.dumps(v1()) + '\n\n{"id_str": "6", "full_',
        "{path} is cut or not JSON (line 3: Unterminated string starting at); save it again",
    ),
    "a cut array": (
        json.dumps([v1()])[:-1],
        "{path} is cut or not JSON (cut before its end); save it again",
    ),
    "a deep line": (
        json.dumps(v1()) + "\n" + "[" * 100_000,
        "{path} is cut or not JSON (line 2: maximum recursion depth exceeded",
    ),
    "a long number": (
        json.dumps(v1()) + "\n" + "1" * 5000,
        "{path} is cut or not JSON (line 2: Exceeds the limit (4300 digits) for integer string",
    ),
    "a long line": (
        json.dumps(v1()) + '\n"' + "x" * (16 * 2**20 + 1),
        "{path} is cut or not JSON (line 2 has more than 8 MiB); save it again",
    ),
    "many authors": (
        json.dumps([v2("5"), v2("6", author_id="77"), v2("7", author_id="78"), v2("8")]),
        "{path}: posts of 3 authors (42 2, 77 1, 78 1), none of them alice; type 42 in place of "
        "alice to read only theirs",
    ),
}


@pytest.mark.parametrize(("content", "expected"), ERRORS.values(), ids=ERRORS)
def test_corrupt_files_get_one_line(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(HubtweetsError) as caught:
        saved_json.read_author(Container(path), "alice")
    assert str(caught.value).startswith(expected.format(path=path))
    assert "\n" not in str(caught.value)


def test_every_cut_and_every_corrupt_byte_is_read_or_refused(tmp_path: Path) -> None:
    for path in samples(tmp_path):
        whole = path.read_bytes()
        for position in range(0, len(whole), max(1, len(whole) // 40)):
            for content in (
                whole[:position],
                whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :],
            ):
                path.write_bytes(content)
                try:
                    container = Container(path)
                    if saved_json.find_files(container):
                        list(saved_json.read_author(container, "alice").posts)
                except HubtweetsError:
                    pass
