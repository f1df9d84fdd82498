"""Reddit data requests: comments.csv and posts.csv.

In: the zip or folder that Reddit made, or one of the two files, which are streamed. Out: a Reading
without a profile, since nothing in the export says whose it is. The messages and addresses beside
them are not opened. The format is not documented.
"""

import re
from collections.abc import Iterable, Iterator

from hubtweets.posts.container import Container, base_name, check_single_export, read_head
from hubtweets.posts.parsing import MARKDOWN_LINK, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading
from hubtweets.posts.text_lines import read_csv_dicts
from hubtweets.text import replace_surrogates

FILES = ("comments.csv", "posts.csv")
DELETED = ("[deleted]", "[removed]")
# lines quoted from others; with ! it is a spoiler
QUOTED = re.compile(r"^[ \t]*(>(?!!)|&gt;(?!!)).*\n?", re.MULTILINE)


def find_files(container: Container) -> list[str]:
    """Return the names of the files of comments and posts."""
    return sorted(name for name in container.names if is_reddit(container, name))


def read(container: Container) -> Reading:
    """Read an export; HubtweetsError is raised in the posts if it is damaged."""
    names = find_files(container)
    check_single_export(container, names)
    return Reading("reddit", Profile("", ""), None, read_posts(container, names))


def is_reddit(container: Container, name: str) -> bool:
    """Return whether a file has the name and the columns of Reddit's tables."""
    if base_name(name) not in FILES:
        return False
    columns = read_head(container, name).partition(b"\n")[0]
    return b"permalink" in columns and b"subreddit" in columns


def read_posts(container: Container, names: Iterable[str]) -> Iterator[Post]:
    """Yield comments and posts, without links and lines quoted from others.

    Only the id, the date, the title and the body of a row are read.
    """
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
