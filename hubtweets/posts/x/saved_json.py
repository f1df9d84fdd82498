"""Tweets saved as JSON from X's API, v2 or v1.1: JSON Lines, an array, or one response.

In: a .json or .jsonl file of tweets, such as twarc writes: whole responses (`data`, `includes`),
flat tweets with their `author`, or v1.1's with their `user`. Out: the posts of one author, each
once; the file is read twice, first to count its authors. The `includes` of responses are other
people's tweets, and are not read as posts.
Formats: https://twarc-project.readthedocs.io,
https://docs.x.com/x-api/fundamentals/data-dictionary
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hubtweets.posts.authors import choose_author, warn_of_others
from hubtweets.posts.container import Container, describe_file
from hubtweets.posts.json_values import find_json_file, read_saved_values
from hubtweets.posts.parsing import X_DATE_PATTERN, dig, get_list, get_text
from hubtweets.posts.post import Post, Reading
from hubtweets.posts.x import api_v2
from hubtweets.posts.x import tweet as x_tweet

PAGE = re.compile(r'\s*\{\s*"(data|includes|meta|errors|__twarc)"\s*:')
V2_KEYS = (
    *("edit_history_tweet_ids", "referenced_tweets", "author_id", "conversation_id"),
    "__twarc",
)


def find_files(container: Container) -> list[str]:
    """Return the name of the one JSON file in the container, if its first item is X's."""
    return find_json_file(
        container, PAGE, lambda first: is_answer(first) or is_v1(first) or is_v2(first)
    )


def read_author(container: Container, handle: str) -> Reading:
    """Read an author's tweets from a file of saved ones.

    Raises HubtweetsError if it is damaged, or has several authors and none of them is `handle`.
    """
    [name] = find_files(container)
    counts, users = count_authors(container, name)
    where = describe_file(container, name)
    names = {id: get_text(user, "username", "screen_name") or id for id, user in users.items()}
    author_id = choose_author(where, counts, names, handle)
    profile = api_v2.to_profile(users.get(author_id or ""))
    warnings = warn_of_others(where, counts, names, author_id)
    wanted = author_id if len(counts) > 1 else None
    posts = read_posts(container, name, profile.account_id, wanted, warnings)
    return Reading("x-json", profile, None, posts, warnings)


def count_authors(container: Container, name: str) -> tuple[Counter[str], dict[str, Any]]:
    """Return how many tweets each author has, and the authors as X describes them, by their ids."""
    authors, users = dict[str, str](), dict[str, Any]()
    for tweet, user in read_tweets(container, name):
        id, author_id = get_text(tweet, "id_str", "id"), get_author_id(tweet, user)
        if id and author_id:
            authors[id] = author_id
            if user:
                users.setdefault(author_id, user)
    return Counter(authors.values()), users


def get_author_id(tweet: dict, user: Any) -> str | None:
    return get_text(user, "id_str", "id") or get_text(tweet, "author_id")


def read_posts(
    container: Container,
    name: str,
    account_id: str | None,
    wanted: str | None,
    warnings: list[str],
) -> Iterator[Post]:
    """Yield each post once; if the file has several authors, only those of the one wanted."""
    seen = set[str]()
    invalid = cut = 0
    for tweet, user in read_tweets(container, name):
        id = get_text(tweet, "id_str", "id")
        if id is None or (post := to_post(tweet, user, account_id)) is None:
            invalid += 1
            continue
        if id in seen or (wanted and get_author_id(tweet, user) != wanted):
            continue
        seen.add(id)
        cut += post.kind != "repost" and is_cut(tweet)
        yield post
    if invalid:
        warnings.append(f"{name}: {invalid:,} of its items are no posts and were left out")
    if cut:
        warnings.append(
            f"{name}: {cut:,} of its posts are cut; save them with tweet_mode=extended, "
            "or with tweet.fields=note_tweet of API v2"
        )


def is_cut(tweet: dict) -> bool:
    """Return whether a tweet's whole text is missing, as it says itself or as its text shows."""
    if dig(tweet, "extended_tweet") or dig(tweet, "note_tweet"):
        return False
    text = pick_full_text(tweet)[1] or ""
    return tweet.get("truncated") is True or x_tweet.is_cut(x_tweet.unescape(text))


def to_post(tweet: dict, author: Any, account_id: str | None) -> Post | None:
    """Return the Post of a tweet of either version, or None if it has no text.

    A post of a protected account is private.
    """
    account_id = get_text(author, "id_str", "id") or account_id
    if get_text(tweet, "id_str"):
        tweet, text = pick_full_text(tweet)
        if text is None:
            return None
        post = x_tweet.to_post(tweet, account_id, text)
        withheld = api_v2.is_withheld(tweet, text)
    elif isinstance(tweet.get("text"), str):
        post, withheld = api_v2.to_post(tweet, account_id), False  # api_v2 checks itself
    else:
        return None
    return api_v2.hide_text(post) if withheld or dig(author, "protected") is True else post


def pick_full_text(tweet: dict) -> tuple[dict, str | None]:
    """Return a v1.1 tweet and its whole text.

    v1.1 has put it in several places; the entities of the tweet are those of the same place.
    """
    extended = tweet.get("extended_tweet")
    if isinstance(text := dig(extended, "full_text"), str):
        entities = {key: dig(extended, key) for key in ("entities", "extended_entities")}
        return tweet | entities, text
    for key in ("full_text", "text"):
        if isinstance(text := tweet.get(key), str):
            return tweet, text
    return tweet, None


def read_tweets(container: Container, name: str) -> Iterator[tuple[dict, Any]]:
    """Yield every tweet with its author, if known; an item that isn't an object comes as {}.

    Raises HubtweetsError if the file is damaged.
    """
    for value in read_saved_values(container, name, PAGE):
        if is_page(value):
            yield from read_page(value)
        elif isinstance(value, dict):
            yield value, value.get("author") or value.get("user")
        else:
            yield {}, None


def read_page(page: dict) -> Iterator[tuple[dict, Any]]:
    """Yield the tweets of a response with their authors."""
    users = {get_text(user, "id"): user for user in get_list(page, "includes", "users")}
    for tweet in get_page_data(page):
        if isinstance(tweet, dict):
            yield tweet, users.get(get_text(tweet, "author_id"))
        else:
            yield {}, None


def get_page_data(page: dict) -> list:
    data = page.get("data")
    return [data] if isinstance(data, dict) else get_list(page, "data")


def is_page(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "text" not in value
        and any(key in value for key in ("data", "meta", "__twarc"))
    )


def is_answer(value: Any) -> bool:
    """Return whether a value is a page of X's, by its first tweet or by its other keys."""
    if not is_page(value):
        return False
    if data := get_page_data(value):
        return isinstance(dig(data[0], "id"), str) and isinstance(dig(data[0], "text"), str)
    return "__twarc" in value or isinstance(dig(value, "meta", "result_count"), int)


def is_v1(value: Any) -> bool:
    """Return whether a value is a v1.1 tweet, and not a row of any table with ids and texts.

    `is_retweet` is a key of tables, not of X.
    """
    if not isinstance(dig(value, "id_str"), str) or "is_retweet" in value:
        return False
    if pick_full_text(value)[1] is None:
        return False
    if any(isinstance(value.get(key), dict) for key in ("user", "entities", "retweeted_status")):
        return True
    date = value.get("created_at")
    return isinstance(date, str) and X_DATE_PATTERN.fullmatch(date) is not None


def is_v2(value: Any) -> bool:
    """Return whether a value is a v2 tweet, by the keys that only X has beside its id and text."""
    if not isinstance(dig(value, "id"), str) or not isinstance(dig(value, "text"), str):
        return False
    return "id_str" not in value and any(key in value for key in V2_KEYS)
