"""Which posts a model learns from.

In: each author's posts. Out: the kept posts, their text made ready, a verdict on every post, and Counts, a funnel that adds up. Two sets of rules:

`classic` is the original huggingtweets': reposts out, links and line breaks taken out of the text, texts of fewer than three plain words out.

`default` takes the same out, and mends what went wrong with it. Words are counted by script, since a text in Chinese, Japanese or Thai is one
"word" between spaces (the original dropped 1,264 of 1,425 posts of a real Chinese account). A link ends where its letters do, not at the next
space, which in those scripts may be far. The @mentions that lead a reply, which X itself does not show, are taken off, or the bot would call
strangers. What somebody else said, what an app posted, and what says the same as another post (`duplicates`) is not the author's voice, and a
duplicate on both sides of the split would flatter the score. A post with a key or token in it, masked by now (`personal`), is dropped.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import regex

from hubtweets.curation import duplicates
from hubtweets.posts.post import Post
from hubtweets.record.config import Curation
from hubtweets.record.counts import OUTCOMES, Counts

MIN_WORDS = 3
MAX_PREVIEW_POSTS = 8  # posts of a preview
OUTCOME_CODES = {fate: code for code, fate in enumerate(OUTCOMES)}

CLASSIC_LINK = re.compile(r"https?:\S+")
CLASSIC_MARKS = ("http", "@", "#")
# it ends in a letter or the like, not in the bracket, quote or full stop around it, and before the next letter that is not Latin
LINK = re.compile(r"(?:https?:|\bwww\.)[!#-;=?-~À-ɏ…]*[0-9A-Za-zÀ-ɏ_/=&#%+…-]", re.IGNORECASE)
LEADING_MENTIONS = re.compile(r"^(?:\.?@[\w.@-]+\s+)*@[\w.@-]+(?:\s+|$)", re.ASCII)
MENTIONS_AND_HASHTAGS = re.compile(r"@[A-Za-z0-9_.@-]+|#[^\s#]+#?")
WORD = re.compile(r"[^\W_]\S*")
DENSE_SCRIPTS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)  # kana, Han, Hangul
UNSPACED_SCRIPTS = re.compile(
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f]"
)  # Thai, Lao, Tibetan, Burmese, Khmer
SAID_BY_OTHERS = regex.compile(
    r"""
    ^(?:RT|MT)[\s:]*@\w                   # a repost by hand
    |\s(?:RT|MT)\ @\w+:\s                 # with a comment before it
    |^[“"«„]@\w+:                         # the same, as old clients wrote it
    |^[“"«»„‘][^“”"«»„‘]{20,}[”"»«“’]\s*[-–—~]{1,2}\s*(?!(?:I|Me|My)\b)(?:\p{Lu}[\w.'’-]*\s*){1,4}$  # a quotation and its author's name
    |^[「『][^「」『』]{8,}[」』]\s*[（(—―-]\s*[^「」『』（）]{2,20}[）)]?$
    """,
    regex.VERBOSE,
)
# what apps post by themselves carries a link; without one, the same words are somebody's own
POSTED_BY_APPS = re.compile(
    r"""
    ^(?:
        I\ just\ (?:unlocked|earned|reached)\ .{1,60}\b(?:badge|achievement|trophy|level|sticker)\b
        |I\ just\ (?:ousted|became\ the\ mayor|backed|entered\ to\ win)\b
        |I\ (?:liked|favou?rited|added)\ a\ (?:@?YouTube\ )?video\b
        |I\ (?:posted|uploaded|added|published)\ (?:a|an|\d+)\ (?:new\ )?(?:@?YouTube\ )?(?:photos?|videos?)\ (?:to|on|in)\b
        |(?:Me\ ha\ gustado|Me\ gusta|Gostei\ de|Ich\ mag|J[’']aime|Mi\ piace)\b.{0,12}\bv[ií]d[eé]o.{0,12}\bYouTube
        |(?:Ich\ mag\ ein\ @YouTube-Video|@YouTube\ の動画を高く評価しました)
        |(?:Just\ posted\ a|Acabo\ de\ publicar\ (?:una|un)|Gerade\ ein|Acabei\ de\ publicar\ (?:uma|um))\ (?:photo|video|foto|v[ií]deo|Foto|Video)\b
        |(?:I\ )?[Jj]ust\ (?:completed|finished|ran|posted|did)\ .{0,40}\b(?:[Rr]un[Kk]eeper|Nike\+?|Endomondo|Strava|Garmin|TomTom|Runtastic)\b
        |My\ (?:fitbit\ \#fitstats|week\ on\ Twitter|Top\ \d+\ \#?[Ll]ast\.?fm|biggest\ fans\ this\ week)
        |How\ I\ did\ on\ Twitter\ this\ week
        |(?:Today\ stats|Daily\ Stats|New\ stats):
        |(?:[Oo]ne\ person|\d+\ people)\ (?:followed|unfollowed)\ me\b
        |I(?:'|’)ve\ (?:collected|harvested)\ [\d,.]+\ .{0,60}\#
        |\#[Nn]ow[Pp]laying\b|Now\ [Pp]laying:|[♫♬♪]
        |I(?:'|’)m\ at\ [^()]{1,60}\([^()]*\)\s*(?:w/.*)?$
        |(?:I(?:'|’)m\ )?[Dd]rinking\ an?\ .{1,60}\ by\ @
        |(?:Photo|Photoset|Video):\s
        |The\ .{1,60}\ is\ out!\s*(?:$|▸|Stories\ via|https?:|Edition\ of)
    )
    |\#PS[45]share\b
    |[/(]\s*automatically\ checked\ by\b
    |\bvia\ @(?:YouTube|Change|[Ss]hare[Tt]his|[Aa]dd[Tt]his|wordpressdotcom|[Pp]ocket|Flipboard|Kickstarter|BuzzFeed|nytimes|guardian|HuffPost)\s*$
    """,
    re.VERBOSE,
)
WORDLE = re.compile(r"Wordle\ [\d,.]+\ [X\d]/6", re.VERBOSE)


@dataclass(frozen=True)
class CurationResult:
    """What came of curating: the kept posts, oldest first, by author; each read post's verdict, a place in FATES; Counts by author; a preview.

    `shown` holds pairs of a verdict and a text: kept ones and dropped ones.
    """

    kept: dict[str, list[Post]]
    verdicts: bytearray
    counts: tuple[Counts, ...]
    shown: list[tuple[str, str]]


@dataclass
class AuthorPosts:
    """One author's posts on their way: the kept ones, where among all posts that were read each lies, how many met which fate."""

    kept: list[Post] = field(default_factory=list)
    places: array = field(default_factory=lambda: array("Q"))
    fates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    dropped: dict[str, list[str]] = field(default_factory=dict)


def curate(
    posts: Iterable[tuple[str, Post]], handles: Sequence[str], rules: Curation
) -> CurationResult:
    """Keep the public posts worth learning from, each with its cleaned text, and give every other one the one reason that it went for.

    `posts` are pairs of an author's handle and a post, scrubbed, gone through once; only the kept ones stay in memory.
    """
    authors = {handle: AuthorPosts() for handle in handles}
    verdicts = bytearray()
    for handle, post in posts:
        author = authors[handle]
        fate, text = judge(post, rules)
        verdicts.append(OUTCOME_CODES[fate])
        author.fates[fate] += 1
        if fate == "kept":
            author.places.append(len(verdicts) - 1)
            author.kept.append(post._replace(text=text))
        elif post.text and len(examples := author.dropped.setdefault(fate, [])) < MAX_PREVIEW_POSTS:
            examples.append(post.text)
    for author in authors.values():
        sort_by_date(author)
    if rules.rules == "default":
        drop_duplicates(authors.values(), verdicts)
    counts = tuple(build_counts(handle, author) for handle, author in authors.items())
    return CurationResult(
        {handle: author.kept for handle, author in authors.items()},
        verdicts,
        counts,
        choose_preview(authors.values()),
    )


def judge(post: Post, rules: Curation) -> tuple[str, str]:
    """Return a post's fate, as far as it can be told from the post alone, and its text as the model is to see it."""
    if post.kind == "repost":
        return "reposts", ""
    if post.visibility == "private":
        return "private", ""
    if post.superseded:
        return "superseded", ""
    if post.warning and rules.content_warnings == "skip":
        return "warned", ""
    if rules.rules == "classic":
        text = " ".join(CLASSIC_LINK.sub(" ", post.text).split())
        return ("short", "") if is_short_classic(text) else ("kept", text)
    text = post.text
    link = post.link
    if "http" in (lower := text.lower()) or "www." in lower:
        text, links = LINK.subn(" ", text)
        link = link or links > 0
    text = " ".join(text.split())
    if post.kind == "reply" and rules.mentions == "strip":
        text = LEADING_MENTIONS.sub("", text)
    if count_words(text) < MIN_WORDS:
        return "short", ""
    if SAID_BY_OTHERS.search(text):
        return "quoted", ""
    if (link and POSTED_BY_APPS.search(text)) or WORDLE.match(text):
        return "automated", ""
    return ("scrubbed", "") if post.secret else ("kept", text)


def is_short_classic(text: str) -> bool:
    """Tell whether fewer than three words carry neither a link, a mention nor a hashtag: the original's rule, as it stands."""
    plain = (
        word for word in text.lower().split() if not any(mark in word for mark in CLASSIC_MARKS)
    )
    return sum(1 for _ in plain) < MIN_WORDS


def count_words(text: str) -> float:
    """Return about how many words a text holds, mentions and hashtags not counted.

    A word is what stands between spaces and has a letter or digit; in scripts without spaces, and in Korean, whose words are whole phrases, two
    characters are a word, and in Thai and its neighbours four.
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
    """Put an author's kept posts in order of time, those without a date first and as they came; ids break a tie."""
    if not any(post.created_at for post in author.kept):
        return
    keys = [
        (post.created_at, len(post.id), post.id) if post.created_at else ("", 0, "")
        for post in author.kept
    ]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    author.kept = [author.kept[i] for i in order]
    author.places = array("Q", (author.places[i] for i in order))


def drop_duplicates(authors: Iterable[AuthorPosts], verdicts: bytearray) -> None:
    """Drop the kept posts that repeat an earlier one, another author's too: people post the same in two places."""
    kept = [(author, index) for author in authors for index in range(len(author.kept))]
    kept.sort(key=lambda place: place[0].kept[place[1]].created_at or "")
    gone: dict[int, set[int]] = {}
    for index in duplicates.find_near_duplicates([author.kept[i].text for author, i in kept]):
        author, i = kept[index]
        gone.setdefault(id(author), set()).add(i)
        verdicts[author.places[i]] = OUTCOME_CODES["duplicates"]
    for author in {id(author): author for author, _ in kept}.values():
        dropped = gone.get(id(author), set())
        author.fates["kept"] -= len(dropped)
        author.fates["duplicates"] += len(dropped)
        author.dropped["duplicates"] = [
            author.kept[i].text for i in sorted(dropped)[:MAX_PREVIEW_POSTS]
        ]
        author.kept = [post for i, post in enumerate(author.kept) if i not in dropped]


def build_counts(handle: str, author: AuthorPosts) -> Counts:
    return Counts(
        handle=handle,
        downloaded=sum(author.fates.values()),
        **author.fates,
        masked=sum(post.masked for post in author.kept),
        characters=sum(len(post.text) for post in author.kept),
    )


def choose_preview(authors: Iterable[AuthorPosts]) -> list[tuple[str, str]]:
    """Return eight kept posts, evenly spaced, and eight dropped ones, of every reason in turn."""
    kept = [post.text for author in authors for post in author.kept]
    dropped = [
        [(fate, text) for text in texts]
        for author in authors
        for fate, texts in author.dropped.items()
    ]
    in_turn: Iterator[tuple[str, str]] = (
        one for turn in zip_longest(*dropped) for one in turn if one
    )
    spaced = kept[:: max(1, len(kept) // MAX_PREVIEW_POSTS)][:MAX_PREVIEW_POSTS]
    return [("kept", text) for text in spaced] + [
        one for one, _ in zip(in_turn, range(MAX_PREVIEW_POSTS), strict=False)
    ]
