"""What the embedded Hub keeps, as plain files.

    blobs/, tmp/                     file contents (blobs.py)
    xorbs/abcd...                    what Xet clients uploaded, by Xet hash; parts/ what came of files in parts
    repos/models/ns/name/repo.json   visibility and date
                        /commits/    one JSON file a commit: its parent, title, and every path's entry
                        /refs/       branches/, tags/ and pulls/, each file one commit id; moved last, under the lock
                        /discussions/  one JSON file a pull request or discussion
                        /moved       in place of all that: the name that the repo has now
    secret, instance, token, tokens/ made on the first start
    lock

Contents are written first, the commit next, the ref last, each by an atomic rename: a server killed anywhere has its last whole commit. (The
rename is not waited for until it is on the disk, so a power cut may lose the newest.) Repo paths are keys in JSON, never names in the file
system. One lock for all that moves is enough: it is held for milliseconds, after the contents are there.
"""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, unquote

from filelock import FileLock

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import Blobs, Entry
from hubtweets.hub.storage.tokens import create_token, read_role

KINDS = ("models", "datasets", "spaces")
REFS = {"branches": "refs/heads/", "tags": "refs/tags/", "pulls": "refs/pr/"}
REPO_ID = re.compile(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w(?:[\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)
SHORT_SHA = re.compile(
    r"[0-9a-f]{5,40}"
)  # a commit's id, or the beginning of one, as the client documents it
FULL_SHA = re.compile(r"[0-9a-f]{40}")
BINARY_SUFFIXES = """7z arrow bin bz2 ckpt gguf gz h5 joblib npy npz onnx parquet pickle pkl pt pth safetensors tar tgz xz zip zst"""
GITATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in BINARY_SUFFIXES.split()
)

Files = Mapping[str, Entry]


@dataclass(frozen=True)
class Commit:
    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    files: Files


@dataclass(frozen=True)
class Repo:
    kind: str
    id: str
    private: bool
    created_at: str
    gated: str | bool = False

    @property
    def path(self) -> str:
        """The repo's address on a Hub, without the host."""
        return f"/{'' if self.kind == 'models' else self.kind + '/'}{self.id}"


class Storage:
    """The Hub's folder; any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root, self.blobs = root, Blobs(root)
        for name in ("xorbs", "parts", "repos", "tokens"):
            (root / name).mkdir(exist_ok=True)
        (root / "tokens").chmod(0o700)  # whatever the umask is, and was
        self.lock = FileLock(root / "lock", poll_interval=0.005)
        with self.lock:
            for name in ("secret", "instance"):
                if not (root / name).exists():
                    self.write(root / name, secrets.token_hex(20))
            self.secret = (root / "secret").read_bytes()
            if (
                not (root / "token").exists()
                or read_role(root, (root / "token").read_text()) is None
            ):
                self.write(root / "token", create_token(self.blobs, "write"))
            self.token = (root / "token").read_text()

    @property
    def instance(self) -> str:
        """What this folder's Xet clients call it; another one after their uploads were removed."""
        return (self.root / "instance").read_text()[:12]

    def write(self, path: Path, value: object) -> None:
        """Write a text as it is, or anything else as JSON, whole or not at all."""
        with self.blobs.temporary() as file:
            file.write((value if isinstance(value, str) else json.dumps(value)).encode())
            self.blobs.keep(file, path)

    # ---- repos ----

    def folder(self, repo: Repo) -> Path:
        return self._folder(repo.kind, repo.id)

    def _folder(self, kind: str, repo_id: str) -> Path:
        """Return where a repo would be; raise HubError 400 where the name can't be one."""
        if kind not in KINDS or not REPO_ID.fullmatch(repo_id):
            raise HubError(400, f"{repo_id!r} can't be the name of a repository")
        return self.root / "repos" / kind / repo_id

    def repos(self, kind: str = "models") -> list[Repo]:
        if kind not in KINDS:
            raise HubError(404, f"no repositories are called {kind}")
        ids = [
            "/".join(path.parts[-3:-1])
            for path in sorted((self.root / "repos" / kind).glob("*/*/repo.json"))
        ]
        return [repo for repo_id in ids if (repo := self.find_repo(kind, repo_id))]

    def find_repo(self, kind: str, repo_id: str) -> Repo | None:
        try:
            return Repo(
                kind, repo_id, **json.loads((self._folder(kind, repo_id) / "repo.json").read_text())
            )
        except (HubError, FileNotFoundError):
            return None

    def create_repo(
        self,
        kind: str,
        repo_id: str,
        private: bool,
        author: str,
        files: dict[str, bytes] | None = None,
    ) -> Repo:
        """Create a repo with its first commit; raise HubError 409 where it exists, 400 where the name is none."""
        folder = self._folder(kind, repo_id)
        with self.lock:
            if self.find_repo(kind, repo_id):
                raise HubError(409, f"{repo_id} exists already")
            shutil.rmtree(folder, ignore_errors=True)  # what a server that was killed here left
            repo = Repo(kind, repo_id, private, format_now())
            contents = {".gitattributes": GITATTRIBUTES.encode(), **(files or {})}
            entries = {path: self.blobs.regular(content) for path, content in contents.items()}
            self.set_ref(
                repo,
                "branches",
                "main",
                self.write_commit(repo, None, "initial commit", "", author, entries).id,
            )
            self._write_repo(repo)
        return repo

    def _write_repo(self, repo: Repo) -> None:
        self.write(
            self.folder(repo) / "repo.json",
            {"private": repo.private, "created_at": repo.created_at, "gated": repo.gated},
        )

    def change_settings(self, repo: Repo, private: bool | None, gated: str | bool | None) -> Repo:
        """Change who may see a repo; None leaves a setting as it is."""
        with self.lock:
            repo = self.again(repo)
            changed = Repo(
                repo.kind,
                repo.id,
                repo.private if private is None else private,
                repo.created_at,
                repo.gated if gated is None else gated,
            )
            self._write_repo(changed)
        return changed

    def delete_repo(self, repo: Repo) -> None:
        """Remove a repo with its history; its contents stay until they are collected."""
        with self.lock:
            gone = self.root / "tmp" / secrets.token_hex(8)
            self.folder(self.again(repo)).rename(gone)  # at once, so that it is never half there
        shutil.rmtree(gone, ignore_errors=True)  # it may be collected at the same time

    def move_repo(self, repo: Repo, repo_id: str) -> None:
        """Give a repo another name, to which the old one leads from then on; raise HubError 409 where there is one of that name."""
        place = self._folder(repo.kind, repo_id)
        with self.lock:
            if self.find_repo(repo.kind, repo_id):
                raise HubError(409, f"{repo_id} exists already")
            shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            self.folder(self.again(repo)).rename(place)
            self.write(self.folder(repo) / "moved", repo_id)

    def moved(self, kind: str, repo_id: str) -> Repo | None:
        """Return the repo that had this name before."""
        try:
            name = (self._folder(kind, repo_id) / "moved").read_text()
        except (HubError, OSError):
            return None
        return self.find_repo(kind, name) or self.moved(kind, name)

    def again(self, repo: Repo) -> Repo:
        """Return a repo as it is now; raise HubError 404 where somebody removed it meanwhile."""
        found = self.find_repo(repo.kind, repo.id)
        if found is None:
            raise HubError(404, f"{repo.id} was removed", "RepoNotFound")
        return found

    # ---- refs ----

    def refs(self, repo: Repo, kind: str) -> dict[str, str]:
        """Return name -> commit id of the "branches", "tags" or "pulls"."""
        names = [
            unquote(path.name) for path in sorted((self.folder(repo) / "refs" / kind).glob("*"))
        ]
        return {name: sha for name in names if (sha := self._ref(repo, kind, name))}

    def _ref(self, repo: Repo, kind: str, name: str) -> str | None:
        try:
            return (self.folder(repo) / "refs" / kind / quote(name, safe="")).read_text()
        except OSError:  # not there, a name that is too long, or the folder itself
            return None

    def set_ref(self, repo: Repo, kind: str, name: str, sha: str) -> None:
        self.write(self.folder(repo) / "refs" / kind / quote(name, safe=""), sha)

    def create_ref(self, repo: Repo, kind: str, name: str, revision: str) -> None:
        """Create a tag or a branch; raise HubError 409 if it exists, 400 if its name could be taken for a commit's id."""
        with self.lock:
            if self._ref(self.again(repo), kind, name):
                raise HubError(409, f"{repo.id} has {name} already")
            if FULL_SHA.fullmatch(name) or (SHORT_SHA.fullmatch(name) and self._ids(repo, name)):
                raise HubError(
                    400, f"{name!r} is a commit's id or the beginning of one; choose another name"
                )
            self.set_ref(repo, kind, name, self.resolve(repo, revision).id)

    def delete_ref(self, repo: Repo, kind: str, name: str) -> None:
        with self.lock:
            if not self._ref(repo, kind, name):
                raise HubError(404, f"{repo.id} has no {name}", "RevisionNotFound")
            (self.folder(repo) / "refs" / kind / quote(name, safe="")).unlink()

    # ---- commits ----

    def resolve(self, repo: Repo, revision: str) -> Commit:
        """Return the commit of an id, beginning of an id, branch, tag or pull request; raise HubError 404.

        Ids come first: who pins a commit must get that one, whatever a branch or tag is called.
        """
        sha = self._id(repo, revision) if SHORT_SHA.fullmatch(revision) else None
        if sha is None and not FULL_SHA.fullmatch(revision):
            sha = self._named(repo, revision)
        if sha is None:
            raise HubError(404, f"{repo.id} has no revision {revision}", "RevisionNotFound")
        return self._commit(repo, sha)

    def _named(self, repo: Repo, revision: str) -> str | None:
        """Return the commit id of a branch, a tag or a full ref name."""
        for kind, start in REFS.items():
            if revision.startswith(start):
                return self._ref(repo, kind, revision.removeprefix(start))
        return self._ref(repo, "branches", revision) or self._ref(repo, "tags", revision)

    def _id(self, repo: Repo, prefix: str) -> str | None:
        """Return the id of the only commit that begins so, None if there is none; raise HubError 404 if there are several."""
        found = self._ids(repo, prefix)
        if len(found) > 1:
            raise HubError(
                404,
                f"{repo.id} has several commits that begin with {prefix}; give more digits",
                "RevisionNotFound",
            )
        return found[0] if found else None

    def _ids(self, repo: Repo, prefix: str) -> list[str]:
        return [path.stem for path in (self.folder(repo) / "commits").glob(f"{prefix}*.json")]

    def _commit(self, repo: Repo, sha: str) -> Commit:
        try:
            return read_commit(self.folder(repo) / "commits" / f"{sha}.json")
        except FileNotFoundError:  # the repo was removed just now; or something is amiss
            raise HubError(
                404, f"{repo.id} has lost {sha}; type: hubtweets hub --check", "RevisionNotFound"
            ) from None

    def history(self, repo: Repo, commit: Commit) -> Iterator[Commit]:
        """Yield a commit and those before it, newest first."""
        while True:
            yield commit
            if commit.parent is None:
                return
            commit = self._commit(repo, commit.parent)

    def commit(
        self,
        repo: Repo,
        revision: str,
        change: Callable[[Files], Files],
        title: str,
        message: str,
        author: str,
        parent: str | None = None,
    ) -> Commit:
        """Put `change` of the files at a branch or pull request on top of it; raise HubError 412 if that is no longer at `parent`."""
        kind = "pulls" if revision.startswith(REFS["pulls"]) else "branches"
        name = revision.removeprefix(REFS[kind])
        with self.lock:
            sha = self._ref(self.again(repo), kind, name)
            if sha is None:
                raise HubError(404, f"{repo.id} has no branch {name}", "RevisionNotFound")
            if parent and self._id(repo, parent) != sha:
                raise HubError(
                    412,
                    f"{name} of {repo.id} is at {sha}, not at {parent}: somebody pushed in between",
                )
            head = self.resolve(repo, sha)
            commit = self.write_commit(repo, head.id, title, message, author, change(head.files))
            self.set_ref(repo, kind, name, commit.id)
        return commit

    def write_commit(
        self, repo: Repo, parent: str | None, title: str, message: str, author: str, files: Files
    ) -> Commit:
        """Write a commit, which nothing names yet."""
        body: dict[str, object] = {
            "parent": parent,
            "title": title,
            "message": message,
            "author": author,
            "date": format_now(),
        }
        body["files"] = {path: asdict(entry) for path, entry in sorted(files.items())}
        path = self.folder(repo) / "commits" / f"{compute_commit_id(body)}.json"
        self.write(path, body)
        return read_commit(path)


@lru_cache(64)  # a commit never changes, and one of 10,000 files takes 50 ms to read
def read_commit(path: Path) -> Commit:
    body = json.loads(path.read_text())
    return Commit(
        **{
            **body,
            "id": path.stem,
            "files": MappingProxyType(
                {name: Entry(**entry) for name, entry in body["files"].items()}
            ),
        }
    )


def compute_commit_id(body: Mapping[str, object]) -> str:
    """Return a commit's id: the SHA-1 of its JSON with sorted keys."""
    return hashlib.sha1(json.dumps(body, sort_keys=True).encode()).hexdigest()


def format_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
