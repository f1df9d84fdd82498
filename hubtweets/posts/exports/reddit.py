"""Reddit data requests: comments.csv and posts.csv."""

import re
from collections.abc import Iterable, Iterator

from hubtweets.posts.container import Container, base_name, read_head
from hubtweets.posts.parsing import to_utc
from hubtweets.posts.post import Kind, Post
from hubtweets.posts.text_lines import read_csv_dicts
from hubtweets.text import replace_surrogates

REDDIT = ("comments.csv", "posts.csv")
DELETED = ("[deleted]", "[removed]")
QUOTED = re.compile(
    r"^[ \t]*(>(?!!)|&gt;(?!!)).*\n?", re.MULTILINE
)  # other people's words; with ! it is a spoiler
MARKDOWN_LINK = re.compile(r"\[([^\[\]]*)\]\(https?:[^\s()]*(?:\([^\s()]*\)[^\s()]*)*\)")


def is_reddit(container: Container, name: str) -> bool:
    if base_name(name) not in REDDIT:
        return False
    columns = read_head(container, name).partition(b"\n")[0]
    return b"permalink" in columns and b"subreddit" in columns


def read_reddit(container: Container, names: Iterable[str]) -> Iterator[Post]:
    """Yield comments and posts, of whose rows the id, the date, the title and the body are read. Links and what others are quoted with are cut."""
    for name in names:
        kind: Kind = "reply" if base_name(name) == "comments.csv" else "post"
        for number, row in read_csv_dicts(container, name):
            title, body = row.get("title", ""), row.get("body", "")
            if body.strip() in DELETED or title.strip() in DELETED:
                continue
            text, links = MARKDOWN_LINK.subn(r"\1", QUOTED.sub("", body))
            text = "\n".join(part for part in (title, text) if part)
            yield Post(
                replace_surrogates(row.get("id") or str(number)),
                replace_surrogates(text),
                to_utc(row.get("date")),
                None,
                kind,
                link=bool(links),
            )
