"""The Hub's HTTP protocol, as huggingface_hub 2.4 speaks it: accounts, repos, reading, downloading, and commits with LFS or Xet uploads.

In: a Storage. Out: a Starlette application. Routes match on the raw path, for a revision such as `refs%2Fpr%2F1` arrives as one segment.
What it does not know is answered with 404 and JSON that names the request.
"""

import base64
import binascii
import fnmatch
import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import yaml
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.hub import pages, xet
from hubtweets.hub.storage import GITATTRIBUTES, Commit, Entry, HubError, Repo, Storage, lfs_pointer

USER = "huggingtweets"
LARGE = 10 * 2**20  # bytes; from here on a file goes by LFS or Xet
FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---(\r?\n|\Z)", re.DOTALL)
LINK_SECONDS = 3600


def create_app(storage: Storage) -> "RawPath":
    """Return the Hub as an ASGI application."""
    repo, large = "/{namespace}/{name}", "/_lfs/{sha256}"
    routes = [
        Route("/api/whoami-v2", whoami),
        Route("/api/repos/create", create_repo, methods=["POST"]),
        Route("/api/validate-yaml", validate_yaml, methods=["POST"]),
        Route("/api/agent-harnesses", agent_harnesses),
        Route("/api/{kind}" + repo, info),
        Route("/api/{kind}" + repo + "/revision/{revision}", info),
        Route("/api/{kind}" + repo + "/tree/{revision}", tree),
        Route("/api/{kind}" + repo + "/tree/{revision}/{path:path}", tree),
        Route("/api/{kind}" + repo + "/paths-info/{revision}", paths_info, methods=["POST"]),
        Route("/api/{kind}" + repo + "/refs", refs),
        Route("/api/{kind}" + repo + "/commits/{revision}", commits),
        Route("/api/{kind}" + repo + "/preupload/{revision}", preupload, methods=["POST"]),
        Route("/api/{kind}" + repo + "/commit/{revision}", commit, methods=["POST"]),
        Route("/api/{kind}" + repo + "/tag/{revision}", tag, methods=["POST", "DELETE"]),
        Route("/api/{kind}" + repo + "/branch/{revision}", branch, methods=["POST", "DELETE"]),
        Route("/api/{kind}" + repo + "/xet-write-token/{revision}", xet_write_token),
        Route("/cas-{instance}/v1/xorbs/default/{hash}", xorbs, methods=["POST"]),
        Route("/cas-{instance}/v1/shards", shards, methods=["POST"]),
        Route(large, put_large, methods=["PUT"]),
    ]
    for prefix, kind in (("", "models"), ("/datasets", "datasets"), ("/spaces", "spaces")):
        routes.append(Route(prefix + repo + ".git/info/lfs/objects/batch", with_kind(kind, lfs_batch), methods=["POST"]))
        routes.append(Route(prefix + repo + "/resolve/{revision}/{path:path}", with_kind(kind, resolve)))
    routes += pages.routes
    app = Starlette(routes=routes, exception_handlers={HubError: refuse, HTTPException: unknown})
    app.state.storage = storage
    return RawPath(app)


class RawPath:
    """Hands the path to the router as it was sent, percent-encoded."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self.app(scope, receive, send)


def with_kind(kind: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        request.path_params["kind"] = kind
        return await endpoint(request)

    return call


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    headers = {"X-Error-Message": error.message.encode("ascii", "replace").decode()}
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": error.message}, error.status, headers)


async def unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"the embedded Hub does not know {request.method} {request.url.path}"}, error.status_code)


# ---- who asks, and for what ----


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
    except ValueError:
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


# ---- accounts and repos ----


async def whoami(request: Request) -> Response:
    user = writer(request)
    token = {"displayName": "local", "role": "write"}
    who: dict[str, Any] = {"type": "user", "id": user, "name": user, "fullname": user, "email": None, "orgs": []}
    return JSONResponse({**who, "auth": {"type": "access_token", "accessToken": token}})


async def agent_harnesses(request: Request) -> Response:
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})


async def create_repo(request: Request) -> Response:
    user, body = writer(request), await json_of(request)
    kind = f"{body.get('type') or 'model'}s"
    repo_id = f"{body.get('organization') or user}/{body.get('name')}"
    url = f"{base_url(request)}/{'' if kind == 'models' else kind + '/'}{repo_id}"
    try:
        await run_in_threadpool(storage_of(request).create_repo, kind, repo_id, body.get("visibility") == "private", user)
    except HubError as error:
        if error.status == 409:  # the client reads `url` from a 409 too
            return JSONResponse({"error": error.message, "url": url}, 409)
        raise
    return JSONResponse({"url": url})


def front_matter(card: str) -> dict[str, Any]:
    """Return a card's metadata; raise HubError 400 where it is no YAML mapping."""
    match = FRONT_MATTER.match(card)
    if match is None:
        return {}
    try:
        metadata = yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        raise HubError(400, f"the front matter is no YAML: {error}") from None
    if not isinstance(metadata, dict):
        raise HubError(400, "the front matter is no YAML mapping")
    return metadata


async def validate_yaml(request: Request) -> Response:
    content = (await json_of(request)).get("content")
    try:
        front_matter(content if isinstance(content, str) else "")
    except HubError as error:
        return JSONResponse({"errors": [{"message": error.message}], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


# ---- reading ----


def metadata_of(storage: Storage, commit: Commit) -> dict[str, Any]:
    entry = commit.files.get("README.md")
    try:
        return front_matter(storage.blob(entry.sha256).read_text(encoding="utf-8", errors="replace")) if entry else {}
    except HubError:
        return {}


def describe(storage: Storage, repo: Repo, commit: Commit, blobs: bool) -> dict[str, Any]:
    metadata = json.loads(json.dumps(metadata_of(storage, commit), default=str))
    files = [{"rfilename": path, **(details(path, entry, "blobId") if blobs else {})} for path, entry in commit.files.items()]
    return {
        "_id": repo.id,
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.id.partition("/")[0],
        "sha": commit.id,
        "lastModified": commit.date,
        "createdAt": repo.created_at,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": metadata.get("tags") or [],
        "pipeline_tag": metadata.get("pipeline_tag"),
        "library_name": metadata.get("library_name"),
        "cardData": metadata,
        "siblings": files,
    }


def details(path: str, entry: Entry, oid_key: str = "oid") -> dict[str, Any]:
    found: dict[str, Any] = {"size": entry.size, oid_key: entry.oid}
    if entry.lfs:
        pointer_size = len(lfs_pointer(entry.sha256, entry.size))
        hash_key = "sha256" if oid_key == "blobId" else "oid"
        found["lfs"] = {hash_key: entry.sha256, "size": entry.size, "pointerSize": pointer_size}
    return found


async def info(request: Request) -> Response:
    repo = repo_of(request)
    blobs = request.query_params.get("blobs", "").lower() == "true"
    return JSONResponse(describe(storage_of(request), repo, commit_of(request, repo), blobs))


def file_item(path: str, entry: Entry) -> dict[str, Any]:
    return {"type": "file", "path": path, **details(path, entry)}


def folder_item(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}


async def tree(request: Request) -> Response:
    commit = commit_of(request, repo_of(request))
    folder = part(request, "path").strip("/")
    prefix = folder + "/" if folder else ""
    inside = {path: entry for path, entry in commit.files.items() if path.startswith(prefix)}
    if folder and not inside:
        raise HubError(404, f"no folder {folder}", "EntryNotFound")
    recursive = request.query_params.get("recursive", "").lower() == "true"
    items, folders = [], set()
    for path, entry in inside.items():
        steps = path[len(prefix) :].split("/")[:-1]
        folders |= {prefix + "/".join(steps[: n + 1]) for n in range(len(steps) if recursive else min(1, len(steps)))}
        if recursive or not steps:
            items.append(file_item(path, entry))
    return JSONResponse([folder_item(path) for path in sorted(folders)] + items)


async def paths_info(request: Request) -> Response:
    commit = commit_of(request, repo_of(request))
    wanted = parse_qs((await request.body()).decode(errors="replace")).get("paths", [])
    items = [file_item(path, commit.files[path]) for path in wanted if path in commit.files]
    items += [folder_item(path) for path in wanted if any(other.startswith(path.rstrip("/") + "/") for other in commit.files)]
    return JSONResponse(items)


async def refs(request: Request) -> Response:
    repo, storage = repo_of(request), storage_of(request)
    found: dict[str, list] = {"converts": [], "pullRequests": []}
    for kind, start in (("branches", "refs/heads/"), ("tags", "refs/tags/")):
        found[kind] = [{"name": name, "ref": start + name, "targetCommit": sha} for name, sha in storage.refs(repo, kind).items()]
    return JSONResponse(found)


async def commits(request: Request) -> Response:
    repo = repo_of(request)
    history = storage_of(request).history(repo, part(request, "revision"))
    return JSONResponse([{"id": c.id, "title": c.title, "message": c.message, "date": c.date, "authors": [{"user": c.author}]} for c in history])


async def resolve(request: Request) -> Response:
    """Serve a file, whole or by Range; where it is missing, `X-Repo-Commit` lets the client remember that."""
    storage, repo = storage_of(request), repo_of(request)
    commit, path = commit_of(request, repo), part(request, "path")
    entry = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.id}
    if entry is None:
        headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
        return JSONResponse({"error": f"{repo.id} has no {quote(path)} at {commit.id}"}, 404, headers)
    # nothing of a repo may run as a page of this server
    headers |= {"ETag": f'"{entry.sha256 if entry.lfs else entry.oid}"', "Content-Security-Policy": "sandbox; default-src 'none'"}
    headers["X-Content-Type-Options"] = "nosniff"
    return FileResponse(storage.blob(entry.sha256), headers=headers)


# ---- writing ----


def branch_of(revision: str) -> str:
    return revision.removeprefix("refs/heads/")


def lfs_patterns(storage: Storage, commit: Commit) -> list[str]:
    entry = commit.files.get(".gitattributes")
    text = storage.blob(entry.sha256).read_text(errors="replace") if entry else GITATTRIBUTES
    return [line.split()[0] for line in text.splitlines() if "filter=lfs" in line]


async def preupload(request: Request) -> Response:
    """Tell for each file how it must be sent, and what the branch holds under its path."""
    writer(request)
    storage, commit = storage_of(request), commit_of(request, repo_of(request))
    patterns, answers = lfs_patterns(storage, commit), []
    for file in (await json_of(request)).get("files", []):
        path, size = file["path"], file["size"]
        binary = b"\0" in base64.b64decode(file.get("sample") or "")
        lfs = size > 0 and (size >= LARGE or binary or any(fnmatch.fnmatch(path.rpartition("/")[2], pattern) for pattern in patterns))
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        if (old := commit.files.get(path)) and old.lfs == lfs:
            answer["oid"] = old.sha256 if lfs else old.oid
        answers.append(answer)
    return JSONResponse({"files": answers})


async def lfs_batch(request: Request) -> Response:
    """Give a signed address for each object that is not here yet; the client sends no token with the upload itself."""
    writer(request)
    repo_of(request)
    storage, objects = storage_of(request), []
    for wanted in (await json_of(request)).get("objects", []):
        sha256, size = str(wanted.get("oid")), wanted.get("size")
        if not xet.HASH.fullmatch(sha256) or not isinstance(size, int):
            raise HubError(400, f"an object needs a sha256 and a size, not {wanted}")
        item: dict[str, Any] = {"oid": sha256, "size": size}
        if not storage.blob(sha256).exists():
            href = f"{base_url(request)}/_lfs/{sha256}?size={size}&signature={sign(storage, f'{sha256} {size}')}"
            item["actions"] = {"upload": {"href": href}}
        objects.append(item)
    return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")


async def put_large(request: Request) -> Response:
    """Take an object in, streamed to disk; it counts only when size and SHA-256 are as announced."""
    storage, sha256, size = storage_of(request), part(request, "sha256"), request.query_params.get("size", "")
    check_signature(storage, f"{sha256} {size}", request.query_params.get("signature", ""))
    digest, received = hashlib.sha256(), 0
    with storage.temporary() as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > int(size):
                break
            digest.update(chunk)
            await run_in_threadpool(file.write, chunk)
        if received != int(size) or digest.hexdigest() != sha256:
            raise HubError(400, f"the upload is not the {size} bytes with sha256 {sha256}")
        storage.keep(file, storage.blob(sha256))
    return Response()


async def commit(request: Request) -> Response:
    """Apply a commit: newline-delimited JSON, a header first, then files, large files and deletions."""
    user, storage, repo = writer(request), storage_of(request), repo_of(request)
    body = await request.body()
    made = await run_in_threadpool(apply_commit, storage, repo, branch_of(part(request, "revision")), body, user)
    url = f"{base_url(request)}/{'' if repo.kind == 'models' else repo.kind + '/'}{repo.id}/commit/{made.id}"
    return JSONResponse({"commitUrl": url, "commitOid": made.id})


def apply_commit(storage: Storage, repo: Repo, branch: str, body: bytes, user: str) -> Commit:
    header: dict[str, Any] = {}
    added: dict[str, Entry] = {}
    deleted: list[str] = []
    for line in body.splitlines():
        try:
            operation = json.loads(line)
            key, value = operation["key"], operation["value"]
            if key == "header":
                header = value
            elif key == "file":
                added[checked(value["path"])] = storage.regular(base64.b64decode(value["content"], validate=True))
            elif key == "lfsFile":
                added[checked(value["path"])] = storage.large(value["oid"])
            elif key in ("deletedFile", "deletedFolder"):
                deleted.append(value["path"])
            else:
                raise HubError(400, f"unknown operation {key}")
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise HubError(400, f"a line of the commit can't be read: {error!r}") from None

    def change(files: dict[str, Entry]) -> dict[str, Entry]:
        for path in deleted:
            gone = [name for name in files if name == path or (path.endswith("/") and name.startswith(path))]
            if not gone:
                raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            for name in gone:
                del files[name]
        return files | added

    summary, description = str(header.get("summary", "")), str(header.get("description", ""))
    return storage.commit(repo, branch, change, summary, description, user, header.get("parentCommit"))


def checked(path: str) -> str:
    """Return a repo path; raise HubError 400 where it could point anywhere else."""
    if not path or len(path) > 1000 or "\0" in path or "\\" in path or any(step in ("", ".", "..") for step in path.split("/")):
        raise HubError(400, f"{path!r} is no path in a repository")
    return path


async def tag(request: Request) -> Response:
    if request.method == "DELETE":
        return delete_ref(request, "tags")
    return create_ref(request, "tags", str((await json_of(request)).get("tag")), part(request, "revision"))


async def branch(request: Request) -> Response:
    if request.method == "DELETE":
        if part(request, "revision") == "main":
            raise HubError(403, "main can't be deleted")
        return delete_ref(request, "branches")
    body = json.loads(await request.body() or b"{}")
    return create_ref(request, "branches", part(request, "revision"), str(body.get("startingPoint") or "main"))


def create_ref(request: Request, kind: str, name: str, revision: str) -> Response:
    writer(request)
    storage_of(request).create_ref(repo_of(request), kind, checked(name), revision)
    return JSONResponse({}, 201)


def delete_ref(request: Request, kind: str) -> Response:
    writer(request)
    storage_of(request).delete_ref(repo_of(request), kind, part(request, "revision"))
    return JSONResponse({})


# ---- Xet: the address holds this storage's own id, for clients remember per address what they uploaded ----


async def xet_write_token(request: Request) -> Response:
    writer(request)
    repo_of(request)
    storage = storage_of(request)
    token = sign(storage, "xet")
    url, expires = f"{base_url(request)}/cas-{storage.instance}", token.partition("-")[0]
    headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": expires}
    return JSONResponse({"casUrl": url, "accessToken": token, "exp": int(expires)}, headers=headers)


async def xet_body(request: Request) -> bytes:
    check_signature(storage_of(request), "xet", request.headers.get("authorization", "").removeprefix("Bearer "))
    if part(request, "instance") != storage_of(request).instance:
        raise HubError(404, "this is another storage")
    if int(request.headers.get("content-length", 0)) > xet.MAX_XORB:
        raise HubError(413, f"at most {xet.MAX_XORB} bytes")
    return await request.body()


async def xorbs(request: Request) -> Response:
    body = await xet_body(request)
    await run_in_threadpool(xet.add_xorb, storage_of(request), part(request, "hash"), body)
    return JSONResponse({"was_inserted": True})


async def shards(request: Request) -> Response:
    body = await xet_body(request)
    await run_in_threadpool(xet.add_shard, storage_of(request), body)
    return JSONResponse({"result": 1})
