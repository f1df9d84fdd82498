"""Squashed history, large files that are removed or copied, and duplicates of repos."""

from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from hubtweets.hub.storage import integrity
from hubtweets.hub.storage.storage import Storage

Hub = tuple[str, str]
BOT, COPY = "huggingtweets/bot", "huggingtweets/copy"
FILES = {"a.txt": b"a", "w.bin": b"weights", "v.bin": b"other weights"}


@pytest.fixture
def api(hub: Hub) -> HfApi:
    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo(BOT)
    for name, content in FILES.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=BOT)
    return api


def list_titles(api: HfApi, revision: str = "main") -> list[str]:
    return [commit.title for commit in api.list_repo_commits(BOT, revision=revision)]


def read_files(api: HfApi, folder: Path, repo_id: str, revision: str = "main") -> dict[str, bytes]:
    path = Path(api.snapshot_download(repo_id, revision=revision, cache_dir=folder))
    return {file.name: file.read_bytes() for file in path.iterdir() if file.name[0] != "."}


def count_faults(folder: Path) -> int:
    return len(integrity.check_storage(Storage(folder / "hub")).faults)


def test_a_branch_or_a_pull_request_is_squashed(api: HfApi, tmp_path: Path) -> None:
    api.create_tag(BOT, tag="v1")
    before = list_titles(api)
    api.super_squash_history(BOT, commit_message="one")
    assert (list_titles(api), list_titles(api, "v1")) == (["one"], before)
    assert read_files(api, tmp_path / "got", BOT) == FILES
    pull = api.create_pull_request(BOT, title="x")
    api.super_squash_history(BOT, branch=pull.git_reference)
    assert list_titles(api, "refs/pr/1") == [
        "Super-squash branch 'refs/pr/1' using huggingface_hub"
    ]
    with pytest.raises(HfHubHTTPError, match="has no branch v1"):
        api.super_squash_history(BOT, branch="v1")
    assert count_faults(tmp_path) == 0


def test_large_files_leave_the_whole_history(api: HfApi, tmp_path: Path) -> None:
    api.create_tag(BOT, tag="v1")
    api.create_branch(BOT, branch="b")
    api.upload_file(path_or_fileobj=b"third", path_in_repo="x.bin", repo_id=BOT, revision="b")
    api.delete_file("w.bin", BOT)
    api.create_pull_request(BOT, title="x")
    listed = {file.filename: file for file in api.list_lfs_files(BOT)}
    assert {name: (file.size, file.ref) for name, file in listed.items()} == {
        "w.bin": (7, "refs/heads/main"),
        "v.bin": (13, "refs/heads/main"),
        "x.bin": (5, "refs/heads/b"),
    }
    titles, dates = list_titles(api), [one.created_at for one in api.list_repo_commits(BOT)]
    api.permanently_delete_lfs_files(BOT, [listed["w.bin"]])
    assert [file.filename for file in api.list_lfs_files(BOT)] == ["v.bin", "x.bin"]
    kept = {name: content for name, content in FILES.items() if name != "w.bin"}
    for revision, files in {"main": kept, "v1": kept, "b": {**kept, "x.bin": b"third"}}.items():
        assert read_files(api, tmp_path / "got", BOT, revision) == files
    assert list_titles(api) == titles
    assert [one.created_at for one in api.list_repo_commits(BOT)] == dates
    assert api.merge_pull_request(BOT, 1) is None  # whose base has another id now
    with pytest.raises(HfHubHTTPError, match="removes no file that a commit names"):
        api.permanently_delete_lfs_files(BOT, [listed["v.bin"]], rewrite_history=False)
    assert count_faults(tmp_path) == 0


@pytest.mark.parametrize(
    "body", [{}, {"deletions": {}}, {"deletions": {"sha": "x"}}, {"deletions": {"sha": [1]}}]
)
def test_deletions_that_make_no_sense(api: HfApi, body: dict[str, object]) -> None:
    url = f"{api.endpoint}/api/models/{BOT}/lfs-files/batch"
    answer = httpx2.post(url, json=body, headers={"Authorization": f"Bearer {api.token}"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "deletions.sha is a list of the files' sha256"},
    )


def test_a_duplicate_has_the_files_in_one_commit(api: HfApi, tmp_path: Path) -> None:
    assert api.duplicate_repo(BOT, COPY) == f"{api.endpoint}/{COPY}"
    assert read_files(api, tmp_path / "got", COPY) == FILES
    assert [one.title for one in api.list_repo_commits(COPY)] == [f"Duplicate from {BOT}"]
    with pytest.raises(HfHubHTTPError, match="already created"):
        api.duplicate_repo(BOT, COPY)
    assert api.duplicate_repo(BOT, COPY, exist_ok=True) == f"{api.endpoint}/{COPY}"
    api.update_repo_settings(BOT, private=True)
    for private, expected in ((None, True), (False, False)):
        api.duplicate_repo(BOT, f"{COPY}-{expected}", private=private)
        assert api.repo_info(f"{COPY}-{expected}").private is expected


def test_only_files_of_the_repo_are_offered(api: HfApi) -> None:
    api.create_repo(COPY)
    answer = httpx2.post(
        f"{api.endpoint}/api/models/{COPY}/lfs-files/duplicate",
        json={"target": {"type": "model", "name": BOT}, "files": [{"sha256": "a" * 64}]},
        headers={"Authorization": f"Bearer {api.token}"},
    )
    failed = [{"sha256": "a" * 64, "error": "not in this repo"}]
    assert answer.json() == {"success": [], "failed": failed}
