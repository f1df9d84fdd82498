"""Renames of repos: the old name leads to the new one, until another repo takes it."""

import shutil

from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.repo import Repo, list_spellings
from hubtweets.hub.storage.storage import Storage


def move_repo(storage: Storage, repo: Repo, repo_id: str) -> None:
    """Rename a repo and redirect its old name; raise HubError 409 if the new name is taken."""
    target = storage.build_folder(repo.kind, repo_id)
    with storage.lock:
        found = storage.find_spelling(repo.kind, repo_id)
        if found and not found.id == repo.id != repo_id:  # only the case may change
            message = f"A {repo.kind[:-1]} repository called {repo_id} already exists"
            raise HubError(409, message)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        storage.get_folder(storage.reload_repo(repo)).rename(target)
        storage.write(storage.get_folder(repo) / "moved", repo_id)


def find_moved(storage: Storage, kind: str, repo_id: str) -> Repo | None:
    """Return the repo that had this name before, None if there is none."""
    for spelling in list_spellings(storage.root / "repos", kind, repo_id):
        name = read_new_name(storage, kind, spelling)
        while name:
            if repo := storage.find_repo(kind, name):
                return repo
            name = read_new_name(storage, kind, name)
    return None


def read_new_name(storage: Storage, kind: str, repo_id: str) -> str | None:
    """Return the name that a repo was given, None if it was not renamed."""
    try:
        return (storage.build_folder(kind, repo_id) / "moved").read_text()
    except (HubError, OSError):
        return None
