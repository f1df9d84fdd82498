import json
from pathlib import Path

import pytest
from pyarrow import parquet

from hubtweets.config import Curation
from hubtweets.curation import dataset
from hubtweets.errors import HubtweetsError
from hubtweets.posts import cache as saved
from hubtweets.posts.post import Columns, Post, Profile, Reading
from hubtweets.posts.source_kinds import SourceKind
from hubtweets.posts.sources import FetchOptions
from hubtweets.record.counts import OUTCOMES
from hubtweets.record.run_folder import open_run_folder
from hubtweets.record.run_record import Row
from hubtweets.stages.curate import curate

POSTS = [
    Post(str(n), f"post number {n}", f"2026-01-01T00:{n // 60:02}:{n % 60:02}+00:00", "en")
    for n in range(1000)
]
UNDATED = [post._replace(created_at=None) for post in POSTS]


def test_by_time_the_last_tenth_of_each_author_is_held_out() -> None:
    train, validation = dataset.split_posts(
        {"alice": POSTS, "bob": POSTS[:15], "carol": POSTS[:2]}, "time"
    )
    assert (train["alice"], validation["alice"]) == (POSTS[:900], POSTS[900:])
    assert (train["bob"], validation["bob"]) == (POSTS[:14], POSTS[14:15])
    assert (train["carol"], validation["carol"]) == (POSTS[:1], POSTS[1:2])


def test_by_hash_one_text_in_ten_is_held_out_and_keeps_its_side() -> None:
    train, validation = dataset.split_posts({"alice": POSTS}, "hash")
    assert sorted(train["alice"] + validation["alice"], key=lambda post: int(post.id)) == POSTS
    assert 70 <= len(validation["alice"]) <= 130
    _, fewer = dataset.split_posts({"alice": POSTS[::2]}, "hash")
    assert fewer["alice"] == [post for post in validation["alice"] if post in POSTS[::2]]


@pytest.mark.parametrize("posts", [[], POSTS[:1]])
def test_both_sides_need_a_post_of_everybody(posts: list[Post]) -> None:
    with pytest.raises(HubtweetsError) as caught:
        dataset.split_posts({"alice": POSTS, "bob": posts}, "time")
    assert (
        str(caught.value) == f"@bob: {len(posts)} kept posts are too few to hold some out; "
        "give more posts with --posts"
    )


def test_the_split_is_by_time_where_there_are_dates() -> None:
    few = [*UNDATED[:100], *POSTS[100:]]
    assert (
        dataset.choose_split({"alice": POSTS, "bob": few}, None) == "time"
    )  # the undated are trained on
    assert (
        dataset.choose_split({"alice": POSTS, "bob": [*few, UNDATED[0], UNDATED[1]]}, None)
        == "hash"
    )
    assert dataset.choose_split({"alice": POSTS}, "hash") == "hash"
    with pytest.raises(HubtweetsError) as caught:
        dataset.choose_split({"alice": POSTS, "bob": UNDATED}, "time")
    assert (
        str(caught.value)
        == "@bob: 1,000 of 1,000 kept posts have no date to split them by; type: --split hash"
    )


def test_written_posts_are_read_back(tmp_path: Path) -> None:
    hostile = [Post("1", "</div>\n| a | b 🤖 \u202e"), Post("2", "---\nlicense: x")]
    dataset.write_posts(
        dataset.list_pairs({"alice": hostile, "bob": POSTS}), tmp_path / "x.parquet"
    )
    assert dataset.read_texts(tmp_path / "x.parquet") == {
        "alice": [post.text for post in hostile],
        "bob": [post.text for post in POSTS],
    }
    assert json.loads(json.dumps(next(dataset.read_rows(tmp_path / "x.parquet")))) == {
        "author": "alice",
        **hostile[0]._asdict(),
    }
    dataset.write_posts([], tmp_path / "none.parquet")
    assert dataset.read_texts(tmp_path / "none.parquet") == {}


def test_every_post_gets_its_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "ROWS_PER_BATCH", 7)
    verdicts = bytes(n % len(OUTCOMES) for n in range(len(POSTS)))
    passed = list(
        dataset.write_while_reading(dataset.list_pairs({"alice": POSTS}), tmp_path / "x.parquet")
    )
    assert passed == [("alice", post) for post in POSTS]
    dataset.add_verdicts(tmp_path / "x.parquet", tmp_path / "y.parquet", verdicts)
    table = parquet.read_table(tmp_path / "y.parquet")
    assert table["verdict"].to_pylist() == [list(OUTCOMES)[verdict] for verdict in verdicts]
    assert table["text"].to_pylist() == [post.text for post in POSTS]


def test_the_posts_that_the_card_shows() -> None:
    hidden = [
        Post("x", "hidden", visibility="unlisted"),
        Post("y", "call [phone]", masked=True),
        Post("z", "gone", visibility="private"),
    ]
    rows = dataset.choose_examples({"alice": [*hidden, *POSTS]}, ["alice"])
    assert (
        rows == dataset.choose_examples({"alice": POSTS[::-1]}, ["alice"]) and len(rows) == 3
    )  # whichever way they come
    assert rows == tuple(
        Row("alice", text) for text in ("post number 630", "post number 632", "post number 69")
    )
    several = dataset.choose_examples(
        {"alice": POSTS, "bob": hidden, "carol": POSTS[:1], "dave": POSTS},
        ["alice", "bob", "carol"],
    )
    assert [row.author for row in several] == ["alice", "alice", "carol"]


@pytest.mark.parametrize(
    ("kind", "public", "shown"),
    [("dataset", "org/posts", 3), ("dataset", None, 0), ("mastodon-api", None, 3)],
)
def test_a_private_dataset_is_neither_named_nor_shown(
    kind: SourceKind, public: str | None, shown: int, tmp_path: Path
) -> None:
    posts = [
        Post(str(n), f"the {n} words of a post that {'ends' * (n % 7)} somewhere near {n * n}")
        for n in range(300)
    ]
    path = tmp_path / "bob.saved.jsonl"
    saved.write_reading(Reading(kind, Profile("bob", "Bob"), None, posts, dataset=public), path)
    with open_run_folder(tmp_path / "runs", "bob", new=True) as run:
        curate(
            run,
            {"bob": str(path)},
            Columns(),
            Curation(),
            FetchOptions(0, False, lambda question: False),
        )
        (source,), info = run.record.sources, run.record.dataset
    assert info and (source.dataset, len(info.rows)) == (public, shown)
    assert {row.text for row in info.rows} <= set(
        dataset.read_texts(tmp_path / "runs" / "bob" / "dataset" / "train.parquet")["bob"]
    )


def test_the_fingerprint_is_of_the_authors_and_texts() -> None:
    of = dataset.hash_posts
    assert (
        of({"alice": POSTS[:1]})
        == "ba8c395e9053296dd6857a672235363f6845487b7f057f7e761a7111ab24efd9"
    )
    assert of({"alice": [Post("1", "ab"), Post("2", "c")]}) != of(
        {"alice": [Post("1", "a"), Post("2", "bc")]}
    )
    assert (
        of({"alice": [Post("1", "ab")]})
        == of({"alice": [Post("2", "ab", lang="en")]})
        != of({"bob": [Post("1", "ab")]})
    )
