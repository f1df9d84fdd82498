"""The parts of a request: its user, the repo and commit it names, its body.

Requests with a token carry it as `Authorization: Bearer`, or as the password of Basic. Uploads of
large files and Xet's carry a signature from an earlier answer instead.
"""

import hmac
import json
import time
from typing import IO, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hubtweets.hub.errors import HubError, MovedError
from hubtweets.hub.storage.blobs import BLOCK_BYTES
from hubtweets.hub.storage.commits import Commit
from hubtweets.hub.storage.moves import find_moved
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage
from hubtweets.hub.storage.tokens import Role, read_role, read_token

USER = "huggingtweets"
GATED = (
    "Access to {} {} is restricted. You must have access to it and be authenticated to access it. "
    "Please log in."
)
SIGNATURE_SECONDS = 3600
MAX_JSON_BYTES = 2**22  # 256 files with a sample each take a tenth of it
T = TypeVar("T")


class User(NamedTuple):
    name: str
    role: Role


class Digest(Protocol):
    def update(self, data: bytes | bytearray, /) -> None: ...


def get_storage(request: Request) -> Storage:
    return request.app.state.storage


def get_path_param(request: Request, name: str) -> str:
    """Return a parameter of the path, decoded, or "" if the route has none of that name."""
    return unquote(request.path_params.get(name, ""))


def get_base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


# ---- users ----


def authenticate(request: Request) -> User | None:
    """Return the user of the request's token, None without a token.

    Raises HubError 401 if the token is wrong.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    token = read_token(header)
    role = read_role(get_storage(request).root, token) if token else None
    if role is None:
        raise HubError(401, "Invalid credentials in Authorization header")
    return User(USER, role)


def require_user(request: Request) -> User:
    """Return the user; raise HubError 401 without a token."""
    user = authenticate(request)
    if user is None:
        raise HubError(401, "a token is needed")
    return user


def require_writer(request: Request) -> str:
    """Return the user's name; raise HubError 401 without a token, 403 if it may only read."""
    user = require_user(request)
    if user.role != "write":
        raise HubError(
            403, "this token may only read; make another: hubtweets hub token --role write"
        )
    return user.name


# ---- repos ----


def get_kind(request: Request) -> str:
    """Return the kind of repo that the path names."""
    first = request.url.path.split("/")[1]
    outside = first if first in ("datasets", "spaces") else "models"
    return get_path_param(request, "kind") or outside


def get_repo(request: Request) -> Repo:
    """Return the repo that the path names.

    Raises MovedError if it was renamed, HubError 404, or 401 without a token, if it is missing or
    private.
    """
    kind = get_kind(request)
    repo_id = f"{get_path_param(request, 'namespace')}/{get_path_param(request, 'name')}"
    try:
        return find_repo(request, kind, repo_id)
    except HubError:
        moved = find_moved(get_storage(request), kind, repo_id)
        if moved is None or (moved.private and authenticate(request) is None):
            raise
        raise MovedError(moved.id) from None


def find_repo(request: Request, kind: str, repo_id: str) -> Repo:
    """Return a repo; raise HubError 404, or 401 without a token, if the user can't see it."""
    user, repo = authenticate(request), get_storage(request).find_spelling(kind, repo_id)
    if repo is None or (repo.private and user is None):
        status = 404 if user else 401
        raise HubError(status, "Repository not found", "RepoNotFound")
    return repo


def get_repo_url(request: Request, repo: Repo) -> str:
    return get_base_url(request) + repo.path


def get_commit(request: Request, repo: Repo) -> Commit:
    """Return the commit of the path's revision, by default the head of main."""
    return get_storage(request).resolve(repo, get_path_param(request, "revision") or "main")


def can_read_files(request: Request, repo: Repo) -> bool:
    """Check whether the user may have the repo's files; a gated repo needs a token."""
    return not repo.gated or authenticate(request) is not None


def check_gate(request: Request, repo: Repo) -> None:
    """Raise HubError 401 if the user may not have the repo's files."""
    if not can_read_files(request, repo):
        raise HubError(401, GATED.format(repo.kind[:-1], repo.id), "GatedRepo")


# ---- bodies ----


async def read_body(request: Request) -> bytes:
    """Return a short body; raise HubError 413 if it is over MAX_JSON_BYTES."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise HubError(413, f"at most {MAX_JSON_BYTES} bytes")
    return bytes(body)


async def read_json(request: Request) -> dict[str, Any]:
    """Return the body's JSON object, {} if the body is empty; raise HubError 400 otherwise."""
    try:
        value = json.loads(await read_body(request) or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HubError(400, "the body is no JSON object")
    return value


def get_value(body: dict[str, Any], key: str, kind: type[T]) -> T | None:
    """Return a value of a body, None if it has none; raise HubError 400 if it has another type."""
    value = body.get(key)
    if value is not None and type(value) is not kind:
        raise HubError(400, f"{key} is no {kind.__name__}")
    return value


async def save_body(
    request: Request, file: IO[bytes], limit: int, digest: Digest | None = None
) -> int:
    """Write the body to a file in blocks and return its size in bytes.

    Raises HubError 413 if it is over the limit.
    """
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


# ---- signatures ----


def create_signature(storage: Storage, purpose: str) -> str:
    """Return an expiry and a signature for a purpose, for requests that carry no token."""
    expires = str(int(time.time()) + SIGNATURE_SECONDS)
    return f"{expires}-{compute_hmac(storage, purpose, expires)}"


def check_signature(storage: Storage, purpose: str, signature: str) -> None:
    """Raise HubError 403 if a signature is wrong or expired."""
    expires, _, given = signature.partition("-")
    wanted = compute_hmac(storage, purpose, expires)
    if not hmac.compare_digest(given.encode(), wanted.encode()) or int(expires) < time.time():
        raise HubError(403, "the signature is wrong or expired")


def compute_hmac(storage: Storage, purpose: str, expires: str) -> str:
    return hmac.new(storage.secret, f"{purpose} {expires}".encode(), "sha256").hexdigest()
