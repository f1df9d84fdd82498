"""How the embedded Hub reads the names of repos, refs and files, and words its refusals."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hubtweets.hub.storage.ref_names import is_ref_name
from hubtweets.hub.storage.storage import Storage

Hub = tuple[str, str]
BOT = "huggingtweets/Bot"


@pytest.fixture
def api(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    found = HfApi(endpoint=hub[0], token=hub[1])
    found.create_repo(BOT)
    return found


def add(path: str) -> CommitOperationAdd:
    return CommitOperationAdd(path, b"x")


# ---- repos ----

BARE = [
    ("GET", "/api/models/gpt2"),
    ("GET", "/api/models/gpt2/revision/main"),
    ("GET", "/api/models/gpt2/tree/main/folder"),
    ("GET", "/api/datasets/squad/tree/main"),
    ("GET", "/api/datasets/squad/commits/main"),
    ("POST", "/api/models/gpt2/preupload/main"),
    ("POST", "/api/models/gpt2/paths-info/main"),
    ("HEAD", "/gpt2/resolve/main/config.json"),
    ("GET", "/gpt2/resolve/main/a/b"),
    ("HEAD", "/datasets/squad/resolve/main/README.md"),
    ("GET", "/api/models/huggingtweets/hidden/nothing"),
    ("GET", "/api/models/huggingtweets/nope/nothing"),
]


@pytest.mark.parametrize("token", ["", "write"])
def test_a_name_without_a_namespace_is_no_repo(api: HfApi, hub: Hub, token: str) -> None:
    api.create_repo("huggingtweets/hidden", private=True)
    headers = {"Authorization": f"Bearer {hub[1]}"} if token else {}
    answers = [httpx2.request(method, hub[0] + path, headers=headers) for method, path in BARE]
    found = {
        path: one.headers.get("X-Error-Code") for one, (_, path) in zip(answers, BARE, strict=True)
    }
    hidden = "/api/models/huggingtweets/hidden/nothing"  # exists for a user, without such a route
    expected: dict[str, str | None] = {path: "RepoNotFound" for _, path in BARE}
    assert found == expected | ({hidden: None} if token else {})
    assert {one.status_code for one in answers} <= {404, 401}


def test_clients_take_a_bare_name(api: HfApi) -> None:
    assert not api.repo_exists("gpt2") and not api.file_exists("gpt2", "config.json")
    assert api.create_repo("new").repo_id == "huggingtweets/new"
    assert api.create_repo("new", exist_ok=True).repo_id == "huggingtweets/new"


def test_the_case_of_a_name_does_not_matter(api: HfApi, hub: Hub) -> None:
    other = "HuggingTweets/bot"
    assert api.model_info(other).id == BOT
    api.create_commit(other, [add("a.txt")], commit_message="add")
    assert httpx2.get(f"{hub[0]}/{other}/resolve/main/a.txt").text == "x"
    assert api.create_repo(other, exist_ok=True).repo_id == BOT
    with pytest.raises(HfHubHTTPError, match=f"You already created this model repo: {BOT}"):
        api.create_repo(other)
    api.create_repo("huggingtweets/second")
    with pytest.raises(HfHubHTTPError, match=r"A model repository called \S+/SECOND already exi"):
        api.move_repo(BOT, "huggingtweets/SECOND")
    with pytest.raises(HfHubHTTPError, match="already exists"):
        api.move_repo(BOT, BOT)
    api.move_repo(BOT, "huggingtweets/BOT")  # nothing but the case
    assert [api.model_info(name).id for name in (BOT, other)] == ["huggingtweets/BOT"] * 2
    api.move_repo(BOT, "huggingtweets/renamed")
    assert api.model_info("HUGGINGTWEETS/bot").id == "huggingtweets/renamed"
    api.delete_repo("huggingtweets/Renamed")
    for name in (BOT, "huggingtweets/renamed", "huggingtweets/bot"):
        assert not api.repo_exists(name)
    assert api.create_repo(other).repo_id == other


def test_names_that_lead_to_one_another_end(tmp_path: Path) -> None:
    from hubtweets.hub.storage.moves import find_moved, move_repo

    storage, names = Storage(tmp_path), ("a/x", "a/y", "A/X", "A/Y")
    repo = storage.create_repo("models", names[0], False, "x")
    for name in names[1:]:
        move_repo(storage, repo, name)
        repo = storage.reload_repo(find_moved(storage, "models", repo.id) or repo)
    assert [getattr(find_moved(storage, "models", n), "id", None) for n in names[:3]] == ["A/Y"] * 3
    storage.delete_repo(repo)
    assert [find_moved(storage, "models", name) for name in (*names, "a\0/b", "../..")] == [
        None
    ] * 6
    assert storage.find_spelling("\0", "a/x") is None


# ---- refs ----

GOOD = "main a/b v1.0 feature/x a.b.c a@ a- head ü {a} a/@ x.locker a/HEAD 1 a+b #1"
BAD = (
    "a..b .a a/.b a.lock a.lock/b a/b.lock a~ a^ a:b a? a* a[ a\\b a. a/ /a a//b @ a@{b @{ -a HEAD"
)
REF_NAMES = {
    True: [*GOOD.split()],
    False: [
        *BAD.split(),
        *(
            "a/..",
            "..",
            "refs/pr/1",
            "refs/x",
            "refs/heads/",
            "",
            " ",
            "a b",
            "a\x7f",
            "a\tb",
            "a\n",
        ),
        *("\0", "\ud800", "ü" * 43, "a" * 256),
    ],
}


def test_names_of_refs_are_those_of_git() -> None:
    assert {
        good: [name for name in names if is_ref_name(name) is good]
        for good, names in REF_NAMES.items()
    } == REF_NAMES


@pytest.mark.parametrize("name", ["a..b", "x y", "refs/pr/1", "v1.lock"])
def test_other_names_of_refs_are_refused(api: HfApi, name: str) -> None:
    with pytest.raises(HfHubHTTPError, match=re.escape(f"Invalid reference for a tag: {name}")):
        api.create_tag(BOT, tag=name)
    with pytest.raises(HfHubHTTPError, match=re.escape(f"Invalid reference for a branch: {name}")):
        api.create_branch(BOT, branch=name)
    assert [ref.name for ref in api.list_repo_refs(BOT).branches] == ["main"]


def test_a_pull_request_is_made_against_a_branch(api: HfApi, hub: Hub) -> None:
    first = api.model_info(BOT).sha or ""
    api.create_tag(BOT, tag="v1")
    api.create_branch(BOT, branch="other")
    for revision in (first, first[:8], "v1", "nope"):
        with pytest.raises(RevisionNotFoundError, match=f"Invalid rev id: {revision}"):
            open_pull_request(api, "a", revision)
    assert list(api.get_repo_discussions(BOT)) == []
    for revision in ("other", "refs/heads/other", "main"):
        open_pull_request(api, revision[-5:], revision)
    targets = [getattr(api.get_discussion_details(BOT, n), "target_branch", "") for n in (1, 2, 3)]
    assert targets == ["refs/heads/other", "refs/heads/other", "refs/heads/main"]
    api.merge_pull_request(BOT, 1)
    assert api.list_repo_files(BOT, revision="other") == [".gitattributes", "other"]
    assert api.list_repo_files(BOT) == [".gitattributes"]
    api.delete_branch(BOT, branch="other")
    with pytest.raises(HfHubHTTPError, match="Invalid rev id: other"):
        api.merge_pull_request(BOT, 2)
    api.get_discussion_details(BOT, 2)
    assert httpx2.get(f"{hub[0]}/{BOT}/discussions/2").status_code == 200


def open_pull_request(api: HfApi, path: str, revision: str) -> None:
    api.create_commit(BOT, [add(path)], commit_message="x", revision=revision, create_pr=True)


# ---- files ----


@pytest.mark.parametrize(
    ("path", "is_folder", "left"),
    [
        ("folder", False, ["folder.txt", "other/a"]),
        ("folder", True, ["folder.txt", "other/a"]),
        ("other/a", False, ["folder.txt", "folder/a", "folder/deep/b"]),
        ("other/a", True, None),  # a file is no folder
        ("fold", False, None),
    ],
)
def test_a_deleted_file_may_be_a_folder(
    api: HfApi, path: str, is_folder: bool, left: list[str] | None
) -> None:
    files = ["folder.txt", "folder/a", "folder/deep/b", "other/a"]
    api.create_commit(BOT, [add(name) for name in files], commit_message="all")
    operations = [CommitOperationDelete(path, is_folder=is_folder)]
    if left is None:
        with pytest.raises(HfHubHTTPError, match="A file with this name doesn't exist"):
            api.create_commit(BOT, operations, commit_message="less")
    else:
        api.create_commit(BOT, operations, commit_message="less")
    assert api.list_repo_files(BOT) == [".gitattributes", *(files if left is None else left)]


# ---- answers ----

UPDATED = "The branch was updated since you opened this page. Please refresh and try again."
WORDS: list[tuple[Callable[[HfApi], Any], int, str]] = [  # which clients match, as the Hub has them
    (lambda api: api.create_repo(BOT), 409, f"You already created this model repo: {BOT}"),
    (lambda api: api.create_tag(BOT, tag="v1"), 409, "Reference refs/tags/v1 already exists"),
    (lambda api: api.create_branch(BOT, branch="main"), 409, "Reference refs/heads/main already"),
    (lambda api: api.create_branch(BOT, branch="x", revision="y"), 404, "Invalid rev id: y"),
    (lambda api: api.delete_branch(BOT, branch="main"), 403, "Cannot delete refs/heads/main"),
    (lambda api: api.delete_branch(BOT, branch="v1"), 404, "Invalid rev id: v1"),
    (lambda api: api.delete_tag(BOT, tag="main"), 404, "Invalid rev id: main"),
    (lambda api: api.model_info(BOT, revision="v2"), 404, "Invalid rev id: v2"),
    (lambda api: commit(api, revision="v1"), 404, "Invalid rev id: v1"),
    (lambda api: commit(api, parent_commit=first_commit(api)), 412, UPDATED),
    (lambda api: api.hf_hub_download(BOT, "nope"), 404, "Entry Not Found"),
    (
        lambda api: api.model_info(BOT, token="x"),
        401,
        "Invalid credentials in Authorization header",
    ),
]


def commit(api: HfApi, **more: Any) -> object:
    return api.create_commit(BOT, [add("b")], commit_message="b", **more)


def first_commit(api: HfApi) -> str:
    return api.list_repo_commits(BOT)[-1].commit_id


def test_refusals_have_the_words_of_the_hub(api: HfApi) -> None:
    api.create_commit(BOT, [add("a")], commit_message="a")
    api.create_tag(BOT, tag="v1")
    for call, status, words in WORDS:
        with pytest.raises(HfHubHTTPError) as caught:
            call(api)
        assert (caught.value.response.status_code, words in str(caught.value)) == (status, True), (
            words,
            str(caught.value),
        )


def test_a_gated_repo_says_so_as_the_hub_does(api: HfApi, tmp_path: Path) -> None:
    api.update_repo_settings(BOT, gated="auto")
    with pytest.raises(RepositoryNotFoundError) as caught:
        api.hf_hub_download(BOT, ".gitattributes", token=False, cache_dir=tmp_path)
    assert f"Access to model {BOT} is restricted" in str(caught.value)


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ({"X-Request-Id": "abc-1"}, True),
        ({"X-Amzn-Trace-Id": "Root=1-2;3:4"}, True),
        ({"X-Request-Id": "a b"}, False),
        ({"X-Request-Id": "x" * 201}, False),
        ({}, False),
    ],
)
def test_every_answer_names_its_request(api: HfApi, hub: Hub, sent: dict, is_kept: bool) -> None:
    paths = ("/", "/api/models", "/api/nope", f"/{BOT}/resolve/main/.gitattributes", "/cas-x/v1/x")
    answers = [httpx2.get(hub[0] + path, headers=sent) for path in paths]
    answers.append(httpx2.post(f"{hub[0]}/api/models", headers={**sent, "Origin": "http://other"}))
    ids = [one.headers["X-Request-Id"] for one in answers]
    if is_kept:
        assert ids == [*sent.values()] * len(answers)
    else:
        assert len(set(ids)) == len(answers) and {len(one) for one in ids} == {36}


def test_an_error_carries_the_id_of_its_request(api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError) as caught:
        api.model_info("huggingtweets/nope")
    found = caught.value.response.headers["X-Request-Id"]
    assert caught.value.server_message == "Repository not found"
    assert caught.value.request_id == found and f"(Request ID: {found})" in str(caught.value)
