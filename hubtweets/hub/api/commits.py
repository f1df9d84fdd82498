"""Endpoints that move refs: commits, tags and branches."""

import base64
import binascii
import json
from collections.abc import Collection, Iterable
from typing import IO, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hubtweets.hub.api.requests import (
    get_path_param,
    get_repo,
    get_repo_url,
    get_storage,
    read_json,
    require_writer,
    save_body,
)
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.branches import create_branch
from hubtweets.hub.storage.commits import SHORT_SHA, Commit, Files
from hubtweets.hub.storage.pull_requests import Discussion, open_discussion
from hubtweets.hub.storage.ref_names import is_ref_name
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import REFS, Storage

MAX_COMMIT_BYTES = 2**30  # of a commit's body, as on the Hub
MAX_LINE_BYTES = 2**24  # of one line: a larger file goes by LFS or Xet
MAX_PATH_CHARS = 1000
# what an invalid operation can raise
INVALID = (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error)


class CommitBody:
    """The body of a commit request.

    It is newline-delimited JSON: a header first, then files, large files and deletions.
    """

    def __init__(self, storage: Storage, body: IO[bytes]) -> None:
        """Read the body and store its files' contents; raise HubError 400 if it is invalid."""
        self.storage = storage
        self.header: dict[str, Any] = {}
        self.added: dict[str, Entry] = {}
        self.deleted: list[str] = []
        while line := body.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise HubError(413, f"a line of a commit has {MAX_LINE_BYTES} bytes at most")
            try:
                operation = json.loads(line)
                self.add_operation(operation["key"], operation["value"])
            except INVALID as error:
                raise HubError(400, f"a line of the commit can't be read: {error!r}") from None
        if not self.header:
            raise HubError(400, "a commit begins with its header")
        self.parent = parse_parent(self.header.get("parentCommit"))
        self.summary, self.description = (
            str(self.header.get(key) or "").encode("utf-8", "replace").decode()
            for key in ("summary", "description")
        )

    def add_operation(self, key: str, value: Any) -> None:
        blobs = self.storage.blobs
        if key == "header":
            self.header = dict(value)
        elif key == "file":
            path = validate_path(value["path"])
            content = base64.b64decode(value["content"], validate=True)
            self.added[path] = blobs.add_regular(content)
        elif key == "lfsFile":
            self.added[validate_path(value["path"])] = blobs.get_large(str(value["oid"]))
        elif key in ("deletedFile", "deletedFolder"):
            path = validate_path(value["path"].rstrip("/"))
            self.deleted.append(path + "/" * (key == "deletedFolder"))
        else:
            raise HubError(400, f"unknown operation {key}")

    def apply_to(self, files: Files) -> Files:
        """Return the files after the commit.

        Raises HubError 404 if a file to delete is missing, 409 if an upload was removed, 400 if a
        path would be both a file and a folder.
        """
        left = dict(files)
        for path in self.deleted:
            delete_path(left, path)
        if not all(self.storage.blobs.has(entry.sha256) for entry in self.added.values()):
            raise HubError(409, "an uploaded file was removed in the meantime; push again")
        left |= self.added
        check_paths(left)
        return left


def parse_parent(value: Any) -> str | None:
    """Return the id of the parent commit in lower case, None if the header has none."""
    if value is None:
        return None
    parent = str(value).lower()
    if not SHORT_SHA.fullmatch(parent):
        raise HubError(400, "parentCommit is a commit's id, or at least its first 5 digits")
    return parent


def delete_path(files: dict[str, Entry], path: str) -> None:
    """Delete a file or a folder; a path that ends with a slash is a folder."""
    start = path.rstrip("/") + "/"
    names = [name for name in files if name == path or name.startswith(start)]
    if not names:
        raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
    for name in names:
        del files[name]


def check_paths(paths: Collection[str]) -> None:
    """Raise HubError 400 if a path would be both a file and a folder."""
    if both := list_folders(paths).intersection(paths):
        raise HubError(400, f"{min(both)} can't be a file and a folder")


def list_folders(paths: Iterable[str]) -> set[str]:
    """Return all folders, at every depth, that hold the files with these paths."""
    folders = set()
    for path in paths:
        steps = path.split("/")
        folders |= {"/".join(steps[:n]) for n in range(1, len(steps))}
    return folders


async def create_commit(request: Request) -> Response:
    """Commit to a branch, or with `create_pr` to a new pull request."""
    user, storage, repo = require_writer(request), get_storage(request), get_repo(request)
    revision = get_path_param(request, "revision")
    as_pull = request.query_params.get("create_pr") in ("1", "true")
    with storage.blobs.open_temporary() as body:
        await save_body(request, body, MAX_COMMIT_BYTES)
        body.seek(0)
        made, pull = await run_in_threadpool(
            write_commit, storage, repo, revision, body, user, as_pull
        )
    url = get_repo_url(request, repo)
    answer = {"success": True, "commitUrl": f"{url}/commit/{made.id}", "commitOid": made.id}
    if pull:
        answer["pullRequestUrl"] = f"{url}/discussions/{pull.num}"
    return JSONResponse(answer)


def write_commit(
    storage: Storage, repo: Repo, revision: str, body: IO[bytes], user: str, as_pull: bool
) -> tuple[Commit, Discussion | None]:
    """Commit a body to a branch, or to a new pull request."""
    change = CommitBody(storage, body)
    texts = change.summary, change.description, user
    if not as_pull:
        made = storage.create_commit(repo, revision, change.apply_to, *texts, change.parent)
        return made, None
    with storage.lock:
        head, target = (
            storage.resolve_branch(repo, revision),
            revision.removeprefix(REFS["branches"]),
        )
        base = storage.resolve(repo, change.parent) if change.parent else head
        made = storage.write_commit(repo, base.id, *texts, change.apply_to(base.files))
        return made, open_discussion(storage, repo, *texts, made, base, target)


def validate_path(path: str) -> str:
    """Return a path in a repo; raise HubError 400 if it could point anywhere else."""
    has_bad_chars = any(char in "\0\\" or "\ud800" <= char <= "\udfff" for char in path)
    has_bad_steps = any(step in ("", ".", "..") for step in path.split("/"))
    if has_bad_chars or has_bad_steps or len(path) > MAX_PATH_CHARS:
        raise HubError(400, f"{path!r} is no path in a repository")
    return path


async def change_tag(request: Request) -> Response:
    require_writer(request)
    revision = get_path_param(request, "revision")
    if request.method == "DELETE":
        return await delete_ref(request, "tags", revision.removeprefix(REFS["tags"]))
    return await create_tag(request, str((await read_json(request)).get("tag")), revision)


async def change_branch(request: Request) -> Response:
    user = require_writer(request)
    name = get_path_param(request, "revision").removeprefix(REFS["branches"])
    if request.method == "DELETE":
        if name == "main":
            raise HubError(403, "Cannot delete refs/heads/main")
        return await delete_ref(request, "branches", name)
    body, repo = await read_json(request), get_repo(request)
    start, is_empty = body.get("startingPoint"), body.get("emptyBranch") is True
    if start and is_empty:
        raise HubError(400, "emptyBranch and startingPoint exclude each other; send one of them")
    storage, overwrite = get_storage(request), body.get("overwrite") is True
    name, start = validate_ref("branch", name), str(start) if start else None
    await run_in_threadpool(create_branch, storage, repo, name, user, start, is_empty, overwrite)
    return JSONResponse({}, 201)


async def create_tag(request: Request, name: str, revision: str) -> Response:
    create, name = get_storage(request).create_ref, validate_ref("tag", name)
    await run_in_threadpool(create, get_repo(request), "tags", name, revision)
    return JSONResponse({}, 201)


def validate_ref(word: str, name: str) -> str:
    """Return the name of a tag or a branch; raise HubError 400 if it can't be one."""
    if not is_ref_name(name):
        raise HubError(400, f"Invalid reference for a {word}: {name}")
    return name


async def delete_ref(request: Request, kind: str, name: str) -> Response:
    await run_in_threadpool(get_storage(request).delete_ref, get_repo(request), kind, name)
    return JSONResponse({})
