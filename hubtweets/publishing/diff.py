"""What a push of a folder has to send, found by comparing hashes with a commit on the Hub."""

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
HUB_FILES = (".gitattributes",)  # which the Hub adds
MAX_TEXT_BYTES = 2**24  # a larger card or record on the Hub is not read

RemoteFiles = dict[str, RepoFile]  # by path


@dataclass(frozen=True)
class Plan:
    """The files that a commit on top of `head` changes and deletes; false if there are none.

    `card` is the README.md that is sent, merged with its owner's edits, if both changed it.
    """

    head: str
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    card: MergedCard | None

    def __bool__(self) -> bool:
        return bool(self.changed or self.deleted)


@dataclass
class RemoteTree:
    """The files of a commit on the Hub; what a plan needs of their contents is read once."""

    api: HfApi
    repo_id: str
    commit: str

    def __post_init__(self) -> None:
        self.files = list_remote_files(self.api, self.repo_id, self.commit)
        self.contents: dict[str, bytes] = {}

    def has(self, name: str, content: Path | bytes) -> bool:
        """Return whether a file has this content.

        Not every Hub's blob ids are git's, so a file of the same size and another id is read.
        """
        there = self.files.get(name)
        if there is None or there.lfs or is_same(content, there):
            return is_same(content, there)
        data = content if isinstance(content, bytes) else content.read_bytes()
        return there.size == len(data) and self.read(name) == data

    def read(self, name: str) -> bytes:
        if name not in self.contents:
            file = self.files[name]
            self.contents[name] = download(self.api, self.repo_id, self.commit, file)
        return self.contents[name]

    def read_text(self, name: str) -> str | None:
        """Return the text of a file, None if it is missing, not UTF-8 or too large."""
        if name not in self.files or self.files[name].size > MAX_TEXT_BYTES:
            return None
        return decode(self.read(name))


def make_plan(api: HfApi, repo_id: str, head: str, repo: Path, last: Published | None) -> Plan:
    """Compare a folder with a commit on the Hub."""
    files, there = list_local_files(repo), RemoteTree(api, repo_id, head)
    card = None
    if CARD in files and CARD in there.files and not is_same(files[CARD], there.files[CARD]):
        card = merge_card(there, files[CARD].read_text(encoding="utf-8"))
    changed = []
    for name, path in files.items():
        content = card.text.encode() if card and name == CARD else path
        if not there.has(name, content):
            changed.append(name)
    earlier = last.files if last else ()
    deleted = [name for name in earlier if name in there.files and name not in files]
    return Plan(head, tuple(changed), tuple(deleted), card)


def merge_card(there: RemoteTree, ours: str) -> MergedCard:
    """Merge a rendered card with the one on the Hub."""
    theirs = there.read_text(CARD)
    if theirs is None:
        return MergedCard(ours, (Conflict(CARD, "no text", "one"),))
    return merge(read_rendered_card(there), ours, theirs)


def list_local_files(folder: Path) -> dict[str, Path]:
    """Return a folder's files by their paths in the repo, without hidden ones."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            files[path.relative_to(folder).as_posix()] = path
    return files


def list_remote_files(api: HfApi, repo_id: str, commit: str) -> RemoteFiles:
    """Return the files of a commit on the Hub by their paths."""
    items = api.list_repo_tree(repo_id, recursive=True, revision=commit)
    return {item.path: item for item in items if isinstance(item, RepoFile)}


def read_rendered_card(there: RemoteTree) -> str | None:
    """Return the card as it was rendered for a commit, None if its record has none."""
    try:
        record = json.loads(there.read_text(RECORD) or "")
    except (ValueError, RecursionError):
        return None
    card = record.get("card") if isinstance(record, dict) else None
    return card if isinstance(card, str) else None


def read_text(
    api: HfApi, repo_id: str, commit: str, file: RepoFile, kind: str = "model"
) -> str | None:
    """Return the text of a file on the Hub, None if it is not UTF-8 or too large."""
    if file.size > MAX_TEXT_BYTES:
        return None
    return decode(download(api, repo_id, commit, file, kind))


def download(api: HfApi, repo_id: str, commit: str, file: RepoFile, kind: str = "model") -> bytes:
    """Return the content of a file on the Hub."""
    url = hf_hub_url(repo_id, file.path, revision=commit, repo_type=kind, endpoint=api.endpoint)
    response = get_session().get(url, headers=build_hf_headers(token=api.token))
    hf_raise_for_status(response)
    return response.content


def decode(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def is_same(content: Path | bytes, there: RepoFile | None) -> bool:
    """Return whether the Hub's file has this content.

    Compared are the sizes, then the SHA-256 of an LFS file, or git's blob id of any other file.
    """
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if there is None or there.size != size:
        return False
    if there.lfs and isinstance(content, Path):
        return there.lfs.sha256 == hash_files([content])
    data = content if isinstance(content, bytes) else content.read_bytes()
    if there.lfs:
        return there.lfs.sha256 == hashlib.sha256(data).hexdigest()
    return there.blob_id == git_hash(data)
