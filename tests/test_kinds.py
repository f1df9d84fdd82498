"""One X archive of 2,000 posts of every kind that curation knows, counted kind by kind."""

import html
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from hubtweets.config import Curation
from hubtweets.curation.rules import curate
from hubtweets.posts import sources
from hubtweets.posts.example import sentences
from hubtweets.posts.pii.scrub import scrub_posts
from hubtweets.posts.post import Columns
from hubtweets.record.counts import OUTCOMES
from tests.test_posts_x_archive import MINE, OTHER, archive_files, tweet, write_zip

POSTS = 2_000


class Kind(NamedTuple):
    """Posts of one kind: X's text and fields, and the text that is learned or else the outcome.

    `{}` stands for a sentence of the author's that no other post has.
    """

    text: str
    expected: str
    fields: Mapping[str, Any] = MappingProxyType({})


TO_OTHERS = {"in_reply_to_status_id_str": "9", "in_reply_to_user_id_str": OTHER}
TO_SELF = {"in_reply_to_status_id_str": "9", "in_reply_to_user_id_str": MINE}
KINDS = {
    "a post": Kind("{}", "{}"),
    "a link": Kind("{} https://t.co/abc", "{}"),
    "a link without its scheme": Kind("{} github.com/bob/b...", "{}"),
    "what led to a link": Kind("My new post: {} 👉 https://t.co/abc", "My new post: {}"),
    "brackets around a link": Kind("{} (https://t.co/abc) or so", "{} or so"),
    "a comma after a link": Kind("See https://t.co/abc, {}", "See, {}"),
    "a reply": Kind("@bob @carol {}", "{}", TO_OTHERS),
    "a reply to oneself": Kind("@bob: @alice, {}", "{}", TO_SELF),
    "a repost": Kind("RT @bob: {}", "reposts"),
    "a repost by hand": Kind("RT @bob {}", "reposts"),
    "a repost by hand from another host": Kind("RT @bob@host.example {}", "reposts"),
    "a repost after a comment": Kind("{} RT @bob what he said", "{}"),
    "a repost after a long comment": Kind("{} // RT: @bob: what he said", "{}"),
    "a repost after a short comment": Kind("YES RT @bob {}", "quoted"),
    "a request for reposts": Kind("Please RT @bob {}", "Please RT @bob {}"),
    "a quoted line": Kind("> what others say\n{}", "{}"),
    "a quoted line alone": Kind("> {}", "quoted"),
    "invisible characters": Kind("So\u200b, {}\u2060", "So, {}"),
    "too short": Kind("lol https://t.co/abc", "short"),
    "an older version": Kind(
        "{}", "superseded", {"edit_info": {"initial": {"editTweetIds": ["1", "2"]}}}
    ),
    "a feed": Kind("{}", "automated", {"source": "<a>IFTTT</a>"}),
    "a radio": Kind("On air: {}", "automated", {"source": "<a>Kitchen Radio</a>"}),
    "a client": Kind("{}", "{}", {"source": "<a>Echofon</a>"}),
    "a like": Kind("Gostei de um vídeo @YouTube https://t.co/abc {}", "automated"),
    "a newspaper": Kind("The Cork Daily is out! https://t.co/abc Stories via @bob {}", "automated"),
    "a joke": Kind("Now playing: {} https://t.co/abc why me?", "Now playing: {} why me?"),
    "a key": Kind("{} sk-proj-" + "a1B2c3D4" * 6, "scrubbed"),
}


def make_sentences() -> Iterator[str]:
    """Yield sentences without mentions and hashtags, each once."""
    generator, seen = random.Random(0), set[str]()
    while True:
        sentence = sentences.make_sentence(generator)
        if "@" not in sentence and "#" not in sentence and sentence not in seen:
            seen.add(sentence)
            yield sentence


def make_tweet(id: str, text: str, fields: Mapping[str, Any]) -> dict:
    """Return a tweet whose entities mark its links, as X's do."""
    escaped = html.escape(text, quote=False)
    links = [
        {"url": found[0], "indices": [str(found.start()), str(found.end())]}
        for found in re.finditer(r"https://t\.co/\w+", escaped)
    ]
    return tweet(id, escaped, **{"entities": {"urls": links}, **fields})


def test_each_kind_is_counted_and_learned_from(tmp_path: Path) -> None:
    items, expected = [], {}
    for number, sentence in zip(range(POSTS), make_sentences(), strict=False):
        kind = list(KINDS)[number % len(KINDS)]
        text, wanted, fields = KINDS[kind]
        items.append(make_tweet(str(10_000 + number), text.replace("{}", sentence), fields))
        expected[str(10_000 + number)] = (kind, wanted.replace("{}", sentence))
    path = write_zip(tmp_path / "alice.zip", archive_files(items))
    posts = list(sources.read_source(path, "alice", Columns()).posts)
    masked = scrub_posts(("alice", post) for post in posts)
    curated = curate(masked, ["alice"], Curation())
    kept = {post.id: post.text for post in curated.kept["alice"]}
    counted = Counter[tuple[str, str]]()
    for post, verdict in zip(posts, curated.verdicts, strict=True):
        kind, wanted = expected[post.id]
        found = kept.get(post.id, list(OUTCOMES)[verdict])
        counted[kind, "as expected" if found == wanted else f"{found!r}, not {wanted!r}"] += 1
    numbers = Counter(kind for kind, _ in expected.values())
    assert counted == {(kind, "as expected"): number for kind, number in numbers.items()}
