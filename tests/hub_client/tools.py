"""What the chapters share: a repo to ask, the files that it gets, and how answers are compared."""

import os
import random
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

ENDPOINT, USER = os.environ["HF_ENDPOINT"], "huggingtweets"
SDK = {"sdk": "static"} if sys.argv[1:] == ["space"] else {}  # of whose card more is asked
CARD = f"---\nlicense: mit\ntags:\n- a\n{'sdk: static' * bool(SDK)}\n---\nHello\n".encode()
BIG = random.Random(0).randbytes(300_000)
FILES = {
    "README.md": CARD,
    "empty.txt": b"",
    "folder/b.txt": b"b",
    "folder/deep/a.txt": b"a\n",
    "weights.bin": BIG,
}
NOT_FOUND, REVISION_NOT_FOUND, ENTRY_NOT_FOUND = [
    (f"{what}NotFoundError", 404) for what in ("Repository", "Revision", "RemoteEntry")
]
HIDDEN, GATED, MAY_ONLY_READ, NO_TOKEN = (
    ("RepositoryNotFoundError", 401),
    ("GatedRepoError", 401),
    ("HfHubHTTPError", 403),
    ("HfHubHTTPError", 401),
)
CONFLICT, STALE, BAD, DONE = (
    ("HfHubHTTPError", 409),
    ("HfHubHTTPError", 412),
    ("BadRequestError", 400),
    ("", None),
)
left: list[object] = []  # names and addresses that are not this machine's


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note who is asked besides this machine: an audit hook."""
    host = arguments[0] if event == "socket.getaddrinfo" else "127.0.0.1"
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    if host not in ("127.0.0.1", b"127.0.0.1"):
        left.append(host)


class Repo:
    """An API that gives a repo to each call."""

    def __init__(self, api: HfApi, kind: str, repo_id: str) -> None:
        self.api, self.kind, self.id = api, kind, repo_id
        self.address = ("" if kind == "model" else f"{kind}s/") + repo_id

    def __getattr__(self, call: str) -> Callable[..., Any]:
        return partial(getattr(self.api, call), repo_id=self.id, repo_type=self.kind)

    def create(self, **more: Any) -> Any:
        return self.create_repo(**({"space_sdk": "static"} if self.kind == "space" else {}), **more)

    def commit(self, title: str, *operations: Any, **more: Any) -> Any:
        return self.create_commit(operations=list(operations), commit_message=title, **more)

    def add(self, **files: bytes) -> Any:
        return self.commit("add", *(CommitOperationAdd(path, data) for path, data in files.items()))

    def titles(self, **more: Any) -> list[str]:
        return [commit.title for commit in self.list_repo_commits(**more)]

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """Return what a revision holds besides what every new repo does."""
        with tempfile.TemporaryDirectory() as cache:
            folder = Path(self.snapshot_download(revision=revision, cache_dir=cache))
            found = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            }
        assert found.pop(".gitattributes").startswith(b"*.7z filter=lfs")
        return found

    def metadata(self, name: str, revision: str = "main") -> Any:
        return self.api.get_hf_file_metadata(
            url=f"{ENDPOINT}/{self.address}/resolve/{revision}/{name}"
        )

    def holds(self, files: dict[str, bytes], revision: str = "main") -> None:
        """Make sure that a revision has these files, by their sizes and hashes."""
        found = [
            one
            for one in self.list_repo_tree(recursive=True, revision=revision)
            if isinstance(one, RepoFile)
        ]
        same(
            [one for one in found if one.path != ".gitattributes"],
            [item(path, data) for path, data in sorted(files.items())],
        )

    @property
    def sha(self) -> str:
        return self.repo_info().sha

    def beside(self, suffix: str) -> "Repo":
        return Repo(self.api, self.kind, self.id + suffix)

    def by(self, token: str | bool) -> "Repo":
        return Repo(HfApi(token=token), self.kind, self.id)

    @property
    def reader(self) -> "Repo":
        return self.by(os.environ["READ_TOKEN"])

    @property
    def stranger(self) -> "Repo":
        return self.by(False)


def same(found: object, wanted: object) -> None:
    assert found == wanted, f"\n found {found!r}\nwanted {wanted!r}"


def end_of(call: Callable[[], object]) -> tuple[str, int | None]:
    """Return the exception that a call raises, and its HTTP status; DONE if it raises none."""
    try:
        call()
    except HfHubHTTPError as error:
        return type(error).__name__, error.response.status_code
    except Exception as error:
        return type(error).__name__, None
    return DONE


def ends(wanted: tuple[str, int | None], *calls: Callable[[], object]) -> None:
    """Check that each call ends as wanted: DONE, or with an exception and a status."""
    for number, call in enumerate(calls):
        same((number, *end_of(call)), (number, *wanted))


def known(info: Any) -> dict[str, Any]:
    return {key: value for key, value in vars(info).items() if value is not None}


def oid(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data).hexdigest()


def pointer(data: bytes) -> bytes:
    version = "version https://git-lfs.github.com/spec/v1"
    return f"{version}\noid sha256:{sha256(data).hexdigest()}\nsize {len(data)}\n".encode()


def item(path: str, data: bytes, **more: Any) -> RepoFile:
    """Return what the Hub should say of a file."""
    if not path.endswith(".bin"):
        return RepoFile(path=path, size=len(data), oid=oid(data), **more)
    lfs = {"oid": sha256(data).hexdigest(), "size": len(data), "pointerSize": len(pointer(data))}
    return RepoFile(path=path, size=len(data), oid=oid(pointer(data)), lfs=lfs, **more)


def filled(repo: Repo) -> str:
    """Put FILES there in one commit and return its id."""
    return repo.add(**FILES).oid
