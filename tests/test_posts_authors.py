"""Files with posts of several authors: only those of the one that was typed are read."""

import json
from pathlib import Path

import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.posts import sources
from hubtweets.posts.post import Columns
from tests.test_posts_x_json import ALICE, BOB, page, v1, v2

CAROL = {"id": "9", "username": "carol"}
TWEETS = [
    v2("1", "of Bob", author=BOB, author_id="77"),
    v2("2", "of Alice", author=ALICE),
    v2("3", "of Alice, too", author=ALICE),
    v2("4", "of nobody", author_id=None),
    v2("3", "of Alice, too", author=ALICE),
    v2("5", "of Carol", author=CAROL, author_id="9"),
]
CSV = (
    "text,username,name\nof Alice,@Alice,A\nof Bob,bob,B\nof nobody,,\n"
    "more of Alice,alice,B\nof Carol,carol,C\n"
)
ALICES = "left out 2 by other authors (bob 1, carol 1)"

# a file, its content, the handle, and the texts and warnings or the error
CASES = [
    (
        "a.jsonl",
        "\n".join(map(json.dumps, TWEETS)),
        "alice",
        (["of Alice", "of Alice, too"], [ALICES]),
    ),
    (
        "a.jsonl",
        "\n".join(map(json.dumps, TWEETS)),
        "mallory",
        "posts of 3 authors (alice 2, bob 1, carol 1), none of them mallory; "
        "type alice in place of mallory to read only theirs",
    ),
    (  # a page without the names of its authors
        "a.json",
        json.dumps(page(v2("1"), v2("2", author_id="8"))),
        "mallory",
        "posts of 2 authors (alice 1, 8 1), none of them mallory; "
        "type alice in place of mallory to read only theirs",
    ),
    (
        "a.json",
        json.dumps([v1("1"), v1("2", user={"id_str": "77", "screen_name": "bob"})]),
        "BOB",
        (["hello to the whole world"], ["left out 1 by other authors (alice 1)"]),
    ),
    ("a.csv", CSV, "alice", (["of Alice", "more of Alice"], [ALICES])),
    (
        "a.csv",
        CSV,
        "mallory",
        "posts of 3 authors (alice 2, bob 1, carol 1), none of them mallory; "
        "type alice in place of mallory to read only theirs",
    ),
    (  # one author, whatever the name
        "a.csv",
        "text,author\none,Alice B.\ntwo,Alice B.\nthree,\n",
        "alice",
        (["one", "two", "three"], []),
    ),
    (
        "a.jsonl",
        "\n".join(
            json.dumps({"text": text, "account": {"acct": name}})
            for text, name in [("one", "alice"), ("two", "bob@x.example"), ("three", None)]
        ),
        "alice",
        (["one"], ["left out 1 by other authors ([email] 1)"]),
    ),
    (  # hostile names, and more than are shown
        "a.csv",
        "text,author\n"
        + "".join(f"a,{name}\n" for name in ["\x1b[2J" * 30, "a b", "x@y.org", "q;", "e!", "f f"]),
        "alice",
        "posts of 6 authors ([2j [2j [2j [2j [2j [2j [2j [2j [2j [2j… 1, a b 1, [email] 1, q; 1, "
        "e! 1 and 1 more), none of them alice; keep the posts of one of them",
    ),
]


@pytest.mark.parametrize(("name", "content", "handle", "expected"), CASES)
def test_only_the_typed_author_is_read(
    tmp_path: Path,
    name: str,
    content: str,
    handle: str,
    expected: "str | tuple[list[str], list[str]]",
) -> None:
    path = tmp_path / name
    path.write_text(content)
    if isinstance(expected, str):
        with pytest.raises(HubtweetsError) as caught:
            sources.read_source(path, handle, Columns())
        assert str(caught.value) == f"{path}: {expected}"
        return
    reading = sources.read_source(path, handle.lower(), Columns())
    texts, warnings = expected
    assert [post.text for post in reading.posts] == texts
    assert reading.warnings == [f"{path}: {warning}" for warning in warnings]
