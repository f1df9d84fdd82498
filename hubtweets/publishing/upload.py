"""What the client sends to a Hub without Xet, or with commit ids of another length than git's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from huggingface_hub import constants
from huggingface_hub.hf_api import CommitInfo
from huggingface_hub.utils._runtime import is_xet_available

from hubtweets.publishing.connection import Hub, ask, is_unknown_request
from hubtweets.publishing.retry import UNKNOWN_REQUEST, read_xet_status


def is_xet_missing(hub: Hub, repo_id: str) -> bool:
    """Return whether the client would use Xet and the Hub knows no such request."""
    if not is_xet_available():
        return False
    error = ask(hub, f"models/{repo_id}/xet-write-token/main")
    return error is not None and is_unknown_request(error)


def send_commit(send: Callable[[], CommitInfo], log: Callable[[str], None]) -> CommitInfo:
    """Return the commit that `send` makes, which sends files by LFS if the Hub has no Xet."""
    try:
        return send()
    except ConnectionError as error:
        if "/xet-write-token/" not in str(error) or read_xet_status(error) not in UNKNOWN_REQUEST:
            raise
    log("the Hub has no Xet, so large files are sent by LFS")
    with disable_xet():
        return send()


@contextmanager
def disable_xet() -> Iterator[None]:
    """Let the client send files by LFS while the block runs, as HF_HUB_DISABLE_XET does."""
    before, constants.HF_HUB_DISABLE_XET = constants.HF_HUB_DISABLE_XET, True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before


def fit_parent(commit: str) -> str | None:
    """Return the id of a parent as the client takes it, None if it refuses ids like this one."""
    return commit if constants.REGEX_COMMIT_OID.fullmatch(commit) else None
