"""What every source gives: a Reading with one Profile and its Posts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

Kind = Literal["post", "reply", "self_reply", "quote", "repost"]
Visibility = Literal["private", "unlisted", "public"]  # the narrowest first
SourceKind = Literal[
    "x-archive",
    "x-grailbird",
    "x-api",
    "x-json",
    "mastodon-archive",
    "mastodon-api",
    "misskey",
    "bluesky-archive",
    "bluesky-api",
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


class Post(NamedTuple):
    """One post as its author's readers saw it: unescaped, line breaks still in it, the links that the place itself marks cut out.

    A private post (followers-only, direct, withheld) has no text: it is counted and never kept.
    """

    id: str
    text: str
    created_at: str | None = None  # ISO 8601, UTC
    lang: str | None = None  # what the place itself says, not measured
    kind: Kind = "post"
    visibility: Visibility = "public"
    superseded: bool = False  # an older version of a post that was edited later
    link: bool = False  # a link was cut out of the text
    warning: bool = False  # it stood behind a content warning
    masked: bool = False  # an e-mail address, a phone number, a key or a token in it is masked
    secret: bool = False  # among them a key or a token


@dataclass(frozen=True)
class Profile:
    """The public face of an author."""

    handle: str
    name: str
    network: str | None = None
    bio: str | None = None
    account_id: str | None = None
    avatar: str | None = None  # a file in the run's repo/ folder
    url: str | None = None  # where the account's readers find it; https


@dataclass(frozen=True)
class Reading:
    """What a source gives: its kind, one author's profile, avatar (an image file's bytes) and posts, in no order, to be gone through once.

    `warnings` grows while the posts are gone through; so may HubtweetsError be raised. `dataset` is the id of a dataset that anybody can read.
    The posts of a protected account are for its followers alone.
    """

    kind: SourceKind
    profile: Profile
    avatar: bytes | None
    posts: Iterable[Post]
    warnings: list[str] = field(default_factory=list)
    dataset: str | None = None
    protected: bool = False


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are meant; None: found by its name."""

    text: str | None = None
    date: str | None = None
    id: str | None = None
    repost: str | None = None


def narrowest(*visibilities: Visibility) -> Visibility:
    """Return the one with the smallest audience."""
    return min(visibilities, key=get_args(Visibility).index)
