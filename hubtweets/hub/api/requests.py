"""Who sends a request, which repo and commit it is about, and what it carries.

Requests with a token carry it as `Authorization: Bearer`; uploads of large files and Xet's carry a signature that an earlier answer gave them.
"""

import hmac
import json
import time
from typing import IO, Any, NamedTuple, Protocol
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hubtweets.hub.errors import HubError, MovedError
from hubtweets.hub.storage.blobs import BLOCK_BYTES
from hubtweets.hub.storage.storage import Commit, Repo, Storage
from hubtweets.hub.storage.tokens import AUTHORIZATION, Role, read_role

USER = "huggingtweets"
SIGNATURE_SECONDS = 3600
MAX_JSON_BYTES = 2**22  # bytes of a JSON body: 256 files with a sample each take a tenth of it


class User(NamedTuple):
    name: str
    role: Role


class Digest(Protocol):
    def update(self, data: bytes | bytearray, /) -> None: ...


def get_storage(request: Request) -> Storage:
    return request.app.state.storage


def authenticate(request: Request) -> User | None:
    """Return the user whose token the request carries, None without one; raise HubError 401 for a wrong one."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    token = AUTHORIZATION.fullmatch(header)
    role = read_role(get_storage(request).root, token[1]) if token else None
    if role is None:
        raise HubError(401, "Invalid credentials in Authorization header")
    return User(USER, role)


def require_user(request: Request) -> User:
    """Return who asks; raise HubError 401 where nobody says so."""
    user = authenticate(request)
    if user is None:
        raise HubError(401, "a token is needed")
    return user


def require_writer(request: Request) -> str:
    """Return the name of who may write; raise HubError 401 without a token, 403 where it may only read."""
    user = require_user(request)
    if user.role != "write":
        raise HubError(
            403, "this token may only read; make another: hubtweets hub token --role write"
        )
    return user.name


def get_path_param(request: Request, name: str) -> str:
    return unquote(request.path_params.get(name, ""))


def get_repo(request: Request) -> Repo:
    """Return the repo that the path names, raise MovedError where it has another name now; a private one is hidden from who has no token."""
    first = request.url.path.split("/")[1]
    kind = get_path_param(request, "kind") or (
        first if first in ("datasets", "spaces") else "models"
    )
    repo_id = f"{get_path_param(request, 'namespace')}/{get_path_param(request, 'name')}"
    try:
        return find_repo(request, kind, repo_id)
    except HubError:
        moved = get_storage(request).moved(kind, repo_id)
        if moved is None or (moved.private and authenticate(request) is None):
            raise
        raise MovedError(moved.id) from None


def find_repo(request: Request, kind: str, repo_id: str) -> Repo:
    user, repo = authenticate(request), get_storage(request).find_repo(kind, repo_id)
    if repo is None or (repo.private and user is None):
        raise HubError(
            404 if user else 401, f"no repository {repo_id} among the {kind}", "RepoNotFound"
        )
    return repo


def can_read_files(request: Request, repo: Repo) -> bool:
    """Tell whether who asks may have the repo's files: of a gated one only who has a token."""
    return not repo.gated or authenticate(request) is not None


def check_gate(request: Request, repo: Repo) -> None:
    """Raise HubError 401 for who may not have the repo's files."""
    if not can_read_files(request, repo):
        raise HubError(401, f"{repo.id} is gated; log in to read it", "GatedRepo")


def get_commit(request: Request, repo: Repo) -> Commit:
    return get_storage(request).resolve(repo, get_path_param(request, "revision") or "main")


async def read_body(request: Request) -> bytes:
    """Return a short body; raise HubError 413 where it is long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise HubError(413, f"at most {MAX_JSON_BYTES} bytes")
    return bytes(body)


async def read_json(request: Request) -> dict[str, Any]:
    """Return the body's object, an empty one for no body; raise HubError 400 where it is none."""
    try:
        value = json.loads(await read_body(request) or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HubError(400, "the body is no JSON object")
    return value


async def save_body(
    request: Request, file: IO[bytes], limit: int, digest: Digest | None = None
) -> int:
    """Write the body to a file, block by block, and return its size in bytes; raise HubError 413 where it is over the limit."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise HubError(413, f"at most {limit} bytes")
    size, block = 0, bytearray()

    def write(data: bytes | bytearray) -> None:
        file.write(data)
        if digest:
            digest.update(data)

    async for chunk in request.stream():
        block += chunk
        size += len(chunk)
        if size > limit:
            raise HubError(413, f"at most {limit} bytes")
        if len(block) >= BLOCK_BYTES:
            await run_in_threadpool(write, block)
            block = bytearray()
    await run_in_threadpool(write, block)
    return size


def create_signature(storage: Storage, purpose: str) -> str:
    """Return an expiry and a signature for a purpose, for requests that carry no token."""
    expires = int(time.time()) + SIGNATURE_SECONDS
    return f"{expires}-{hmac.new(storage.secret, f'{purpose} {expires}'.encode(), 'sha256').hexdigest()}"


def check_signature(storage: Storage, purpose: str, signature: str) -> None:
    expires, _, given = signature.partition("-")
    wanted = hmac.new(storage.secret, f"{purpose} {expires}".encode(), "sha256").hexdigest()
    if not hmac.compare_digest(given.encode(), wanted.encode()) or int(expires) < time.time():
        raise HubError(403, "the signature does not fit, or is too old")


def get_base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def get_repo_url(request: Request, repo: Repo) -> str:
    return get_base_url(request) + repo.path
