"""Every claim of a published bot, checked against the files that are there.

In: a repo's id on a Hub. Out: Claims, one after the other. Whatever is downloaded is untrusted: it
lands in a temporary folder, under names that can't lead out of it, and none of its code is run.
What can't be checked here is said to be unchecked, with the reason; docs/verify.md says of each
claim what proves it.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars

from hubtweets.errors import HubtweetsError
from hubtweets.files import format_size
from hubtweets.progress import activity, logger
from hubtweets.publishing.connection import Hub, hub_errors, resolve_repo_id
from hubtweets.publishing.diff import HUB_FILES, is_same
from hubtweets.record import serialization
from hubtweets.record.run_record import Target
from hubtweets.verification import (
    dangerous_file_checks,
    file_checks,
    limits,
    picture_checks,
    readme_checks,
    record_checks,
    sample_checks,
    statements,
)
from hubtweets.verification.base_checks import check_base
from hubtweets.verification.claims import Bot, Check, Claim, Verdict
from hubtweets.verification.score_checks import check_scores, check_settings

__all__ = ["Claim", "exit_code", "verify"]

RECORD = "hubtweets.json"
MAX_FILES = 1000
# Of a file by its suffix; a tokenizer takes tens of MiB.
MAX_BYTES = {".md": 2**20, ".json": 256 * 2**20, ".png": 16 * 2**20}
NO_RECORD = "there is no record to check it against"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
FALSE, UNCHECKED = 1, 3  # exit codes; 2 is click's, for a wrong command


def verify(hub: Hub, repo_id: str, revision: str, runs: Path, deep: bool) -> Iterator[Claim]:
    """Download a bot at a revision and check each claim.

    A name without a namespace is the repo of the run of that name, or of the token's user. With
    `deep`, the held-out posts of its run folder are scored again. Raises HubtweetsError if there is
    no such repo, or it can't be downloaded.
    """
    name, repo_id = repo_id, resolve_repo_id(hub, repo_id, runs)
    if name != repo_id:
        logger.info(f"{name} stands for {hub.endpoint}/{repo_id}")
    commit, committed, files = list_repo(hub, repo_id, revision)
    sizes = [file.size for path, file in files.items() if path not in HUB_FILES]
    counts = f"{len(sizes)} files, {format_size(sum(sizes))}"
    yield Claim("revision", "repo", True, f"{revision} has {counts}, at commit {commit}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with activity(f"downloading {counts}"):
            download(hub, repo_id, commit, files, folder)
        if other := next(
            (path for path, file in files.items() if not is_same(folder / path, file)), None
        ):
            yield Claim(
                "files", "repo", False, f"what was downloaded as {other} is not what the Hub lists"
            )
            return
        place = Target(hub.endpoint, repo_id)
        yield from verify_folder(folder, place, runs, committed, [*CHECKS, *(DEEP if deep else [])])


def verify_folder(
    folder: Path, place: Target, runs: Path, committed: str | None, checks: Sequence[Check]
) -> Iterator[Claim]:
    """Check each claim of a bot whose files lie in a folder, and on the Hub at a place.

    `committed` is the moment of their commit (ISO 8601, UTC), if it is known.
    """
    if excess := limits.find_excess(folder):
        yield Claim("files", "repo", False, f"{excess}, more than any bot has")
        return
    yield Claim("code", "repo", *guard(lambda: dangerous_file_checks.check_code(folder)))
    yield Claim("weights", "repo", *guard(lambda: dangerous_file_checks.check_weights(folder)))
    record_claim, bot = read(folder, place, runs)
    yield record_claim
    if bot is None:
        yield from (Claim(check.claim, check.proof, None, NO_RECORD) for check in checks)
        return
    bot = replace(bot, committed=committed)
    for check in checks:
        yield Claim(check.claim, check.proof, *judge(check, bot))
    yield Claim(
        "statements",
        "publisher",
        *guard(lambda: (None, statements.describe_statements(bot.record))),
    )


def exit_code(claims: list[Claim]) -> int:
    """Return the exit code of the command.

    It is FALSE if anything is false, 0 if all that the repo alone can prove holds, else UNCHECKED.
    """
    if any(claim.holds is False for claim in claims):
        return FALSE
    return (
        UNCHECKED if any(claim.holds is None and claim.proof == "repo" for claim in claims) else 0
    )


def list_repo(hub: Hub, repo_id: str, revision: str) -> tuple[str, str | None, dict[str, RepoFile]]:
    """Return the commit of a revision, its moment (ISO 8601, UTC) and its files.

    Raises HubtweetsError for what is not there, and for files that are not fit to be downloaded.
    """
    url = f"{hub.endpoint}/{repo_id}"
    with hub_errors(hub):
        try:
            info = hub.api.repo_info(repo_id, revision=revision)
        except RevisionNotFoundError:
            raise HubtweetsError(
                f"{url} has no revision {revision}; "
                f"see what it has: {hub.type_hf(f'repos tag list {repo_id}')}"
            ) from None
        except RepositoryNotFoundError:
            raise HubtweetsError(
                f"{url}: not found, or not visible to this token; {hub.advise_missing(repo_id)}"
            ) from None
        items = hub.api.list_repo_tree(repo_id, recursive=True, revision=str(info.sha))
        files = {item.path: item for item in items if isinstance(item, RepoFile)}
    if len(files) > MAX_FILES:
        raise HubtweetsError(f"{url} has {len(files):,} files, more than any bot has; don't use it")
    for path, file in files.items():
        if not serialization.is_repo_path(path) or path.startswith(".cache/"):
            raise HubtweetsError(
                f"{url} names a file {path[:100]!r}, which leads out of the repo; don't use it"
            )
        if file.size > MAX_BYTES.get(Path(path).suffix, file.size):
            raise HubtweetsError(
                f"{url}: {path} has {file.size:,} bytes, more than any that hubtweets writes; "
                "don't use it"
            )
    moment = getattr(info, "last_modified", None)
    return str(info.sha), moment.astimezone(UTC).isoformat() if moment else None, files


def download(hub: Hub, repo_id: str, commit: str, files: dict[str, RepoFile], folder: Path) -> None:
    """Put the files of a commit into a folder.

    Raises HubtweetsError if they can't be had or don't fit.
    """
    size = sum(file.size for file in files.values())
    # A file is whole twice while it is moved to its place.
    if (free := shutil.disk_usage(folder).free) < 2 * size:
        raise HubtweetsError(
            f"{folder.parent}: {free >> 20:,} MiB are free, {size * 2 >> 20:,} MiB are needed; "
            "free some, or set TMPDIR"
        )
    with hub_errors(hub), disable_progress_bars():
        for path in files:
            hub.api.hf_hub_download(repo_id, path, revision=commit, local_dir=folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's notes


def read(folder: Path, place: Target, runs: Path) -> tuple[Claim, Bot | None]:
    """Read the record of a downloaded bot, and say whether it is one."""
    if not (folder / RECORD).exists():
        return Claim(
            "record", "repo", None, f"there is no {RECORD}, so this is no bot of hubtweets"
        ), None
    try:
        record, card = serialization.read_public_record(
            (folder / RECORD).read_text(encoding="utf-8", errors="replace"), RECORD
        )
    except serialization.OtherVersionError as error:
        return Claim("record", "repo", None, str(error)), None
    except HubtweetsError as error:
        return Claim("record", "repo", False, str(error)), None
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.exists() else ""
    bot = Bot(folder, record, card, text, runs / place.repo_id.rpartition("/")[2])
    target = record.target
    if (
        target is None
        or target.repo_id != place.repo_id
        or not is_same_hub(target.endpoint, place.endpoint)
    ):
        return Claim(
            "record",
            "repo",
            None,
            f"{RECORD} is of {target.url if target else 'nothing'}, "
            "so this is a copy, or was renamed",
        ), bot
    return Claim(
        "record",
        "repo",
        True,
        f"{RECORD} is a whole record of hubtweets {record.hubtweets_version}",
    ), bot


def is_same_hub(endpoint: str, other: str) -> bool:
    """Tell whether two addresses are those of one Hub.

    An embedded one has another port each time.
    """
    one, two = urlsplit(endpoint), urlsplit(other)
    return (one.scheme, one.netloc) == (two.scheme, two.netloc) or {
        one.hostname,
        two.hostname,
    } <= LOOPBACK


def judge(check: Check, bot: Bot) -> Verdict:
    with activity(f"checking the {check.claim}"):
        return guard(lambda: check.judge(bot))


def guard(check: Callable[[], Verdict]) -> Verdict:
    """Judge by a check; a record or a file that makes it fail is not what hubtweets publishes."""
    try:
        return check()
    except OSError as error:
        return None, f"{error.strerror or error}"
    except Exception as error:  # whatever a foreign file can lead to
        return (
            False,
            f"it can't be read as what hubtweets writes: {str(error) or type(error).__name__}",
        )


def with_torch(name: str) -> Callable[[Bot], Verdict]:
    """Return a check that needs torch, which is loaded when it comes to it."""

    def check(bot: Bot) -> Verdict:
        from hubtweets.verification import model_checks

        verdict: Verdict = getattr(model_checks, name)(bot)
        return verdict

    return check


CHECKS = [
    Check("files", "repo", file_checks.check_files),
    Check("consistency", "repo", record_checks.check_consistency),
    Check("card", "repo", readme_checks.check_card),
    Check("widget", "repo", readme_checks.check_widget),
    Check("scores", "repo", check_scores),
    Check("base", "repo", check_base),
    Check("settings", "repo", check_settings),
    Check("thumbnail", "repo", picture_checks.check_thumbnail),
    Check("figures", "repo", picture_checks.check_figures),
    Check("samples", "repo", sample_checks.check_samples),
    Check("audit", "dataset", sample_checks.check_audit),
    Check("writer", "repo", with_torch("check_writer")),
    Check("snippets", "repo", with_torch("check_snippets")),
]
DEEP = [
    Check("dataset", "dataset", with_torch("check_dataset")),
    Check("evaluation", "dataset", with_torch("check_evaluation")),
]
