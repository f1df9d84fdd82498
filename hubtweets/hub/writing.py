"""The requests that write: repos, uploads, commits, tags and branches.

Large files come before their commit, by LFS or by Xet as the client chooses, and are nothing until a commit names them.
"""

import base64
import fnmatch
import hashlib
import json
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub import xet
from hubtweets.hub.cards import front_matter
from hubtweets.hub.requests import base_url, check_signature, commit_of, json_of, part, repo_of, sign, storage_of, writer
from hubtweets.hub.storage import GITATTRIBUTES, SHA256, Commit, Entry, HubError, Repo, Storage

LARGE = 10 * 2**20  # bytes; from here on a file goes by LFS or Xet


async def create_repo(request: Request) -> Response:
    user, body = writer(request), await json_of(request)
    kind = f"{body.get('type') or 'model'}s"
    repo_id = f"{body.get('organization') or user}/{body.get('name') or ''}"
    url = f"{base_url(request)}/{'' if kind == 'models' else kind + '/'}{repo_id}"
    try:
        await run_in_threadpool(storage_of(request).create_repo, kind, repo_id, body.get("visibility") == "private", user)
    except HubError as error:
        if error.status == 409:  # the client reads `url` from a 409 too
            return JSONResponse({"error": error.message, "url": url}, 409)
        raise
    return JSONResponse({"url": url})


async def validate_yaml(request: Request) -> Response:
    content = (await json_of(request)).get("content")
    try:
        front_matter(content if isinstance(content, str) else "")
    except HubError as error:
        return JSONResponse({"errors": [{"message": error.message}], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


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
    for file in listed(await json_of(request), "files"):
        try:
            path, size, binary = checked(file["path"]), int(file["size"]), b"\0" in base64.b64decode(file.get("sample") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise HubError(400, "a file needs a path, a size and a sample") from None
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
    for wanted in listed(await json_of(request), "objects"):
        sha256, size = str(wanted.get("oid")), wanted.get("size")
        if not SHA256.fullmatch(sha256) or type(size) is not int or size < 0:
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
                header = dict(value)
            elif key == "file":
                added[checked(value["path"])] = storage.regular(base64.b64decode(value["content"], validate=True))
            elif key == "lfsFile":
                added[checked(value["path"])] = storage.large(str(value["oid"]))
            elif key in ("deletedFile", "deletedFolder"):
                deleted.append(checked(value["path"].rstrip("/")) + "/" * (key == "deletedFolder"))
            else:
                raise HubError(400, f"unknown operation {key}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise HubError(400, f"a line of the commit can't be read: {error!r}") from None

    def change(files: dict[str, Entry]) -> dict[str, Entry]:
        for path in deleted:
            gone = [name for name in files if name == path or (path.endswith("/") and name.startswith(path))]
            if not gone:
                raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            for name in gone:
                del files[name]
        return files | added

    parent = header.get("parentCommit")
    if not isinstance(parent, str | None):
        raise HubError(400, "parentCommit is no commit")
    summary, description = (str(header.get(key, "")).encode("utf-8", "replace").decode() for key in ("summary", "description"))
    return storage.commit(repo, branch, change, summary, description, user, parent)


def listed(body: dict[str, Any], key: str) -> list[dict]:
    """Return a list of objects from a body; raise HubError 400 where it is none."""
    items = body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise HubError(400, f"{key} is no list of objects")
    return items


def checked(path: str) -> str:
    """Return a repo path; raise HubError 400 where it could point anywhere else."""
    hurt = any(character in "\0\\" or "\ud800" <= character <= "\udfff" for character in path)
    if not path or len(path) > 1000 or hurt or any(step in ("", ".", "..") for step in path.split("/")):
        raise HubError(400, f"{path!r} is no path in a repository")
    return path


async def tag(request: Request) -> Response:
    writer(request)
    if request.method == "DELETE":
        return delete_ref(request, "tags")
    return create_ref(request, "tags", str((await json_of(request)).get("tag")), part(request, "revision"))


async def branch(request: Request) -> Response:
    writer(request)
    name = part(request, "revision")
    if request.method == "DELETE":
        if name == "main":
            raise HubError(403, "main can't be deleted")
        return delete_ref(request, "branches")
    body = await json_of(request) if await request.body() else {}
    return create_ref(request, "branches", name, str(body.get("startingPoint") or "main"))


def create_ref(request: Request, kind: str, name: str, revision: str) -> Response:
    if len(quote(checked(name), safe="")) > 255:
        raise HubError(400, f"{name!r} is too long for a name")
    storage_of(request).create_ref(repo_of(request), kind, name, revision)
    return JSONResponse({}, 201)


def delete_ref(request: Request, kind: str) -> Response:
    storage_of(request).delete_ref(repo_of(request), kind, part(request, "revision"))
    return JSONResponse({})


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
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > xet.MAX_XORB:
            raise HubError(413, f"at most {xet.MAX_XORB} bytes")
    return bytes(body)


async def xorbs(request: Request) -> Response:
    body = await xet_body(request)
    await run_in_threadpool(xet.add_xorb, storage_of(request), part(request, "hash"), body)
    return JSONResponse({"was_inserted": True})


async def shards(request: Request) -> Response:
    body = await xet_body(request)
    await run_in_threadpool(xet.add_shard, storage_of(request), body)
    return JSONResponse({"result": 1})
