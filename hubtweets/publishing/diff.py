"""What a push of a folder has to send, by comparing hashes with a commit on the Hub."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, get_session, hf_hub_url
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status
from huggingface_hub.utils.sha import git_hash

from hubtweets.card.merge import Conflict, MergedCard, merge
from hubtweets.files import hash_files
from hubtweets.record.run_record import Published

CARD, RECORD = "README.md", "hubtweets.json"
MAX_CARD = 2**24  # bytes; a larger card or record on the Hub is not read


@dataclass(frozen=True)
class Plan:
    """What a commit on top of `head` takes: files to send and to delete, the card as it is sent, and where that and its owner's edits disagree."""

    head: str
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    card: MergedCard | None

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone)


def make_plan(api: HfApi, repo_id: str, head: str, repo: Path, last: Published | None) -> Plan:
    """Compare a folder with a commit on the Hub."""
    files, there = files_of(repo), files_at(api, repo_id, head)
    card = None
    if CARD in files and CARD in there and not is_same(files[CARD], there[CARD]):
        ours, theirs = (
            files[CARD].read_text(encoding="utf-8"),
            read(api, repo_id, head, there[CARD]),
        )
        card = (
            merge(last_card(api, repo_id, head, there), ours, theirs)
            if theirs is not None
            else MergedCard(ours, (Conflict(CARD, "no text", "one"),))
        )
    changed = [
        name
        for name, path in files.items()
        if not is_same(path if name != CARD or not card else card.text.encode(), there.get(name))
    ]
    gone = [name for name in (last.files if last else ()) if name in there and name not in files]
    return Plan(head, tuple(changed), tuple(gone), card)


def files_of(repo: Path) -> dict[str, Path]:
    """Return a folder's files by the paths that they have in the repo."""
    return {
        path.relative_to(repo).as_posix(): path
        for path in sorted(repo.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def files_at(api: HfApi, repo_id: str, commit: str) -> dict[str, RepoFile]:
    return {
        item.path: item
        for item in api.list_repo_tree(repo_id, recursive=True, revision=commit)
        if isinstance(item, RepoFile)
    }


def last_card(api: HfApi, repo_id: str, commit: str, there: dict[str, RepoFile]) -> str | None:
    """Return the card as it was rendered for a commit, None where its record does not say."""
    text = read(api, repo_id, commit, there[RECORD]) if RECORD in there else None
    try:
        record = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    card = record.get("card") if isinstance(record, dict) else None
    return card if isinstance(card, str) else None


def read(api: HfApi, repo_id: str, commit: str, file: RepoFile, kind: str = "model") -> str | None:
    """Return a file's text, None where it is none, or very long."""
    if file.size > MAX_CARD:
        return None
    url = hf_hub_url(repo_id, file.path, revision=commit, repo_type=kind, endpoint=api.endpoint)
    response = get_session().get(url, headers=build_hf_headers(token=api.token))
    hf_raise_for_status(response)
    try:
        return response.content.decode()
    except UnicodeDecodeError:
        return None


def is_same(content: Path | bytes, there: RepoFile | None) -> bool:
    """Tell whether the Hub's file has this content: by SHA-256 for large files, by git's blob id for the others."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if there is None or there.size != size:
        return False
    if there.lfs:
        return there.lfs.sha256 == (
            hashlib.sha256(content).hexdigest()
            if isinstance(content, bytes)
            else hash_files([content])
        )
    return there.blob_id == git_hash(
        content if isinstance(content, bytes) else content.read_bytes()
    )
