"""Commits in all their forms, uploads and cards."""

from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    DatasetCard,
    ModelCard,
    SpaceCard,
    metadata_update,
)

from tests.hub_client.tools import (
    BAD,
    BIG,
    CARD,
    ENDPOINT,
    ENTRY_NOT_FOUND,
    FILES,
    REVISION_NOT_FOUND,
    SDK,
    STALE,
    Repo,
    ends,
    filled,
    item,
    same,
)


def commits(repo: Repo, folder: Path) -> None:
    first, second = repo.sha, filled(repo)
    more = {"commit_description": "in\ntwo lines", "parent_commit": second}
    done = repo.commit(
        "all at once",
        CommitOperationAdd("new.txt", b"new"),
        CommitOperationDelete("empty.txt"),
        CommitOperationDelete("folder/"),
        **more,
    )
    same(
        (done.commit_url, done.commit_message, done.pr_url),
        (f"{ENDPOINT}/{repo.address}/commit/{done.oid}", "all at once", None),
    )
    same(done.commit_description, "in\ntwo lines")
    newest = repo.list_repo_commits(formatted=True)[0]
    same(
        (newest.commit_id, newest.title, newest.message), (done.oid, "all at once", "in\ntwo lines")
    )
    same((newest.formatted_title, newest.formatted_message), ("all at once", "in\ntwo lines"))
    repo.holds({"README.md": CARD, "new.txt": b"new", "weights.bin": BIG})
    ends(
        STALE,
        *(
            partial(repo.commit, "late", CommitOperationAdd("a", b"1"), parent_commit=parent)
            for parent in (second, first, second[:6])
        ),
    )
    same(
        repo.commit(
            "nothing", CommitOperationAdd("new.txt", b"new"), CommitOperationAdd("weights.bin", BIG)
        ).oid,
        done.oid,
    )
    repo.commit("short", CommitOperationAdd("a/b.txt", b"1"), parent_commit=done.oid[:7])
    ends(
        ENTRY_NOT_FOUND,
        *(
            partial(repo.commit, "gone", CommitOperationDelete(path, is_folder=path.endswith("/")))
            for path in ("nope", "nope/", "a.txt", "weights.bin/")
        ),
    )
    ends(
        BAD,
        *(
            partial(repo.commit, "both", CommitOperationAdd(path, b"1"))
            for path in ("a", "a/b.txt/c")
        ),
    )
    ends(
        ("ValueError", None),
        *(
            partial(repo.commit, "x", CommitOperationAdd("README.md", card))
            for card in (b"---\na: [\n---\n", b"---\n- a\n---\n")
        ),
    )
    ends(
        REVISION_NOT_FOUND,
        *(
            partial(repo.commit, "x", CommitOperationAdd("a", b"1"), revision=name)
            for name in ("nope", first, "refs/pr/9")
        ),
    )
    repo.create_branch(branch="feature/x")
    repo.commit(
        "there",
        CommitOperationAdd("there.txt", b"1"),
        CommitOperationDelete("a/"),
        revision="feature/x",
        parent_commit=repo.sha,
    )
    same(repo.titles(revision="feature/x"), ["there", *repo.titles()])
    repo.holds(
        {"README.md": CARD, "new.txt": b"new", "there.txt": b"1", "weights.bin": BIG}, "feature/x"
    )
    same(repo.titles(), ["short", "all at once", "add", "initial commit"])
    repo.commit(
        "again",
        CommitOperationDelete("weights.bin"),
        CommitOperationAdd("weights.bin", b"small\0"),
        CommitOperationAdd("é ü/漢字 #?%.txt", b"x"),
    )
    same(
        repo.files(),
        {
            "README.md": CARD,
            "a/b.txt": b"1",
            "new.txt": b"new",
            "weights.bin": b"small\0",
            "é ü/漢字 #?%.txt": b"x",
        },
    )
    same(
        repo.commit(
            "empty folder",
            *map(CommitOperationDelete, sorted({*repo.list_repo_files()} - {".gitattributes"})),
        ).oid,
        repo.sha,
    )
    repo.holds({})


def copies(repo: Repo, folder: Path) -> None:
    first = filled(repo)
    other = repo.beside("-source")
    other.create()
    other.add(**{"c.txt": b"from there", "old.bin": b"\0" + BIG})
    kept: dict[str, Any] = {"src_repo_id": other.id, "src_repo_type": other.kind}
    operations = [
        CommitOperationCopy("README.md", "copied/README.md"),
        CommitOperationCopy("weights.bin", "copied/weights.bin"),
        CommitOperationDelete("weights.bin"),
    ]
    repo.commit("copy", *operations, CommitOperationCopy("c.txt", "c.txt", **kept))
    now = {path: data for path, data in FILES.items() if path != "weights.bin"}
    now |= {"copied/README.md": CARD, "copied/weights.bin": BIG, "c.txt": b"from there"}
    repo.holds(now)
    repo.commit("copy old", CommitOperationCopy("weights.bin", "old.bin", src_revision=first))
    same(repo.files(), now | {"old.bin": BIG})
    # between repos the client copies large files by their Xet hashes alone, which this Hub lacks
    ends(
        ("ValueError", None),
        partial(repo.commit, "x", CommitOperationCopy("old.bin", "x.bin", **kept)),
    )
    ends(("EntryNotFoundError", None), partial(repo.commit, "x", CommitOperationCopy("nope", "x")))
    ends(
        ("NotImplementedError", None), partial(repo.commit, "x", CommitOperationCopy("copied", "x"))
    )
    same(repo.titles(), ["copy old", "copy", "add", "initial commit"])


def uploads(repo: Repo, folder: Path) -> None:
    for path, data in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    repo.upload_folder(folder_path=folder, commit_message="folder", ignore_patterns=["*.tmp"])
    same((repo.files(), repo.titles()[0]), (FILES, "folder"))
    once = len(repo.titles())
    repo.upload_file(path_or_fileobj=folder / "weights.bin", path_in_repo="w/1.bin")
    repo.upload_file(path_or_fileobj=BIG[:1000], path_in_repo="w/2.bin", commit_message="two")
    with (folder / "weights.bin").open("rb") as file:
        repo.upload_file(path_or_fileobj=file, path_in_repo="w/3.bin", commit_description="three")
    same(
        repo.titles()[: 3 + 1],
        [
            "Upload w/3.bin with huggingface_hub",
            "two",
            "Upload w/1.bin with huggingface_hub",
            "folder",
        ],
    )
    (folder / "folder/b.txt").write_bytes(b"changed")
    repo.upload_folder(
        folder_path=folder / "folder",
        path_in_repo="w",
        allow_patterns="*.txt",
        delete_patterns=["*.bin"],
    )
    now = FILES | {"w/b.txt": b"changed", "w/deep/a.txt": b"a\n"}
    repo.holds(now)
    same(len(repo.titles()), once + 4)
    repo.delete_file(path_in_repo="w/b.txt")
    same(
        repo.delete_folder(path_in_repo="w").commit_message, "Delete folder w with huggingface_hub"
    )
    repo.delete_files(delete_patterns=["folder/*", "*.bin"], commit_message="less")
    repo.holds({"README.md": CARD, "empty.txt": b""})
    same(repo.titles()[0], "less")
    files = {
        "big.bin": BIG,
        "small.txt": b"1",
        "text.bin": b"by its name",
        "zero.txt": b"by its\0content",
    }
    additions = [CommitOperationAdd(path, data) for path, data in files.items()]
    repo.preupload_lfs_files(additions=additions)
    same(
        [(one._upload_mode, one._is_uploaded) for one in additions],
        [("lfs", True), ("regular", False), ("lfs", True), ("lfs", True)],
    )
    same(additions[0].path_or_fileobj, b"")  # the client forgot it: it is there
    repo.commit("preuploaded", *additions[:2])
    repo.holds({"README.md": CARD, "empty.txt": b"", "big.bin": BIG, "small.txt": b"1"})
    pull = repo.upload_folder(folder_path=folder, create_pr=True, commit_message="by folder")
    same(
        (pull.pr_num, pull.pr_revision, pull.pr_url),
        (1, "refs/pr/1", f"{ENDPOINT}/{repo.address}/discussions/1"),
    )
    repo.holds(FILES | {"folder/b.txt": b"changed", "big.bin": BIG, "small.txt": b"1"}, "refs/pr/1")
    same([one.title for one in repo.get_repo_discussions()], ["by folder"])
    many = {f"many/{number}.txt": b"%d" % number for number in range(300)}
    (folder / "many").mkdir()
    for path, data in many.items():
        (folder / path).write_bytes(data)
    repo.upload_folder(folder_path=folder / "many", path_in_repo="many")
    same(
        list(repo.list_repo_tree(path_in_repo="many")),
        [item(path, data) for path, data in sorted(many.items())],
    )


def cards(repo: Repo, folder: Path) -> None:
    make = {"model": ModelCard, "dataset": DatasetCard, "space": SpaceCard}[repo.kind]
    card = make(CARD.decode())
    card.validate(repo_type=repo.kind)
    card.push_to_hub(repo.id, repo_type=repo.kind, commit_message="card")
    same(str(make.load(repo.id, repo_type=repo.kind)), str(card))
    metadata_update(repo.id, {"license": "apache-2.0"}, repo_type=repo.kind, overwrite=True)
    same(repo.repo_info().card_data.to_dict(), {"license": "apache-2.0", "tags": ["a"]} | SDK)
    pull = card.push_to_hub(repo.id, repo_type=repo.kind, create_pr=True)
    same((pull.pr_num, pull.pr_url), (1, f"{ENDPOINT}/{repo.address}/discussions/1"))
    bad = make("---\na: 1\n---\n")
    bad.data["a"] = float("nan")
    ends(
        ("ValueError", None),
        partial(bad.validate, repo_type=repo.kind),
        partial(bad.push_to_hub, repo.id, repo_type=repo.kind),
    )
