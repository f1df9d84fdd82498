"""Every claim of a published bot, checked against the files that are there.

In: a repo's id on a Hub. Out: Claims, one after the other. Whatever is downloaded is anybody's: it lands in a temporary folder, under names that
can't lead out of it, and none of its code is run. What can't be checked here is said to be unchecked, with the reason.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars

from hubtweets import record_json
from hubtweets.errors import HubtweetsError
from hubtweets.plan import is_same
from hubtweets.publisher import Hub, speaking_to
from hubtweets.verification import evidence, texts
from hubtweets.verification.claims import Bot, Claim, Verdict

__all__ = ["Claim", "verify"]

RECORD = "hubtweets.json"
MOST_FILES = 1000
LARGEST = {".md": 2**20, ".json": 256 * 2**20, ".png": 16 * 2**20}  # bytes of a file by its suffix; a tokenizer takes tens of MiB


def verify(hub: Hub, repo_id: str, revision: str, runs: Path, deep: bool) -> Iterator[Claim]:
    """Download a bot at a revision and check each claim; with `deep` score the held-out posts of its run folder again.

    Raises HubtweetsError where there is no such bot, or it can't be downloaded.
    """
    commit, files = listing(hub, repo_id, revision)
    yield Claim("revision", True, f"{revision} is commit {commit}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        download(hub, repo_id, commit, files, folder)
        claims = CLAIMS | (DEEP if deep else {})
        if other := next((path for path, file in files.items() if not is_same(folder / path, file)), None):
            yield Claim("files", False, f"what was downloaded as {other} is not what the Hub lists")
            return
        record_claim, bot = read(folder, repo_id, runs)
        yield Claim("files", *guarded(evidence.check_files, bot)) if bot else Claim("files", None, f"{len(files)} as the Hub lists them; {UNREAD}")
        yield record_claim
        for claim, check in claims.items():
            yield Claim(claim, *guarded(check, bot)) if bot else Claim(claim, None, UNREAD)


UNREAD = "there is no record to check it against"


def listing(hub: Hub, repo_id: str, revision: str) -> tuple[str, dict[str, RepoFile]]:
    """Return the commit of a revision and its files; raise HubtweetsError for what is no bot, or has files that are not fit to be downloaded."""
    url = f"{hub.endpoint}/{repo_id}"
    with speaking_to(hub):
        try:
            commit = str(hub.api.repo_info(repo_id, revision=revision).sha)
        except RevisionNotFoundError:
            raise HubtweetsError(f"{url} has no revision {revision}; see what it has: hf repos tag list {repo_id}") from None
        except RepositoryNotFoundError:
            raise HubtweetsError(f"{url} is not there, or not for this token to see; log in: hf auth login") from None
        items = hub.api.list_repo_tree(repo_id, recursive=True, revision=commit)
        files = {item.path: item for item in items if isinstance(item, RepoFile)}
    if RECORD not in files:
        raise HubtweetsError(f"{url}: no bot of hubtweets (it has no {RECORD}); give the id of one that was published with it")
    if len(files) > MOST_FILES:
        raise HubtweetsError(f"{url} has {len(files):,} files, which no bot has; don't use it")
    for path, file in files.items():
        if not record_json.is_inside(path) or path.startswith(".cache/"):
            raise HubtweetsError(f"{url} names a file {path[:100]!r}, which leads out of the repo; don't use it")
        if file.size > LARGEST.get(Path(path).suffix, file.size):
            raise HubtweetsError(f"{url}: {path} has {file.size:,} bytes, more than any that hubtweets writes; don't use it")
    return commit, files


def download(hub: Hub, repo_id: str, commit: str, files: dict[str, RepoFile], folder: Path) -> None:
    """Put the files of a commit into a folder; raise HubtweetsError where they can't be had or have no room."""
    size = sum(file.size for file in files.values())
    if (free := shutil.disk_usage(folder).free) < 2 * size:  # a file is whole twice while it is moved to its place
        raise HubtweetsError(f"{folder.parent}: {free >> 20:,} MiB are free, {size * 2 >> 20:,} MiB are needed; free some, or set TMPDIR")
    if not sys.stderr.isatty():
        disable_progress_bars()
    with speaking_to(hub):
        for path in files:
            hub.api.hf_hub_download(repo_id, path, revision=commit, local_dir=folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's notes


def read(folder: Path, repo_id: str, runs: Path) -> tuple[Claim, Bot | None]:
    """Read the record of a downloaded bot, and say whether it is one."""
    try:
        record, card = record_json.read_public((folder / RECORD).read_text(encoding="utf-8", errors="replace"), RECORD)
    except record_json.OtherVersionError as error:
        return Claim("record", None, str(error)), None
    except HubtweetsError as error:
        return Claim("record", False, str(error)), None
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.exists() else ""
    bot = Bot(folder, record, card, text, runs / repo_id.rpartition("/")[2])
    made_for = record.target.repo_id if record.target else "nothing"
    if made_for != repo_id:
        return Claim("record", None, f"{RECORD} is of {made_for}: a copy, or renamed"), bot
    return Claim("record", True, f"{RECORD} is a whole record of hubtweets {record.hubtweets_version}"), bot


def guarded(check: Callable[[Bot], Verdict], bot: Bot) -> Verdict:
    """Judge by a check; a record or a file that makes it stumble is not what hubtweets publishes."""
    try:
        return check(bot)
    except OSError as error:
        return None, f"{error.strerror or error}"
    except Exception as error:  # whatever a foreign file can lead to
        return False, f"it can't be made sense of: {str(error) or type(error).__name__}"


def trial(name: str) -> Callable[[Bot], Verdict]:
    """Return a check that needs torch, which is loaded when it comes to it."""

    def check(bot: Bot) -> Verdict:
        from hubtweets.verification import trials

        verdict: Verdict = getattr(trials, name)(bot)
        return verdict

    return check


CLAIMS: dict[str, Callable[[Bot], Verdict]] = {
    "card": texts.check_card,
    "table": texts.check_table,
    "scores": evidence.check_scores,
    "weights": evidence.check_weights,
    "thumbnail": evidence.check_thumbnail,
    "figures": evidence.check_figures,
    "samples": evidence.check_samples,
    "audit": evidence.check_audit,
    "writer": trial("check_writer"),
    "widget": texts.check_widget,
    "snippets": trial("check_snippets"),
}
DEEP = {"dataset": trial("check_dataset"), "evaluation": trial("check_evaluation")}
