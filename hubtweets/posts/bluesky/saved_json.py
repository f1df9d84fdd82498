"""Bluesky posts saved as JSON from its API: getAuthorFeed, listRecords, and other lists of posts.

In: a .json or .jsonl file of whole responses (`feed`, `records`, `posts`) or of their items. Out:
the posts of one author, each once; the file is read twice, first to count its authors. The posts
that a reply answers or that a post quotes are other people's, and are not read. Nothing is fetched
from the network.
Documentation: https://docs.bsky.app/docs/api/app-bsky-feed-get-author-feed and
https://docs.bsky.app/docs/api/com-atproto-repo-list-records
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from hubtweets.posts.authors import choose_author, warn_of_others
from hubtweets.posts.bluesky.archive import (
    DID,
    POST,
    REPOST,
    find_consent_warnings,
    to_post,
    to_repost,
)
from hubtweets.posts.container import Container, describe_file
from hubtweets.posts.json_values import find_json_file, read_saved_values
from hubtweets.posts.parsing import dig, get_list, get_text
from hubtweets.posts.post import Post, Profile, Reading

LISTS = ("feed", "records", "posts")
PAGE = re.compile(r'\s*\{\s*"(feed|records|posts|cursor)"\s*:')
ADDRESS = re.compile(rf"at://({DID.pattern})/([a-zA-Z.]+)/([\w.:~-]+)", re.ASCII)
REPOSTED = "app.bsky.feed.defs#reasonRepost"


class Item(NamedTuple):
    """A post or repost with its author's DID and, in a feed, the author as Bluesky describes it."""

    did: str
    author: Any
    post: Post


def find_files(container: Container) -> list[str]:
    """Return the name of the one JSON file in the container, if its first value is Bluesky's."""
    return find_json_file(container, PAGE, lambda first: any(map(get_address, list_items(first))))


def read_author(container: Container, handle: str) -> Reading:
    """Read an author's posts from a file of saved ones.

    Raises HubtweetsError if it is damaged, or has several authors and none of them is `handle`.
    """
    [name] = find_files(container)
    where = describe_file(container, name)
    posts, authors = dict[tuple, str](), dict[str, Any]()
    for item in read_items(container, name):
        if item:
            posts[item.did, item.post.kind == "repost", item.post.id] = item.did
            authors[item.did] = item.author or authors.get(item.did)
    counts = Counter(posts.values())
    names = {did: get_text(author, "handle") or did for did, author in authors.items()}
    did = choose_author(where, counts, names, handle)
    warnings = find_consent_warnings(
        names.get(did or "", ""), get_list(authors.get(did or ""), "labels")
    )
    warnings += warn_of_others(where, counts, names, did)
    profile = to_profile(authors.get(did or ""), did)
    return Reading(
        "bluesky-json", profile, None, read_posts(container, name, did, warnings), warnings
    )


def to_profile(author: Any, did: str | None) -> Profile:
    return Profile(
        handle=get_text(author, "handle") or "",
        name=get_text(author, "displayName") or "",
        network="Bluesky",
        account_id=did,
        url=f"https://bsky.app/profile/{did}" if did else None,
    )


def read_posts(
    container: Container, name: str, did: str | None, warnings: list[str]
) -> Iterator[Post]:
    """Yield each post of the author once; a pinned one is in a feed twice."""
    seen, invalid = set[tuple[bool, str]](), 0
    for item in read_items(container, name):
        if item is None:
            invalid += 1
            continue
        key = (item.post.kind == "repost", item.post.id)
        if item.did == did and key not in seen:
            seen.add(key)
            yield item.post
    if invalid:
        warnings.append(f"{name}: {invalid:,} of its items are no posts and were left out")


def read_items(container: Container, name: str) -> Iterator[Item | None]:
    """Yield every item, None for one that is no post.

    Raises HubtweetsError if the file is damaged.
    """
    for value in read_saved_values(container, name, PAGE):
        yield from map(to_item, list_items(value))


def list_items(value: Any) -> list:
    """Return the items of a response, or an item alone."""
    for key in LISTS:
        if isinstance(dig(value, key), list):
            return value[key]
    return [value]


def get_address(item: Any) -> re.Match[str] | None:
    """Return the DID, the collection and the key in the address of an item that has a record."""
    view = get_view(item)
    if not isinstance(get_record(view), dict):
        return None
    return ADDRESS.fullmatch(get_text(view, "uri") or "")


def get_view(item: Any) -> Any:
    """Return the post of a feed's item; other lists hold posts or records themselves."""
    post = dig(item, "post")
    return post if isinstance(post, dict) else item


def get_record(view: Any) -> Any:
    return dig(view, "record") or dig(view, "value")


def to_item(item: Any) -> Item | None:
    address = get_address(item)
    if not address:
        return None
    did, collection, key = address.groups()
    view, reason = get_view(item), dig(item, "reason")
    if dig(reason, "$type") == REPOSTED:  # the post is another's
        by, repost = dig(reason, "by"), to_repost(key, {"createdAt": dig(reason, "indexedAt")})
        reposter = get_text(by, "did")
        return Item(reposter, by, repost) if reposter else None
    if collection == POST:
        return Item(did, dig(view, "author"), to_post(key, get_record(view), did))
    return Item(did, None, to_repost(key, get_record(view))) if collection == REPOST else None
