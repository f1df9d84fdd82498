"""Accounts, repos, and who may do what with them."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from tests.hub_client.tools import (
    BAD,
    BIG,
    CONFLICT,
    DONE,
    ENDPOINT,
    FILES,
    GATED,
    HIDDEN,
    MAY_ONLY_READ,
    NO_TOKEN,
    NOT_FOUND,
    USER,
    Repo,
    ends,
    filled,
    same,
)


def accounts(repo: Repo, folder: Path) -> None:
    for one, role in ((repo, "write"), (repo.reader, "read")):
        same(
            one.api.whoami(),
            {
                "type": "user",
                "id": USER,
                "name": USER,
                "fullname": USER,
                "email": None,
                "orgs": [],
                "writesEverywhere": True,
            }
            | {
                "auth": {
                    "type": "access_token",
                    "accessToken": {"displayName": "embedded Hub", "role": role},
                }
            },
        )
    same(repo.api.get_full_repo_name("x"), f"{USER}/x")
    ends(NO_TOKEN, repo.by("hf_wrong").api.whoami, repo.by("hf_wrong").repo_info)


def creation(repo: Repo, folder: Path) -> None:
    other = repo.beside("-new")
    url = other.create()
    same(
        (str(url), url.repo_id, url.repo_type, url.endpoint),
        (f"{ENDPOINT}/{other.address}", other.id, repo.kind, ENDPOINT),
    )
    ends(CONFLICT, other.create)
    same([other.create(exist_ok=True), other.reader.create(exist_ok=True)], [url, url])
    same(other.list_repo_files(), [".gitattributes"] + ["README.md"] * (repo.kind == "space"))
    same(other.titles(), ["initial commit"])
    same([other.repo_exists(), other.beside("er").repo_exists()], [True, False])
    same([other.file_exists(filename=name) for name in (".gitattributes", "nope")], [True, False])
    same([other.revision_exists(revision=name) for name in ("main", "nope")], [True, False])
    same(other.beside("er").file_exists(filename="x"), False)
    same([other.auth_check(), other.reader.auth_check(), other.stranger.auth_check()], [None] * 3)
    other.add(a=b"1")
    other.delete_repo()
    same(other.repo_exists(), False)
    ends(NOT_FOUND, other.delete_repo, other.auth_check, other.repo_info)
    same(other.delete_repo(missing_ok=True), None)
    other.create(private=True)
    same((other.repo_info().private, other.titles()), (True, ["initial commit"]))
    for name in ("a--b", "a..b", "x" * 97, "a.git", "../x"):
        ends(("HFValidationError", None), Repo(repo.api, repo.kind, f"{USER}/{name}").create)


LOOKS: list[Callable[[Repo], object]] = [
    lambda who: who.list_repo_refs(),
    lambda who: who.list_repo_commits(),
    lambda who: list(who.list_repo_tree()),
    lambda who: who.get_paths_info(paths=["README.md"]),
    lambda who: list(who.get_repo_discussions()),
    lambda who: who.get_discussion_details(discussion_num=1),
    lambda who: who.repo_info(),
]


TAKES: list[Callable[[Repo], object]] = [
    lambda who: who.metadata("README.md"),
    lambda who: who.metadata("weights.bin"),
    lambda who: who.auth_check(),
]


def privacy(repo: Repo, folder: Path) -> None:
    filled(repo)
    repo.create_discussion(title="first")
    listing = getattr(repo.api, f"list_{repo.kind}s")
    for private, gated, look, take in (
        (True, False, HIDDEN, HIDDEN),
        (True, "auto", HIDDEN, HIDDEN),
        (False, "auto", DONE, GATED),
        (False, "manual", DONE, GATED),
        (False, False, DONE, DONE),
    ):
        repo.update_repo_settings(private=private, gated=gated)
        same((repo.repo_info().private, repo.repo_info().gated), (private, gated))
        ends(DONE, *(partial(call, who) for call in LOOKS + TAKES for who in (repo, repo.reader)))
        ends(look, *(partial(call, repo.stranger) for call in LOOKS))
        ends(take, *(partial(call, repo.stranger) for call in [*TAKES, Repo.files]))
        same(repo.stranger.repo_exists(), not private)
        seen = [
            [one.id for one in listing(search=repo.id, token=token)]
            for token in (os.environ["READ_TOKEN"], False)
        ]
        same(seen, [[repo.id], [] if private else [repo.id]])
    repo.update_repo_settings(private=True)
    repo.update_repo_settings(gated="auto")
    same((repo.repo_info().private, repo.repo_info().gated), (True, "auto"))
    ends(
        ("ValueError", None),
        partial(repo.update_repo_settings, gated="maybe"),
        repo.update_repo_settings,
    )


def moving(repo: Repo, folder: Path) -> None:
    filled(repo)
    repo.create_tag(tag="v1")
    pull = repo.upload_file(path_or_fileobj=b"x", path_in_repo="x", create_pr=True).pr_num
    titles, other = repo.titles(), repo.beside("-moved")
    move = partial(repo.api.move_repo, repo.id, repo_type=repo.kind)
    move(other.id)
    same(
        [other.titles(), other.files("v1"), other.get_discussion_details(discussion_num=pull).num],
        [titles, FILES, pull],
    )
    same(
        [repo.repo_info().id, repo.titles(), repo.files("v1")], [other.id, titles, FILES]
    )  # the old name leads there
    repo.add(a=b"1")
    same(other.titles(), ["add", *titles])
    ends(NOT_FOUND, partial(move, "a/b"), repo.delete_repo)  # the old name does not redirect here
    titles = other.titles()
    repo.create()
    ends(CONFLICT, partial(move, other.id))
    ends(BAD, partial(move, "a/.."), partial(move, "a/--"))
    ends(("ValueError", None), partial(move, "nothing"))
    same([repo.titles(), other.titles()], [["initial commit"], titles])


WRITES: list[Callable[[Repo], object]] = [
    lambda who: who.beside("-not").create(),
    lambda who: who.delete_repo(),
    lambda who: who.api.move_repo(who.id, who.id + "-not", repo_type=who.kind),
    lambda who: who.update_repo_settings(private=True),
    lambda who: who.add(a=b"1"),
    lambda who: who.commit("x", CommitOperationDelete("README.md")),
    lambda who: who.commit("x", CommitOperationAdd("a", b"1"), create_pr=True),
    lambda who: who.upload_file(path_or_fileobj=BIG[1:], path_in_repo="a.bin"),
    lambda who: who.preupload_lfs_files(additions=[CommitOperationAdd("a.bin", BIG[2:])]),
    lambda who: who.delete_file(path_in_repo="README.md"),
    lambda who: who.create_tag(tag="v2"),
    lambda who: who.delete_tag(tag="v1"),
    lambda who: who.create_branch(branch="b"),
    lambda who: who.delete_branch(branch="dev"),
    lambda who: who.create_discussion(title="abc"),
    lambda who: who.create_pull_request(title="abc"),
    lambda who: who.comment_discussion(discussion_num=1, comment="x"),
    lambda who: who.rename_discussion(discussion_num=1, new_title="abc"),
    lambda who: who.change_discussion_status(discussion_num=1, new_status="closed"),
    lambda who: who.merge_pull_request(discussion_num=1),
]


def refusals(repo: Repo, folder: Path) -> None:
    filled(repo)
    repo.create_tag(tag="v1")
    repo.create_branch(branch="dev")
    repo.commit("pull", CommitOperationAdd("p", b"1"), create_pr=True)

    def state() -> object:
        refs = repo.list_repo_refs(include_pull_requests=True)
        names = [one.id for one in getattr(repo.api, f"list_{repo.kind}s")(search=repo.id)]
        return names, repo.repo_info().private, refs, repo.get_discussion_details(discussion_num=1)

    before = state()
    ends(MAY_ONLY_READ, *(partial(call, repo.reader) for call in WRITES))
    ends(NO_TOKEN, *(partial(call, repo.stranger) for call in WRITES))
    ends(NO_TOKEN, *(partial(call, repo.by("hf_" + "a" * 40)) for call in WRITES))
    same(state(), before)
