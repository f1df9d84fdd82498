"""The embedded Hub's folder: repos, refs and commits, as plain files.

    blobs/, tmp/                     file contents (blobs.py)
    xorbs/abcd...                    uploads of Xet clients, by Xet hash
    parts/                           received parts of multi-part uploads
    repos/models/ns/name/repo.json   visibility and date
                        /commits/    one JSON file for each commit: its parent, title and entries
                        /refs/       branches/, tags/ and pulls/: one commit id in each file
                        /discussions/  one JSON file for each pull request or discussion
                        /moved       in a renamed repo's old folder: its new name
    secret, instance, token, tokens/ created on the first start
    lock

Contents are written first, then the commit, then the ref, each by an atomic rename: a server that
is killed leaves the last complete commit. Writes are not flushed to disk (no fsync), so a power cut
may lose the newest. Repo paths are keys in JSON, never names in the file system. One lock guards
every change; it is held for milliseconds, after the contents are stored.
"""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import quote, unquote

from filelock import FileLock

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import Blobs
from hubtweets.hub.storage.commits import (
    FULL_SHA,
    SHORT_SHA,
    Commit,
    Files,
    compute_commit_id,
    read_commit,
)
from hubtweets.hub.storage.repo import (
    GITATTRIBUTES,
    KINDS,
    REPO_ID,
    Repo,
    format_now,
    list_spellings,
)
from hubtweets.hub.storage.tokens import create_token, read_role

REFS = {"branches": "refs/heads/", "tags": "refs/tags/", "pulls": "refs/pr/"}
CONFLICT = "The branch was updated since you opened this page. Please refresh and try again."


class Storage:
    """The Hub's folder; several processes may use it at once."""

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
        """The name of this folder for Xet clients; it changes when their uploads are removed."""
        return (self.root / "instance").read_text()[:12]

    def write(self, path: Path, value: object) -> None:
        """Write a text as it is, or any other value as JSON, atomically."""
        with self.blobs.open_temporary() as file:
            file.write((value if isinstance(value, str) else json.dumps(value)).encode())
            self.blobs.keep(file, path)

    # ---- repos ----

    def get_folder(self, repo: Repo) -> Path:
        return self.build_folder(repo.kind, repo.id)

    def build_folder(self, kind: str, repo_id: str) -> Path:
        """Return the folder for a repo; raise HubError 400 if the name is invalid."""
        if kind not in KINDS or not REPO_ID.fullmatch(repo_id):
            raise HubError(400, f"{repo_id!r} can't be the name of a repository")
        return self.root / "repos" / kind / repo_id

    def list_repos(self, kind: str = "models") -> list[Repo]:
        if kind not in KINDS:
            raise HubError(404, f"no repositories are called {kind}")
        paths = sorted((self.root / "repos" / kind).glob("*/*/repo.json"))
        ids = ["/".join(path.parts[-3:-1]) for path in paths]
        return [repo for repo_id in ids if (repo := self.find_repo(kind, repo_id))]

    def find_repo(self, kind: str, repo_id: str) -> Repo | None:
        try:
            settings = (self.build_folder(kind, repo_id) / "repo.json").read_text()
        except (HubError, FileNotFoundError):
            return None
        return Repo(kind, repo_id, **json.loads(settings))

    def find_spelling(self, kind: str, repo_id: str) -> Repo | None:
        """Return the repo with a name, whatever the case of its letters."""
        names = [repo_id, *list_spellings(self.root / "repos", kind, repo_id)]
        return next((repo for name in names if (repo := self.find_repo(kind, name))), None)

    def reload_repo(self, repo: Repo) -> Repo:
        """Return a repo with its current settings; raise HubError 404 if it was removed."""
        found = self.find_repo(repo.kind, repo.id)
        if found is None:
            raise HubError(404, f"{repo.id} was removed", "RepoNotFound")
        return found

    def create_repo(
        self,
        kind: str,
        repo_id: str,
        private: bool,
        author: str,
        files: dict[str, bytes] | None = None,
    ) -> Repo:
        """Create a repo with its first commit.

        Raises HubError 409 if the repo exists, 400 if the name is invalid.
        """
        folder = self.build_folder(kind, repo_id)
        with self.lock:
            if found := self.find_spelling(kind, repo_id):
                raise HubError(409, f"You already created this {kind[:-1]} repo: {found.id}")
            shutil.rmtree(folder, ignore_errors=True)  # left by a server that was killed here
            repo = Repo(kind, repo_id, private, format_now())
            contents = {".gitattributes": GITATTRIBUTES.encode(), **(files or {})}
            entries = {path: self.blobs.add_regular(content) for path, content in contents.items()}
            first = self.write_commit(repo, None, "initial commit", "", author, entries)
            self.set_ref(repo, "branches", "main", first.id)
            self._write_repo(repo)
        return repo

    def _write_repo(self, repo: Repo) -> None:
        settings = {"private": repo.private, "created_at": repo.created_at, "gated": repo.gated}
        self.write(self.get_folder(repo) / "repo.json", settings)

    def change_settings(self, repo: Repo, private: bool | None, gated: str | bool | None) -> Repo:
        """Change who may see a repo; None keeps a setting."""
        with self.lock:
            repo = self.reload_repo(repo)
            if private is not None:
                repo = replace(repo, private=private)
            if gated is not None:
                repo = replace(repo, gated=gated)
            self._write_repo(repo)
        return repo

    def delete_repo(self, repo: Repo) -> None:
        """Remove a repo and its history; its contents stay until garbage collection."""
        with self.lock:
            trash = self.root / "tmp" / secrets.token_hex(8)
            self.get_folder(self.reload_repo(repo)).rename(trash)  # atomic, unlike rmtree
        shutil.rmtree(trash, ignore_errors=True)  # garbage collection may run at the same time

    # ---- refs ----

    def _get_ref_path(self, repo: Repo, kind: str, name: str) -> Path:
        return self.get_folder(repo) / "refs" / kind / quote(name, safe="")

    def list_refs(self, repo: Repo, kind: str) -> dict[str, str]:
        """Return the commit ids of the "branches", "tags" or "pulls" by name."""
        paths = sorted((self.get_folder(repo) / "refs" / kind).glob("*"))
        names = [unquote(path.name) for path in paths]
        return {name: sha for name in names if (sha := self._read_ref(repo, kind, name))}

    def _read_ref(self, repo: Repo, kind: str, name: str) -> str | None:
        try:
            return self._get_ref_path(repo, kind, name).read_text()
        except OSError:  # missing, a name that is too long, or the folder itself
            return None

    def set_ref(self, repo: Repo, kind: str, name: str, sha: str) -> None:
        self.write(self._get_ref_path(repo, kind, name), sha)

    def create_ref(self, repo: Repo, kind: str, name: str, revision: str) -> None:
        """Create a tag or a branch.

        Raises HubError 409 if it exists, 400 if its name could be read as a commit's id.
        """
        with self.lock:
            if self._read_ref(self.reload_repo(repo), kind, name):
                raise HubError(409, f"Reference {REFS[kind]}{name} already exists")
            is_short_id = SHORT_SHA.fullmatch(name) and self._list_ids(repo, name)
            if FULL_SHA.fullmatch(name) or is_short_id:
                raise HubError(
                    400, f"{name!r} is a commit's id or the beginning of one; choose another name"
                )
            self.set_ref(repo, kind, name, self.resolve(repo, revision).id)

    def delete_ref(self, repo: Repo, kind: str, name: str) -> None:
        with self.lock:
            if not self._read_ref(repo, kind, name):
                raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
            self._get_ref_path(repo, kind, name).unlink()

    # ---- commits ----

    def resolve(self, repo: Repo, revision: str) -> Commit:
        """Return the commit of a revision; raise HubError 404 if there is none.

        A revision is a commit's id or its first digits, a branch, a tag or a pull request. Ids come
        first: a pinned commit must stay that one, whatever a branch or tag is called.
        """
        sha = self._find_id(repo, revision) if SHORT_SHA.fullmatch(revision) else None
        if sha is None and not FULL_SHA.fullmatch(revision):
            sha = self._resolve_name(repo, revision)
        if sha is None:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self._read_commit(repo, sha)

    def _resolve_name(self, repo: Repo, revision: str) -> str | None:
        """Return the commit id of a branch, a tag, a full ref name or HEAD, which is main."""
        revision = "main" if revision == "HEAD" else revision
        for kind, start in REFS.items():
            if revision.startswith(start):
                return self._read_ref(repo, kind, revision.removeprefix(start))
        return self._read_ref(repo, "branches", revision) or self._read_ref(repo, "tags", revision)

    def _find_id(self, repo: Repo, prefix: str) -> str | None:
        """Return the only commit id with a prefix, None without one.

        Raises HubError 404 if there are several.
        """
        found = self._list_ids(repo, prefix)
        if len(found) > 1:
            raise HubError(
                404,
                f"{repo.id} has several commits that begin with {prefix}; give more digits",
                "RevisionNotFound",
            )
        return found[0] if found else None

    def _list_ids(self, repo: Repo, prefix: str) -> list[str]:
        return [path.stem for path in (self.get_folder(repo) / "commits").glob(f"{prefix}*.json")]

    def _read_commit(self, repo: Repo, sha: str) -> Commit:
        try:
            return read_commit(self.get_folder(repo) / "commits" / f"{sha}.json")
        except FileNotFoundError:  # the repo was just removed, or the folder is damaged
            raise HubError(
                404, f"{repo.id} has lost {sha}; type: hubtweets hub --check", "RevisionNotFound"
            ) from None

    def walk_history(self, repo: Repo, commit: Commit) -> Iterator[Commit]:
        """Yield a commit and its ancestors, newest first."""
        while True:
            yield commit
            if commit.parent is None:
                return
            commit = self._read_commit(repo, commit.parent)

    def resolve_branch(self, repo: Repo, name: str) -> Commit:
        """Return the head of a branch; raise HubError 404 if there is none of that name."""
        sha = self._read_ref(repo, "branches", name.removeprefix(REFS["branches"]))
        if sha is None:
            raise HubError(404, f"Invalid rev id: {name}", "RevisionNotFound")
        return self._read_commit(repo, sha)

    def create_commit(
        self,
        repo: Repo,
        revision: str,
        change: Callable[[Files], Files],
        title: str,
        message: str,
        author: str,
        parent: str | None = None,
    ) -> Commit:
        """Commit `change` of the current files to a branch or a pull request.

        Raises HubError 412 if the branch is no longer at `parent`.
        """
        kind = "pulls" if revision.startswith(REFS["pulls"]) else "branches"
        name = revision.removeprefix(REFS[kind])
        with self.lock:
            sha = self._read_ref(self.reload_repo(repo), kind, name)
            if sha is None:
                raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
            if parent and self._find_id(repo, parent) != sha:
                raise HubError(412, f"{CONFLICT} It is at {sha}, not at {parent}.")
            head = self.resolve(repo, sha)
            commit = self.write_commit(repo, head.id, title, message, author, change(head.files))
            self.set_ref(repo, kind, name, commit.id)
        return commit

    def write_commit(
        self, repo: Repo, parent: str | None, title: str, message: str, author: str, files: Files
    ) -> Commit:
        """Write a commit; no ref points to it yet."""
        body: dict[str, object] = {
            "parent": parent,
            "title": title,
            "message": message,
            "author": author,
            "date": format_now(),
            "files": {path: asdict(entry) for path, entry in sorted(files.items())},
        }
        path = self.get_folder(repo) / "commits" / f"{compute_commit_id(body)}.json"
        self.write(path, body)
        return read_commit(path)
