"""Exports of Threads, Instagram, Reddit and Telegram: read, refused, and never opened files."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.container import Container
from hubtweets.posts.exports import reddit, telegram, threads
from hubtweets.posts.post import Columns, Post, Profile

DAY = "2026-01-02T00:00:00+00:00"
SECONDS = 1767312000
THREADS = "your_instagram_activity/threads/threads_and_replies.json"
INSTAGRAM = "your_instagram_activity/media/posts_1.json"
COMMENTS = [
    "id",
    "permalink",
    "date",
    "ip",
    "subreddit",
    "gildings",
    "link",
    "parent",
    "body",
    "media",
]
POSTS = ["id", "permalink", "date", "ip", "subreddit", "gildings", "title", "url", "body"]
WHEN = "2026-01-02 00:00:00 UTC"


def write(path: Path, files: dict[str, Any]) -> Path:
    """Write a zip, of JSON where a file is no text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content if isinstance(content, str) else json.dumps(content))
    return path


def read(path: Path) -> list[Post]:
    return list(sources.read_source(path, "", Columns()).posts)


def find_files(container: Container) -> list[str]:
    """Return the files that the first reader of exports opens."""
    for reader in (threads, reddit, telegram):
        if names := reader.find_files(container):
            return names
    return []


def thread(text: str, **more: Any) -> dict:
    return {"media": [{"uri": "", "creation_timestamp": SECONDS, "title": text, **more}]}


def rows(columns: list[str], *cells: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(
        {"date": WHEN, "ip": "192.0.2.1", "subreddit": "repair", **row} for row in cells
    )
    return text.getvalue()


def message(id: int, text: Any, **more: Any) -> dict:
    at = {"date": "2026-01-02T03:00:00", "date_unixtime": str(SECONDS)}
    return {
        "id": id,
        "type": "message",
        **at,
        "from": "Shed",
        "from_id": "channel42",
        "text": text,
        "text_entities": [],
        **more,
    }


def chat(*messages: Any, type: str = "public_channel", name: str = "Shed [radio]") -> dict:
    return {"name": name, "type": type, "id": 42, "messages": list(messages)}


def samples(folder: Path) -> list[Path]:
    """Write a small export of each service."""
    pieces = [
        "see ",
        {"type": "link", "text": "https://example.org"},
        {"type": "bold", "text": " this"},
    ]
    carousel = {
        "media": [{"title": ""}, {"title": ""}],
        "title": "two pictures",
        "creation_timestamp": SECONDS,
    }
    instagram = [
        thread("one picture"),
        {"media": [{}, {}], "title": "two of them", "creation_timestamp": SECONDS},
    ]
    threads = [
        thread("caf\u00c3\u00a9 \u00f0\u009f\u00a4\u0096"),
        thread("so do I", text_app_post={"is_reply": True}),
        carousel,
    ]
    return [
        write(
            folder / "threads.zip",
            {
                THREADS: {"text_post_app_text_posts": threads},
                "logged_information/personal_information.json": "private",
            },
        ),
        write(
            folder / "instagram.zip",
            {INSTAGRAM: instagram, "messages/inbox/bob/message_1.json": "private"},
        ),
        write(
            folder / "reddit.zip",
            {
                "comments.csv": rows(
                    COMMENTS,
                    {"id": "c1", "body": "> no\n\nI [fixed](https://a.org/b_(c)) it"},
                    {"id": "c2", "body": "[removed]"},
                ),
                "posts.csv": rows(
                    POSTS,
                    {"id": "p1", "title": "A radio", "body": 'it, "sings"'},
                    {"id": "p2", "title": "x", "body": "[deleted]"},
                ),
                "messages.csv": "private",
            },
        ),
        write(
            folder / "telegram.zip",
            {
                "ChatExport/result.json": chat(
                    message(1, "hello"),
                    message(2, pieces, reply_to_message_id=1),
                    message(3, "theirs", forwarded_from=None),
                    message(4, "a guest's", from_id="user7"),
                    {"id": 5, "type": "service", "action": "pin_message"},
                )
            },
        ),
    ]


SAMPLES: dict[str, tuple[str, Profile, list[Post]]] = {
    "threads.zip": (
        "threads",
        Profile("", ""),
        [
            Post("1", "café 🤖", DAY),
            Post("2", "so do I", DAY, kind="reply"),
            Post("3", "two pictures", DAY),
        ],
    ),
    "instagram.zip": (
        "instagram",
        Profile("", ""),
        [Post("1", "one picture", DAY), Post("2", "two of them", DAY)],
    ),
    "reddit.zip": (
        "reddit",
        Profile("", ""),
        [
            Post("c1", "\nI fixed it", DAY, kind="reply", link=True),
            Post("p1", 'A radio\nit, "sings"', DAY),
        ],
    ),
    "telegram.zip": (
        "telegram",
        Profile("", "Shed [radio]", account_id="42"),
        [
            Post("1", "hello", DAY),
            Post("2", "see  this", DAY, kind="self_reply", link=True),
            Post("3", "theirs", DAY, kind="repost"),
        ],
    ),
}


def test_every_export(tmp_path: Path) -> None:
    found = {}
    for path in samples(tmp_path):
        reading = sources.read_source(path, "", Columns())
        found[path.name] = (reading.kind, reading.profile, list(reading.posts))
    assert found == SAMPLES


def test_nothing_private_is_opened(tmp_path: Path) -> None:
    assert {path.name: find_files(Container(path)) for path in samples(tmp_path)} == {
        "threads.zip": [THREADS],
        "instagram.zip": [INSTAGRAM],
        "reddit.zip": ["comments.csv", "posts.csv"],
        "telegram.zip": ["ChatExport/result.json"],
    }


def test_one_file_alone(tmp_path: Path) -> None:
    for path in samples(tmp_path):
        container = Container(path)
        for name in find_files(container):
            alone = tmp_path / Path(name).name
            alone.write_bytes(container.read(name))
            assert set(read(alone)) <= set(SAMPLES[path.name][2]) and read(alone)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.csv", "id,text\n1,a\n"),
        ("posts_1.json", [{"text": "a"}]),
        ("result.json", {"messages": [{"text": "a"}]}),
        ("result.json", [{"text": "a"}]),
        ("threads.json", thread("a")),
        ("posts_1.txt", "a"),
    ],
)
def test_other_files_are_none_of_ours(tmp_path: Path, name: str, content: Any) -> None:
    assert find_files(Container(write(tmp_path / "a.zip", {name: content}))) == []


TEXTS: list[tuple[Any, str]] = [
    ("a", "a"),
    ([], ""),
    (None, ""),
    (5, ""),
    (
        [
            "a",
            5,
            None,
            {"text": 5},
            {"type": "link"},
            ["b"],
            {"type": "text_link", "text": " b", "href": "https://c"},
        ],
        "a b",
    ),
    ("a \ud800", "a \ufffd"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_texts_of_telegram(tmp_path: Path, text: Any, expected: str) -> None:
    assert [
        post.text
        for post in read(write(tmp_path / "a.zip", {"result.json": chat(message(1, text))}))
    ] == [expected]


REPAIRS = [
    ("plain", "plain"),
    ("\u00f0\u009f\u00a4\u0096", "🤖"),
    ("caf\u00e9", "café"),  # not what UTF-8 would be
    ("🤖 \u00c3\u00a9", "🤖 \u00c3\u00a9"),  # not bytes at all
]


@pytest.mark.parametrize(("text", "expected"), REPAIRS)
def test_texts_of_threads(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path / "a.zip", {THREADS: {"text_post_app_text_posts": [thread(text)]}})
    assert [post.text for post in read(path)] == [expected]


BODIES = [
    ("a [b](https://c.org/d) e", "a b e"),
    ("[b](/r/c) [d] (https://e)", "[b](/r/c) [d] (https://e)"),
    ("&gt; no\nyes\n  > no\n>!yes!<\na > b", "yes\n>!yes!<\na > b"),
    ("> no", ""),
]


@pytest.mark.parametrize(("body", "expected"), BODIES)
def test_texts_of_reddit(tmp_path: Path, body: str, expected: str) -> None:
    path = write(tmp_path / "a.zip", {"comments.csv": rows(COMMENTS, {"id": "1", "body": body})})
    assert [post.text for post in read(path)] == [expected]


CORRUPT_FIELDS: list[Any] = [
    None,
    True,
    -1,
    10**400,
    1.5,
    float("nan"),
    "",
    "x",
    "\ud800",
    [],
    [None],
    {},
    {"a": {}},
    [[[]]],
]


@pytest.mark.parametrize("corrupt", CORRUPT_FIELDS, ids=range(len(CORRUPT_FIELDS)))
def test_a_corrupt_field_costs_itself(tmp_path: Path, corrupt: Any) -> None:
    for field in message(1, ""):
        path = write(
            tmp_path / "a.zip",
            {"result.json": chat({**message(1, "a"), field: corrupt}, corrupt, message(2, "b"))},
        )
        assert Post("2", "b", DAY) in read(path)
    for corrupt_thread in (
        {"media": corrupt},
        {"media": [corrupt]},
        {"title": corrupt},
        thread("a", creation_timestamp=corrupt, text_app_post=corrupt),
        corrupt,
    ):
        path = write(
            tmp_path / "a.zip",
            {THREADS: {"text_post_app_text_posts": [corrupt_thread, thread("b")]}},
        )
        assert ("b", DAY) in [(post.text, post.created_at) for post in read(path)]


ONLY = (
    "only a public channel's posts are read, not messages; export the channel alone: its "
    "menu, Export chat history, JSON"
)
ACCOUNT = {
    "about": "Here is [it]",
    "personal_information": {"user_id": 7, "phone_number": "0"},
    "chats": {"list": [chat(message(1, "no"))]},
}
ERRORS: list[tuple[dict[str, Any], str]] = [
    *(
        (
            {"result.json": chat(message(1, "no"), type=type)},
            f"{{path}}: result.json is a {type}; {ONLY}",
        )
        for type in (
            "personal_chat",
            "bot_chat",
            "saved_messages",
            "private_group",
            "private_supergroup",
            "private_channel",
            "public_supergroup",
        )
    ),
    (
        {"bob.json": chat(message(1, "no"), type="personal_chat")},
        f"{{path}}: bob.json is a personal_chat; {ONLY}",
    ),
    ({"result.json": ACCOUNT}, f"{{path}}: result.json is of a whole account; {ONLY}"),
    (
        {"result.json": json.dumps(chat(message(1, "a")))[:-30]},
        "{path}: result.json is not what Telegram writes (Unterminated string starting at: line "
        "1 column 132 (char 131)); "
        "export it again",
    ),
    (
        {THREADS: "{"},
        f"{{path}}: {THREADS} is not what Threads or Instagram writes "
        "(Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); ask for "
        "the export again",
    ),
    (
        {"one/" + THREADS: {}, "two/" + THREADS: {}},
        f"{{path}}: more than one export in it (one/{THREADS}, two/{THREADS}); give one of them",
    ),
    (
        {"posts.csv": rows(POSTS) + 'p1,"a'},
        "{path}: posts.csv: line 2 is not CSV (unexpected end of data); put texts in quotes, and "
        "double the quotes in them",
    ),
]


@pytest.mark.parametrize(("content", "expected"), ERRORS)
def test_corrupt_and_private_exports_get_one_line(
    tmp_path: Path, content: dict[str, Any], expected: str
) -> None:
    path = write(tmp_path / "a.zip", content)
    with pytest.raises(HubtweetsError) as caught:
        read(path)
    assert str(caught.value) == expected.format(path=path)
