"""The repo folder to the Hub: one commit, then a tag.

In: a finished repo/ folder. Out: Published. The plan is made from hashes: files that the Hub has already are left out, and where nothing is left
nothing is committed. Files on the Hub that no push of this run put there stay. `create_commit` with `parent_commit` is one atomic step: a push
that is refused, or cut anywhere, leaves the repo as it was.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import validate_repo_id
from huggingface_hub.utils.sha import git_hash

from hubtweets.errors import HubtweetsError
from hubtweets.posts import hash_files
from hubtweets.record import Published, Target

VERSION_TAG = re.compile(r"v(\d+)")


@dataclass(frozen=True)
class Hub:
    """A Hub to push to; `endpoint` is the address that goes into cards."""

    api: HfApi
    endpoint: str


@dataclass(frozen=True)
class Wishes:
    """How a push is to be made; None: as is usual."""

    private: bool | None = None
    gated: Literal["auto", "manual"] | None = None
    pr: bool = False
    revision: str | None = None
    tag: str | None = None
    message: str | None = None


def wishes_of(settings: dict[str, Any]) -> Wishes:
    """Take the options of a push out of a command's settings."""
    return Wishes(**{name: settings.pop(name) for name in vars(Wishes())})


@contextmanager
def connect(hub: str | None) -> Iterator[Hub]:
    """Give the Hub at a URL, at HF_ENDPOINT where it is None, or the embedded one, started for the while, where it is "local"."""
    if hub == "local":
        from hubtweets.hub import local

        storage = local.open_storage()
        with local.running(storage) as address:
            yield Hub(HfApi(endpoint=address, token=storage.token), f"http://{local.HOST}:{local.PORT}")
    else:
        api = HfApi(endpoint=hub.rstrip("/") if hub else None)
        yield Hub(api, api.endpoint)


def choose_target(hub: Hub, handle: str, namespace: str | None, private: bool | None = None) -> Target:
    """Return where the bot will stand, under the token's user by default.

    Raises HubtweetsError where the Hub or the token says no, or where `private` is asked of a repo that is public already.
    """
    with speaking_to(hub):
        user = hub.api.whoami()["name"]
        repo_id = f"{namespace or user}/{handle}"
        validate_repo_id(repo_id)
        if private and hub.api.repo_exists(repo_id) and not hub.api.repo_info(repo_id).private:
            raise HubtweetsError(f"{hub.endpoint}/{repo_id} is public already; make it private in its settings, or leave --private out")
    return Target(hub.endpoint, repo_id)


def push(hub: Hub, target: Target, repo: Path, wishes: Wishes, say: Callable[[str], None], last: Published | None = None) -> Published:
    """Push a folder's files and tag the commit with the next version; repeated with the same files, it changes nothing.

    A file that the `last` push put there and that the folder no longer has is deleted.
    """
    api, repo_id = hub.api, target.repo_id
    if last and (last.endpoint, last.repo_id) != (target.endpoint, repo_id):
        last = None  # another repo, whose files were never put here
    with speaking_to(hub):
        try:
            info = api.repo_info(repo_id)
        except RepositoryNotFoundError:
            api.create_repo(repo_id, private=wishes.private)
            info = api.repo_info(repo_id)
        parent = info.sha
        files = sorted(path for path in repo.rglob("*") if path.is_file() and not path.name.startswith("."))
        there = {item.path: item for item in api.list_repo_tree(repo_id, recursive=True, revision=parent) if isinstance(item, RepoFile)}
        names = tuple(path.relative_to(repo).as_posix() for path in files)
        changed = [path for path, name in zip(files, names, strict=True) if not is_same(path, there.get(name))]
        gone = [name for name in (last.files if last else ()) if name in there and name not in names]
        commit = parent
        if changed or gone:
            say(f"push: {len(changed)} of {len(files)} files, {sum(path.stat().st_size for path in changed) / 2**20:.1f} MiB, to {target.url}")
            operations: list[CommitOperationAdd | CommitOperationDelete]
            operations = [CommitOperationAdd(path.relative_to(repo).as_posix(), path) for path in changed]
            operations += [CommitOperationDelete(name) for name in gone]
            message = f"Publish @{repo_id.partition('/')[2]}"
            commit = api.create_commit(repo_id, operations, commit_message=message, parent_commit=parent).oid
        else:
            say(f"push: {target.url} has all {len(files)} files already, nothing to commit")
        tags = {tag.name: tag.target_commit for tag in api.list_repo_refs(repo_id).tags}
        tag = next((name for name, sha in sorted(tags.items()) if sha == commit and VERSION_TAG.fullmatch(name)), None)
        if tag is None:
            tag = f"v{max((int(m[1]) for m in map(VERSION_TAG.fullmatch, tags) if m), default=0) + 1}"
            api.create_tag(repo_id, tag=tag, revision=commit)
    assert commit and parent
    if last and last.commit == commit:
        parent = last.parent  # nothing new: what stood before this commit still did
    return Published(target.endpoint, repo_id, commit, parent, tag, names)


def is_same(path: Path, there: RepoFile | None) -> bool:
    """Tell whether the Hub's file has this content: by SHA-256 for large files, by git's blob id for the others."""
    if there is None or there.size != path.stat().st_size:
        return False
    if there.lfs:
        return there.lfs.sha256 == hash_files([path])
    return there.blob_id == git_hash(path.read_bytes())


@contextmanager
def speaking_to(hub: Hub) -> Iterator[None]:
    """Turn what the client raises into one line that says what to do."""
    endpoint = hub.endpoint
    try:
        yield
    except LocalTokenNotFoundError:
        raise HubtweetsError(f"no token for {endpoint}; type: hf auth login, or set HF_TOKEN; or try --hub local") from None
    except httpx2.InvalidURL as error:
        raise HubtweetsError(f"{endpoint}: no address of a Hub ({error}); type: --hub https://huggingface.co, or --hub local") from None
    except (httpx2.TransportError, ConnectionError) as error:
        raise HubtweetsError(f"{endpoint} does not answer ({error}); type the command again, or try --hub local") from None
    except HfHubHTTPError as error:
        status, reason = error.response.status_code, (error.server_message or str(error).partition("\n")[0]).rstrip(".")
        hint = {
            401: "log in with a token that is valid there: hf auth login",
            403: "take a token with the role write, or another --namespace",
            412: "somebody pushed meanwhile; type the command again",
            507: "free some disk space there and type the command again",
            429: "wait some minutes and type the command again",
        }.get(status, "type the command again")
        raise HubtweetsError(f"{endpoint} refused ({status}: {reason}); {hint}") from None
    except (ValueError, RuntimeError) as error:  # the client's words for a bad name, a bad card and a failed upload
        raise HubtweetsError(f"{endpoint}: {str(error).partition(chr(10))[0]}; type the command again") from None
