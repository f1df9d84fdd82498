"""git on the embedded Hub: not offered, but git-lfs can download large files."""

import base64
import hashlib
import io
import os
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi

from hubtweets.hub.storage.blobs import Blobs, format_lfs_pointer
from hubtweets.hub.storage.tokens import Role, create_token
from tests.conftest import environment

Hub = tuple[str, str]
WEIGHTS = bytes(range(256)) * 1000
OTHER = WEIGHTS[1:]
COMMIT = "-c user.name=a -c user.email=a commit -q --allow-empty -m a"


def hash_content(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run_git(folder: Path, *arguments: str, text: bytes = b"") -> tuple[int, bytes, str]:
    """Run git in a folder; if the machine lacks it, skip the test, or fail it in CI."""
    needed = ["git"] + ["git-lfs"] * (arguments[0] == "lfs")
    if missing := [name for name in needed if shutil.which(name) is None]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {missing[0]} on this machine")
    env = environment(folder, GIT_TERMINAL_PROMPT="0", LC_ALL="C", GIT_CONFIG_NOSYSTEM="1")
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, input=text, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize(
    ("command", "path", "advice"),
    [
        ("ls-remote", "huggingtweets/bot", "hf download huggingtweets/bot"),
        ("clone -q", "huggingtweets/none.git", "hf download huggingtweets/none"),
        ("clone -q", "datasets/a/b", "hf download a/b --type dataset"),
        ("-c protocol.version=0 ls-remote", "spaces/a/b/", "hf download a/b --type space"),
        ("push", "huggingtweets/bot", "hf upload huggingtweets/bot ."),
        ("ls-remote", "a/%1b%5b31m", "hf download USER/REPO"),
    ],
)
def test_git_shows_what_to_type_instead(
    hub: Hub, tmp_path: Path, command: str, path: str, advice: str
) -> None:
    if command == "push":
        run_git(tmp_path, "init", "-q")
        run_git(tmp_path, *COMMIT.split())
    branch = ["HEAD:main"] if command == "push" else []
    code, _, said = run_git(tmp_path, *command.split(), f"{hub[0]}/{path}", *branch)
    line = f"fatal: remote error: git is not offered here; type: HF_ENDPOINT={hub[0]} {advice}\n"
    assert (code, said) == (128, line)


@pytest.fixture
def api(hub: Hub) -> HfApi:
    """A client of a Hub with a private bot that had a large file, and another with one."""
    api = HfApi(endpoint=hub[0], token=hub[1])
    for name, content in (("bot", WEIGHTS), ("other", OTHER)):
        api.create_repo(f"huggingtweets/{name}", private=True)
        api.upload_file(
            path_or_fileobj=io.BytesIO(content),
            path_in_repo="model.bin",
            repo_id=f"huggingtweets/{name}",
        )
    api.delete_file("model.bin", "huggingtweets/bot")
    return api


def test_git_lfs_downloads_a_large_file(api: HfApi, tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    url = f"{api.endpoint}/huggingtweets/bot.git/info/lfs".replace("://", f"://user:{api.token}@")
    pointer = format_lfs_pointer(hash_content(WEIGHTS), len(WEIGHTS))
    command = ["-c", f"lfs.url={url}", "lfs", "smudge", "model.bin"]
    code, content, said = run_git(tmp_path, *command, text=pointer)
    assert (code, content) == (0, WEIGHTS), said


def send_batch(endpoint: str, authorization: str | None, **body: object) -> httpx2.Response:
    headers = {"Authorization": authorization} if authorization else {}
    url = f"{endpoint}/huggingtweets/bot.git/info/lfs/objects/batch"
    return httpx2.post(url, json=body, headers=headers)


def write_basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode("utf-8", "surrogateescape")).decode()


def test_a_batch_offers_what_the_history_names(api: HfApi) -> None:
    sizes = {WEIGHTS: 3, OTHER: len(OTHER), b"": 0}
    wanted = [{"oid": hash_content(content), "size": size} for content, size in sizes.items()]
    login = write_basic(f"user:{api.token}")
    answer = send_batch(api.endpoint, login, operation="download", objects=wanted)
    missing = {"code": 404, "message": "huggingtweets/bot has no such object"}
    [held, *others] = answer.json()["objects"]
    href = held["actions"]["download"]["href"]
    assert held == {
        "oid": hash_content(WEIGHTS),
        "size": len(WEIGHTS),
        "actions": {"download": {"href": href}},
    }
    assert others == [{**item, "error": missing} for item in wanted[1:]]
    part = httpx2.get(href, headers={"Range": "bytes=1-3"})
    assert (httpx2.get(href).content, part.status_code, part.content) == (WEIGHTS, 206, b"\1\2\3")
    for forged in (
        href.replace(hash_content(WEIGHTS), hash_content(OTHER)),
        href.partition("?")[0],
        href.replace("?signature=", "?signature=9"),
    ):
        assert httpx2.get(forged).status_code == 403, forged


@pytest.mark.parametrize(
    ("role", "login", "operation", "status"),
    [
        ("read", "user:TOKEN", "download", 200),
        ("read", ":TOKEN", "download", 200),
        ("read", "user:TOKEN", "upload", 403),
        ("write", "user:TOKEN", "upload", 200),
        ("write", "user:TOKENx", "download", 401),
        ("write", "TOKEN", "download", 401),
        ("write", "TOKEN:", "download", 401),
        ("write", "user:\udcff", "download", 401),
        ("write", "user:../../token", "download", 401),
    ],
)
def test_a_batch_takes_the_token_as_a_password(
    hub: Hub, tmp_path: Path, role: Role, login: str, operation: str, status: int
) -> None:
    HfApi(*hub).create_repo("huggingtweets/bot", private=True)
    token = create_token(Blobs(tmp_path / "hub"), role)
    basic = write_basic(login.replace("TOKEN", token))
    assert send_batch(hub[0], basic, operation=operation, objects=[]).status_code == status


@pytest.mark.parametrize("authorization", [None, "Basic", "Basic ?", "Basic =", "Digest a"])
@pytest.mark.parametrize(("private", "operation"), [(True, "download"), (False, "upload")])
def test_a_batch_needs_a_token(
    hub: Hub, authorization: str | None, private: bool, operation: str
) -> None:
    HfApi(*hub).create_repo("huggingtweets/bot", private=private)
    answer = send_batch(hub[0], authorization, operation=operation, objects=[])
    assert answer.status_code == 401
