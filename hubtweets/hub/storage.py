"""What the embedded Hub keeps, as plain files.

    blobs/ab/abcd...                 file contents by SHA-256
    xorbs/abcd...                    what Xet clients uploaded, by Xet hash
    repos/models/ns/name/repo.json   visibility and date
                        /commits/    one JSON file a commit: its parent, title, and every path's entry
                        /refs/       branches/ and tags/, each file one commit id; moved last, under a lock
    secret, instance, token          made on the first start

Blobs are written first, the commit next, the branch last, each by an atomic rename: a server killed anywhere has its last whole commit. Repo
paths are keys in JSON, never names in the file system.
"""

import hashlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from filelock import FileLock

KINDS = ("models", "datasets", "spaces")
REPO_ID = re.compile(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w(?:[\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)
SHA = re.compile(r"[0-9a-f]{5,40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
BINARY_SUFFIXES = """7z arrow bin bz2 ckpt gguf gz h5 joblib npy npz onnx parquet pickle pkl pt pth safetensors tar tgz xz zip zst"""
GITATTRIBUTES = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in BINARY_SUFFIXES.split())


class HubError(Exception):
    """A refusal: the HTTP status, the X-Error-Code that the client maps to an exception, and a text."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message.encode("utf-8", "replace").decode()[:500], code


@dataclass(frozen=True)
class Entry:
    """A file in a commit; `oid` is git's SHA-1 of the blob, of the pointer where the file is large (`lfs`)."""

    sha256: str
    size: int
    oid: str
    lfs: bool


@dataclass(frozen=True)
class Commit:
    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    files: dict[str, Entry]


@dataclass(frozen=True)
class Repo:
    kind: str
    id: str
    private: bool
    created_at: str


class Storage:
    """The Hub's folder; any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("blobs", "xorbs", "repos", "tmp"):
            (root / name).mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock"):
            self.secret = self._make_once("secret").encode()
            self.instance = self._make_once("instance")[:12]
            self.token = self._make_once("token", prefix="hf_")

    def _make_once(self, name: str, prefix: str = "") -> str:
        path = self.root / name
        if not path.exists():
            with self.temporary() as file:  # which only its owner can read
                file.write((prefix + secrets.token_hex(20)).encode())
                self.keep(file, path)
        return path.read_text()

    # ---- contents ----

    def blob(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256[:2] / sha256

    @contextmanager
    def temporary(self) -> Iterator[BinaryIO]:
        """Give a file to write to; it is gone afterwards unless it was renamed."""
        with tempfile.NamedTemporaryFile(dir=self.root / "tmp", delete=False) as file:
            try:
                yield file  # type: ignore[misc]
            finally:
                Path(file.name).unlink(missing_ok=True)

    def keep(self, file: BinaryIO, path: Path) -> None:
        file.flush()
        path.parent.mkdir(exist_ok=True)
        os.replace(file.name, path)

    def add_blob(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Store content and return its SHA-256 and size in bytes."""
        digest, size = hashlib.sha256(), 0
        with self.temporary() as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
            self.keep(file, self.blob(digest.hexdigest()))
        return digest.hexdigest(), size

    def regular(self, content: bytes) -> Entry:
        sha256, size = self.add_blob([content])
        return Entry(sha256, size, git_oid(content), lfs=False)

    def large(self, sha256: str) -> Entry:
        """Return the entry of a stored blob as Git LFS keeps it; raise HubError 400 where it was never uploaded."""
        if not SHA256.fullmatch(sha256) or not self.blob(sha256).exists():
            raise HubError(400, f"no upload with sha256 {sha256}")
        size = self.blob(sha256).stat().st_size
        return Entry(sha256, size, git_oid(lfs_pointer(sha256, size)), lfs=True)

    # ---- repos ----

    def folder(self, kind: str, repo_id: str) -> Path:
        return self.root / "repos" / kind / repo_id

    def repos(self, kind: str = "models") -> list[Repo]:
        if kind not in KINDS:
            raise HubError(404, f"no repositories are called {kind}")
        ids = ["/".join(path.parts[-3:-1]) for path in sorted((self.root / "repos" / kind).glob("*/*/repo.json"))]
        return [repo for repo_id in ids if (repo := self.find_repo(kind, repo_id))]

    def find_repo(self, kind: str, repo_id: str) -> Repo | None:
        if kind not in KINDS or not REPO_ID.fullmatch(repo_id):
            return None
        path = self.folder(kind, repo_id) / "repo.json"
        return Repo(kind, repo_id, **json.loads(path.read_text())) if path.exists() else None

    def create_repo(self, kind: str, repo_id: str, private: bool, author: str) -> Repo:
        """Create a repo with its first commit; raise HubError 409 where it exists, 400 where the name is none."""
        if kind not in KINDS or not REPO_ID.fullmatch(repo_id):
            raise HubError(400, f"{repo_id!r} can't be the name of a repository")
        folder = self.folder(kind, repo_id)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            if (folder / "repo.json").exists():
                raise HubError(409, f"{repo_id} exists already")
            files = {".gitattributes": self.regular(GITATTRIBUTES.encode())}
            self._set_ref(folder, "branches", "main", self._write_commit(folder, None, "initial commit", "", author, files).id)
            repo = Repo(kind, repo_id, private, now())
            self._write(folder / "repo.json", {"private": repo.private, "created_at": repo.created_at})
        return repo

    # ---- commits ----

    def refs(self, repo: Repo, kind: str) -> dict[str, str]:
        """Return name -> commit id of the "branches" or "tags"."""
        folder = self.folder(repo.kind, repo.id) / "refs" / kind
        return {unquote(path.name): path.read_text() for path in sorted(folder.glob("*"))}

    def resolve(self, repo: Repo, revision: str) -> Commit:
        """Return the commit of a branch, tag, id or beginning of an id; raise HubError 404."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        sha = self.refs(repo, "branches").get(name) or self.refs(repo, "tags").get(name)
        commits = self.folder(repo.kind, repo.id) / "commits"
        if sha is None and SHA.fullmatch(revision):
            found = list(commits.glob(revision + "*.json"))
            sha = found[0].stem if len(found) == 1 else None
        if sha is None:
            raise HubError(404, f"{repo.id} has no revision {revision}", "RevisionNotFound")
        return self._read_commit(commits / f"{sha}.json")

    def history(self, repo: Repo, revision: str) -> Iterator[Commit]:
        """Yield commits, newest first."""
        commit = self.resolve(repo, revision)
        while True:
            yield commit
            if commit.parent is None:
                return
            commit = self._read_commit(self.folder(repo.kind, repo.id) / "commits" / f"{commit.parent}.json")

    def commit(
        self,
        repo: Repo,
        branch: str,
        change: Callable[[dict[str, Entry]], dict[str, Entry]],
        title: str,
        message: str,
        author: str,
        parent: str | None,
    ) -> Commit:
        """Put `change` of the branch's files on top of it; raise HubError 412 where the branch is no longer at `parent`."""
        folder = self.folder(repo.kind, repo.id)
        with FileLock(folder / "lock"):
            if branch not in self.refs(repo, "branches"):
                raise HubError(404, f"{repo.id} has no branch {branch}", "RevisionNotFound")
            head = self.resolve(repo, f"refs/heads/{branch}")
            if parent and not head.id.startswith(parent):
                raise HubError(412, f"{branch} of {repo.id} is at {head.id}, not at {parent}: somebody pushed in between")
            commit = self._write_commit(folder, head.id, title, message, author, change(dict(head.files)))
            self._set_ref(folder, "branches", branch, commit.id)
        return commit

    def create_ref(self, repo: Repo, kind: str, name: str, revision: str) -> None:
        """Create a tag or a branch; raise HubError 409 where it exists."""
        folder = self.folder(repo.kind, repo.id)
        with FileLock(folder / "lock"):
            if name in self.refs(repo, kind):
                raise HubError(409, f"{repo.id} has {name} already")
            self._set_ref(folder, kind, name, self.resolve(repo, revision).id)

    def delete_ref(self, repo: Repo, kind: str, name: str) -> None:
        folder = self.folder(repo.kind, repo.id)
        with FileLock(folder / "lock"):
            if name not in self.refs(repo, kind):
                raise HubError(404, f"{repo.id} has no {name}", "RevisionNotFound")
            (folder / "refs" / kind / quote(name, safe="")).unlink()

    def _set_ref(self, folder: Path, kind: str, name: str, sha: str) -> None:
        self._write(folder / "refs" / kind / quote(name, safe=""), sha)

    def _write_commit(self, folder: Path, parent: str | None, title: str, message: str, author: str, files: dict[str, Entry]) -> Commit:
        body = {"parent": parent, "title": title, "message": message, "author": author, "date": now()}
        body["files"] = {path: asdict(entry) for path, entry in sorted(files.items())}  # type: ignore[assignment]
        sha = hashlib.sha1(json.dumps(body, sort_keys=True).encode()).hexdigest()
        self._write(folder / "commits" / f"{sha}.json", body)
        return self._read_commit(folder / "commits" / f"{sha}.json")

    def _read_commit(self, path: Path) -> Commit:
        body = json.loads(path.read_text())
        return Commit(**{**body, "id": path.stem, "files": {name: Entry(**entry) for name, entry in body["files"].items()}})

    def _write(self, path: Path, value: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.temporary() as file:
            file.write((value if isinstance(value, str) else json.dumps(value)).encode())
            self.keep(file, path)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def git_oid(content: bytes) -> str:
    """Return git's id of a blob: SHA-1 of "blob SIZE NUL content"."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def lfs_pointer(sha256: str, size: int) -> bytes:
    """Return the text that git keeps in a large file's place (git-lfs specification, version 1)."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
