"""A Bluesky account's posts, from the server that keeps its records; no login is needed.

In: an account's handle. Out: a Reading. The handle leads to a DID, the DID's document to the account's server (PDS), whose listRecords gives the
account's own records and nobody else's.
Documentation: https://docs.bsky.app/docs/api/com-atproto-repo-list-records and https://atproto.com/specs/did
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from hubtweets.errors import HubtweetsError
from hubtweets.posts.bluesky.archive import DID, POST, REPOST, asks_for_consent, to_post, to_repost
from hubtweets.posts.http import HOST, Answer, Web
from hubtweets.posts.parsing import dig, list_at, text_at
from hubtweets.posts.post import Post, Profile, Reading

HANDLE = re.compile(
    r"(?=.{3,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])?",
    re.ASCII,
)
SERVER = re.compile(
    rf"(https://{HOST}|http://(127\.0\.0\.1|localhost))(:\d{{1,5}})?/?", re.ASCII | re.IGNORECASE
)
APPVIEW = "https://public.api.bsky.app"
DIRECTORY = "https://plc.directory"
PAGE = 100  # records; the most that a server gives at once
NO_POSTS = {  # what servers answer for an account whose records they keep back
    "AccountDeactivated": "is deactivated",
    "RepoDeactivated": "is deactivated",
    "AccountSuspended": "is suspended",
    "RepoSuspended": "is suspended",
    "AccountTakedown": "is taken down",
    "RepoTakendown": "is taken down",
    "RepoNotFound": "has no records at its server",
}
EXPORT = (
    "give the file that its owner can export (Settings, Account, Export my data): --posts repo.car"
)


def fetch(
    account: str, say: Callable[[str], None], appview: str = APPVIEW, directory: str = DIRECTORY
) -> Reading:
    """Read an account's posts from its server; raise HubtweetsError where there is no such account or its posts are kept back."""
    handle = account.removeprefix("@").lower()
    if not HANDLE.fullmatch(handle):
        raise HubtweetsError(
            f"{account!r} is no handle of a Bluesky account; write it in full, as in bluesky:alice.bsky.social"
        )
    with Web(appview, say) as web:
        try:
            answer, _ = web.get("/xrpc/com.atproto.identity.resolveHandle", {"handle": handle})
        except Answer as refused:
            raise refusal(refused, handle, appview, "knows no account") from None
        did = text_at(answer, "did") or ""
        if not DID.fullmatch(did):
            raise HubtweetsError(f"{appview} gives no DID for {handle}; try again later")
        try:
            owner, _ = web.get("/xrpc/app.bsky.actor.getProfile", {"actor": did})
        except Answer as refused:
            raise refusal(refused, handle, appview, "has no profile of") from None
        avatar = web.avatar(text_at(owner, "avatar"))
    profile = Profile(
        handle=handle,
        name=text_at(owner, "displayName") or handle,
        network="Bluesky",
        bio=text_at(owner, "description"),
        account_id=did,
        url=f"https://bsky.app/profile/{handle}",
    )
    server = find_server(did, handle, say, directory)
    return Reading(
        "bluesky-api",
        profile,
        avatar,
        read_posts(server, did, handle, say),
        asks_for_consent(handle, list_at(owner, "labels")),
    )


def find_server(did: str, handle: str, say: Callable[[str], None], directory: str) -> str:
    """Return the address of the server that keeps an account's records, as the DID's document gives it."""
    endpoint, path = directory, f"/{did}"
    if did.startswith("did:web:"):
        host = unquote(did.removeprefix("did:web:"))
        endpoint, path = (
            f"{'http' if host.startswith(('127.0.0.1:', 'localhost:')) else 'https'}://{host}",
            "/.well-known/did.json",
        )
    if not SERVER.fullmatch(endpoint):
        raise HubtweetsError(f"{handle} has the DID {did}, which names no server; {EXPORT}")
    with Web(endpoint, say) as web:
        try:
            document, _ = web.get(path, {})
        except Answer as refused:
            raise refusal(refused, handle, endpoint, "does not say which server keeps") from None
    services = list_at(document, "service")
    server = next(
        (
            text_at(service, "serviceEndpoint")
            for service in services
            if (text_at(service, "id") or "").endswith("#atproto_pds")
        ),
        None,
    )
    if not server or not SERVER.fullmatch(server):
        raise HubtweetsError(
            f"{endpoint} names no server that keeps the records of {handle}; {EXPORT}"
        )
    return server


def read_posts(server: str, did: str, handle: str, say: Callable[[str], None]) -> Iterator[Post]:
    with Web(server, say) as web:
        for key, record in read_records(web, POST, did, handle):
            if isinstance(record, dict):
                yield to_post(key, record, did)
        for key, record in read_records(web, REPOST, did, handle):
            yield to_repost(key, record)


def read_records(web: Web, collection: str, did: str, handle: str) -> Iterator[tuple[str, Any]]:
    """Yield an account's records of a collection with their keys, a page after the other, until no cursor comes or one comes again."""
    seen: set[str] = set()
    after: dict[str, str] = {}
    while True:
        try:
            page, _ = web.get(
                "/xrpc/com.atproto.repo.listRecords",
                {"repo": did, "collection": collection, "limit": PAGE, **after},
            )
        except Answer as refused:
            raise refusal(refused, handle, web.endpoint, "does not give the records of") from None
        if not isinstance(dig(page, "records"), list):
            raise HubtweetsError(
                f"{web.endpoint} does not answer with records; try again later, or {EXPORT}"
            )
        for item in page["records"]:
            yield (text_at(item, "uri") or "").rpartition("/")[2], dig(item, "value")
        cursor = text_at(page, "cursor")
        if cursor is None or cursor in seen:
            return
        seen.add(cursor)
        after = {"cursor": cursor}


def refusal(answer: Answer, handle: str, endpoint: str, what: str) -> HubtweetsError:
    """Return what a server's refusal means, and what to do about it."""
    if why := NO_POSTS.get(text_at(answer.body, "error") or ""):
        return HubtweetsError(f"{handle} {why}, and its posts can't be read; {EXPORT}")
    if answer.status == 429:
        return HubtweetsError(
            f"{endpoint} asks to come again later (429); type the same command again in some minutes"
        )
    if answer.status in (400, 404, 410):
        return HubtweetsError(
            f"{endpoint} {what} {handle} ({answer.status}); see that the handle is right, as in bluesky:alice.bsky.social"
        )
    return HubtweetsError(
        f"{endpoint} answers {answer.status} for {handle}; try again later, or {EXPORT}"
    )
