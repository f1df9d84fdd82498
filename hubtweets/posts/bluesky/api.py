"""A Bluesky account's posts, from the server that keeps its records; no login is needed.

In: an account's handle. Out: a Reading. The handle leads to a DID, the DID's document to the
account's server (PDS), whose listRecords gives the records of that account alone.
Documentation: https://docs.bsky.app/docs/api/com-atproto-repo-list-records and
https://atproto.com/specs/did
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
RECORDS_PER_PAGE = 100  # the maximum
NO_POSTS = {  # the errors for an account whose records a server withholds
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
    """Fetch an account's posts from its server.

    Raises HubtweetsError if there is no such account or its posts are withheld.
    """
    handle = account.removeprefix("@").lower()
    if not HANDLE_PATTERN.fullmatch(handle):
        raise HubtweetsError(
            f"{account!r} is not the handle of a Bluesky account; "
            "write it in full, as in bluesky:alice.bsky.social"
        )
    with ApiClient(appview, say) as client:
        did = find_did(client, handle)
        try:
            owner, _ = client.get("/xrpc/app.bsky.actor.getProfile", {"actor": did})
        except ApiError as error:
            raise explain_error(error, handle, appview, "has no profile of") from None
        avatar = client.fetch_avatar(get_text(owner, "avatar"))
    profile = Profile(
        handle=handle,
        name=get_text(owner, "displayName") or handle,
        network="Bluesky",
        bio=get_text(owner, "description"),
        account_id=did,
        url=f"https://bsky.app/profile/{handle}",
    )
    posts = read_posts(find_server(did, handle, say, directory), did, handle, say)
    warnings = find_consent_warnings(handle, get_list(owner, "labels"))
    return Reading("bluesky-api", profile, avatar, posts, warnings)


def find_did(client: ApiClient, handle: str) -> str:
    """Return the DID of a handle."""
    try:
        answer, _ = client.get("/xrpc/com.atproto.identity.resolveHandle", {"handle": handle})
    except ApiError as error:
        raise explain_error(error, handle, client.endpoint, "has no account") from None
    did = get_text(answer, "did") or ""
    if not DID.fullmatch(did):
        raise HubtweetsError(f"{client.endpoint} gives no DID for {handle}; try again later")
    return did


def find_server(did: str, handle: str, say: Callable[[str], None], directory: str) -> str:
    """Return the address of the server that keeps an account's records, from the DID's document."""
    endpoint, path = find_document(did, directory)
    if not SERVER_PATTERN.fullmatch(endpoint):
        raise HubtweetsError(f"{handle} has the DID {did}, which names no server; {EXPORT_ADVICE}")
    with ApiClient(endpoint, say) as client:
        try:
            document, _ = client.get(path, {})
        except ApiError as error:
            raise explain_error(error, handle, endpoint, "does not give the server of") from None
    server = None
    for service in get_list(document, "service"):
        if (get_text(service, "id") or "").endswith("#atproto_pds"):
            server = get_text(service, "serviceEndpoint")
            break
    if not server or not SERVER_PATTERN.fullmatch(server):
        raise HubtweetsError(
            f"{endpoint} names no server that keeps the records of {handle}; {EXPORT_ADVICE}"
        )
    return server


def find_document(did: str, directory: str) -> tuple[str, str]:
    """Return the server and the path of a DID's document."""
    if not did.startswith("did:web:"):
        return directory, f"/{did}"
    host = unquote(did.removeprefix("did:web:"))
    scheme = "http" if host.startswith(("127.0.0.1:", "localhost:")) else "https"
    return f"{scheme}://{host}", "/.well-known/did.json"


def read_posts(server: str, did: str, handle: str, say: Callable[[str], None]) -> Iterator[Post]:
    with ApiClient(server, say) as client:
        for key, record in read_records(client, POST, did, handle):
            if isinstance(record, dict):
                yield to_post(key, record, did)
        for key, record in read_records(client, REPOST, did, handle):
            yield to_repost(key, record)


def read_records(
    client: ApiClient, collection: str, did: str, handle: str
) -> Iterator[tuple[str, Any]]:
    """Yield an account's records of a collection with their keys, page by page.

    The end is reached when there is no cursor, or when one comes a second time.
    """
    seen: set[str] = set()
    after: dict[str, str] = {}
    while True:
        try:
            page, _ = client.get(
                "/xrpc/com.atproto.repo.listRecords",
                {"repo": did, "collection": collection, "limit": RECORDS_PER_PAGE, **after},
            )
        except ApiError as error:
            what = "does not give the records of"
            raise explain_error(error, handle, client.endpoint, what) from None
        if not isinstance(dig(page, "records"), list):
            raise HubtweetsError(
                f"{client.endpoint} does not answer with records; "
                f"try again later, or {EXPORT_ADVICE}"
            )
        for item in page["records"]:
            yield (get_text(item, "uri") or "").rpartition("/")[2], dig(item, "value")
        cursor = get_text(page, "cursor")
        if cursor is None or cursor in seen:
            return
        seen.add(cursor)
        after = {"cursor": cursor}


def explain_error(error: ApiError, handle: str, endpoint: str, what: str) -> HubtweetsError:
    """Return the meaning of a server's error, and what to do about it."""
    if why := NO_POSTS.get(get_text(error.body, "error") or ""):
        return HubtweetsError(f"{handle} {why}, and its posts can't be read; {EXPORT_ADVICE}")
    if error.status == 429:
        return HubtweetsError(
            f"{endpoint} is rate-limiting (429); type the same command again in some minutes"
        )
    if error.status in (400, 404, 410):
        return HubtweetsError(
            f"{endpoint} {what} {handle} ({error.status}); "
            "check the handle, as in bluesky:alice.bsky.social"
        )
    return HubtweetsError(
        f"{endpoint} answers {error.status} for {handle}; try again later, or {EXPORT_ADVICE}"
    )
