"""What a repo says of itself: information, lists, trees, refs and history."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd
from huggingface_hub.hf_api import LastCommitInfo, RepoFile, RepoFolder

from tests.hub_client.tools import (
    CARD,
    CONFLICT,
    ENTRY_NOT_FOUND,
    FILES,
    MAY_ONLY_READ,
    REVISION_NOT_FOUND,
    SDK,
    USER,
    Repo,
    ends,
    filled,
    item,
    known,
    same,
)


def info(repo: Repo, folder: Path) -> None:
    sha = filled(repo)
    found = repo.repo_info()
    date, created = found.last_modified, found.created_at
    assert date == repo.list_repo_commits()[0].created_at >= created
    names = sorted({".gitattributes", *FILES})
    data = {
        **FILES,
        ".gitattributes": Path(repo.hf_hub_download(filename=".gitattributes")).read_bytes(),
    }
    common = SDK | {
        "id": repo.id,
        "author": USER,
        "sha": sha,
        "private": False,
        "gated": False,
        "disabled": False,
        "tags": ["a", "license:mit"],
    }
    old = {"lastModified": date, "cardData": found.card_data, "_id": repo.id} | (
        {"modelId": repo.id} if repo.kind == "model" else {}
    )
    dated = {
        "last_modified": date,
        "created_at": created,
        "card_data": found.card_data,
        "siblings": found.siblings,
    }
    dated["used_storage" if hasattr(found, "used_storage") else "usedStorage"] = sum(
        map(len, data.values())
    )
    same(known(found), common | old | dated)
    same(found.card_data.to_dict(), {"tags": ["a"], "license": "mit"} | SDK)
    same(
        [(one.rfilename, one.size, one.blob_id, one.lfs) for one in found.siblings],
        [(name, None, None, None) for name in names],
    )
    whole = [
        (one.rfilename, one.size, one.blob_id, one.lfs)
        for one in repo.repo_info(files_metadata=True).siblings
    ]
    wanted = [item(name, data[name]) for name in names]
    same(whole, [(one.path, one.size, one.blob_id, one.lfs) for one in wanted])
    same(
        {key for key in known(repo.repo_info(expand=["sha", "lastModified"])) if key != "_id"},
        {"id", "sha", "last_modified", "lastModified"},
    )
    for revision in ("main", sha, sha[:7], "refs/heads/main"):
        same(repo.repo_info(revision=revision).sha, sha)
    same(repo.resolve_revision(revision="main").resolved, sha)
    same(
        [
            one.rfilename
            for one in repo.repo_info(revision=repo.list_repo_commits()[1].commit_id).siblings
            if one.rfilename != "README.md"
        ],
        names[:1],
    )
    ends(
        REVISION_NOT_FOUND,
        *(
            partial(repo.repo_info, revision=name)
            for name in ("nope", "refs/pr/1", "refs/heads/nope", "a" * 40, "refs/tags/v1")
        ),
    )


def listing(repo: Repo, folder: Path) -> None:
    found = partial(getattr(repo.api, f"list_{repo.kind}s"), search="listed-")
    others = [
        Repo(repo.api, repo.kind, f"{author}/listed-{name}")
        for author, name in ((USER, "a"), (USER, "b"), ("somebody", "c"))
    ]
    for other in others:
        other.create()
        other.add(
            **{"README.md": CARD.replace(b"- a\n", b"- all\n- %b\n" % other.id[-1:].encode())}
        )
    others[0].add(x=b"1")
    a, b, c = (other.id for other in others)
    others[1].update_repo_settings(gated="auto")
    table: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [a, c, b]),
        ({"limit": 2}, [a, c]),
        ({"author": USER}, [a, b]),
        ({"author": "nobody"}, []),
        ({"search": "LISTED-B"}, [b]),
        ({"sort": "created_at"}, [c, b, a]),
        ({"sort": "last_modified"}, [a, c, b]),
        ({"filter": "all"}, [a, c, b]),
        ({"filter": ["all", "b"]}, [b]),
        ({"filter": "license:mit", "limit": 1}, [a]),
        ({"filter": "nothing"}, []),
        *([] if repo.kind == "space" else [({"gated": True}, [b]), ({"gated": False}, [a, c])]),
        *([({"dataset_name": "listed-", "search": "-b"}, [b])] if repo.kind == "dataset" else []),
    ]
    for more, wanted in table:
        same((more, [one.id for one in found(**more)]), (more, wanted))
    same([known(one)["sha"] for one in found(author="somebody", expand=["sha"])], [others[2].sha])
    same(
        [{*known(one)} - {"_id"} for one in found(author="somebody", expand=["sha"])],
        [{"id", "sha"}],
    )
    same(
        {
            (one.id, one.type, one.visibility)
            for one in repo.api.list_user_repos()
            if "listed-" in one.id and one.type == repo.kind
        },
        {(one, repo.kind, "public") for one in (a, b, c)},
    )


def tree(repo: Repo, folder: Path) -> None:
    first, second = repo.sha, filled(repo)
    third = repo.commit("change", CommitOperationAdd("folder/deep/a.txt", b"new")).oid
    dates = {one.commit_id: one.created_at for one in repo.list_repo_commits()}
    folders = {
        one.path: one for one in repo.list_repo_tree(recursive=True) if isinstance(one, RepoFolder)
    }
    attributes = Path(repo.hf_hub_download(filename=".gitattributes")).read_bytes()
    now = {".gitattributes": attributes, **FILES, "folder/deep/a.txt": b"new"}
    changed = dict.fromkeys(now, (second, "add")) | dict.fromkeys(
        ("folder", "folder/deep", "folder/deep/a.txt"), (third, "change")
    )
    changed[".gitattributes"] = (first, "initial commit")
    last = {
        path: LastCommitInfo(oid=sha, title=title, date=dates[sha])
        for path, (sha, title) in changed.items()
    }

    def one(path: str, expand: bool = False) -> RepoFile | RepoFolder:
        found: Any = folders[path] if path in folders else item(path, now[path])
        if not expand:
            return found
        dated = {
            "id": changed[path][0],
            "title": changed[path][1],
            "date": last[path].date.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return (
            RepoFolder(path=path, oid=found.tree_id, lastCommit=dated)
            if path in folders
            else item(path, now[path], lastCommit=dated)
        )

    root, below = (
        ["folder", ".gitattributes", "README.md", "empty.txt", "weights.bin"],
        ["folder/b.txt", "folder/deep/a.txt"],
    )
    for more, wanted in (
        ({}, root),
        (
            {"recursive": True},
            [
                "folder",
                "folder/deep",
                ".gitattributes",
                "README.md",
                "empty.txt",
                *below,
                "weights.bin",
            ],
        ),
        ({"path_in_repo": "folder"}, ["folder/deep", "folder/b.txt"]),
        ({"path_in_repo": "folder", "recursive": True}, ["folder/deep", *below]),
        ({"path_in_repo": "folder/deep"}, ["folder/deep/a.txt"]),
    ):
        for expand in (False, True):
            same(
                list(repo.list_repo_tree(expand=expand, **more)),
                [one(path, expand) for path in wanted],
            )
            same(
                list(repo.list_repo_tree(expand=expand, revision=third, **more)),
                [one(path, expand) for path in wanted],
            )
    same(
        list(repo.list_repo_tree(revision=second, path_in_repo="folder/deep")),
        [item("folder/deep/a.txt", b"a\n")],
    )
    ends(
        ENTRY_NOT_FOUND,
        *(
            partial(lambda path: list(repo.list_repo_tree(path_in_repo=path)), path)
            for path in ("nope", "fold", "README.md", "folder/x")
        ),
    )
    for expand in (False, True):
        found = repo.get_paths_info(
            paths=["weights.bin", "folder", "nope", "folder/deep/a.txt", "folder/deep/"],
            expand=expand,
        )
        same(
            sorted(found, key=lambda it: it.path),
            [
                one(path, expand)
                for path in ("folder", "folder/deep", "folder/deep/a.txt", "weights.bin")
            ],
        )
    same(
        [repo.get_paths_info(paths="README.md"), repo.get_paths_info(paths="nope")],
        [[one("README.md")], []],
    )
    same(
        repo.get_paths_info(paths="folder/deep/a.txt", revision=second),
        [item("folder/deep/a.txt", b"a\n")],
    )
    same(repo.list_repo_files(), sorted(now))
    ends(
        REVISION_NOT_FOUND,
        partial(repo.get_paths_info, paths="README.md", revision="nope"),
        partial(repo.list_repo_files, revision="nope"),
    )


def pages(repo: Repo, folder: Path) -> None:
    for number in range(50):
        repo.commit(f"{number}", CommitOperationAdd("a", b"%d" % number))
    many = {
        f"{'few' if number < 101 else 'many'}/{number:04}.txt": b"%d" % number
        for number in range(1001)
    }
    repo.add(**many)
    commits = repo.list_repo_commits()
    same(
        [one.title for one in commits],
        ["add", *(f"{number}" for number in reversed(range(50))), "initial commit"],
    )
    assert (
        all(new.created_at >= old.created_at for new, old in pairwise(commits))
        and len({one.commit_id for one in commits}) == 52
    )
    same({tuple(one.authors) for one in commits}, {(USER,)})
    same(repo.titles(revision=commits[2].commit_id), [one.title for one in commits[2:]])
    same(repo.list_repo_files(), [".gitattributes", "a", *sorted(many)])
    expanded = list(repo.list_repo_tree(path_in_repo="few", expand=True))
    same(
        [(one.path, one.last_commit.title) for one in expanded],
        [(path, "add") for path in sorted(many)[:101]],
    )
    for number in range(51):
        repo.create_discussion(title=f"title {number}")
    same([one.num for one in repo.get_repo_discussions()], list(range(51, 0, -1)))


def references(repo: Repo, folder: Path) -> None:
    first, second = repo.sha, filled(repo)
    repo.create_tag(tag="v1")
    repo.create_tag(tag="release/2", revision=first, tag_message="the first")
    ends(CONFLICT, partial(repo.create_tag, tag="v1"))
    same(repo.create_tag(tag="v1", revision=first, exist_ok=True), None)
    repo.create_branch(branch="dev")
    repo.create_branch(branch="feature/x", revision="release/2")
    repo.create_branch(branch="feature/y", revision=second[:8])
    ends(CONFLICT, partial(repo.create_branch, branch="dev"))
    same(repo.create_branch(branch="dev", revision=first, exist_ok=True), None)
    repo.upload_file(path_or_fileobj=b"x", path_in_repo="x", create_pr=True)
    refs = repo.list_repo_refs(include_pull_requests=True)
    same(
        [(ref.name, ref.ref, ref.target_commit) for ref in refs.tags],
        [(f"{x}", f"refs/tags/{x}", sha) for x, sha in (("release/2", first), ("v1", second))],
    )
    wanted = [("dev", second), ("feature/x", first), ("feature/y", second), ("main", second)]
    same(
        [(ref.name, ref.ref, ref.target_commit) for ref in refs.branches],
        [(name, f"refs/heads/{name}", sha) for name, sha in wanted],
    )
    pull = repo.repo_info(revision="refs/pr/1").sha
    same(
        [(ref.name, ref.ref, ref.target_commit) for ref in refs.pull_requests],
        [("refs/pr/1", "refs/pr/1", pull)],
    )
    same((refs.converts, repo.list_repo_refs().pull_requests), ([], None))
    repo.delete_tag(tag="release/2")
    repo.delete_branch(branch="feature/x")
    refs = repo.list_repo_refs()
    same(
        [[ref.name for ref in some] for some in (refs.tags, refs.branches)],
        [["v1"], ["dev", "feature/y", "main"]],
    )
    ends(MAY_ONLY_READ, partial(repo.delete_branch, branch="main"))
    gone = [
        partial(repo.delete_tag, tag="release/2"),
        partial(repo.delete_branch, branch="feature/x"),
    ]
    absent = [
        partial(repo.create_branch, branch="z", revision="nope"),
        partial(repo.create_tag, tag="z", revision="nope"),
    ]
    ends(REVISION_NOT_FOUND, *gone, *absent, partial(repo.list_repo_commits, revision="nope"))
