"""The requests that move a branch: commits, tags and branches."""

import base64
import binascii
import json
from typing import IO, Any
from urllib.parse import quote

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
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.storage import REFS, SHORT_SHA, Commit, Files, Repo, Storage

MAX_COMMIT_BYTES = 2**30  # bytes of a commit's body, as on the Hub
MAX_LINE_BYTES = 2**24  # bytes of one line: a file that is larger goes by LFS or Xet


class CommitBody:
    """What a commit's body says: newline-delimited JSON, a header first, then files, large files and deletions."""

    def __init__(self, storage: Storage, body: IO[bytes]) -> None:
        """Read it and keep the files' contents; raise HubError 400 where it makes no sense."""
        self.storage = storage
        self.header: dict[str, Any] = {}
        self.added: dict[str, Entry] = {}
        self.deleted: list[str] = []
        while line := body.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise HubError(413, f"a line of a commit has {MAX_LINE_BYTES} bytes at most")
            try:
                operation = json.loads(line)
                self.read(operation["key"], operation["value"])
            except (
                ValueError,
                KeyError,
                TypeError,
                AttributeError,
                RecursionError,
                binascii.Error,
            ) as error:
                raise HubError(400, f"a line of the commit can't be read: {error!r}") from None
        if not self.header:
            raise HubError(400, "a commit begins with its header")
        self.parent = self.header.get("parentCommit")
        if self.parent is not None:
            self.parent = str(self.parent).lower()
            if not SHORT_SHA.fullmatch(self.parent):
                raise HubError(400, "parentCommit is a commit's id, or at least its first 5 digits")
        self.summary, self.description = (
            str(self.header.get(key) or "").encode("utf-8", "replace").decode()
            for key in ("summary", "description")
        )

    def read(self, key: str, value: Any) -> None:
        if key == "header":
            self.header = dict(value)
        elif key == "file":
            self.added[validate_path(value["path"])] = self.storage.blobs.regular(
                base64.b64decode(value["content"], validate=True)
            )
        elif key == "lfsFile":
            self.added[validate_path(value["path"])] = self.storage.blobs.large(str(value["oid"]))
        elif key in ("deletedFile", "deletedFolder"):
            self.deleted.append(
                validate_path(value["path"].rstrip("/")) + "/" * (key == "deletedFolder")
            )
        else:
            raise HubError(400, f"unknown operation {key}")

    def __call__(self, files: Files) -> Files:
        """Return the files after the change; raise HubError 404 where one is to be deleted that is not there, 400 where two can't be together."""
        left = dict(files)
        for path in self.deleted:
            gone = [
                name
                for name in left
                if name == path or (path.endswith("/") and name.startswith(path))
            ]
            if not gone:
                raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            for name in gone:
                del left[name]
        if not all(self.storage.blobs.has(entry.sha256) for entry in self.added.values()):
            raise HubError(409, "what was uploaded has been removed meanwhile; push again")
        left |= self.added
        folders = {
            "/".join(steps[:n])
            for path in left
            for steps in [path.split("/")]
            for n in range(1, len(steps))
        }
        if both := folders & left.keys():
            raise HubError(400, f"{min(both)} can't be a file and a folder")
        return left


async def create_commit(request: Request) -> Response:
    user, storage, repo = require_writer(request), get_storage(request), get_repo(request)
    revision, as_pull = (
        get_path_param(request, "revision"),
        request.query_params.get("create_pr") in ("1", "true"),
    )
    with storage.blobs.temporary() as body:
        await save_body(request, body, MAX_COMMIT_BYTES)
        body.seek(0)
        made, pull = await run_in_threadpool(
            write_commit, storage, repo, revision, body, user, as_pull
        )
    answer = {
        "success": True,
        "commitUrl": f"{get_repo_url(request, repo)}/commit/{made.id}",
        "commitOid": made.id,
    }
    if pull:
        answer["pullRequestUrl"] = f"{get_repo_url(request, repo)}/discussions/{pull.num}"
    return JSONResponse(answer)


def write_commit(
    storage: Storage, repo: Repo, revision: str, body: IO[bytes], user: str, as_pull: bool
) -> tuple[Commit, pull_requests.Discussion | None]:
    """Commit a body to a branch, or to a new pull request."""
    change = CommitBody(storage, body)
    if not as_pull:
        return storage.commit(
            repo, revision, change, change.summary, change.description, user, change.parent
        ), None
    with storage.lock:
        base = storage.resolve(repo, change.parent or revision)
        made = storage.write_commit(
            repo, base.id, change.summary, change.description, user, change(base.files)
        )
        return made, pull_requests.open_discussion(
            storage, repo, change.summary, change.description, user, made, base
        )


def validate_path(path: str) -> str:
    """Return a repo path; raise HubError 400 where it could point anywhere else."""
    hurt = any(character in "\0\\" or "\ud800" <= character <= "\udfff" for character in path)
    if (
        not path
        or len(path) > 1000
        or hurt
        or any(step in ("", ".", "..") for step in path.split("/"))
    ):
        raise HubError(400, f"{path!r} is no path in a repository")
    return path


async def change_tag(request: Request) -> Response:
    require_writer(request)
    if request.method == "DELETE":
        return await delete_ref(
            request, "tags", get_path_param(request, "revision").removeprefix(REFS["tags"])
        )
    return await create_ref(
        request,
        "tags",
        str((await read_json(request)).get("tag")),
        get_path_param(request, "revision"),
    )


async def change_branch(request: Request) -> Response:
    require_writer(request)
    name = get_path_param(request, "revision").removeprefix(REFS["branches"])
    if request.method == "DELETE":
        if name == "main":
            raise HubError(403, "main can't be deleted")
        return await delete_ref(request, "branches", name)
    return await create_ref(
        request, "branches", name, str((await read_json(request)).get("startingPoint") or "main")
    )


async def create_ref(request: Request, kind: str, name: str, revision: str) -> Response:
    if len(quote(validate_path(name), safe="")) > 255 or name.startswith("refs/"):
        raise HubError(400, f"{name!r} can't be a name here")
    await run_in_threadpool(
        get_storage(request).create_ref, get_repo(request), kind, name, revision
    )
    return JSONResponse({}, 201)


async def delete_ref(request: Request, kind: str, name: str) -> Response:
    await run_in_threadpool(get_storage(request).delete_ref, get_repo(request), kind, name)
    return JSONResponse({})
