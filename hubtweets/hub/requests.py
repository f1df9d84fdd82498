"""Who sends a request, and which repo and commit it is about.

Requests with a token carry it as `Authorization: Bearer`; uploads of large files and Xet's carry a signature that an earlier answer gave them.
"""

import hmac
import time
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from hubtweets.hub.storage import Commit, HubError, Repo, Storage

USER = "huggingtweets"
LINK_SECONDS = 3600


def storage_of(request: Request) -> Storage:
    return request.app.state.storage


def user_of(request: Request) -> str | None:
    """Return the user whose token the request carries, None without one; raise HubError 401 for a wrong one."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    if not hmac.compare_digest(header.encode(), f"Bearer {storage_of(request).token}".encode()):
        raise HubError(401, "Invalid credentials in Authorization header")
    return USER


def writer(request: Request) -> str:
    user = user_of(request)
    if user is None:
        raise HubError(401, "a token is needed to write")
    return user


def part(request: Request, name: str) -> str:
    return unquote(request.path_params.get(name, ""))


def repo_of(request: Request) -> Repo:
    """Return the repo that the path names; a private one is hidden from who has no token."""
    user, kind, repo_id = user_of(request), part(request, "kind"), f"{part(request, 'namespace')}/{part(request, 'name')}"
    repo = storage_of(request).find_repo(kind, repo_id)
    if repo is None or (repo.private and user is None):
        raise HubError(404 if user else 401, f"no repository {repo_id} among the {kind}", "RepoNotFound")
    return repo


def commit_of(request: Request, repo: Repo) -> Commit:
    return storage_of(request).resolve(repo, part(request, "revision") or "main")


async def json_of(request: Request) -> dict[str, Any]:
    try:
        value = await request.json()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HubError(400, "the body is no JSON object")
    return value


def sign(storage: Storage, purpose: str) -> str:
    """Return an expiry and a signature for a purpose, for requests that carry no token."""
    expires = int(time.time()) + LINK_SECONDS
    return f"{expires}-{hmac.new(storage.secret, f'{purpose} {expires}'.encode(), 'sha256').hexdigest()}"


def check_signature(storage: Storage, purpose: str, signature: str) -> None:
    expires, _, given = signature.partition("-")
    wanted = hmac.new(storage.secret, f"{purpose} {expires}".encode(), "sha256").hexdigest()
    if not hmac.compare_digest(given.encode(), wanted.encode()) or int(expires) < time.time():
        raise HubError(403, "the signature does not fit, or is too old")


def base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")
