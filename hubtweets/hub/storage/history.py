"""Rewrites of a repo's history: squashed, without some large files, or begun anew in a copy.

Commits never change, so each is written again under another id, and refs move to the new ones last.
What no ref reaches any more goes with garbage collection.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import Entry
from hubtweets.hub.storage.commits import Commit, compute_commit_id
from hubtweets.hub.storage.pull_requests import list_discussions, write_discussion
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import REFS, Storage


class LargeFile(NamedTuple):
    """A large file in a repo's history: the commit that added it, and a ref that leads there."""

    path: str
    entry: Entry
    added: Commit
    ref: str


def squash_history(storage: Storage, repo: Repo, revision: str, title: str, author: str) -> Commit:
    """Replace the history of a branch or a pull request by one commit with the same files."""
    kind = "pulls" if revision.startswith(REFS["pulls"]) else "branches"
    name = revision.removeprefix(REFS[kind])
    with storage.lock:
        sha = storage.list_refs(storage.reload_repo(repo), kind).get(name)
        if sha is None:
            raise HubError(404, f"{repo.id} has no branch {name}", "RevisionNotFound")
        head = storage.resolve(repo, sha)
        made = storage.write_commit(repo, None, title, "", author, head.files)
        storage.set_ref(repo, kind, name, made.id)
    return made


def duplicate_repo(storage: Storage, repo: Repo, repo_id: str, private: bool, author: str) -> Repo:
    """Create a repo with the files of another in one commit; raise HubError 409 if it exists."""
    with storage.lock:
        head = storage.resolve(storage.reload_repo(repo), "main")
        made = storage.create_repo(repo.kind, repo_id, private, author)
        title = f"Duplicate from {repo.id}"
        commit = storage.write_commit(made, None, title, "", author, head.files)
        storage.set_ref(made, "branches", "main", commit.id)
    return made


def list_large_files(storage: Storage, repo: Repo) -> list[LargeFile]:
    """Return every large file that the branches, tags and pull requests ever held, once each."""
    found: dict[str, LargeFile] = {}
    for kind, name, sha in walk_refs(storage, repo):
        ref, new = REFS[kind] + name, {}
        for commit in storage.walk_history(repo, storage.resolve(repo, sha)):
            for path, entry in commit.files.items():
                if entry.lfs and entry.sha256 not in found:
                    new[entry.sha256] = LargeFile(path, entry, commit, ref)
        found |= new
    return list(found.values())


def walk_refs(storage: Storage, repo: Repo) -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the name and the commit id of each ref, main first."""
    for kind in REFS:
        refs = storage.list_refs(repo, kind)
        for name in sorted(refs, key=lambda name: (name != "main", name)):
            yield kind, name, refs[name]


def remove_large_files(storage: Storage, repo: Repo, hashes: set[str]) -> None:
    """Rewrite every commit of a repo without the large files that have these SHA-256."""
    with storage.lock:
        repo = storage.reload_repo(repo)
        ids: dict[str, str] = {}  # new ids by old ones
        refs = list(walk_refs(storage, repo))
        for _, _, sha in refs:
            history = storage.walk_history(repo, storage.resolve(repo, sha))
            for commit in reversed(list(history)):
                if commit.id not in ids:
                    ids[commit.id] = rewrite_commit(storage, repo, commit, ids, hashes)
        for discussion in list_discussions(storage, repo):
            base, merge = (ids.get(sha or "") for sha in (discussion.base, discussion.merge_commit))
            write_discussion(storage, repo, replace(discussion, base=base, merge_commit=merge))
        for kind, name, sha in refs:
            storage.set_ref(repo, kind, name, ids[sha])


def rewrite_commit(
    storage: Storage, repo: Repo, commit: Commit, ids: dict[str, str], hashes: set[str]
) -> str:
    """Write a commit again on top of its new parent; return its id, which may stay the same."""
    folder = storage.get_folder(repo) / "commits"
    body = json.loads((folder / f"{commit.id}.json").read_text())
    body["parent"] = ids[commit.parent] if commit.parent else None
    for path, entry in commit.files.items():
        if entry.lfs and entry.sha256 in hashes:
            del body["files"][path]
    made = compute_commit_id(body)
    if made != commit.id:
        storage.write(folder / f"{made}.json", body)
    return made
