"""Mastodon: archives in every container; the documented API, replayed by a local server."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container
from hubtweets.posts.html_text import html_to_text
from hubtweets.posts.mastodon import api as mastodon_api
from hubtweets.posts.mastodon import archive as mastodon
from hubtweets.posts.post import Post, Profile
from tests.test_posts_x_archive import write_folder, write_zip

ALICE, BOB = "https://host.example/users/alice", "https://other.example/users/bob"
EVERYONE, FOLLOWERS = "https://www.w3.org/ns/activitystreams#Public", ALICE + "/followers"
DATE, UTC = "2026-07-25T08:26:58Z", "2026-07-25T08:26:58+00:00"
CONTEXT = [
    "https://www.w3.org/ns/activitystreams",
    {"toot": "http://joinmastodon.org/ns#", "orderedItems": "as:orderedItems"},
]


def note(number: int = 1, content: object = "<p>hello there</p>", **more: Any) -> dict:
    """Return the Create of a note, as Mastodon writes it; `more` are properties of the note."""
    id = f"{ALICE}/statuses/{number}"
    written: dict[str, Any] = {
        "id": id,
        "type": "Note",
        "published": DATE,
        "attributedTo": ALICE,
        "to": [EVERYONE],
        "cc": [FOLLOWERS],
    }
    written |= {"content": content, "contentMap": {"en": content}, **more}
    audience = {name: written[name] for name in ("to", "cc")}
    return {
        "id": id + "/activity",
        "type": "Create",
        "actor": ALICE,
        "published": DATE,
        **audience,
        "object": written,
    }


def boost(number: int, **more: Any) -> dict:
    id = f"{ALICE}/statuses/{number}/activity"
    return {
        "id": id,
        "type": "Announce",
        "actor": ALICE,
        "published": DATE,
        "to": [EVERYONE],
        "object": f"{BOB}/statuses/9",
        **more,
    }


PRIVATE = Post("1", "", UTC, None, visibility="private")
ITEMS: list[tuple[Any, Post | None]] = [
    (note(), Post("1", "hello there", UTC, "en")),
    (
        note(to=[FOLLOWERS], cc=[EVERYONE]),
        Post("1", "hello there", UTC, "en", visibility="unlisted"),
    ),
    (note(to="as:Public", cc=None), Post("1", "hello there", UTC, "en")),
    (
        note(to=[FOLLOWERS], cc=[], summary="a secret"),
        Post("1", "", UTC, None, visibility="private"),
    ),
    (
        note(to=[BOB], cc=[], inReplyTo=f"{BOB}/statuses/9"),
        Post("1", "", UTC, None, "reply", "private"),
    ),
    (note(to={"a": 1}, cc=5), Post("1", "", UTC, None, visibility="private")),
    (boost(2), Post("2", "", UTC, None, "repost")),
    (boost(2, object=note()["object"]), Post("2", "", UTC, None, "repost")),
    (boost(2, to=[FOLLOWERS]), Post("2", "", UTC, None, "repost", "private")),
    (note(inReplyTo=f"{BOB}/statuses/9"), Post("1", "hello there", UTC, "en", "reply")),
    (note(inReplyTo=f"{ALICE}/statuses/9"), Post("1", "hello there", UTC, "en", "self_reply")),
    (note(inReplyTo=f"{ALICE}2/statuses/9"), Post("1", "hello there", UTC, "en", "reply")),
    (
        note(
            content='<p class="quote-inline">RE: <a '
            'href="https://o.example/1">https://o.example/1</a></p><p>so true</p>',
            quote=f"{BOB}/statuses/9",
        ),
        Post("1", "so true", UTC, "en", "quote"),
    ),
    (note(summary="spoilers"), Post("1", "hello there", UTC, "en", warning=True)),
    (note(summary=""), Post("1", "hello there", UTC, "en")),
    # the narrower of the two audiences counts, and one that is not there is not known to be public
    ({**note(), "to": [FOLLOWERS], "cc": []}, PRIVATE),
    (
        {**note(), "to": [FOLLOWERS], "cc": [EVERYONE]},
        Post("1", "hello there", UTC, "en", visibility="unlisted"),
    ),
    ({**note(to=[FOLLOWERS], cc=[]), "to": [EVERYONE]}, PRIVATE),
    (
        {**note(to=[FOLLOWERS], cc=[EVERYONE]), "to": [EVERYONE]},
        Post("1", "hello there", UTC, "en", visibility="unlisted"),
    ),
    ({name: value for name, value in note().items() if name not in ("to", "cc")}, PRIVATE),
    ({**note(), "to": None, "cc": None}, PRIVATE),
    # of the owner alone
    ({**note(), "actor": {"id": ALICE}}, Post("1", "hello there", UTC, "en")),
    (note(attributedTo=[{"id": ALICE, "type": "Person"}]), Post("1", "hello there", UTC, "en")),
    ({**note(), "actor": BOB}, None),
    ({**note(), "actor": None}, None),
    ({**note(), "actor": [ALICE, BOB]}, None),
    (note(attributedTo=BOB), None),
    (note(attributedTo=None), None),
    (note(attributedTo=[]), None),
    (note(attributedTo=[ALICE, BOB]), None),
    (note(attributedTo=ALICE + "2"), None),
    (boost(2, actor=BOB), None),
    # of no other kind
    *(
        ({**note(), "type": kind}, None)
        for kind in ("Update", "Delete", "Undo", "Like", "Add", "Accept", None, ["Create"])
    ),
    *(
        (note(type=kind), None)
        for kind in ("Tombstone", "Person", "OrderedCollection", None, ["Note"])
    ),
    (note(type="Question", oneOf=[{"name": "yes"}]), Post("1", "hello there", UTC, "en")),
    (note(content=""), Post("1", "", UTC, "en")),
    (
        note(content=None, published="yesterday", contentMap=7, inReplyTo=[], quote={}, summary=3),
        Post("1", ""),
    ),
    (
        note(id="https://pleroma.example/objects/77"),
        Post("https://pleroma.example/objects/77", "hello there", UTC, "en"),
    ),
    (note(id=None, content="a \ud800 b"), Post("", "a \ufffd b", UTC, "en")),
    ({"type": "Create", "object": "https://host.example/1"}, None),
    (None, None),
    (10**400, None),
    ("x", None),
    ([{}], None),
    ({}, None),
]


@pytest.mark.parametrize(("activity", "expected"), ITEMS)
def test_activity(activity: Any, expected: Post | None) -> None:
    assert mastodon.to_post(activity, ALICE) == expected
    assert mastodon.to_post(activity, None) is None


def link(url: str, shown: str) -> str:
    return f'<a href="{url}" target="_blank" rel="nofollow noopener">{shown}</a>'


LONG_LINK = link(
    "https://www.example.org/a/long/path",
    '<span class="invisible">https://www.</span><span '
    'class="ellipsis">example.org/a/lon</span><span class="invisible">g/path</span>',
)
HTML = [
    ("<p>one<br>two<br/>three</p><p>four</p>", ("one\ntwo\nthree\n\nfour", False)),
    ("1 &lt; 2 &amp;amp; &#39;3&#39; &quot;4&quot;", ("1 < 2 &amp; '3' \"4\"", False)),
    (f"<p>look {LONG_LINK} here</p>", ("look  here", True)),
    (f"see {link('https://example.org/abc', 'example.org/a…')}", ("see", True)),
    (f"see {link('https://example.org/', 'Example.org')}", ("see", True)),
    (
        f"see {link('https://blog.example.org/', 'my blog')} or "
        f"{link('https://blog.example.org', 'blog')}",
        ("see my blog or blog", False),
    ),
    (f"see {link('https://nodejs.org', 'Node.js')}", ("see Node.js", False)),
    (f"a picture {link('https://example.org/1.jpg', '<img src=x>')}", ("a picture", True)),
    (
        '<span class="h-card"><a href="https://o.example/@bob" class="u-url '
        'mention">@<span>bob</span></a></span> hi',
        ("@bob hi", False),
    ),
    (
        '<a href="https://h.example/@bob@o.example" class="u-url mention">@bob@o.example</a> hi',
        ("@bob@o.example hi", False),
    ),
    (
        '<a href="https://h.example/tags/a.b" class="mention hashtag" '
        'rel="tag">#<span>a.b</span></a> hi',
        ("#a.b hi", False),
    ),
    (
        "<p>to do:</p><ul><li>one</li><li>two</li></ul><p>end</p>",
        ("to do:\n\none\ntwo\nend", False),
    ),
    (
        "<p>he said</p><blockquote><p>no</p></blockquote><pre><code>x = 1\ny = 2</code></pre>ok",
        ("he said\n\nx = 1\ny = 2\nok", False),
    ),
    (
        "use <code>a</code> and <em>b</em><strong>c</strong> :blobcat:",
        ("use a and bc :blobcat:", False),
    ),
    (
        '<span class="quote-inline">RE: <span>x</span> <a href="https://x.y">y</a></span>mine',
        ("mine", False),
    ),
    ('<br class="quote-inline">mine', ("mine", False)),
    ('<p title="1 > 0">a</p>', ("a", False)),
    ("a < b <3 <", ("a < b <3 <", False)),
    ("cut <a href='https://x.y'>https://x", ("cut", True)),
    # what readers don't see
    *(
        (f"<{tag}>secret <b>x</b></{tag}>seen", ("seen", False))
        for tag in ("script", "style", "template", "noscript", "iframe", "title", "noembed")
    ),
    ("<STYLE type='>'>secret</p></style \n x>seen", ("seen", False)),
    ("<script>'</p>' + \"<b>\"</script>seen<script>unclosed", ("seen", False)),
    ('a<script src="unclosed>secret</script>seen', ("a", False)),
    ("<script/>secret</script>seen <scripted>too</scripted>", ("seen too", False)),
    ("<template>a<template>b</template>c</template>seen", ("seen", False)),
    ("a<!-- secret > ' \" <p> -->b<!-->c<!--->d<!-- secret --!>e<!-- unclosed", ("abcde", False)),
    ("a<!secret>b<?secret?>c</ secret>d<!unclosed", ("abcd", False)),
    ('a<span class="invisible">secret <span>x</span> </span>b', ("ab", False)),
    ("<p>a</p><p CLASS=' x INVISIBLE '>secret</p><p>b</p>", ("a\n\nb", False)),
    (
        '<span class="invisible" class="x">secret</span><img class="invisible">b<br '
        'class="invisible">c',
        ("b\nc", False),
    ),
    (
        f"see {link('https://blog.example.org', 'my <span class=invisible>secret</span>blog')}",
        ("see my blog", False),
    ),
    (
        f"see {link('https://blog.example.org', '<span class=invisible>https://</span>my blog')}",
        ("see my blog", False),
    ),
    (
        f"see {link('https://nodejs.org', '<span class=invisible>https://</span>Node.js')}",
        ("see", True),
    ),
    (
        f"see {link('https://x.example/1', '<span class=invisible>https://x.example/1</span>')}",
        ("see", True),
    ),
    (
        "<![CDATA[x]]> <!-- y --> z &#xD800; &#" + "9" * 5000 + ";",
        ("z &#xD800; &#" + "9" * 5000 + ";", False),
    ),
    ("", ("", False)),
]


@pytest.mark.parametrize(("html", "expected"), HTML)
def test_html(html: str, expected: tuple[str, bool]) -> None:
    assert html_to_text(html) == expected


HOSTILE = [
    *(
        "<a",
        "<p ",
        "<a href='",
        '<a "',
        "<!--",
        "<",
        "</",
        "&#",
        "<a>",
        '<p class="quote-inline">',
        "<a href=x>h.x",
        "\"'<a ",
    ),
    *(
        "<!",
        "<!-",
        "<?",
        "</ ",
        "<script",
        "<script>",
        "<script a='",
        "<script></scrip",
        "<style></style>",
        "<template>",
        "<b class=invisible>",
    ),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_html_takes_linear_time(piece: str) -> None:
    html_to_text(piece * (300_000 // len(piece)))  # minutes where it were quadratic


ACTOR = {
    "@context": CONTEXT,
    "id": ALICE,
    "type": "Person",
    "preferredUsername": "alice",
    "name": "Alice :blobcat:",
    "summary": "<p>I fix <em>radios</em>.</p>",
    "icon": {"type": "Image", "url": "avatar.png"},
    "indexable": False,
    "discoverable": True,
}
PROFILE = Profile(
    "alice",
    "Alice :blobcat:",
    "Mastodon",
    "I fix radios.",
    ALICE,
    None,
    "https://host.example/@alice",
)
ACTIVITIES = [
    note(1),
    boost(2),
    note(3, to=[FOLLOWERS], cc=[]),
    note(4, inReplyTo=f"{ALICE}/statuses/1"),
    note(5, summary="cw"),
]
POSTS = [post for activity in ACTIVITIES if (post := mastodon.to_post(activity, ALICE))]


def outbox(activities: list, **more: Any) -> str:
    return json.dumps(
        {
            "@context": CONTEXT,
            "id": "outbox.json",
            "type": "OrderedCollection",
            "totalItems": 3,
            "orderedItems": activities,
            **more,
        }
    )


def archive_files(activities: list = ACTIVITIES, actor: object = ACTOR) -> dict[str, str]:
    return {
        "outbox.json": outbox(activities),
        "actor.json": json.dumps(actor),
        "avatar.png": "a picture",
        "header.png": "private",
        "likes.json": outbox([BOB]),
        "bookmarks.json": outbox([BOB]),
        "media_attachments/files/avatar.png": "another picture",
    }


def write_tar(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as opened:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            opened.addfile(member, io.BytesIO(text.encode()))
    return path


def samples(folder: Path) -> list[Path]:
    """Write a small valid archive in every container."""
    bare = folder / "outbox.json"
    bare.write_text(archive_files()["outbox.json"])
    return [
        write_zip(folder / "mastodon.zip", archive_files()),
        write_zip(
            folder / "mastodon-again.zip",
            {f"archive-2026/{name}": text for name, text in archive_files().items()},
        ),
        write_tar(folder / "mastodon.tar.gz", archive_files()),
        write_folder(folder / "mastodon", archive_files()),
        bare,
    ]


def test_every_container_gives_the_same(tmp_path: Path) -> None:
    *whole, bare = samples(tmp_path)
    hashes = set()
    for path in whole:
        container = Container(path)
        names = mastodon.find_files(container)
        assert [name.removeprefix("archive-2026/") for name in names] == [
            "outbox.json",
            "actor.json",
            "avatar.png",
        ]
        hashes.add(container.sha256(names))
        reading = mastodon.read(container)
        assert (reading.kind, reading.profile, reading.avatar, list(reading.posts)) == (
            "mastodon-archive",
            PROFILE,
            b"a picture",
            POSTS,
        )
        assert reading.warnings == [
            "@alice@host.example asks not to be indexed (indexable is off): publish the bot only "
            "with their consent"
        ]
    assert len(hashes) == 1
    reading = mastodon.read(Container(bare.rename(tmp_path / "mine.json")))
    assert (list(reading.posts), reading.warnings) == (POSTS, [])
    assert reading.profile == Profile(
        "alice", "alice", "Mastodon", None, ALICE, None, "https://host.example/@alice"
    )


def test_other_files_are_not_its_kind(tmp_path: Path) -> None:
    for name, text in {
        "likes.json": outbox([BOB]),
        "posts.json": '[{"text": "one"}]',
        "outbox.txt": outbox(ACTIVITIES),
    }.items():
        (tmp_path / name).write_text(text)
        assert mastodon.find_files(Container(tmp_path / name)) == []
    assert (
        mastodon.find_files(
            Container(write_zip(tmp_path / "a.zip", {"tweets.js": "x", "actor.json": "{}"}))
        )
        == []
    )


def test_a_long_outbox_is_streamed(tmp_path: Path) -> None:
    activities = [note(number, "<p>" + "word " * 200 + "</p>") for number in range(3000)]
    path = tmp_path / "outbox.json"
    path.write_text(
        outbox([boost(0), *activities], **{"@context": ["x" * 100_000]})
    )  # six mebibytes, and a list that comes first
    assert [post.id for post in mastodon.read(Container(path)).posts] == [
        "0",
        *map(str, range(3000)),
    ]


CORRUPT: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1.5,
    float("nan"),
    "",
    "x",
    "a\nb",
    "\ud800",
    [],
    [None],
    ["x"],
    {},
    {"a": {}},
    [[[[]]]],
]


@pytest.mark.parametrize(
    "field", [*ACTOR, "actor", *note()["object"], "inReplyTo", "summary", "quote", "object"]
)
def test_a_corrupt_field_costs_itself(tmp_path: Path, field: str) -> None:
    for corrupt in CORRUPT:
        activities = [
            note(1, **({} if field in ("object", "actor") else {field: corrupt})),
            note(5),
        ]
        if field in ("object", "actor"):
            activities[0][field] = corrupt
        reading = mastodon.read(
            Container(
                write_zip(tmp_path / "a.zip", archive_files(activities, {**ACTOR, field: corrupt}))
            )
        )
        assert "5" in [post.id for post in reading.posts]
        json.dumps([reading.profile.__dict__, reading.warnings], ensure_ascii=False).encode()
        assert not any(
            "\n" in text
            for text in [reading.profile.handle, reading.profile.url or "", *reading.warnings]
        )
        single = tmp_path / "outbox.json"
        single.write_text(outbox(activities))
        assert "5" in [post.id for post in mastodon.read(Container(single)).posts]


ERRORS: dict[str, tuple[dict[str, str], str]] = {
    "cut": (
        {"outbox.json": outbox(ACTIVITIES)[:-2]},
        "{path}: outbox.json is not what Mastodon writes (cut before its end); download the "
        "archive again",
    ),
    "no list": (
        {"outbox.json": "{}"},
        "{path}: outbox.json is not what Mastodon writes (no list in it); download the archive "
        "again",
    ),
    "no JSON": (
        {"outbox.json": '{"orderedItems": [oops]}'},
        "{path}: outbox.json is not what Mastodon writes (Expecting value: line 1 column 1 (char "
        "0)); download the archive again",
    ),
    "corrupt actor": (
        {"outbox.json": outbox([]), "actor.json": "{"},
        "{path}: actor.json is not what Mastodon writes (Expecting property name enclosed in "
        "double quotes: line 1 column 2 (char 1)); "
        "download the archive again",
    ),
    "two": (
        {"a/outbox.json": outbox([]), "b/outbox.json": outbox([])},
        "{path}: more than one archive in it (a/outbox.json and b/outbox.json); give one of them",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(tmp_path: Path, case: str) -> None:
    files, text = ERRORS[case]
    path = write_zip(tmp_path / "a.zip", files)
    with pytest.raises(HubtweetsError) as error:
        list(mastodon.read(Container(path)).posts)
    assert str(error.value) == text.format(path=path)


def test_every_corrupt_byte_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "outbox.json"
    whole = json.dumps(json.loads(outbox([note(1), boost(2)]))).encode()
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        with suppress(HubtweetsError):
            list(mastodon.read(Container(path)).posts)


# the API

ACCOUNT = {
    "id": "42",
    "username": "alice",
    "acct": "alice",
    "display_name": "Alice",
    "note": "<p>I fix.</p>",
    "noindex": True,
    "indexable": False,
    "discoverable": None,
}


def status(number: int, **more: Any) -> dict:
    return {
        "id": str(number),
        "created_at": "2026-07-25T08:26:58.000Z",
        "content": f"<p>post {number}</p>",
        "visibility": "public",
        "language": "en",
        "spoiler_text": "",
        "reblog": None,
        "quote": None,
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        **more,
    }


STATUSES: list[tuple[dict, Post]] = [
    (status(9), Post("9", "post 9", UTC, "en")),
    (status(9, visibility="unlisted"), Post("9", "post 9", UTC, "en", visibility="unlisted")),
    (status(9, visibility="private"), Post("9", "", UTC, visibility="private")),
    (
        status(9, visibility="direct", in_reply_to_id="1"),
        Post("9", "", UTC, None, "reply", "private"),
    ),
    (status(9, visibility=["public"]), Post("9", "", UTC, visibility="private")),
    (status(9, reblog={"id": "8", "content": "theirs"}), Post("9", "", UTC, None, "repost")),
    (
        status(9, in_reply_to_id="8", in_reply_to_account_id="42"),
        Post("9", "post 9", UTC, "en", "self_reply"),
    ),
    (
        status(9, in_reply_to_id="8", in_reply_to_account_id=None),
        Post("9", "post 9", UTC, "en", "reply"),
    ),
    (status(9, quote={"state": "accepted"}), Post("9", "post 9", UTC, "en", "quote")),
    (status(9, spoiler_text="cw", language=None), Post("9", "post 9", UTC, warning=True)),
    ({"id": 9}, Post("9", "", visibility="private")),
]


@pytest.mark.parametrize(("item", "expected"), STATUSES)
def test_status(item: dict, expected: Post) -> None:
    assert mastodon_api.to_post(item, "42") == expected


class Server:
    """A local service that answers by path and remembers the requests.

    An answer is JSON, a (status, JSON), bytes, or a function that returns one.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str], str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                outer.asked.append((parts.path, query, self.headers.get("Authorization")))
                answer = outer.answers.get(parts.path, (404, {"error": "Record not found"}))
                answer = answer(query) if callable(answer) else answer
                code, body = answer if isinstance(answer, tuple) else (200, answer)
                self.send_response(code)
                self.end_headers()
                self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("MASTODON_ACCESS_TOKEN", raising=False)
    running = Server()
    monkeypatch.setenv("MASTODON_API_BASE_URL", f"http://{running.host}/")
    yield running
    running.server.shutdown()
    running.server.server_close()


LOOKUP, TIMELINE = "/api/v1/accounts/lookup", "/api/v1/accounts/42/statuses"


def pages(statuses: list[dict], size: int) -> Callable[[dict[str, str]], list[dict]]:
    return lambda query: [
        status for status in statuses if int(status["id"]) < int(query.get("max_id", 10**9))
    ][:size]


def test_an_account_is_read_to_its_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTODON_ACCESS_TOKEN", " secret\n")
    statuses = [status(number) for number in range(9, 0, -1)]
    server.answers = {
        LOOKUP: ACCOUNT | {"avatar_static": f"http://{server.host}/avatar.png"},
        "/avatar.png": b"a picture",
        TIMELINE: pages(statuses, 4),
    }
    reading = mastodon_api.fetch(f"@alice@{server.host}", print)
    assert reading.profile == Profile(
        "alice", "Alice", "Mastodon", "I fix.", "42", None, f"https://{server.host}/@alice"
    )
    assert (reading.kind, reading.avatar) == ("mastodon-api", b"a picture")
    assert list(reading.posts) == [mastodon_api.to_post(item, "42") for item in statuses]
    assert reading.warnings == [
        f"@alice@{server.host} asks not to be indexed (indexable is off and noindex is on): "
        f"publish the bot only with their consent"
    ]
    token = "Bearer secret"
    assert server.asked == [
        (LOOKUP, {"acct": "alice"}, token),
        ("/avatar.png", {}, None),
        (TIMELINE, {"limit": "40"}, token),
        (TIMELINE, {"limit": "40", "max_id": "6"}, token),
        (TIMELINE, {"limit": "40", "max_id": "2"}, token),
        (TIMELINE, {"limit": "40", "max_id": "1"}, token),
    ]


@pytest.mark.parametrize("meant", ["", "https://mastodon.example", "http://127.0.0.1:1"])
def test_a_token_goes_to_no_other_server(
    server: Server, monkeypatch: pytest.MonkeyPatch, meant: str
) -> None:
    monkeypatch.setenv("MASTODON_ACCESS_TOKEN", "secret")
    monkeypatch.setenv("MASTODON_API_BASE_URL", meant)
    server.answers = {LOOKUP: ACCOUNT, TIMELINE: []}
    list(mastodon_api.fetch(f"alice@{server.host}", print).posts)
    assert [token for _, _, token in server.asked if token] == []


@pytest.mark.parametrize(
    "page", [[], [status(3), status(2)], [None, {}, "x"], [status(3), {"id": []}]]
)
def test_paging_ends_whatever_comes(server: Server, page: list) -> None:
    server.answers = {LOOKUP: ACCOUNT, TIMELINE: page}
    found = [post.id for post in mastodon_api.fetch(f"alice@{server.host}", print).posts if post.id]
    assert found == [
        item["id"] for item in page if isinstance(item, dict) and isinstance(item.get("id"), str)
    ]


ARCHIVE = mastodon_api.ARCHIVE_ADVICE
REFUSALS: list[tuple[str, Any, str, str]] = [
    (
        LOOKUP,
        (404, {}),
        "",
        "{host} has no account @a@{host} (404); check the name, and the server's (its web "
        "address, such as social.example.org)",
    ),
    (LOOKUP, (410, {}), "", "@a@{host} is gone from {host} (410); " + ARCHIVE),
    (
        LOOKUP,
        (403, b"<html>"),
        "",
        "{host} does not allow reading the posts of @a@{host} (403); " + ARCHIVE,
    ),
    (LOOKUP, (301, b""), "", "{host} answers 301 for @a@{host}; try again later, or " + ARCHIVE),
    (
        LOOKUP,
        {"error": "x"},
        "",
        "{host} gives no id for @a@{host}; check that it is a Mastodon server, then try again "
        "later",
    ),
    (
        LOOKUP,
        {"id": "../../x"},
        "",
        "{host} gives no id for @a@{host}; check that it is a Mastodon server, then try again "
        "later",
    ),
    (
        LOOKUP,
        b"<html>",
        "",
        "http://{host}/api/v1/accounts/lookup did not answer with JSON; try again later",
    ),
    (
        LOOKUP,
        ACCOUNT | {"suspended": True},
        "",
        "@a@{host} is suspended at {host}, which then shows no posts; " + ARCHIVE,
    ),
    *(
        (
            TIMELINE,
            (code, {}),
            "",
            f"{{host}} shows posts only to its users ({code}); set MASTODON_ACCESS_TOKEN to a "
            f"token of an account there "
            f"and MASTODON_API_BASE_URL to https://{{host}}, or {ARCHIVE}",
        )
        for code in (401, 422)
    ),
    (
        TIMELINE,
        (401, {}),
        "secret",
        "{host} does not accept MASTODON_ACCESS_TOKEN (401); make a new one there, or " + ARCHIVE,
    ),
    (
        TIMELINE,
        (429, {}),
        "",
        "{host} is rate-limiting (429); type the same command again in some minutes",
    ),
    (
        TIMELINE,
        {"error": "x"},
        "",
        "{host} does not answer with posts; check that it is a Mastodon server, then try again "
        "later",
    ),
]


@pytest.mark.parametrize(("path", "answer", "token", "expected"), REFUSALS)
def test_refusal(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    answer: Any,
    token: str,
    expected: str,
) -> None:
    monkeypatch.setenv("MASTODON_ACCESS_TOKEN", token)
    server.answers = {LOOKUP: ACCOUNT, TIMELINE: [], path: answer}
    with pytest.raises(HubtweetsError) as error:
        list(mastodon_api.fetch(f"@a@{server.host}", print).posts)
    assert str(error.value) == expected.format(host=server.host)


@pytest.mark.parametrize(
    "account",
    [
        "",
        "alice",
        "@alice",
        "a@b",
        "@a@b/c",
        "a b@c.example",
        "@a@c.example/..",
        "a@[::1]",
        "a@1.2.3.4",
        "a@c..d",
        "ä@c.de",
        "a@b.c:",
    ],
)
def test_an_odd_name_is_asked_of_no_server(account: str) -> None:
    with pytest.raises(HubtweetsError) as error:
        mastodon_api.fetch(account, print)
    assert (
        str(error.value)
        == f"{account!r} is not the name of a Mastodon account; write it with its server, as in "
        f"mastodon:@alice@mastodon.example"
    )


def test_a_token_that_no_header_holds_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTODON_ACCESS_TOKEN", "sec\nret")
    monkeypatch.setenv("MASTODON_API_BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(HubtweetsError) as error:
        mastodon_api.fetch("a@127.0.0.1:1", print)
    assert (
        str(error.value)
        == "MASTODON_ACCESS_TOKEN holds characters that no token has; copy it again from the "
        "server's Preferences, Development"
    )
