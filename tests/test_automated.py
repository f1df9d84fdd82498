"""How well curation tells apps' posts from the author's own, on posts that are labelled by hand."""

import random
import re
from collections.abc import Iterator

import pytest

from hubtweets.config import Curation
from hubtweets.curation.app_texts import MAX_APP_CHARS
from hubtweets.curation.apps import find_posts_by_apps
from hubtweets.curation.rules import curate, judge
from hubtweets.posts.example import sentences
from hubtweets.posts.post import Post
from hubtweets.record.counts import OUTCOMES
from tests.automated_posts import APPS, BY_APPS, OWN_WORDS

TITLES = [
    "The {quality} {machine} and {food}",
    "{quality} {machine}: {food} {time}",
    "How {person} Learned to {skill}",
]


def make_post(text: str, id: str = "1", app: str | None = None) -> Post:
    """Return a post whose link, which `L` stands for, is cut out, as X's entities have it."""
    written = re.sub(r"\bL\b", "", text)
    kind = "reply" if text.startswith("@") else "post"
    return Post(id, written, link=written != text, app=app, kind=kind)  # type: ignore[arg-type]


def make_title(generator: random.Random) -> str:
    title = generator.choice(TITLES)
    return sentences.expand(title, generator)


def make_archive() -> Iterator[tuple[Post, bool]]:
    """Yield posts by apps of all kinds, and whether they are automatic."""
    generator = random.Random(0)
    for app, is_automatic, number, patterns in APPS:
        for count in range(number):
            text = patterns[count % len(patterns)].replace("{}", make_title(generator))
            text = re.sub("#(?!кино)", lambda _: str(generator.randrange(1, 900)), text)
            if "*" in text:
                text = text.replace("*", sentences.make_sentence(generator))
            yield make_post(text, f"{app} {count}", app), is_automatic


def measure(labelled: list[tuple[Post, bool]]) -> tuple[float, float]:
    """Return the precision and the recall of the verdict that a post is an app's."""
    curated = curate((("alice", post) for post, _ in labelled), ["alice"], Curation())
    found = [list(OUTCOMES)[verdict] == "automated" for verdict in curated.verdicts]
    right = sum(
        one and is_automatic for one, (_, is_automatic) in zip(found, labelled, strict=True)
    )
    return right / sum(found), right / sum(is_automatic for _, is_automatic in labelled)


def label(texts: str, is_automatic: bool) -> list[tuple[Post, bool]]:
    return [(make_post(text), is_automatic) for text in texts.strip().splitlines()]


# docs/posts.md says the same
def test_texts_are_told_apart() -> None:
    precision, recall = measure(label(BY_APPS, True) + label(OWN_WORDS, False))
    assert (round(precision, 2), round(recall, 2)) == (1, 0.95)


def test_apps_are_told_apart() -> None:
    precision, recall = measure(list(make_archive()))
    assert (round(precision, 2), round(recall, 2)) == (1, 0.93)


LINES = [f"the {word} is what I think about" for word in ["kettle", "lamp", "stove", "cat", "sea"]]
TALK = ["so it rains", "what a day", "no more bread", "who took it", "my turn now"]
TITLES_OF_PAGES = [f"{a} {b} Stories L" for a in ["Old", "New", "Tall", "Odd"] for b in "ABCDE"]
ARCHIVES: dict[str, tuple[str | None, list[str], int]] = {
    "posts that begin alike": ("app", LINES, 5),
    "too few to tell": ("app", LINES[1:], 0),
    "what people type with": ("Twitter for iPad", LINES, 0),
    "no app": (None, LINES, 0),
    "posts that end alike": ("app", [f"{line} on air" for line in TALK], 5),
    "a conversation": ("app", TALK, 0),
    "hashtags at the end": ("app", [f"{line} #a #b" for line in TALK], 0),
    "labels": ("app", [f"Lunch: {line}" for line in TALK], 5),
    "numbers": ("app", [f"{number} steps {line}" for number, line in enumerate(TALK)], 5),
    "one of five without the shape": ("app", [*LINES[1:], TALK[0]], 5),
    "two of six without it": ("app", [*LINES[1:], *TALK[:2]], 0),
    "a script without spaces": ("app", [f"今日の体重は{number}キロ" for number in range(5)], 5),
    "a feed": ("dlvr.it", TALK[:1], 1),
    "an app named after a feed": ("my dlvr.it client", TALK[:1], 0),
    "titles of pages": ("app", TITLES_OF_PAGES, 20),
    "fewer titles": ("app", TITLES_OF_PAGES[1:], 0),
    "titles by a scheduler": ("Buffer", TITLES_OF_PAGES, 0),
    "titles and a talk": ("app", [*TITLES_OF_PAGES, "@bob thank you"], 0),
    "a camera": ("app", [f"{a} {b} and I love {b}{a} L" for a in "abcd" for b in "vwxyz"], 0),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_app_is_automatic_by_its_posts(name: str) -> None:
    app, texts, found = ARCHIVES[name]
    typed = [make_post(line, app="web") for line in LINES]
    assert find_posts_by_apps(typed + [make_post(text, app=app) for text in texts]) == list(
        range(5, 5 + found)
    )


def test_an_author_who_types_nowhere_else_shares_titles() -> None:
    assert find_posts_by_apps([make_post(text, app="app") for text in TITLES_OF_PAGES]) == []


def test_each_author_has_apps_of_their_own_and_classic_rules_have_none() -> None:
    posts = [
        (handle, make_post(f"{line} {handle}", app="app"))
        for handle in ("alice", "bob")
        for line in (LINES if handle == "alice" else TALK)
    ]
    curated = curate(posts, ["alice", "bob"], Curation())
    assert [(one.automated, one.kept) for one in curated.counts] == [(5, 0), (0, 5)]
    assert [list(OUTCOMES)[verdict] for verdict in curated.verdicts] == ["automated"] * 5 + [
        "kept"
    ] * 5
    assert ("automated", f"{LINES[0]} alice") in curated.shown
    classic = curate(posts, ["alice", "bob"], Curation(rules="classic"))
    assert [one.kept for one in classic.counts] == [5, 5]


HOSTILE = (", a b", "I'm at (", "Video via @", "The latest ", "♫ a. ", "1 (", ".", "Фильм : ")


@pytest.mark.parametrize(
    "posts",
    [
        [Post("1", "word " * 3, app=str(number)) for number in range(10_000)],
        [Post("1", f"{number} " * 5, app="app") for number in range(10_000)],
        [Post("1", "x" * 10**6 + " " + "1" * 10**6, app="app")] * 5,
        [Post("1", ", a b c d" * 10**5 + " D", link=True, app="app")] * 20,
    ],
)
def test_no_archive_takes_for_ever(posts: list[Post]) -> None:
    find_posts_by_apps([*posts, *(Post("1", line, app="web") for line in LINES)])


@pytest.mark.parametrize("length", [MAX_APP_CHARS, 10**4])
def test_no_text_takes_for_ever(length: int) -> None:
    for part in HOSTILE:
        judge(Post("1", (part * length)[:length], link=True), Curation())
        judge(Post("1", (part * length)[: length - 12] + "via @YouTube", link=True), Curation())
