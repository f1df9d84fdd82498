import pytest

from hubtweets.curation import check_amount, clean, curate, is_short
from hubtweets.errors import HubtweetsError
from hubtweets.posts import Post
from hubtweets.record import Counts

CLEAN = [
    ("plain words stay", "plain words stay"),
    ("  two  spaces\nand a\r\nline\t ", "two spaces and a line"),
    ("see https://t.co/abc for more", "see for more"),
    ("https://t.co/abc first", "first"),
    ("last http://t.co/abc", "last"),
    ("line\nhttps://t.co/abc\nline", "line line"),
    ("cut https://t.c…", "cut"),
    ("https://t.co/abc", ""),
    ("@bob #tag 🤖 stay", "@bob #tag 🤖 stay"),
    ("</div><script>alert(1)</script>", "</div><script>alert(1)</script>"),
]


@pytest.mark.parametrize(("text", "expected"), CLEAN)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


SHORT = [
    ("", True),
    ("two words", True),
    ("just three words", False),
    ("@bob #tag two words", True),
    ("(@bob) x#y two words", True),
    ("@bob just three words", False),
    ("HTTPS one two", True),
    ("今日は本当に良い天気ですね", True),  # the original's rule, as it stands
]


@pytest.mark.parametrize(("text", "expected"), SHORT)
def test_is_short(text: str, expected: bool) -> None:
    assert is_short(text) is expected


def test_every_post_is_counted_once() -> None:
    long = "a post of many words"
    posts = [
        Post("1", long + " https://t.co/x"),
        Post("2", "hi"),
        Post("3", "RT @bob: " + long, kind="repost"),
        Post("4", long, visibility="private"),
        Post("5", long, superseded=True),
        Post("6", "https://t.co/only"),
        Post("7", long, kind="reply", visibility="unlisted"),
    ]
    kept, counts = curate("alice", posts)
    assert [(post.id, post.text) for post in kept] == [("1", long), ("7", long)]
    assert counts == Counts("alice", downloaded=7, reposts=1, private=1, superseded=1, short=2, kept=2, characters=40)


def test_counts_must_add_up() -> None:
    with pytest.raises(ValueError, match="does not add up"):
        Counts("alice", downloaded=7, reposts=1, private=1, superseded=1, short=2, kept=3, characters=40)


def counts_of(characters: int) -> Counts:
    return Counts("alice", downloaded=50, reposts=20, private=0, superseded=0, short=10, kept=20, characters=characters)


def test_amount() -> None:
    with pytest.raises(HubtweetsError) as caught:
        check_amount(counts_of(5_999))
    assert str(caught.value) == (
        "@alice: 5,999 characters in 20 kept posts (20 retweets, 10 short) are too few, 6,000 are needed; give more posts with --posts"
    )
    assert check_amount(counts_of(6_000)) == (
        "@alice: 6,000 characters in 20 kept posts are few, and the model may repeat them; from 40,000 on it writes more of its own"
    )
    assert check_amount(counts_of(40_000)) is None
