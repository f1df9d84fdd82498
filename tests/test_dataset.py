from pathlib import Path

from hubtweets import dataset
from hubtweets.posts import Post

POSTS = [Post(str(n), f"post number {n % 900}", "2026-01-01T00:00:00+00:00", "en") for n in range(1000)]


def test_one_text_in_ten_is_held_out_and_none_straddles() -> None:
    train, validation = dataset.split(POSTS)
    assert sorted(train + validation, key=lambda post: int(post.id)) == POSTS
    assert not {post.text for post in train} & {post.text for post in validation}
    assert 70 <= len(validation) <= 130


def test_a_post_keeps_its_side() -> None:
    _, validation = dataset.split(POSTS)
    _, fewer = dataset.split(POSTS[::2])
    assert fewer == [post for post in validation if post in POSTS[::2]]


def test_written_posts_are_read_back(tmp_path: Path) -> None:
    hostile = [Post("1", "</div>\n| a | b 🤖 \u202e"), Post("2", "---\nlicense: x")]
    dataset.write(hostile, tmp_path / "x.parquet")
    assert dataset.read_texts(tmp_path / "x.parquet") == [post.text for post in hostile]


def test_the_fingerprint_is_of_the_texts() -> None:
    assert dataset.fingerprint(POSTS[:1]) == "80f396cca0ea5df6c980669aefc2a8042e196d469299e32a1225040c56d98094"
    assert dataset.fingerprint([Post("1", "ab"), Post("2", "c")]) != dataset.fingerprint([Post("1", "a"), Post("2", "bc")])
    assert dataset.fingerprint([Post("1", "ab")]) == dataset.fingerprint([Post("2", "ab", lang="en")])
