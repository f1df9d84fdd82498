"""The table of sources: what each is called, who can get it, and the module that reads it.

To add a source, write its module and add its name to `SourceKind` and a row to `ROWS`. A module
that reads files has `find_files` and `read` (see `sources.FileReader`), or `read_author` if they
may have several authors; a module that asks a service has `fetch`. The card's wording and the
default privacy of a repo follow from `access`.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

SourceKind = Literal[
    "x-archive",
    "x-grailbird",
    "x-api",
    "x-json",
    "mastodon-archive",
    "mastodon-api",
    "mastodon-json",
    "misskey",
    "bluesky-archive",
    "bluesky-api",
    "bluesky-json",
    "threads",
    "instagram",
    "reddit",
    "telegram",
    "dataset",
    "csv",
    "json",
    "jsonl",
    "parquet",
    "text",
]
# owner: the account's owner alone; public: no permission needed; granted: accounts with access to
# the dataset; unknown: a file can come from anywhere
Access = Literal["owner", "public", "granted", "unknown"]


class Source(NamedTuple):
    """A kind of source; `module` is its reader in hubtweets.posts, `service` the prefix in `x:`."""

    kind: SourceKind
    label: str  # on the card
    access: Access
    module: str
    service: str | None = None


# Readers of files are asked in this order, and the first that finds files of its own reads them.
ROWS = (
    Source("x-archive", "an X archive", "owner", "x.archive"),
    Source("x-grailbird", "a Twitter archive", "owner", "x.grailbird"),
    Source("mastodon-archive", "a Mastodon archive", "owner", "mastodon.archive"),
    Source("misskey", "a Misskey export", "owner", "exports.misskey"),
    Source("bluesky-archive", "a Bluesky export", "public", "bluesky.archive"),
    Source("threads", "a Threads export", "owner", "exports.threads"),
    Source("instagram", "an Instagram export", "owner", "exports.threads"),
    Source("reddit", "a Reddit export", "owner", "exports.reddit"),
    # only public channels are read
    Source("telegram", "a Telegram channel's export", "public", "exports.telegram"),
    Source("x-json", "saved answers of the X API", "public", "x.saved_json"),
    Source("bluesky-json", "saved answers of the Bluesky API", "public", "bluesky.saved_json"),
    Source("mastodon-json", "saved answers of the Mastodon API", "public", "mastodon.saved_json"),
    Source("csv", "a CSV file", "unknown", "tables.files"),
    Source("json", "a JSON file", "unknown", "tables.files"),
    Source("jsonl", "a JSONL file", "unknown", "tables.files"),
    Source("parquet", "a Parquet file", "unknown", "tables.files"),
    Source("text", "a text file", "unknown", "tables.files"),
    Source("x-api", "the X API", "public", "x.api", "x"),
    Source("mastodon-api", "the Mastodon API", "public", "mastodon.api", "mastodon"),
    Source("bluesky-api", "the Bluesky API", "public", "bluesky.api", "bluesky"),
    Source("dataset", "a dataset", "granted", "tables.dataset", "dataset"),
)
SOURCES: dict[SourceKind, Source] = {row.kind: row for row in ROWS}
TWEETS = ("x-archive", "x-grailbird", "x-json", "x-api")  # the kinds whose posts are tweets


def are_tweets(kinds: Iterable[SourceKind]) -> bool:
    """Return True if the posts of all these kinds are tweets; they are called posts otherwise."""
    return all(kind in TWEETS for kind in kinds)


def get_access(kind: SourceKind, dataset: str | None) -> Access:
    """Return who can get a source; `dataset` is the id of a dataset known to be public."""
    return "public" if dataset else SOURCES[kind].access
