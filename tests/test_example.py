import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest

from hubtweets.config import Curation
from hubtweets.curation.report import FEW_CHARACTERS
from hubtweets.curation.rules import curate as curate_posts
from hubtweets.posts import sources
from hubtweets.posts.example import x_archive
from hubtweets.posts.post import Columns, Post
from hubtweets.record.counts import Counts


def load(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(re.sub(r"^[^=]+= ", "", archive.read(name).decode()))


def read(path: Path) -> list[Post]:
    return list(sources.read_source(path, "lyons____", Columns()).posts)


def curate(path: Path, rules: Curation) -> tuple[list[Post], Counts]:
    curated = curate_posts((("lyons____", post) for post in read(path)), ["lyons____"], rules)
    return curated.kept["lyons____"], curated.counts[0]


@pytest.mark.parametrize("rules", ["classic", "default"])
def test_default_has_the_counts_of_the_original_card(
    archive: Path, rules: Literal["classic", "default"]
) -> None:
    kept, counts = curate(archive, Curation(rules))
    assert (counts.downloaded, counts.reposts, counts.short, counts.kept) == (3086, 1225, 997, 864)
    assert len({post.text for post in kept}) == 864
    assert counts.characters > FEW_CHARACTERS


def test_it_is_what_x_writes(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        assert sorted(opened.namelist()) == [
            "Your archive.html",
            "data/account.js",
            "data/manifest.js",
            "data/note-tweet.js",
            "data/profile.js",
            "data/profile_media/1353378455178633217-kZW7LH6v.png",
            "data/tweets.js",
        ]
        tweets = [item["tweet"] for item in load(opened, "data/tweets.js")]
        notes = load(opened, "data/note-tweet.js")
        assert load(opened, "data/account.js")[0]["account"]["accountDisplayName"] == "Lyons__ 𝓃 🤖"
        manifest = load(opened, "data/manifest.js")
    assert manifest["dataTypes"]["tweets"]["files"] == [
        {"fileName": "data/tweets.js", "globalName": "YTD.tweets.part0", "count": "3086"}
    ]
    assert len(notes) > 5 and all(len(note["noteTweet"]["core"]["text"]) > 280 for note in notes)
    ids = [int(tweet["id_str"]) for tweet in tweets]
    assert len(set(ids)) == 3086 and ids != sorted(ids)
    assert {"&amp;", "&lt;", "&gt;"} == set(
        re.findall(r"&\w+;", " ".join(tweet["full_text"] for tweet in tweets))
    )
    for tweet in tweets:
        for kind, field in (
            ("hashtags", "text"),
            ("user_mentions", "screen_name"),
            ("urls", "url"),
        ):
            for entity in tweet["entities"][kind]:
                start, end = map(int, entity["indices"])
                assert tweet["full_text"][start:end].lstrip("#@") == entity[field]
    kinds = Counter(post.kind for post in read(archive))
    assert min(kinds[kind] for kind in ("post", "reply", "self_reply", "quote", "repost")) > 50


def test_same_seed_same_bytes(archive: Path, tmp_path: Path) -> None:
    x_archive.write_archive(tmp_path / "again.zip")
    x_archive.write_archive(tmp_path / "other.zip", seed=1)
    assert (
        (tmp_path / "again.zip").read_bytes()
        == archive.read_bytes()
        != (tmp_path / "other.zip").read_bytes()
    )


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, (1, 0, 0)), (2, (2, 0, 0)), (100, (100, 39, 32)), (4_000, (4_000, 1_587, 1_292))],
)
def test_any_size_in_parts(tmp_path: Path, number: int, expected: tuple[int, int, int]) -> None:
    path = tmp_path / "lyons____.zip"
    x_archive.write_archive(path, posts=number, part_bytes=2**18)
    _, counts = curate(path, Curation())
    assert (counts.downloaded, counts.reposts, counts.short) == expected
    with zipfile.ZipFile(path) as opened:
        parts = [name for name in opened.namelist() if name.startswith("data/tweets")]
        assert max(opened.getinfo(name).file_size for name in parts) < 1.05 * 2**18
    assert parts[:2] == (
        ["data/tweets.js", "data/tweets-part1.js"] if number == 4_000 else ["data/tweets.js"]
    )


def test_nothing_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_archive, "draw_avatar", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        x_archive.write_archive(tmp_path / "x.zip", posts=10)
    assert list(tmp_path.iterdir()) == []
