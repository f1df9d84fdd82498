"""A commit as the client sends it, and as the Hub has it afterwards.

In: a Plan. Out: the commit's parent. An answer of the Hub is not believed: the branch and the
files of the commit are read again.
"""

from pathlib import Path
from urllib.parse import quote

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_session,
    hf_raise_for_status,
)
from huggingface_hub.utils import build_hf_headers

from hubtweets.publishing.diff import CARD, Plan, RemoteTree
from hubtweets.publishing.retry import UNKNOWN_REQUEST, NotDoneError

ID_CHARS = 40  # of git's commit ids; longer ones are cut by some

Contents = dict[str, Path | bytes]  # by path in the repo


def list_contents(plan: Plan, files: dict[str, Path]) -> Contents:
    """Return what a plan sends: a folder's files, with the merged card in place of the folder's."""
    contents: Contents = {name: files[name] for name in plan.changed}
    if CARD in contents and plan.card:
        contents[CARD] = plan.card.text.encode()
    return contents


def list_operations(
    plan: Plan, contents: Contents
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Return a plan as operations of the client."""
    return [
        *(CommitOperationAdd(name, content) for name, content in contents.items()),
        *(CommitOperationDelete(name) for name in plan.deleted),
    ]


def confirm_commit(
    api: HfApi, repo_id: str, revision: str, made: str, plan: Plan, contents: Contents
) -> str:
    """Return the parent of a commit that a Hub said it made.

    Raises NotDoneError if the branch does not have it, or the commit is not what was sent.
    """
    history = read_history(api, repo_id, revision)
    place = next((n for n, one in enumerate(history) if is_same_commit(one, made)), None)
    if place is None or is_same_commit(made, plan.head):
        head = history[0][:8]
        raise NotDoneError(f"the Hub reported a commit to {revision}, which is still at {head}")
    there = RemoteTree(api, repo_id, made)
    wrong = [name for name, content in contents.items() if not there.has(name, content)]
    if wrong := wrong or [name for name in plan.deleted if name in there.files]:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise NotDoneError(f"the Hub reported a commit, but {wrong[0]}{more} is not as it was sent")
    return history[place + 1] if place + 1 < len(history) else plan.head


def read_history(api: HfApi, repo_id: str, revision: str) -> list[str]:
    """Return the last commits of a branch, newest first; only its head if the Hub lists none."""
    url = f"{api.endpoint}/api/models/{repo_id}/commits/{quote(revision, safe='')}"
    response = get_session().get(url, headers=build_hf_headers(token=api.token))
    if response.status_code not in UNKNOWN_REQUEST:
        hf_raise_for_status(response)
        if commits := response.json():
            return [str(commit["id"]) for commit in commits]
    return [str(api.model_info(repo_id, revision=revision).sha)]


def is_same_commit(one: str, other: str) -> bool:
    return one[:ID_CHARS] == other[:ID_CHARS]
