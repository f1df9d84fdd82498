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
from hubtweets.posts.bluesky.archive import (
    DID,
    POST,
    REPOST,
    find_consent_warnings,
    to_post,
    to_repost,
)
from hubtweets.posts.http import HOST_PATTERN, ApiClient, ApiError
from hubtweets.posts.parsing import dig, get_list, get_text
from hubtweets.posts.post import Post, Profile, Reading

HANDLE_PATTERN = re.compile(
    r"(?=.{3,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])?",
    re.ASCII,
)
SERVER_PATTERN = re.compile(
    rf"(https://{HOST_PATTERN}|http://(127\.0\.0\.1|localhost))(:\d{{1,5}})?/?",
    re.ASCII | re.IGNORECASE,
)
APPVIEW = "https://public.api.bsky.app"
DIRECTORY = "https://plc.directory"
RECORDS_PER_PAGE = 100  # records; the most that a server gives at once
NO_POSTS = {  # what servers answer for an account whose records they keep back
    "AccountDeactivated": "is deactivated",
    "RepoDeactivated": "is deactivated",
    "AccountSuspended": "is suspended",
    "RepoSuspended": "is suspended",
    "AccountTakedown": "is taken down",
    "RepoTakendown": "is taken down",
    "RepoNotFound": "has no records at its server",
}
EXPORT_ADVICE = (
    "give the file that its owner can export (Settings, Account, Export my data): --posts repo.car"
)


def fetch(
    account: str, say: Callable[[str], None], appview: str = APPVIEW, directory: str = DIRECTORY
) -> Reading:
    """Read an account's posts from its server; raise HubtweetsError where there is no such account or its posts are kept back."""
    handle = account.removeprefix("@").lower()
    if not HANDLE_PATTERN.fullmatch(handle):
        raise HubtweetsError(
            f"{account!r} is no handle of a Bluesky account; write it in full, as in bluesky:alice.bsky.social"
        )
    with ApiClient(appview, say) as web:
        try:
            answer, _ = web.get("/xrpc/com.atproto.identity.resolveHandle", {"handle": handle})
        except ApiError as refused:
            raise explain_error(refused, handle, appview, "knows no account") from None
        did = get_text(answer, "did") or ""
        if not DID.fullmatch(did):
            raise HubtweetsError(f"{appview} gives no DID for {handle}; try again later")
        try:
            owner, _ = web.get("/xrpc/app.bsky.actor.getProfile", {"actor": did})
        except ApiError as refused:
            raise explain_error(refused, handle, appview, "has no profile of") from None
        avatar = web.avatar(get_text(owner, "avatar"))
    profile = Profile(
        handle=handle,
        name=get_text(owner, "displayName") or handle,
        network="Bluesky",
        bio=get_text(owner, "description"),
        account_id=did,
        url=f"https://bsky.app/profile/{handle}",
    )
    server = find_server(did, handle, say, directory)
    return Reading(
        "bluesky-api",
        profile,
        avatar,
        read_posts(server, did, handle, say),
        find_consent_warnings(handle, get_list(owner, "labels")),
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
    if not SERVER_PATTERN.fullmatch(endpoint):
        raise HubtweetsError(f"{handle} has the DID {did}, which names no server; {EXPORT_ADVICE}")
    with ApiClient(endpoint, say) as web:
        try:
            document, _ = web.get(path, {})
        except ApiError as refused:
            raise explain_error(
                refused, handle, endpoint, "does not say which server keeps"
            ) from None
    services = get_list(document, "service")
    server = next(
        (
            get_text(service, "serviceEndpoint")
            for service in services
            if (get_text(service, "id") or "").endswith("#atproto_pds")
        ),
        None,
    )
    if not server or not SERVER_PATTERN.fullmatch(server):
        raise HubtweetsError(
            f"{endpoint} names no server that keeps the records of {handle}; {EXPORT_ADVICE}"
        )
    return server


def read_posts(server: str, did: str, handle: str, say: Callable[[str], None]) -> Iterator[Post]:
    with ApiClient(server, say) as web:
        for key, record in read_records(web, POST, did, handle):
            if isinstance(record, dict):
                yield to_post(key, record, did)
        for key, record in read_records(web, REPOST, did, handle):
            yield to_repost(key, record)


def read_records(
    web: ApiClient, collection: str, did: str, handle: str
) -> Iterator[tuple[str, Any]]:
    """Yield an account's records of a collection with their keys, a page after the other, until no cursor comes or one comes again."""
    seen: set[str] = set()
    after: dict[str, str] = {}
    while True:
        try:
            page, _ = web.get(
                "/xrpc/com.atproto.repo.listRecords",
                {"repo": did, "collection": collection, "limit": RECORDS_PER_PAGE, **after},
            )
        except ApiError as refused:
            raise explain_error(
                refused, handle, web.endpoint, "does not give the records of"
            ) from None
        if not isinstance(dig(page, "records"), list):
            raise HubtweetsError(
                f"{web.endpoint} does not answer with records; try again later, or {EXPORT_ADVICE}"
            )
        for item in page["records"]:
            yield (get_text(item, "uri") or "").rpartition("/")[2], dig(item, "value")
        cursor = get_text(page, "cursor")
        if cursor is None or cursor in seen:
            return
        seen.add(cursor)
        after = {"cursor": cursor}


def explain_error(answer: ApiError, handle: str, endpoint: str, what: str) -> HubtweetsError:
    """Return what a server's refusal means, and what to do about it."""
    if why := NO_POSTS.get(get_text(answer.body, "error") or ""):
        return HubtweetsError(f"{handle} {why}, and its posts can't be read; {EXPORT_ADVICE}")
    if answer.status == 429:
        return HubtweetsError(
            f"{endpoint} asks to come again later (429); type the same command again in some minutes"
        )
    if answer.status in (400, 404, 410):
        return HubtweetsError(
            f"{endpoint} {what} {handle} ({answer.status}); see that the handle is right, as in bluesky:alice.bsky.social"
        )
    return HubtweetsError(
        f"{endpoint} answers {answer.status} for {handle}; try again later, or {EXPORT_ADVICE}"
    )
