"""Mastodon statuses saved as JSON from a server's API.

In: a .json or .jsonl file of statuses, one by one or in lists. Out: the posts of one author, each
once; the file is read twice, first to count its authors. Boosts and, if they were saved with a
token of their owner, followers-only and direct posts are counted, and their text is not kept.
Documentation: https://docs.joinmastodon.org/entities/Status/
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hubtweets.posts.authors import choose_author, warn_of_others
from hubtweets.posts.container import Container, describe_file
from hubtweets.posts.html_text import html_to_text
from hubtweets.posts.json_values import find_json_file, read_saved_values
from hubtweets.posts.mastodon.api import to_post
from hubtweets.posts.mastodon.archive import find_consent_warnings
from hubtweets.posts.parsing import dig, get_text
from hubtweets.posts.post import Post, Profile, Reading

PAGE = re.compile(r'\s*\{\s*"(accounts|statuses|hashtags)"\s*:')


def find_files(container: Container) -> list[str]:
    """Return the name of the one JSON file in the container, if its first value is Mastodon's."""
    return find_json_file(container, PAGE, lambda first: any(map(is_status, list_statuses(first))))


def read_author(container: Container, handle: str) -> Reading:
    """Read an author's posts from a file of saved statuses.

    Raises HubtweetsError if it is damaged, or has several authors and none of them is `handle`.
    """
    [name] = find_files(container)
    where = describe_file(container, name)
    authors, accounts = dict[str, str](), dict[str, Any]()
    for status in read_statuses(container, name):
        if is_status(status):
            author = get_text(status["account"], "acct") or ""
            authors[get_text(status, "id") or ""] = author
            accounts[author] = status["account"]
    counts = Counter(authors.values())
    acct = choose_author(where, counts, {}, handle)
    account = accounts.get(acct or "")
    warnings = find_consent_warnings(f"@{acct}", account)
    warnings += warn_of_others(where, counts, {}, acct)
    posts = read_posts(container, name, acct, get_text(account, "id") or "", warnings)
    return Reading("mastodon-json", to_profile(account), None, posts, warnings)


def to_profile(account: Any) -> Profile:
    return Profile(
        handle=get_text(account, "username") or "",
        name=get_text(account, "display_name") or "",
        network="Mastodon",
        bio=html_to_text(get_text(account, "note") or "")[0] or None,
        account_id=get_text(account, "id"),
        url=get_text(account, "url"),
    )


def read_posts(
    container: Container, name: str, acct: str | None, account_id: str, warnings: list[str]
) -> Iterator[Post]:
    """Yield each post of the author once."""
    seen, invalid = set[str](), 0
    for status in read_statuses(container, name):
        if not is_status(status):
            invalid += 1
        elif status["account"]["acct"] == acct and (id := get_text(status, "id") or "") not in seen:
            seen.add(id)
            yield to_post(status, account_id)
    if invalid:
        warnings.append(f"{name}: {invalid:,} of its items are no posts and were left out")


def read_statuses(container: Container, name: str) -> Iterator[Any]:
    for value in read_saved_values(container, name, PAGE):
        yield from list_statuses(value)


def list_statuses(value: Any) -> list:
    """Return the statuses of a response, or a status alone."""
    if isinstance(value, list):
        return value
    statuses = dig(value, "statuses")
    return statuses if isinstance(statuses, list) else [value]


def is_status(value: Any) -> bool:
    """Return whether a value is a status, by keys that tables don't have together."""
    texts = (dig(value, "account", "acct"), dig(value, "content"), dig(value, "spoiler_text"))
    return all(isinstance(text, str) for text in texts) and "visibility" in value
