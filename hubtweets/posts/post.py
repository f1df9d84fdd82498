"""What every source gives: a Reading with one Profile and its Posts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from hubtweets.posts.source_kinds import SourceKind

Kind = Literal["post", "reply", "self_reply", "quote", "repost"]
Visibility = Literal["private", "unlisted", "public"]  # the narrowest first


class Post(NamedTuple):
    """One post as its readers saw it: unescaped, with its line breaks, without marked links.

    A private post (followers-only, direct, withheld) has no text: it is counted and never kept.
    """

    id: str
    text: str
    created_at: str | None = None  # ISO 8601, UTC
    lang: str | None = None  # as the service says, not measured
    kind: Kind = "post"
    visibility: Visibility = "public"
    superseded: bool = False  # an older version of a post that was edited later
    link: bool = False  # a link was cut out of the text
    warning: bool = False  # it had a content warning
    masked: bool = False  # an e-mail address, a phone number, a key or a token in it is masked
    secret: bool = False  # among them a key or a token
    app: str | None = None  # the name of the program that posted it, as the service says


@dataclass(frozen=True)
class Profile:
    """The public profile of an author."""

    handle: str
    name: str
    network: str | None = None
    bio: str | None = None
    account_id: str | None = None
    avatar: str | None = None  # a file in the run's repo/ folder
    url: str | None = None  # the account's public page; https


@dataclass(frozen=True)
class Reading:
    """The profile, avatar (an image file's bytes) and posts of one author, as a source gives them.

    The posts come in any order and can be iterated once. Meanwhile `warnings` grows, and
    HubtweetsError may be raised. `dataset` is the id of a dataset that is public. The posts of a
    protected account are for its followers alone.
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
    """Names of a table's columns; None means that the column is found by its usual names."""

    text: str | None = None
    date: str | None = None
    id: str | None = None
    repost: str | None = None


def narrowest(*visibilities: Visibility) -> Visibility:
    """Return the one with the smallest audience."""
    return min(visibilities, key=get_args(Visibility).index)
