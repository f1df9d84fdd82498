"""An account's posts from its own Mastodon server, newest first; other servers lack some of them.

In: an account's name (@user@host), and a token in the environment if the server requires one.
Out: a Reading. Boosts and, with a token of their owner, followers-only and direct posts come too:
they are counted, and their text is not kept.
Documentation: https://docs.joinmastodon.org/methods/accounts/
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.html_text import html_to_text
from hubtweets.posts.http import HOST_PATTERN, LOOPBACK, ApiClient, ApiError
from hubtweets.posts.mastodon.archive import find_consent_warnings, make_post
from hubtweets.posts.parsing import get_text, to_utc
from hubtweets.posts.post import Kind, Post, Profile, Reading, Visibility

ACCOUNT = re.compile(
    rf"@?(\w[\w.-]{{0,99}})@(({HOST_PATTERN})(?::\d{{1,5}})?)", re.ASCII | re.IGNORECASE
)
TOKEN = re.compile(r"[!-~]+")  # characters that a header can hold
ID = re.compile(r"\w{1,64}", re.ASCII)
POSTS_PER_PAGE = 40  # the maximum
ARCHIVE_ADVICE = (
    "give the archive that the server makes for its owner (Preferences, Import and export): "
    "--posts ARCHIVE.zip"
)


def fetch(account: str, say: Callable[[str], None]) -> Reading:
    """Fetch an account's posts from its server.

    Raises HubtweetsError if there is no such account or the server refuses.
    """
    if not (found := ACCOUNT.fullmatch(account)):
        raise HubtweetsError(
            f"{account!r} is not the name of a Mastodon account; "
            "write it with its server, as in mastodon:@alice@mastodon.example"
        )
    user, host, domain = found.groups()
    connect = partial(connect_to, host, domain, say, get_token(host))
    with connect() as client:
        owner = find_account(client, user, account, host)
        avatar = client.fetch_avatar(get_text(owner, "avatar_static", "avatar"))
    profile = to_profile(owner, user, host)
    return Reading(
        "mastodon-api",
        profile,
        avatar,
        read_posts(connect, account, host, profile.account_id or ""),
        find_consent_warnings(f"@{user}@{host}", owner),
    )


def connect_to(host: str, domain: str, say: Callable[[str], None], token: str) -> ApiClient:
    """Return a client of a server; `domain` is the host without its port."""
    scheme = "http" if domain.lower() in LOOPBACK else "https"
    headers = {"Authorization": f"Bearer {token}"} if token else None
    return ApiClient(f"{scheme}://{host.lower()}", say, headers)


def find_account(client: ApiClient, user: str, account: str, host: str) -> dict:
    """Return the server's record of an account; raise HubtweetsError if it has no posts to give."""
    try:
        owner, _ = client.get("/api/v1/accounts/lookup", {"acct": user})
    except ApiError as error:
        raise explain_error(error, account, host) from None
    if not ID.fullmatch(get_text(owner, "id") or ""):
        raise HubtweetsError(
            f"{host} gives no id for {account}; "
            "check that it is a Mastodon server, then try again later"
        )
    if owner.get("suspended") is True:
        raise HubtweetsError(
            f"{account} is suspended at {host}, which then shows no posts; {ARCHIVE_ADVICE}"
        )
    return owner


def to_profile(owner: dict, user: str, host: str) -> Profile:
    return Profile(
        handle=user,
        name=get_text(owner, "display_name") or user,
        network="Mastodon",
        bio=html_to_text(get_text(owner, "note") or "")[0] or None,
        account_id=get_text(owner, "id"),
        url=f"https://{host.lower()}/@{user}",
    )


def get_token(host: str) -> str:
    """Return the token in the environment if it is for this server: no other server may see it.

    Raises HubtweetsError if a header can't hold it.
    """
    meant = os.environ.get("MASTODON_API_BASE_URL", "").strip().rstrip("/").rpartition("//")[2]
    if meant.lower() != host.lower():
        return ""
    token = os.environ.get("MASTODON_ACCESS_TOKEN", "").strip()
    if token and not TOKEN.fullmatch(token):
        raise HubtweetsError(
            "MASTODON_ACCESS_TOKEN holds characters that no token has; "
            "copy it again from the server's Preferences, Development"
        )
    return token


def read_posts(
    connect: Callable[[], ApiClient], account: str, host: str, account_id: str
) -> Iterator[Post]:
    """Yield an account's posts, page by page.

    The id of the last post leads to the next page, because the Link header could lead to another
    server.
    """
    seen: set[str] = set()
    oldest: dict[str, str] = {}
    with connect() as client:
        while True:
            try:
                page, _ = client.get(
                    f"/api/v1/accounts/{account_id}/statuses", {"limit": POSTS_PER_PAGE, **oldest}
                )
            except ApiError as error:
                raise explain_error(error, account, host) from None
            if not isinstance(page, list):
                raise HubtweetsError(
                    f"{host} does not answer with posts; "
                    "check that it is a Mastodon server, then try again later"
                )
            last = next((id for status in reversed(page) if (id := get_text(status, "id"))), None)
            if last is None or last in seen:
                return
            seen.add(last)
            oldest = {"max_id": last}
            for status in page:
                if isinstance(status, dict):
                    yield to_post(status, account_id)


def to_post(status: dict[str, Any], account_id: str) -> Post:
    visibility: Visibility = "private"
    if status.get("visibility") in ("public", "unlisted"):
        visibility = status["visibility"]
    kind: Kind = "post"
    if status.get("reblog") is not None:
        kind = "repost"
    elif get_text(status, "in_reply_to_id"):
        kind = "self_reply" if get_text(status, "in_reply_to_account_id") == account_id else "reply"
    elif status.get("quote") is not None:
        kind = "quote"
    return make_post(
        id=get_text(status, "id") or "",
        created_at=to_utc(status.get("created_at")),
        kind=kind,
        visibility=visibility,
        content=status.get("content"),
        lang=get_text(status, "language"),
        warning=status.get("spoiler_text"),
    )


def explain_error(error: ApiError, account: str, host: str) -> HubtweetsError:
    """Return the meaning of a server's error, and what to do about it."""
    if error.status in (401, 422):
        return explain_refused_token(error, host)
    texts = {
        403: f"{host} does not allow reading the posts of {account} (403); {ARCHIVE_ADVICE}",
        404: f"{host} has no account {account} (404); check the name, and the server's "
        "(its web address, such as social.example.org)",
        410: f"{account} is gone from {host} (410); {ARCHIVE_ADVICE}",
        429: f"{host} is rate-limiting (429); type the same command again in some minutes",
    }
    other = f"{host} answers {error.status} for {account}; try again later, or {ARCHIVE_ADVICE}"
    return HubtweetsError(texts.get(error.status, other))


def explain_refused_token(error: ApiError, host: str) -> HubtweetsError:
    if get_token(host):
        return HubtweetsError(
            f"{host} does not accept MASTODON_ACCESS_TOKEN ({error.status}); "
            f"make a new one there, or {ARCHIVE_ADVICE}"
        )
    return HubtweetsError(
        f"{host} shows posts only to its users ({error.status}); set MASTODON_ACCESS_TOKEN "
        f"to a token of an account there and MASTODON_API_BASE_URL to https://{host}, "
        f"or {ARCHIVE_ADVICE}"
    )
