"""Bluesky: repositories built block by block; the documented API, replayed by a local server."""

import hashlib
import random
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import http as web
from hubtweets.posts.bluesky import api as bluesky_api
from hubtweets.posts.bluesky import archive as bluesky
from hubtweets.posts.container import Container
from hubtweets.posts.post import Post, Profile
from tests.test_posts_mastodon import Server, server  # noqa: F401

libipld = pytest.importorskip("libipld")

DID, OTHER = "did:plc:aliceaaaaaaaaaaaaaaaaaaa", "did:plc:bobbbbbbbbbbbbbbbbbbbbbb"
UTC = "2026-07-25T08:26:58+00:00"
POST, REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"


def record(text: object = "hello there", **more: Any) -> dict:
    return {
        "$type": POST,
        "text": text,
        "createdAt": "2026-07-25T08:26:58.000Z",
        "langs": ["en"],
        **more,
    }


def facet(start: object, end: object, kind: str = "link") -> dict:
    return {
        "index": {"byteStart": start, "byteEnd": end},
        "features": [
            {
                "$type": f"app.bsky.richtext.facet#{kind}",
                "uri": "https://arxiv.org/abs/2601.174/x.org",
            }
        ],
    }


def entity(start: object, end: object, kind: str = "link") -> dict:
    return {"index": {"start": start, "end": end}, "type": kind, "value": "https://x.org/a"}


def reply(did: str) -> dict:
    return {"parent": {"uri": f"at://{did}/{POST}/1"}, "root": {"uri": f"at://{OTHER}/{POST}/1"}}


RECORDS: list[tuple[dict, Post]] = [
    (record(), Post("k", "hello there", UTC, "en")),
    (record("a &amp; <b>\n@bob.example"), Post("k", "a &amp; <b>\n@bob.example", UTC, "en")),
    (
        record(createdAt="2026-07-25T01:26:58.123456-07:00", langs=["pt-BR", "en"]),
        Post("k", "hello there", "2026-07-25T08:26:58.123456+00:00", "pt-BR"),
    ),
    (record(reply=reply(OTHER)), Post("k", "hello there", UTC, "en", "reply")),
    (record(reply=reply(DID)), Post("k", "hello there", UTC, "en", "self_reply")),
    (record(reply=reply(DID + "2")), Post("k", "hello there", UTC, "en", "reply")),
    (record(reply={}), Post("k", "hello there", UTC, "en", "reply")),
    (
        record(embed={"$type": "app.bsky.embed.record"}),
        Post("k", "hello there", UTC, "en", "quote"),
    ),
    (
        record(embed={"$type": "app.bsky.embed.recordWithMedia"}),
        Post("k", "hello there", UTC, "en", "quote"),
    ),
    (record(embed={"$type": "app.bsky.embed.images"}), Post("k", "hello there", UTC, "en")),
    (
        record("see arxiv.org/abs/26... now", facets=[facet(4, 23)]),
        Post("k", "see  now", UTC, "en", link=True),
    ),
    (record("é🌙 x.org!", facets=[facet(7, 12)]), Post("k", "é🌙 !", UTC, "en", link=True)),
    (record("é🌙 x.org!", entities=[entity(4, 9)]), Post("k", "é🌙 !", UTC, "en", link=True)),
    (
        record("é🌙 x.org!", entities=[entity(4, 9)], facets=[facet(7, 12)]),
        Post("k", "é🌙 !", UTC, "en", link=True),
    ),
    (
        record(
            "é🌙 x.org!",
            entities=[entity(2, 9), entity(1, 2), entity(4, 10**9), entity(4, 9, "mention")],
        ),
        Post("k", "é🌙 x.org!", UTC, "en"),
    ),
    (
        record(
            "é🌙 x.org",
            facets=[
                facet(1, 5),
                facet(0, 4),
                facet(-1, 2),
                facet(7, 7),
                facet(7, 13),
                facet(0, 2, "tag"),
            ],
        ),
        Post("k", "é🌙 x.org", UTC, "en"),
    ),
    (
        record("www.www.www.", facets=[facet(8, 12), facet(0, 4), facet(2, 10)]),
        Post("k", "www.", UTC, "en", link=True),
    ),
    (
        record("see youtu.be/xyz now", facets=[facet(4, 16)]),
        Post("k", "see  now", UTC, "en", link=True),
    ),
    (
        record("I wrote about x.org", facets=[facet(2, 13)]),
        Post("k", "I wrote about x.org", UTC, "en"),
    ),  # words of the author's own
    (record("a \ud800 x.org", facets=[facet(6, 11)]), Post("k", "a \ufffd ", UTC, "en", link=True)),
    (record(5), Post("k", "5", UTC, "en")),
    (
        record(
            None,
            createdAt=10**400,
            langs=[7],
            facets=[5, {"index": 3}, facet("0", None), facet(0, 10**400)],
            entities={},
            reply=3,
            embed=[],
        ),
        Post("k", ""),
    ),
    ({}, Post("k", "")),
]


@pytest.mark.parametrize(("item", "expected"), RECORDS)
def test_record(item: dict, expected: Post) -> None:
    assert bluesky.to_post("k", item, DID) == expected


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


class Repository:
    """A CAR file in the making."""

    def __init__(self) -> None:
        self.blocks: dict[bytes, bytes] = {}

    def add(self, value: Any) -> bytes:
        block = libipld.encode_dag_cbor(value)
        cid = b"\x01\x71\x12\x20" + hashlib.sha256(block).digest()
        self.blocks[cid] = block
        return cid

    def node(
        self, paths: dict[str, bytes], left: bytes | None = None, right: bytes | None = None
    ) -> bytes:
        """Add a tree node of the paths, each written as a shared prefix and the rest.

        `right` is the subtree after the last.
        """
        entries, before = [], b""
        for path, cid in paths.items():
            key = path.encode()
            shared = next(
                (n for n, (a, b) in enumerate(zip(before, key, strict=False)) if a != b),
                min(len(before), len(key)),
            )
            entries.append({"p": shared, "k": key[shared:], "v": cid, "t": None})
            before = key
        if right:
            entries[-1]["t"] = right
        return self.add({"l": left, "e": entries})

    def car(self, root: bytes) -> bytes:
        header = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00" + root + b"\x67version\x01"
        return (
            varint(len(header))
            + header
            + b"".join(
                varint(len(cid) + len(block)) + cid + block for cid, block in self.blocks.items()
            )
        )


PROFILE_RECORD = {
    "displayName": "Alice 🌙",
    "description": "I fix.",
    "labels": {
        "$type": "com.atproto.label.defs#selfLabels",
        "values": [{"val": "!no-unauthenticated"}],
    },
}
REPOST_RECORD = {
    "$type": REPOST,
    "subject": {"uri": f"at://{OTHER}/{POST}/9"},
    "createdAt": "2026-07-25T08:26:58Z",
}


def export(
    profile: Any = PROFILE_RECORD, without: str | None = None, commit: dict | None = None
) -> bytes:
    """Return a repository of three nodes; `without` is the record or node to leave out."""
    made = Repository()
    profile_cid = made.add(profile)
    posts = {
        key: made.add(item)
        for key, item in {
            "3a": record("one"),
            "3b": record("two", reply=reply(OTHER)),
            "3c": record("three"),
        }.items()
    }
    like, repost = made.add({"text": "somebody's like"}), made.add(REPOST_RECORD)
    first = made.node(
        {
            "app.bsky.actor.profile/self": profile_cid,
            "app.bsky.feed.like/3a": like,
            f"{POST}/3a": posts["3a"],
        }
    )
    last = made.node(
        {f"{POST}/3c": posts["3c"], f"{REPOST}/3d": repost, "app.bsky.feed.postgate/3e": like}
    )
    root = made.node({f"{POST}/3b": posts["3b"]}, left=first, right=last)
    cid = made.add(
        commit
        if commit is not None
        else {"did": DID, "version": 3, "data": root, "rev": "3x", "prev": None, "sig": b"x"}
    )
    left_out = {
        **posts,
        "repost": repost,
        "node": last,
        "tree": root,
        "commit": cid,
        "profile": profile_cid,
    }.get(without or "")
    if left_out:
        del made.blocks[left_out]
    return made.car(cid)


ONE, TWO, THREE = (
    Post("3a", "one", UTC, "en"),
    Post("3b", "two", UTC, "en", "reply"),
    Post("3c", "three", UTC, "en"),
)
SHARED = Post("3d", "", UTC, kind="repost")
URL = f"https://bsky.app/profile/{DID}"
PROFILE = Profile("", "Alice 🌙", "Bluesky", "I fix.", DID, None, URL)
CONSENT = (
    f"{DID} asks not to be shown to those who are not logged in (!no-unauthenticated): "
    f"publish the bot only with their consent"
)


def samples(folder: Path) -> list[Path]:
    """Write a small valid repository in every container."""
    alone = folder / "repo.car"
    alone.write_bytes(export())
    unpacked = folder / "bluesky"
    unpacked.mkdir()
    (unpacked / "repo.car").write_bytes(export())
    with zipfile.ZipFile(folder / "bluesky.zip", "w") as opened:
        opened.writestr("export/repo.car", export())
        opened.writestr("__MACOSX/export/._repo.car", b"x")
        opened.writestr("private.txt", b"x")
    return [alone, unpacked, folder / "bluesky.zip"]


def test_every_container_gives_the_same(tmp_path: Path) -> None:
    for path in samples(tmp_path):
        container = Container(path)
        assert [name.removeprefix("export/") for name in bluesky.find_files(container)] == [
            "repo.car"
        ]
        reading = bluesky.read(container)
        assert (reading.kind, reading.profile, reading.avatar) == ("bluesky-archive", PROFILE, None)
        assert sorted(reading.posts) == [ONE, TWO, THREE, SHARED]
        assert reading.warnings == [CONSENT]


PARTIAL: list[tuple[str, list[Post], int]] = [
    ("3a", [TWO, THREE, SHARED], 1),
    ("node", [ONE, TWO], 1),
    ("tree", [], 1),
    ("repost", [ONE, TWO, THREE, SHARED._replace(created_at=None)], 0),
    ("profile", [ONE, TWO, THREE, SHARED], 0),
]


@pytest.mark.parametrize(("without", "expected", "lost"), PARTIAL)
def test_missing_blocks_are_counted(
    tmp_path: Path, without: str, expected: list[Post], lost: int
) -> None:
    path = tmp_path / "repo.car"
    path.write_bytes(export({}, without))
    reading = bluesky.read(Container(path))
    assert sorted(reading.posts) == expected
    assert reading.warnings == [
        f"{path}: blocks of the tree or of posts are missing ({lost}); download it again for all "
        f"posts"
    ] * (lost > 0)


def test_a_tree_that_leads_back_or_very_deep_ends() -> None:
    post = record("deep")
    blocks: dict[bytes, Any] = {
        b"post": post,
        b"0": {"l": b"0", "e": [{"p": 0, "k": b"x", "v": b"post", "t": b"1"}]},
    }
    for number in range(1, 50_000):
        blocks[b"%d" % number] = {
            "l": b"%d" % (number + 1),
            "e": [{"p": 0, "k": b"app.bsky.feed.post/%d" % number, "v": b"post", "t": b"0"}],
        }
    records, missing = bluesky.walk_tree(blocks, b"0")
    assert (len(records), missing) == (49_999, 1)


def test_a_path_that_shares_more_than_there_is_costs_itself() -> None:
    path = f"{POST}/1".encode()
    for shared, found in {18: ["1", "12"], 20: ["1", "12"], 21: ["1"], -1: ["1"]}.items():
        entries = [
            {"p": 0, "k": path, "v": b"1", "t": None},
            {"p": shared, "k": b"/12" if shared == 18 else b"2", "v": b"2", "t": None},
        ]
        records, _ = bluesky.walk_tree({b"0": {"l": None, "e": entries}}, b"0")
        assert list(records) == [f"{POST}/{key}" for key in found]


CORRUPT: list[Any] = [
    None,
    True,
    -1,
    2**64 - 1,
    1.5,
    "",
    "x",
    b"x",
    [],
    [None],
    ["x"],
    {},
    {"a": {}},
    [[[[]]]],
]


def test_corrupt_nodes_and_profiles_cost_themselves(tmp_path: Path) -> None:
    path = tmp_path / "repo.car"
    for corrupt in CORRUPT:
        for field in ("l", "e", "p", "k", "v", "t"):
            made = Repository()
            entry = {"p": 0, "k": f"{POST}/1".encode(), "v": made.add(record("one")), "t": None}
            node = {"l": None, "e": [entry]}
            top = made.add(
                {**node, field: corrupt}
                if field in node
                else {
                    **node,
                    "e": [entry, {"p": 18, "k": b"/2", "v": b"", "t": None, field: corrupt}],
                }
            )
            path.write_bytes(made.car(made.add({"did": DID, "version": 3, "data": top})))
            assert [post.text for post in bluesky.read(Container(path)).posts] == (
                [] if field == "e" else ["one"]
            ), (field, corrupt)
        for profile in (
            corrupt,
            {"displayName": corrupt, "description": corrupt, "labels": corrupt},
            {"labels": {"values": [corrupt, {"val": corrupt}]}},
        ):
            path.write_bytes(export(profile))
            assert len(list(bluesky.read(Container(path)).posts)) == 4
        for commit in (
            {"x": corrupt},
            {"did": corrupt, "data": b"x"},
            {"did": DID, "data": None if isinstance(corrupt, bytes) else corrupt},
        ):
            path.write_bytes(export(commit=commit))
            with pytest.raises(HubtweetsError, match="begins with no commit"):
                bluesky.read(Container(path))


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "repo.car"
    chance, whole = random.Random(1), export()
    for _ in range(1500):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(content))
            content[place : place + chance.randint(0, 2)] = chance.choice(
                [b"", b"\xff", b"\x81" * 2000, b"\x9b\x7f" + b"\xff" * 7, chance.randbytes(3)]
            )
        path.write_bytes(content)
        with suppress(HubtweetsError):
            list(bluesky.read(Container(path)).posts)


def test_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "repo.car"

    def error() -> str:
        with pytest.raises(HubtweetsError) as raised:
            bluesky.read(Container(path))
        return str(raised.value)

    path.write_bytes(b"hello")
    refused = (
        f"{path} is not a CAR file, or is cut or damaged (Failed to read CAR header. "
        f"Invalid DAG-CBOR); download it again"
    )
    assert error() == refused
    path.write_bytes(export(without="commit"))
    assert (
        error()
        == f"{path} is not a Bluesky repository (it begins with no commit); download it again"
    )
    path.write_bytes(export())
    monkeypatch.setattr(bluesky, "MAX_CAR", 100)
    assert (
        error()
        == f"{path} holds more than 0 MiB; read the account from its server instead: --posts "
        f"bluesky:HANDLE"
    )
    monkeypatch.setitem(sys.modules, "libipld", None)
    assert (
        error()
        == f"{path}: libipld is needed to read a .car file, and is not installed; type: pip "
        f"install 'hubtweets[bluesky]'"
    )
    path = tmp_path
    (tmp_path / "other.car").write_bytes(export())
    assert (
        error()
        == f"{tmp_path}: more than one archive in it (other.car and repo.car); give one of them"
    )


# the API

RESOLVE, GET_PROFILE, LIST = (
    "/xrpc/com.atproto.identity.resolveHandle",
    "/xrpc/app.bsky.actor.getProfile",
    "/xrpc/com.atproto.repo.listRecords",
)
PAGES: dict[tuple[str, str | None], dict] = {
    (POST, None): {
        "records": [{"uri": f"at://{DID}/{POST}/3c", "value": record("three")}],
        "cursor": "3c",
    },
    (POST, "3c"): {
        "records": [{"uri": f"at://{DID}/{POST}/3a", "value": record("one")}, None, {"value": 5}],
        "cursor": "3a",
    },
    (POST, "3a"): {"records": []},
    (REPOST, None): {
        "records": [{"uri": f"at://{DID}/{REPOST}/3d", "value": REPOST_RECORD}],
        "cursor": "x",
    },
    (REPOST, "x"): {"records": [], "cursor": "x"},
}


def document(did: str, endpoint: Any) -> dict:
    return {
        "id": did,
        "service": [
            None,
            {"id": "#other"},
            {"id": f"{did}#atproto_pds", "serviceEndpoint": endpoint},
        ],
    }


def answers(host: str, did: str = DID) -> dict[str, Any]:
    owner = {
        "did": did,
        "displayName": "Alice 🌙",
        "description": "I fix.",
        "avatar": f"http://{host}/avatar",
        "labels": [{"val": "!no-unauthenticated"}],
    }
    found = document(did, f"http://{host}")
    return {
        RESOLVE: {"did": did},
        GET_PROFILE: owner,
        f"/{did}": found,
        "/.well-known/did.json": found,
        "/avatar": b"a picture",
        LIST: lambda query: PAGES[query["collection"], query.get("cursor")],
    }


def fetch(server: Server, account: str = "@Alice.example") -> Any:  # noqa: F811
    return bluesky_api.fetch(account, print, f"http://{server.host}", f"http://{server.host}")


@pytest.mark.parametrize("kind", ["plc", "web"])
def test_an_account_is_read_to_its_end(server: Server, kind: str) -> None:  # noqa: F811
    did = DID if kind == "plc" else "did:web:" + server.host.replace(":", "%3A")
    server.answers = answers(server.host, did)
    reading = fetch(server)
    assert reading.profile == Profile(
        "alice.example",
        "Alice 🌙",
        "Bluesky",
        "I fix.",
        did,
        None,
        "https://bsky.app/profile/alice.example",
    )
    assert (reading.kind, reading.avatar, reading.warnings) == (
        "bluesky-api",
        b"a picture",
        [CONSENT.replace(DID, "alice.example")],
    )
    assert list(reading.posts) == [THREE, ONE, SHARED]
    own = {"repo": did, "limit": "100"}
    assert [question[:2] for question in server.asked] == [
        (RESOLVE, {"handle": "alice.example"}),
        (GET_PROFILE, {"actor": did}),
        ("/avatar", {}),
        (f"/{did}" if kind == "plc" else "/.well-known/did.json", {}),
        (LIST, own | {"collection": POST}),
        (LIST, own | {"collection": POST, "cursor": "3c"}),
        (LIST, own | {"collection": POST, "cursor": "3a"}),
        (LIST, own | {"collection": REPOST}),
        (LIST, own | {"collection": REPOST, "cursor": "x"}),
    ]


EXPORT = bluesky_api.EXPORT_ADVICE
RIGHT = "check the handle, as in bluesky:alice.bsky.social"
REFUSALS: list[tuple[str, Any, str]] = [
    (
        RESOLVE,
        (400, {"error": "InvalidRequest", "message": "Unable to resolve handle"}),
        "{at} has no account alice.example (400); " + RIGHT,
    ),
    (RESOLVE, {"did": "x"}, "{at} gives no DID for alice.example; try again later"),
    (
        GET_PROFILE,
        (400, {"error": "InvalidRequest", "message": "Profile not found"}),
        "{at} has no profile of alice.example (400); " + RIGHT,
    ),
    (
        GET_PROFILE,
        (400, {"error": "AccountTakedown"}),
        f"alice.example is taken down, and its posts can't be read; {EXPORT}",
    ),
    (
        f"/{DID}",
        (404, {"message": "DID not registered"}),
        "{at} does not give the server of alice.example (404); " + RIGHT,
    ),
    *(
        (
            f"/{DID}",
            document(DID, endpoint),
            f"{{at}} names no server that keeps the records of alice.example; {EXPORT}",
        )
        for endpoint in (
            None,
            5,
            "http://pds.example",
            "https://u:p@pds.example",
            "file:///etc",
            "https://a..b",
            "https://9.9.9.999",
            "https://pds.example/x?y",
        )
    ),
    (f"/{DID}", [], f"{{at}} names no server that keeps the records of alice.example; {EXPORT}"),
    (
        LIST,
        (400, {"error": "RepoDeactivated"}),
        f"alice.example is deactivated, and its posts can't be read; {EXPORT}",
    ),
    (
        LIST,
        (400, {"error": "RepoTakendown"}),
        f"alice.example is taken down, and its posts can't be read; {EXPORT}",
    ),
    (
        LIST,
        (429, {"error": "RateLimitExceeded"}),
        "{at} is rate-limiting (429); type the same command again in some minutes",
    ),
    (LIST, (403, b"<html>"), f"{{at}} answers 403 for alice.example; try again later, or {EXPORT}"),
    (LIST, {"records": 5}, f"{{at}} does not answer with records; try again later, or {EXPORT}"),
]


@pytest.mark.parametrize(("path", "answer", "expected"), REFUSALS)
def test_refusal(server: Server, path: str, answer: Any, expected: str) -> None:  # noqa: F811
    server.answers = answers(server.host) | {path: answer}
    with pytest.raises(HubtweetsError) as error:
        list(fetch(server).posts)
    assert str(error.value) == expected.format(at=f"http://{server.host}")


def test_a_server_is_down(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(web, "MAX_TRIES", 1)
    server.answers = answers(server.host) | {f"/{DID}": document(DID, "http://127.0.0.1:1")}
    with pytest.raises(
        HubtweetsError, match=r"^http://127\.0\.0\.1:1 does not answer \(.+\); try again later$"
    ):
        list(fetch(server).posts)


@pytest.mark.parametrize(
    "account",
    [
        "",
        "alice",
        "@",
        "alice.",
        ".example",
        "a b.example",
        "alice.example/..",
        DID,
        "älice.example",
        "alice.9",
        "a" * 64 + ".example",
    ],
)
def test_an_odd_handle_is_asked_of_no_server(account: str) -> None:
    with pytest.raises(HubtweetsError) as error:
        bluesky_api.fetch(account, print, "http://127.0.0.1:1")
    assert (
        str(error.value)
        == f"{account!r} is not the handle of a Bluesky account; write it in full, as in "
        f"bluesky:alice.bsky.social"
    )
