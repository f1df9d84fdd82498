"""Twitter's archive of 2013 to early 2019, called Grailbird.

In: the zip or folder, whose posts are in data/js/tweets/2013_02.js and so on, or one such file, or
its tables, tweets.csv or data/csv. Out: a Reading. Posts are bare tweets with `text`; reposts carry
`retweeted_status`. Only the months' files and the public half of user_details.js are opened; the
tables are read if there are no months' files.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.container import Container, base_name, corrupt_error
from hubtweets.posts.json_stream import stream_items
from hubtweets.posts.links import remove_short_links
from hubtweets.posts.parsing import dig, get_text, to_utc
from hubtweets.posts.post import Post, Profile, Reading
from hubtweets.posts.text_lines import read_csv_dicts
from hubtweets.posts.x.tweet import read_app, to_post, unescape
from hubtweets.text import replace_surrogates

MONTH = re.compile(r"(.*/)?data/js/tweets/\d{4}_\d{2}\.js")
USER = re.compile(r"(.*/)?data/js/user_details\.js")
TABLE = re.compile(r"(.*/)?(tweets|data/csv/\d{4}_\d{2})\.csv")
EDITED = "use an unedited copy"
# the second column of Twitter's tables, which other tables named tweets.csv lack
HEADER = b"in_reply_to_status_id"
START = b"Grailbird.data.tweets_"


def find_files(container: Container) -> list[str]:
    """Return the files that `read` opens."""
    months = sorted(name for name in container.names if MONTH.fullmatch(name))
    if not months and len(container.names) == 1 and container.names[0].endswith(".js"):
        with container.open(container.names[0]) as file:
            months = container.names if file.read(100).lstrip().startswith(START) else []
    if months:
        return months + sorted(name for name in container.names if USER.fullmatch(name))[:1]
    tables = sorted(name for name in container.names if TABLE.fullmatch(name))
    whole = [name for name in tables if base_name(name) == "tweets.csv"][:1]
    tables = whole or tables
    for name in tables:
        with container.open(name) as file:
            if HEADER not in file.read(100):
                return []
    return tables


def read(container: Container) -> Reading:
    """Read a Grailbird archive; raise HubtweetsError if it is damaged."""
    names = find_files(container)
    if names[0].endswith(".csv"):
        rows = chain.from_iterable(read_table(container, name) for name in names)
        return Reading("x-grailbird", Profile("", "", "X"), None, rows)
    details = [name for name in names if USER.fullmatch(name)]
    user = read_user(container, details[0]) if details else {}
    handle = get_text(user, "screen_name") or ""
    profile = Profile(
        handle=handle,
        name=get_text(user, "full_name") or handle,
        network="X",
        bio=remove_short_links(get_text(user, "bio")),
        account_id=get_text(user, "id"),
        url=f"https://x.com/{handle}" if re.fullmatch(r"\w{1,20}", handle, re.ASCII) else None,
    )
    months = [name for name in names if name not in details]
    posts = read_months(container, months, profile.account_id)
    return Reading("x-grailbird", profile, None, posts)


def read_user(container: Container, name: str) -> Any:
    text = container.read(name).decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text[text.index("{") :].rstrip().rstrip(";"))
    except (ValueError, RecursionError) as error:
        raise corrupt_error(container, name, error, "Twitter", EDITED) from None


def read_months(container: Container, months: list[str], account_id: str | None) -> Iterator[Post]:
    for name in months:
        with container.open(name) as file:
            stream = stream_items(file)
            try:
                next(stream)
                for number, tweet in enumerate(stream, 1):
                    if not is_tweet(tweet):
                        raise HubtweetsError(
                            f"{container.path}: item {number} of {base_name(name)} is no post "
                            f"(it lacks id or text); {EDITED}"
                        )
                    yield to_own_post(tweet, account_id)
            except ValueError as error:
                raise corrupt_error(container, name, error, "Twitter", EDITED) from None


def is_tweet(item: Any) -> bool:
    return isinstance(dig(item, "text"), str) and bool(get_text(item, "id_str", "id"))


def to_own_post(tweet: dict, account_id: str | None) -> Post:
    """Return the Post of a tweet, without text if its author is protected."""
    author = account_id or get_text(tweet.get("user"), "id_str", "id")
    post = to_post(tweet, author, tweet["text"], reposts_are_marked=True)
    protected = dig(tweet, "user", "protected") is True
    return post._replace(text="", visibility="private", app=None) if protected else post


def read_table(container: Container, name: str) -> Iterator[Post]:
    """Yield the posts of a table, which has no entities: links stay in the text."""
    for number, row in read_csv_dicts(container, name):
        id, text = row.get("tweet_id"), row.get("text")
        if not id or text is None:
            raise HubtweetsError(
                f"{container.path}: line {number} of {base_name(name)} is no post; {EDITED}"
            )
        reply = "reply" if row.get("in_reply_to_status_id") else "post"
        yield Post(
            id=replace_surrogates(id),
            text=replace_surrogates(unescape(text)),
            created_at=to_utc(row.get("timestamp")),
            kind="repost" if row.get("retweeted_status_id") else reply,  # type: ignore[arg-type]
            app=read_app(row),
        )
