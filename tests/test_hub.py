"""The embedded Hub and the unmodified client, with hf_xet (the default) and without."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hubtweets.hub import local
from hubtweets.hub.api import requests
from hubtweets.hub.api.commits import validate_path
from hubtweets.hub.errors import HubError
from hubtweets.hub.storage.blobs import Blobs
from hubtweets.hub.storage.storage import Storage
from tests.conftest import environment

Hub = tuple[str, str]
BIG = os.urandom(300_000)
FILES = {
    "README.md": b"---\ntags: [a]\n---\nhello",
    "model.safetensors": BIG,
    "folder/deep/a.txt": b"a",
    "empty.txt": b"",
    "twice.bin": BIG * 4,
}


@pytest.fixture
def api(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return HfApi(endpoint=hub[0], token=hub[1])


@pytest.fixture
def repo_id(api: HfApi) -> str:
    """A repo that holds FILES."""
    api.create_repo("huggingtweets/bot")
    api.create_commit(
        "huggingtweets/bot",
        [CommitOperationAdd(name, content) for name, content in FILES.items()],
        commit_message="all",
    )
    return "huggingtweets/bot"


def download_contents(
    api: HfApi, repo_id: str, folder: Path, revision: str = "main"
) -> dict[str, bytes]:
    path = Path(api.snapshot_download(repo_id, revision=revision, cache_dir=folder))
    found = {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file()
    }
    found.pop(".gitattributes")
    return found


def test_what_goes_in_comes_out(api: HfApi, repo_id: str, tmp_path: Path) -> None:
    assert download_contents(api, repo_id, tmp_path / "a") == FILES
    info = api.model_info(repo_id, files_metadata=True)
    assert info.card_data and info.card_data.tags == ["a"]
    assert {file.rfilename: file.size for file in info.siblings or []} == {
        ".gitattributes": 984
    } | {name: len(data) for name, data in FILES.items()}
    assert {file.rfilename for file in info.siblings or [] if file.lfs} == {
        "model.safetensors",
        "twice.bin",
    }
    assert sorted(item.path for item in api.list_repo_tree(repo_id)) == sorted(
        {name.split("/")[0] for name in FILES} | {".gitattributes"}
    )
    assert [item.path for item in api.list_repo_tree(repo_id, "folder", recursive=True)] == [
        "folder/deep",
        "folder/deep/a.txt",
    ]
    assert [item.path for item in api.get_paths_info(repo_id, ["folder", "README.md", "nope"])] == [
        "README.md",
        "folder",
    ]
    assert [commit.title for commit in api.list_repo_commits(repo_id)] == ["all", "initial commit"]


@pytest.mark.parametrize("name", ["README.md", "model.safetensors"])
def test_a_file_of_any_size_has_the_same_headers(
    hub: Hub, repo_id: str, tmp_path: Path, name: str
) -> None:
    url = f"{hub[0]}/{repo_id}/resolve/main/{name}"
    whole, head = httpx2.get(url), httpx2.head(url)
    part = httpx2.get(url, headers={"Range": "bytes=1-3"})
    assert (whole.content, part.status_code, part.content) == (FILES[name], 206, FILES[name][1:4])
    names = ("content-length", "content-type", "etag", "accept-ranges", "x-repo-commit")
    safe = ("content-security-policy", "x-content-type-options")
    for header in (*names, *safe):
        assert whole.headers[header] == head.headers[header]
    for blob in (tmp_path / "hub" / "blobs").glob("*/*"):
        blob.unlink()
    if name == "README.md":
        lost = httpx2.get(url)
        message = f"{repo_id} has lost README.md; type: hubtweets hub --check"
        assert (lost.status_code, lost.json()) == (500, {"error": message})


CLIENT = """
from huggingface_hub import CommitOperationAdd, HfApi
api = HfApi()
content = bytes(range(256)) * 4096 * 12
api.create_repo("huggingtweets/big")
operations = [CommitOperationAdd("big.bin", content)]
api.create_commit("huggingtweets/big", operations, commit_message="big")
assert open(api.hf_hub_download("huggingtweets/big", "big.bin"), "rb").read() == content
print(api.whoami()["name"])
"""


@pytest.mark.parametrize("disabled", ["0", "1"])
def test_uploads_by_xet_and_by_lfs(hub: Hub, tmp_path: Path, disabled: str) -> None:
    more = {"HF_ENDPOINT": hub[0], "HF_TOKEN": hub[1], "HF_HUB_DISABLE_XET": disabled}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT],
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "huggingtweets\n"), done.stderr
    assert any((tmp_path / "hub" / "xorbs").iterdir()) is (disabled == "0")


def test_the_parent_must_be_the_head(api: HfApi, repo_id: str) -> None:
    parent = api.model_info(repo_id).sha
    api.create_commit(
        repo_id, [CommitOperationAdd("a", b"1")], commit_message="one", parent_commit=parent
    )
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_commit(
            repo_id, [CommitOperationAdd("a", b"2")], commit_message="two", parent_commit=parent
        )
    assert caught.value.response.status_code == 412
    assert [commit.title for commit in api.list_repo_commits(repo_id)] == [
        "one",
        "all",
        "initial commit",
    ]


def test_the_same_again_makes_no_commit(api: HfApi, repo_id: str) -> None:
    before = api.model_info(repo_id).sha
    again = [
        CommitOperationAdd(name, content) for name, content in FILES.items() if content
    ]  # the client sends empty files always
    assert api.create_commit(repo_id, again, commit_message="again").oid == before


def test_tags_branches_and_old_revisions(api: HfApi, repo_id: str, tmp_path: Path) -> None:
    first = api.model_info(repo_id).sha or ""
    api.create_tag(repo_id, tag="v1")
    api.create_branch(repo_id, branch="feature/x", revision=first)
    api.create_commit(
        repo_id,
        [CommitOperationDelete("twice.bin"), CommitOperationDelete("folder/")],
        commit_message="less",
    )
    assert set(download_contents(api, repo_id, tmp_path / "a")) == {
        "README.md",
        "model.safetensors",
        "empty.txt",
    }
    for revision in ("v1", first, first[:8], "feature/x", "refs/tags/v1"):
        assert api.model_info(repo_id, revision=revision).sha == first, revision
    assert api.model_info(repo_id, revision="HEAD").sha == api.model_info(repo_id).sha
    refs = api.list_repo_refs(repo_id)
    assert [(ref.name, ref.target_commit) for ref in refs.tags] == [("v1", first)]
    assert sorted(ref.name for ref in refs.branches) == ["feature/x", "main"]
    api.delete_tag(repo_id, tag="v1")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo_id, revision="v1")


def test_a_pinned_commit_is_never_a_branch_or_tag(
    api: HfApi, repo_id: str, hub: Hub, tmp_path: Path
) -> None:
    pinned = api.model_info(repo_id).sha or ""
    api.create_commit(repo_id, [CommitOperationAdd("a", b"1")], commit_message="later")
    later = api.model_info(repo_id).sha or ""
    for name in (pinned, pinned[:8], pinned[:5], "0" * 40):
        for create in (
            lambda name: api.create_branch(repo_id, branch=name),
            lambda name: api.create_tag(repo_id, tag=name),
        ):
            with pytest.raises(
                BadRequestError,
                match="is a commit's id or the beginning of one; choose another name",
            ):
                create(name)
    for name in ("20261127", pinned[:4], pinned[:8] + "x"):  # as long as no commit begins so
        api.create_tag(repo_id, tag=name)
        assert api.model_info(repo_id, revision=name).sha == later
    storage = Storage(tmp_path / "hub")
    repo = storage.find_repo("models", repo_id)
    assert repo
    for name in (pinned, pinned[:8], "0" * 40):  # what an earlier version let through
        storage.set_ref(repo, "branches", name, later)
    assert [api.model_info(repo_id, revision=name).sha for name in (pinned, pinned[:8])] == [
        pinned,
        pinned,
    ]
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo_id, revision="0" * 40)


PARENTS = [  # of the head, the digits that are given: 0 to 40
    (40, 200, ""),
    (7, 200, ""),
    (5, 200, ""),
    (4, 400, "parentCommit is a commit's id, or at least its first 5 digits"),
    (1, 400, "parentCommit is a commit's id, or at least its first 5 digits"),
    (0, 400, "parentCommit is a commit's id, or at least its first 5 digits"),
]


@pytest.mark.parametrize(("digits", "status", "message"), PARENTS)
@pytest.mark.parametrize("query", ["", "?create_pr=1"])
def test_a_parent_has_five_digits_at_least(
    api: HfApi, hub: Hub, repo_id: str, query: str, digits: int, status: int, message: str
) -> None:
    head = api.model_info(repo_id).sha or ""
    answer = commit_on(hub, repo_id, head[:digits].upper(), query)
    assert (answer.status_code, answer.json().get("error", "")) == (status, message)
    assert (api.model_info(repo_id).sha == head) is (status != 200 or bool(query))


def commit_on(hub: Hub, repo_id: str, parent: object, query: str = "") -> httpx2.Response:
    lines = [
        {"key": "header", "value": {"summary": "x", "parentCommit": parent}},
        {"key": "file", "value": {"path": "a", "content": ""}},
    ]
    content = "\n".join(map(json.dumps, lines))
    return httpx2.post(
        f"{hub[0]}/api/models/{repo_id}/commit/main{query}",
        content=content,
        headers={"Authorization": f"Bearer {hub[1]}"},
    )


def test_an_ambiguous_parent_is_refused(api: HfApi, hub: Hub, repo_id: str, tmp_path: Path) -> None:
    head = api.model_info(repo_id).sha or ""
    commits = tmp_path / "hub" / "repos" / "models" / repo_id / "commits"
    shutil.copy(commits / f"{head}.json", commits / f"{head[:10]}{'0' * 30}.json")
    error = f"{repo_id} has several commits that begin with {head[:10]}; give more digits"
    assert [
        (answer.status_code, answer.json()["error"])
        for answer in (commit_on(hub, repo_id, head[:10], q) for q in ("", "?create_pr=1"))
    ] == [(404, error)] * 2
    assert commit_on(hub, repo_id, head).status_code == 200


REFUSALS: list[tuple[Callable[[HfApi], object], type[Exception], int | None]] = [
    (lambda api: api.model_info("huggingtweets/nope"), RepositoryNotFoundError, 404),
    (lambda api: api.model_info("huggingtweets/bot", revision="nope"), RevisionNotFoundError, 404),
    (lambda api: api.hf_hub_download("huggingtweets/bot", "nope"), RemoteEntryNotFoundError, 404),
    (
        lambda api: list(api.list_repo_tree("huggingtweets/bot", "nope")),
        RemoteEntryNotFoundError,
        404,
    ),
    (lambda api: api.create_repo("huggingtweets/bot"), HfHubHTTPError, 409),
    (lambda api: api.create_repo("huggingtweets/bot", token=False), HfHubHTTPError, 401),
    (lambda api: api.model_info("huggingtweets/bot", token="hf_wrong"), HfHubHTTPError, 401),
    (
        lambda api: api.upload_file(
            path_or_fileobj=b"x", path_in_repo="x", repo_id="huggingtweets/bot", token=False
        ),
        HfHubHTTPError,
        401,
    ),
    (lambda api: api.create_tag("huggingtweets/bot", tag="v1", token=False), HfHubHTTPError, 401),
    (
        lambda api: api.upload_file(
            path_or_fileobj=b"---\na: [\n---\n",
            path_in_repo="README.md",
            repo_id="huggingtweets/bot",
        ),
        ValueError,
        None,
    ),
    (
        lambda api: api.create_commit(
            "huggingtweets/bot", [CommitOperationDelete("nope")], commit_message="x"
        ),
        HfHubHTTPError,
        404,
    ),
]


@pytest.mark.parametrize(("call", "expected", "status"), REFUSALS)
def test_refusals(
    api: HfApi,
    repo_id: str,
    call: Callable[[HfApi], object],
    expected: type[Exception],
    status: int | None,
) -> None:
    before = api.model_info(repo_id).sha
    with pytest.raises(expected) as caught:
        call(api)
    if isinstance(caught.value, HfHubHTTPError):
        assert caught.value.response.status_code == status
    assert api.model_info(repo_id).sha == before
    assert api.create_repo(repo_id, exist_ok=True).repo_id == repo_id


def test_private_repos_are_hidden(api: HfApi, hub: Hub) -> None:
    api.create_repo("huggingtweets/secret", private=True)
    assert api.model_info("huggingtweets/secret").private
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("huggingtweets/secret", token=False)
    assert httpx2.get(f"{hub[0]}/huggingtweets/secret").status_code == 404
    assert "secret" not in httpx2.get(hub[0]).text


def test_it_outlives_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    storage = Storage(tmp_path / "hub")
    with local.serve_in_thread(storage) as endpoint:
        api = HfApi(endpoint=endpoint, token=storage.token)
        api.create_repo("huggingtweets/bot")
        sha = api.create_commit(
            "huggingtweets/bot", [CommitOperationAdd("model.safetensors", BIG)], commit_message="x"
        ).oid
    again = Storage(tmp_path / "hub")
    assert (again.token, again.instance) == (storage.token, storage.instance)
    with local.serve_in_thread(again) as endpoint:
        path = HfApi(endpoint=endpoint).hf_hub_download(
            "huggingtweets/bot", "model.safetensors", revision=sha
        )
    assert Path(path).read_bytes() == BIG


def test_token_and_secret_are_the_users_alone(tmp_path: Path) -> None:
    Storage(tmp_path)
    for name in ("token", "secret"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_folder_of_tokens_is_the_users_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        for _ in range(2):  # the second time it is there, as an earlier version made it
            Storage(tmp_path)
            assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o700
            (tmp_path / "tokens").chmod(0o755)
    finally:
        os.umask(before)


RAW = [
    (
        "GET",
        "/api/nothing/of/the/kind",
        404,
        "the embedded Hub does not support GET /api/nothing/of/the/kind",
    ),
    ("PATCH", "/api/whoami-v2", 501, "the embedded Hub does not support PATCH /api/whoami-v2"),
    ("GET", "/api/models/..%2F..%2Fx/y", 401, "Repository not found"),
    (
        "GET",
        "/huggingtweets/bot/resolve/main/..%2F..%2Fsecret",
        404,
        "huggingtweets/bot has no ../../secret at ",
    ),
    (
        "PUT",
        "/_lfs/" + "a" * 64 + "/0?size=1&signature=9999999999-00",
        403,
        "the signature is wrong or expired",
    ),
    (
        "PUT",
        "/_lfs/..%2F..%2Fx/0?size=1&signature=",
        403,
        "the signature is wrong or expired",
    ),
    ("POST", "/cas-x/v1/shards", 403, "the signature is wrong or expired"),
    ("POST", "/api/repos/create", 401, "a token is needed"),
    ("POST", "/api/models/huggingtweets/bot/commit/main", 401, "a token is needed"),
    ("POST", "/api/models/huggingtweets/bot/preupload/main", 401, "a token is needed"),
    ("POST", "/api/models/huggingtweets/bot/branch/x", 401, "a token is needed"),
    ("POST", "/huggingtweets/bot.git/info/lfs/objects/batch", 400, "the body is no JSON object"),
    ("POST", "/huggingtweets/none.git/info/lfs/objects/batch", 400, "the body is no JSON object"),
    ("GET", "/api/models/huggingtweets/bot/xet-write-token/main", 401, "a token is needed"),
    (
        "GET",
        "/api/models/huggingtweets/bot/revision/%0d%0aX-Injected:1",
        404,
        "Invalid rev id: \r\nX-Injected:1",
    ),
    (
        "GET",
        "/api/models/huggingtweets/bot/revision/%00",
        404,
        "Invalid rev id: \0",
    ),
    ("GET", "/api/buckets", 501, "the embedded Hub has no buckets"),
]


@pytest.mark.parametrize(("method", "path", "status", "message"), RAW)
def test_raw_requests(
    hub: Hub, repo_id: str, method: str, path: str, status: int, message: str
) -> None:
    answer = httpx2.request(method, hub[0] + path, content=b"x")
    assert (answer.status_code, answer.json()["error"][: len(message)]) == (status, message)


def test_downloads_by_range(hub: Hub, repo_id: str) -> None:
    url = f"{hub[0]}/{repo_id}/resolve/main/model.safetensors"
    part = httpx2.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (
        206,
        BIG[10:20],
        f"bytes 10-19/{len(BIG)}",
    )
    assert httpx2.get(url, headers={"Range": f"bytes={len(BIG)}-"}).status_code == 416
    assert int(httpx2.head(url).headers["content-length"]) == len(BIG)


def test_an_upload_counts_only_when_it_is_what_was_announced(
    api: HfApi, hub: Hub, repo_id: str, tmp_path: Path
) -> None:
    oid = "ab" * 32
    headers = {"Authorization": f"Bearer {hub[1]}"}
    batch = {
        "operation": "upload",
        "transfers": ["basic"],
        "objects": [{"oid": oid, "size": 5}],
        "hash_algo": "sha256",
    }
    answer = httpx2.post(
        f"{hub[0]}/{repo_id}.git/info/lfs/objects/batch", json=batch, headers=headers
    ).json()
    href = answer["objects"][0]["actions"]["upload"]["href"]
    for body, status in ((b"hello", 400), (b"hell", 400), (b"hello world", 413)):
        assert httpx2.put(href, content=body).status_code == status
    assert httpx2.put(href.replace("size=5", "size=6"), content=b"hello!").status_code == 403
    assert list((tmp_path / "hub" / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b'{"key":"header","value":5}',
        b'{"key":"file","value":{"path":"../x","content":""}}',
        b'{"key":"file","value":{"path":"x","content":"?"}}',
        b'{"key":"deletedFile","value":{"path":5}}',
        b'{"key":"lfsFile","value":{"path":"x","oid":"' + b"ab" * 32 + b'"}}',
        b'{"key":"lfsFile","value":{"path":"x","oid":"/etc/hostname"}}',
        b'{"key":"lfsFile","value":{"path":"x","oid":"../../secret"}}',
        b'{"key":"unheard","value":{}}',
        b'{"key":"file","value":{"path":"\\udcff.txt","content":"eA=="}}',
        b'{"key":"header","value":{"summary":"x","parentCommit":-1}}',
        b'{"key":"header","value":{"summary":"x","parentCommit":"\\ud800"}}',
        b"[" * 100_000,
    ],
    ids=lambda line: line[:60].decode(),
)
def test_commits_that_make_no_sense_are_refused(
    api: HfApi, hub: Hub, repo_id: str, line: bytes
) -> None:
    before = api.model_info(repo_id).sha
    content = b'{"key":"header","value":{"summary":"x"}}\n' + line + b"\n"
    answer = httpx2.post(
        f"{hub[0]}/api/models/{repo_id}/commit/main",
        content=content,
        headers={"Authorization": f"Bearer {hub[1]}"},
    )
    assert (
        answer.status_code in (400, 412)
        and answer.json()["error"]
        and api.model_info(repo_id).sha == before
    )


BODIES = [
    b"[" * 100_000,
    b"1",
    b"null",
    b"\xff",
    *(
        b'{"files":%b,"objects":%b}' % (x, x)
        for x in (b"1", b"null", b"[1]", b"[null]", b'{"a":1}')
    ),
]


@pytest.mark.parametrize(
    "body",
    [*BODIES, b'{"files":[{"path":"x"}],"objects":[{"oid":"%b","size":-1}]}' % (b"a" * 64)],
    ids=lambda body: body[:40].decode("latin-1"),
)
@pytest.mark.parametrize(
    "path",
    [
        "/api/models/huggingtweets/bot/preupload/main",
        "/huggingtweets/bot.git/info/lfs/objects/batch",
    ],
)
def test_bodies_that_make_no_sense_are_refused(
    hub: Hub, repo_id: str, path: str, body: bytes
) -> None:
    answer = httpx2.post(hub[0] + path, content=body, headers={"Authorization": f"Bearer {hub[1]}"})
    assert answer.status_code == 400 and answer.json()["error"]


def test_a_summary_is_kept_as_text(api: HfApi, hub: Hub, repo_id: str) -> None:
    content = (
        b'{"key":"header","value":{"summary":"\\ud800 and"}}\n'
        b'{"key":"file","value":{"path":"a","content":""}}'
    )
    httpx2.post(
        f"{hub[0]}/api/models/{repo_id}/commit/main",
        content=content,
        headers={"Authorization": f"Bearer {hub[1]}"},
    ).raise_for_status()
    assert api.list_repo_commits(repo_id)[0].title == "? and"


MATTERS = ["x: .nan", "a: &a [*a]", "a: &a x\nb: *a", "a: [", "just text", "k: " + "x" * 2**16]
MATTERS += ["a: !!timestamp x", 'a: !!int ""', "a: !!bool x", '"\\ud800": x', "a: " + "[" * 3000]


@pytest.mark.parametrize("matter", MATTERS, ids=lambda matter: matter[:20])
def test_front_matter_that_json_cannot_hold_is_refused(hub: Hub, matter: str) -> None:
    answer = httpx2.post(
        f"{hub[0]}/api/validate-yaml",
        json={"content": f"---\n{matter}\n---\n", "repoType": "model"},
    )
    assert answer.status_code == 400 and answer.json()["errors"]


def test_signatures_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path)
    signature = requests.create_signature(storage, "purpose")
    requests.check_signature(storage, "purpose", signature)
    with pytest.raises(HubError):
        requests.check_signature(storage, "another", signature)
    monkeypatch.setattr(requests, "SIGNATURE_SECONDS", -1)
    with pytest.raises(HubError):
        requests.check_signature(storage, "purpose", requests.create_signature(storage, "purpose"))


def test_models_are_listed(api: HfApi, repo_id: str) -> None:
    api.create_repo("huggingtweets/secret", private=True)
    assert [model.id for model in api.list_models()] == ["huggingtweets/secret", repo_id]
    assert [model.id for model in api.list_models(token=False)] == [repo_id]
    assert [model.id for model in api.list_models(author="somebody")] == []


def test_a_disk_that_is_full_is_said_once(
    api: HfApi, repo_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Blobs, "keep", keep)
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_commit(repo_id, [CommitOperationAdd("a", b"1")], commit_message="x")
    assert caught.value.response.status_code == 507 and "No space left on device" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\0b", "a\\b", "x" * 1001]
)
def test_paths_that_point_elsewhere(path: str) -> None:
    with pytest.raises(HubError):
        validate_path(path)


def test_names_that_are_no_repos(api: HfApi) -> None:
    with pytest.raises((BadRequestError, ValueError)):
        api.create_repo("huggingtweets/..")


def test_an_old_name_leads_to_the_new_one_but_not_to_what_is_hidden(
    api: HfApi, hub: Hub, repo_id: str
) -> None:
    for old, new in (("bot", "b"), ("b", "c")):
        api.move_repo(f"huggingtweets/{old}", f"huggingtweets/{new}")
    answers = [
        httpx2.get(f"{hub[0]}/{path}?p=0")
        for path in ("huggingtweets/bot/commits/main", "api/models/huggingtweets/bot")
    ]
    assert [(answer.status_code, answer.headers["location"]) for answer in answers] == [
        (307, "/huggingtweets/c/commits/main?p=0"),
        (307, "/api/models/huggingtweets/c?p=0"),
    ]
    api.update_repo_settings("huggingtweets/c", private=True)
    assert [
        httpx2.get(f"{hub[0]}/{path}").status_code
        for path in ("huggingtweets/bot", "api/models/huggingtweets/bot")
    ] == [404, 401]
    api.delete_repo("huggingtweets/c")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("huggingtweets/bot")


def test_what_a_gated_repo_is_asked_to_change_is_gated_too(api: HfApi, repo_id: str) -> None:
    pull = api.create_commit(
        repo_id, [CommitOperationAdd("a.txt", b"secret\n")], commit_message="x", create_pr=True
    ).pr_num
    assert pull
    for gated in (False, "auto"):
        api.update_repo_settings(repo_id, gated=gated)
        diffs = [
            api.get_discussion_details(repo_id, pull, token=token).diff for token in (None, False)
        ]
        assert ["+secret" in (diff or "") for diff in diffs] == [True, not gated]
