"""Discussions and pull requests."""

from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from tests.hub_client.tools import (
    BAD,
    BIG,
    CARD,
    CONFLICT,
    ENDPOINT,
    FILES,
    REVISION_NOT_FOUND,
    SDK,
    USER,
    Repo,
    ends,
    filled,
    same,
)


def events(repo: Repo, num: int) -> list[tuple[Any, ...]]:
    fields = ("content", "new_status", "old_title", "new_title", "summary")
    found = repo.get_discussion_details(discussion_num=num).events
    assert {one.author for one in found} <= {USER} and [one.created_at for one in found] == sorted(
        one.created_at for one in found
    )
    return [
        (one.type, *(getattr(one, name) for name in fields if hasattr(one, name))) for one in found
    ]


def discussions(repo: Repo, folder: Path) -> None:
    one = repo.create_discussion(title="A question", description="Which?")
    same(
        (one.num, one.title, one.status, one.author, one.is_pull_request),
        (1, "A question", "open", USER, False),
    )
    same(
        (one.repo_id, one.repo_type, one.url),
        (repo.id, repo.kind, f"{ENDPOINT}/{repo.address}/discussions/1"),
    )
    same(
        (one.diff, one.target_branch, one.conflicting_files, one.git_reference),
        (None, None, None, None),
    )
    comment = repo.comment_discussion(discussion_num=1, comment="This *one*")
    same(
        (comment.content, comment.author, comment.edited, comment.hidden, comment.number_of_edits),
        ("This *one*", USER, False, False, 1),
    )
    renamed = repo.rename_discussion(discussion_num=1, new_title="An answer")
    same((renamed.old_title, renamed.new_title), ("A question", "An answer"))
    same(
        repo.change_discussion_status(
            discussion_num=1, new_status="closed", comment="so be it"
        ).new_status,
        "closed",
    )
    said: list[tuple[Any, ...]] = [
        ("comment", "Which?"),
        ("comment", "This *one*"),
        ("title-change", "A question", "An answer"),
    ]
    said += [("comment", "so be it"), ("status-change", "closed")]
    same(events(repo, 1), said)
    repo.create_pull_request(title="A pull", description="")
    repo.create_discussion(title="another")
    for more, wanted in (
        ({}, [3, 2, 1]),
        ({"discussion_type": "discussion"}, [3, 1]),
        ({"discussion_type": "pull_request"}, [2]),
        ({"discussion_type": "all", "discussion_status": "all"}, [3, 2, 1]),
        ({"discussion_status": "open"}, [3, 2]),
        ({"discussion_status": "closed"}, [1]),
        ({"author": USER}, [3, 2, 1]),
        ({"author": "nobody"}, []),
    ):
        same((more, [one.num for one in repo.get_repo_discussions(**more)]), (more, wanted))
    repo.change_discussion_status(discussion_num=1, new_status="open")
    same(
        (
            repo.get_discussion_details(discussion_num=1).status,
            repo.get_discussion_details(discussion_num=1).title,
        ),
        ("open", "An answer"),
    )
    ends(
        ("HfHubHTTPError", 404),
        *(
            partial(getattr(repo, name), discussion_num=99)
            for name in ("get_discussion_details", "merge_pull_request")
        ),
    )
    ends(("HfHubHTTPError", 404), partial(repo.comment_discussion, discussion_num=99, comment="x"))
    ends(CONFLICT, partial(repo.merge_pull_request, discussion_num=1))


def pulls(repo: Repo, folder: Path) -> None:
    base = filled(repo)
    made = repo.create_pull_request(title="Better", description="See inside")
    same(
        (made.num, made.status, made.is_pull_request, made.git_reference),
        (1, "draft", True, "refs/pr/1"),
    )
    same(
        (made.target_branch, made.conflicting_files, made.diff, made.merge_commit_oid),
        ("refs/heads/main", [], "", None),
    )
    more = {"revision": "refs/pr/1"}
    head = repo.commit(
        "in the pull",
        CommitOperationAdd("README.md", CARD.replace(b"Hello", b"Bye")),
        CommitOperationAdd("p.bin", BIG),
        **more,
    ).oid
    repo.commit("and more", CommitOperationDelete("empty.txt"), parent_commit=head, **more)
    same(
        [repo.titles(**more), repo.titles()],
        [["and more", "in the pull", "add", "initial commit"], ["add", "initial commit"]],
    )
    pulled = {path: data for path, data in FILES.items() if path != "empty.txt"} | {
        "README.md": CARD.replace(b"Hello", b"Bye"),
        "p.bin": BIG,
    }
    repo.holds(pulled, "refs/pr/1")
    repo.holds(FILES)
    wanted = (
        "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -4,4 +4,4 @@\n"
        f" - a\n {'sdk: static' * bool(SDK)}\n ---\n-Hello\n+Bye\n"
        "diff --git a/empty.txt b/empty.txt\n"
        "diff --git a/p.bin b/p.bin\nBinary files a/p.bin and b/p.bin differ\n"
    )
    same(repo.get_discussion_details(discussion_num=1).diff, wanted)
    repo.commit("beside", CommitOperationAdd("beside.txt", b"1"))
    repo.change_discussion_status(discussion_num=1, new_status="open")
    same(repo.get_discussion_details(discussion_num=1).conflicting_files, [])
    repo.merge_pull_request(discussion_num=1, comment="well done")
    merged = repo.get_discussion_details(discussion_num=1)
    same(
        (merged.status, merged.merge_commit_oid, merged.conflicting_files), ("merged", repo.sha, [])
    )
    same(
        (repo.files(), repo.titles()[:2]),
        (dict(sorted((pulled | {"beside.txt": b"1"}).items())), ["Better (#1)", "beside"]),
    )
    said = [
        ("comment", "See inside"),
        ("commit", "in the pull"),
        ("commit", "and more"),
        ("status-change", "open"),
    ]
    same(events(repo, 1), [*said, ("comment", "well done"), ("status-change", "merged")])
    ends(CONFLICT, partial(repo.merge_pull_request, discussion_num=1))
    ends(BAD, partial(repo.change_discussion_status, discussion_num=1, new_status="open"))

    other = repo.commit(
        "early", CommitOperationAdd("a.txt", b"theirs"), create_pr=True, parent_commit=base
    )
    same(
        (other.pr_num, other.pr_revision, other.pr_url),
        (2, "refs/pr/2", f"{ENDPOINT}/{repo.address}/discussions/2"),
    )
    same(repo.titles(revision="refs/pr/2"), ["early", "add", "initial commit"])
    repo.commit("ours", CommitOperationAdd("a.txt", b"ours"))
    late = repo.get_discussion_details(discussion_num=2)
    same((late.status, late.title, late.conflicting_files), ("open", "early", ["a.txt"]))
    before = repo.sha
    ends(CONFLICT, partial(repo.merge_pull_request, discussion_num=2))
    same((repo.sha, repo.get_discussion_details(discussion_num=2).status), (before, "open"))
    repo.commit("clean", CommitOperationAdd("b.txt", b"1"), create_pr=True)
    repo.change_discussion_status(discussion_num=3, new_status="closed")
    ends(CONFLICT, partial(repo.merge_pull_request, discussion_num=3))
    repo.change_discussion_status(discussion_num=3, new_status="open")
    repo.merge_pull_request(discussion_num=3)
    same(repo.titles()[:2], ["clean (#3)", "ours"])
    ends(
        REVISION_NOT_FOUND,
        partial(
            repo.commit, "x", CommitOperationAdd("x", b"1"), create_pr=True, parent_commit="a" * 40
        ),
    )
    same([one.num for one in repo.get_repo_discussions()], [3, 2, 1])
