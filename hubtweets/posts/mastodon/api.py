"""An account's posts from its own Mastodon server, newest first; another server has only some of them.

In: an account's name (@user@host), and a token in the environment where the server wants one. Out: a Reading. Boosts and, with a token of their
owner, followers-only and direct posts come too: they are counted, their text is not kept.
Documentation: https://docs.joinmastodon.org/methods/accounts/
"""

import os
import re
from collections.abc import Callable, Iterator
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
TOKEN = re.compile(r"[!-~]+")  # what a header can hold
ID = re.compile(r"\w{1,64}", re.ASCII)
POSTS_PER_PAGE = 40  # posts; the most that a server gives at once
ARCHIVE_ADVICE = "give the archive that the server makes for its owner (Preferences, Import and export): --posts ARCHIVE.zip"


def fetch(account: str, say: Callable[[str], None]) -> Reading:
    """Read an account's posts from its server; raise HubtweetsError where there is no such account or the server refuses."""
    if not (found := ACCOUNT.fullmatch(account)):
        raise HubtweetsError(
            f"{account!r} is no name of a Mastodon account; write it with its server, as in mastodon:@alice@mastodon.example"
        )
    user, host, domain = found.groups()
    token = get_token(host)
    if token and not TOKEN.fullmatch(token):
        raise HubtweetsError(
            "MASTODON_ACCESS_TOKEN holds characters that no token has; copy it again from the server's Preferences, Development"
        )

    def connect() -> ApiClient:
        scheme = "http" if domain.lower() in LOOPBACK else "https"
        return ApiClient(
            f"{scheme}://{host.lower()}",
            say,
            {"Authorization": f"Bearer {token}"} if token else None,
        )

    with connect() as web:
        try:
            owner, _ = web.get("/api/v1/accounts/lookup", {"acct": user})
        except ApiError as answer:
            raise explain_error(answer, account, host) from None
        account_id = get_text(owner, "id") or ""
        if not ID.fullmatch(account_id):
            raise HubtweetsError(
                f"{host} gives no id for {account}; see that it is a Mastodon server, then try again later"
            )
        if owner.get("suspended") is True:
            raise HubtweetsError(
                f"{account} is suspended at {host}, which then shows no posts; {ARCHIVE_ADVICE}"
            )
        profile = Profile(
            handle=user,
            name=get_text(owner, "display_name") or user,
            network="Mastodon",
            bio=html_to_text(get_text(owner, "note") or "")[0] or None,
            account_id=account_id,
            url=f"https://{host.lower()}/@{user}",
        )
        avatar = web.avatar(get_text(owner, "avatar_static", "avatar"))
    return Reading(
        "mastodon-api",
        profile,
        avatar,
        read_posts(connect, account, host, account_id),
        find_consent_warnings(f"@{user}@{host}", owner),
    )


def get_token(host: str) -> str:
    """Return the token in the environment where it is meant for this server: another one must not see it."""
    meant = os.environ.get("MASTODON_API_BASE_URL", "").strip().rstrip("/").rpartition("//")[2]
    return (
        os.environ.get("MASTODON_ACCESS_TOKEN", "").strip() if meant.lower() == host.lower() else ""
    )


def read_posts(
    connect: Callable[[], ApiClient], account: str, host: str, account_id: str
) -> Iterator[Post]:
    """Yield an account's posts, a page after the other.

    The next page is asked for by the id of the last post, not by the Link header, which could lead to another server.
    """
    seen: set[str] = set()
    oldest: dict[str, str] = {}
    with connect() as web:
        while True:
            try:
                page, _ = web.get(
                    f"/api/v1/accounts/{account_id}/statuses", {"limit": POSTS_PER_PAGE, **oldest}
                )
            except ApiError as answer:
                raise explain_error(answer, account, host) from None
            if not isinstance(page, list):
                raise HubtweetsError(
                    f"{host} does not answer with posts; see that it is a Mastodon server, then try again later"
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


def explain_error(answer: ApiError, account: str, host: str) -> HubtweetsError:
    """Return what a server's refusal means, and what to do about it."""
    if answer.status in (401, 422):
        if get_token(host):
            return HubtweetsError(
                f"{host} does not accept MASTODON_ACCESS_TOKEN ({answer.status}); make a new one there, or {ARCHIVE_ADVICE}"
            )
        return HubtweetsError(
            f"{host} shows posts only to its users ({answer.status}); set MASTODON_ACCESS_TOKEN to a token of an account there "
            f"and MASTODON_API_BASE_URL to https://{host}, or {ARCHIVE_ADVICE}"
        )
    text = {
        403: f"{host} does not let the posts of {account} be read (403); {ARCHIVE_ADVICE}",
        404: f"{host} knows no account {account} (404); see that the name is right, and the server's (its web address, such as social.example.org)",
        410: f"{account} is gone from {host} (410); {ARCHIVE_ADVICE}",
        429: f"{host} asks to come again later (429); type the same command again in some minutes",
    }
    return HubtweetsError(
        text.get(
            answer.status,
            f"{host} answers {answer.status} for {account}; try again later, or {ARCHIVE_ADVICE}",
        )
    )
