"""The rules that decide which posts a model learns from.

In: each author's posts. Out: the kept posts with their text cleaned, a verdict on every post, and
Counts, which add up. There are two sets of rules:

`classic` is that of the original huggingtweets: it drops reposts, removes links and line breaks
from the text, and drops texts of fewer than three plain words.

`default` does the same and corrects it:

- Words are counted by script, since a text in Chinese, Japanese or Thai is one "word" between
  spaces (the original dropped 1,264 of 1,425 posts of a real Chinese account).
- A link ends where its letters do, not at the next space, which in those scripts may be far away.
- What others wrote is cut out of a text (`cleaning`), with the @mentions that lead a reply, which X
  itself hides, or the bot would call strangers.
- Quotations, posts by apps (`app_texts`, `apps`) and near duplicates (`duplicates`) are dropped:
  they are not the author's voice, and a duplicate on both sides of the split would improve the
  score.
- A post with a key or token in it, which is masked by now (`pii`), is dropped.
"""

import re
from array import array
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import regex

from hubtweets.config import Curation
from hubtweets.curation import apps, duplicates
from hubtweets.curation.app_texts import is_written_by_app
from hubtweets.curation.cleaning import clean
from hubtweets.posts.post import Post
from hubtweets.record.counts import OUTCOMES, Counts

MIN_WORDS = 3
MAX_PREVIEW_POSTS = 8  # kept ones, and as many dropped ones
OUTCOME_CODES = {outcome: code for code, outcome in enumerate(OUTCOMES)}

CLASSIC_LINK = re.compile(r"https?:\S+")
CLASSIC_MARKS = ("http", "@", "#")
MENTIONS_AND_HASHTAGS = re.compile(r"@[A-Za-z0-9_.@-]+|#[^\s#]+#?")
WORD = re.compile(r"[^\W_]\S*")
# kana, Han, Hangul: about two characters to a word
DENSE_SCRIPTS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# Thai, Lao, Tibetan, Burmese, Khmer: about four characters to a word
UNSPACED_SCRIPTS = re.compile(r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f]")
SAID_BY_OTHERS = regex.compile(
    r"""
    ^[“"«„](?:RT\ )?@\w+:               # a repost, as old clients wrote it
    # a quotation and its author's name
    |^[“"«»„‘][^“”"«»„‘]{20,}[”"»«“’]\s*[-–—~]{1,2}\s*
        (?!(?:I|Me|My)\b)(?:\p{Lu}[\w.'’-]*\s*){1,4}$
    |^[「『][^「」『』]{8,}[」』]\s*[（(—―-]\s*[^「」『』（）]{2,20}[）)]?$
    """,
    regex.VERBOSE,
)


@dataclass(frozen=True)
class CurationResult:
    """The kept posts by author, oldest first, and what became of all posts.

    `verdicts` has a place in OUTCOMES for each post that was read. `shown` is a preview: pairs of
    an outcome and a text.
    """

    kept: dict[str, list[Post]]
    verdicts: bytearray
    counts: tuple[Counts, ...]
    shown: list[tuple[str, str]]


@dataclass
class AuthorPosts:
    """One author's posts during curation.

    `places` are the positions of the kept posts among all posts that were read, `outcomes` the
    number of posts by outcome, and `dropped` some of the dropped texts.
    """

    kept: list[Post] = field(default_factory=list)
    places: array = field(default_factory=lambda: array("Q"))
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    dropped: dict[str, list[str]] = field(default_factory=dict)


def curate(
    posts: Iterable[tuple[str, Post]], handles: Sequence[str], rules: Curation
) -> CurationResult:
    """Keep the public posts worth learning from, with their text cleaned.

    Each other post has one outcome. `posts` are pairs of an author's handle and a post, with
    personal data masked; they are read once, and only the kept ones stay in memory.
    """
    authors = {handle: AuthorPosts() for handle in handles}
    verdicts = bytearray()
    for handle, post in posts:
        author = authors[handle]
        outcome, text = judge(post, rules)
        verdicts.append(OUTCOME_CODES[outcome])
        author.outcomes[outcome] += 1
        if outcome == "kept":
            author.places.append(len(verdicts) - 1)
            author.kept.append(post._replace(text=text))
        elif post.text:
            add_example(author, outcome, post.text)
    for author in authors.values():
        sort_by_date(author)
    if rules.rules == "default":
        drop_posts_by_apps(authors.values(), verdicts)
        drop_duplicates(authors.values(), verdicts)
    return CurationResult(
        kept={handle: author.kept for handle, author in authors.items()},
        verdicts=verdicts,
        counts=tuple(build_counts(handle, author) for handle, author in authors.items()),
        shown=choose_preview(authors.values()),
    )


def judge(post: Post, rules: Curation) -> tuple[str, str]:
    """Return the outcome of a post, judged by itself, and its cleaned text if it is kept."""
    outcome = None
    if post.kind == "repost":
        outcome = "reposts"
    elif post.visibility == "private":
        outcome = "private"
    elif post.superseded:
        outcome = "superseded"
    elif post.warning and rules.content_warnings == "skip" and rules.rules == "default":
        outcome = "warned"
    if outcome:
        return outcome, ""
    if rules.rules == "classic":
        text = " ".join(CLASSIC_LINK.sub(" ", post.text).split())
        return ("short", "") if is_short_classic(text) else ("kept", text)
    return judge_text(post, rules)


def judge_text(post: Post, rules: Curation) -> tuple[str, str]:
    """Return the outcome and the cleaned text of a post by the default rules for texts."""
    text, has_link, has_quote, is_repost = clean(post, rules.mentions == "keep")
    if is_repost:
        return "reposts", ""
    if count_words(text) < MIN_WORDS:
        return ("quoted" if has_quote else "short"), ""
    if SAID_BY_OTHERS.search(text):
        return "quoted", ""
    if is_written_by_app(text, has_link, post.text):
        return "automated", ""
    return ("scrubbed", "") if post.secret else ("kept", text)


def is_short_classic(text: str) -> bool:
    """Return True if fewer than three words have no link, mention or hashtag.

    This is the original's rule, unchanged.
    """
    words = text.lower().split()
    plain = [word for word in words if not any(mark in word for mark in CLASSIC_MARKS)]
    return len(plain) < MIN_WORDS


def count_words(text: str) -> float:
    """Return about how many words a text has, without mentions and hashtags.

    A word is a run of characters between spaces with a letter or digit in it. In scripts without
    spaces, and in Korean, whose words are whole phrases, two characters count as a word; in Thai
    and its neighbours four do.
    """
    if "@" in text or "#" in text:
        text = MENTIONS_AND_HASHTAGS.sub(" ", text)
    if text.isascii():
        return len(WORD.findall(text))
    dense, unspaced = len(DENSE_SCRIPTS.findall(text)), len(UNSPACED_SCRIPTS.findall(text))
    if dense or unspaced:
        text = UNSPACED_SCRIPTS.sub(" ", DENSE_SCRIPTS.sub(" ", text))
    return len(WORD.findall(text)) + dense / 2 + unspaced / 4


def sort_by_date(author: AuthorPosts) -> None:
    """Sort an author's kept posts by date, then by id.

    Posts without a date come first, in the order in which they were read.
    """
    if not any(post.created_at for post in author.kept):
        return
    keys = [
        (post.created_at, len(post.id), post.id) if post.created_at else ("", 0, "")
        for post in author.kept
    ]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    author.kept = [author.kept[i] for i in order]
    author.places = array("Q", (author.places[i] for i in order))


def drop_posts_by_apps(authors: Collection[AuthorPosts], verdicts: bytearray) -> None:
    """Drop the kept posts of each author's automatic apps."""
    for author in authors:
        places = {author.places[index] for index in apps.find_posts_by_apps(author.kept)}
        drop_kept(author, places, "automated", verdicts)


def drop_duplicates(authors: Collection[AuthorPosts], verdicts: bytearray) -> None:
    """Drop the kept posts that repeat an earlier one, even one of another author.

    People post the same text in two places.
    """
    kept: list[tuple[Post, int]] = []
    for author in authors:
        kept += zip(author.kept, author.places, strict=True)
    kept.sort(key=lambda pair: pair[0].created_at or "")
    repeats = duplicates.find_near_duplicates([post.text for post, _ in kept])
    repeated = {kept[index][1] for index in repeats}
    for author in authors:
        drop_kept(author, repeated, "duplicates", verdicts)


def drop_kept(
    author: AuthorPosts, places: Container[int], outcome: str, verdicts: bytearray
) -> None:
    """Give an author's kept posts at these places another outcome."""
    pairs = list(zip(author.kept, author.places, strict=True))
    dropped = [pair for pair in pairs if pair[1] in places]
    author.kept = [post for post, place in pairs if place not in places]
    author.places = array("Q", (place for _, place in pairs if place not in places))
    author.outcomes["kept"] -= len(dropped)
    author.outcomes[outcome] += len(dropped)
    for post, place in dropped:
        verdicts[place] = OUTCOME_CODES[outcome]
        add_example(author, outcome, post.text)


def add_example(author: AuthorPosts, outcome: str, text: str) -> None:
    examples = author.dropped.setdefault(outcome, [])
    if len(examples) < MAX_PREVIEW_POSTS:
        examples.append(text)


def build_counts(handle: str, author: AuthorPosts) -> Counts:
    return Counts(
        handle=handle,
        downloaded=sum(author.outcomes.values()),
        **author.outcomes,
        masked=sum(post.masked for post in author.kept),
        characters=sum(len(post.text) for post in author.kept),
    )


def choose_preview(authors: Collection[AuthorPosts]) -> list[tuple[str, str]]:
    """Return eight kept posts, evenly spaced, and eight dropped ones, from each outcome in turn."""
    kept = [("kept", post.text) for author in authors for post in author.kept]
    spaced = kept[:: max(1, len(kept) // MAX_PREVIEW_POSTS)][:MAX_PREVIEW_POSTS]
    by_reason = []
    for author in authors:
        for outcome, texts in author.dropped.items():
            by_reason.append([(outcome, text) for text in texts])
    dropped: list[tuple[str, str]] = []
    for turn in zip_longest(*by_reason):
        dropped += filter(None, turn)
    return spaced + dropped[:MAX_PREVIEW_POSTS]
