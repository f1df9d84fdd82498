"""What every kind of source is called, and who can get it.

The card's wording and the default privacy of a repo both follow from this table.
"""

from typing import Literal, NamedTuple

from hubtweets.posts.post import SourceKind

# owner: only the account's owner; anybody: no permission needed; granted: whoever was given access; unknown: a file can come from anywhere
Access = Literal["owner", "anybody", "granted", "unknown"]


class Origin(NamedTuple):
    """A kind of source: its name on the card, and who can get it."""

    label: str
    access: Access


ORIGINS: dict[SourceKind, Origin] = {
    "x-archive": Origin("an X archive", "owner"),
    "x-grailbird": Origin("a Twitter archive", "owner"),
    "x-api": Origin("the X API", "anybody"),
    "x-json": Origin("saved answers of the X API", "anybody"),
    "mastodon-archive": Origin("a Mastodon archive", "owner"),
    "mastodon-api": Origin("the Mastodon API", "anybody"),
    "misskey": Origin("a Misskey export", "owner"),
    "bluesky-archive": Origin("a Bluesky export", "anybody"),
    "bluesky-api": Origin("the Bluesky API", "anybody"),
    "threads": Origin("a Threads export", "owner"),
    "instagram": Origin("an Instagram export", "owner"),
    "reddit": Origin("a Reddit export", "owner"),
    "telegram": Origin("a Telegram channel's export", "anybody"),  # only public channels are read
    "dataset": Origin("a dataset", "granted"),
    "csv": Origin("a CSV file", "unknown"),
    "json": Origin("a JSON file", "unknown"),
    "jsonl": Origin("a JSONL file", "unknown"),
    "parquet": Origin("a Parquet file", "unknown"),
    "text": Origin("a text file", "unknown"),
}


def access_of(kind: SourceKind, dataset: str | None) -> Access:
    """Return who can get a source; `dataset` is the id of a dataset that is known to be public."""
    return "anybody" if dataset else ORIGINS[kind].access
