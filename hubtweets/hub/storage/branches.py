"""Branches: created from a revision, empty, or moved to another commit."""

from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage


def create_branch(
    storage: Storage,
    repo: Repo,
    name: str,
    author: str,
    start: str | None = None,
    empty: bool = False,
    overwrite: bool = False,
) -> None:
    """Create a branch at `start`, by default at main, or `empty`: with one commit of no files.

    With `overwrite`, an existing branch is moved there; without a `start` it stays as it is.
    Raises HubError 409 if the branch exists otherwise.
    """
    with storage.lock:
        exists = name in storage.list_refs(repo, "branches")
        if exists and overwrite and not (start or empty):
            return
        if empty and (overwrite or not exists):
            start = storage.write_commit(repo, None, "initial commit", "", author, {}).id
        if exists and overwrite:
            storage.set_ref(repo, "branches", name, storage.resolve(repo, start or "main").id)
        else:
            storage.create_ref(repo, "branches", name, start or "main")
