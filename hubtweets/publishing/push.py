"""The repo folder to the Hub: one commit, then a tag.

In: a finished repo/ folder. Out: Published. A push is a loop: read where the branch is, plan by hashes what it lacks, commit that on top of just
this commit, tag. Whatever fails for a moment, is refused because somebody else pushed, or is done without an answer, the loop begins again and
finds what is left to do; where that is nothing, it is done. So nothing is committed twice, and a push that is cut anywhere leaves the old commit
or the new one. Files on the Hub that no push of this run put there stay; and so does what the card's owner wrote into it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo

from hubtweets.card.merge import Conflict
from hubtweets.errors import HubtweetsError
from hubtweets.publishing.connection import Hub, check_visibility, speaking_to
from hubtweets.publishing.diff import CARD, Plan, files_at, files_of, is_same, make_plan
from hubtweets.publishing.retry import patiently
from hubtweets.record.run_record import Published, Target

VERSION_TAG = re.compile(r"v(\d+)")


@dataclass(frozen=True)
class PushOptions:
    """Push options; None means the default."""

    private: bool | None = None
    gated: Literal["auto", "manual"] | None = None
    create_pr: bool = False
    revision: str | None = None
    tag: str | None = None
    commit_message: str | None = None


def parse_push_options(settings: dict[str, Any]) -> PushOptions:
    """Take the options of a push out of a command's settings; raise HubtweetsError for those that don't go together."""
    options = PushOptions(**{name: settings.pop(name) for name in vars(PushOptions())})
    check_compatible(options)
    return options


def check_compatible(options: PushOptions) -> None:
    """Raise HubtweetsError for what a pull request can't have: it is made to main, and has no tag."""
    if options.create_pr and options.revision not in (None, "main"):
        raise HubtweetsError(
            f"--revision {options.revision}: a pull request is made to main; leave --create-pr or --revision out"
        )
    if options.create_pr and options.tag:
        raise HubtweetsError(
            f"--tag {options.tag}: a pull request has no tag; leave --create-pr or --tag out"
        )


def push(
    hub: Hub,
    target: Target,
    repo: Path,
    options: PushOptions,
    say: Callable[[str], None],
    last: Published | None = None,
) -> Published:
    """Push a folder's files and tag the commit, by default with the next version; repeated with the same files, it changes nothing.

    A file that the `last` push put there and that the folder no longer has is deleted. A card whose owner changed what is rendered anew goes into
    a pull request, for a person to look at.
    """
    check_compatible(options)
    if last and (last.endpoint, last.repo_id) != (target.endpoint, target.repo_id):
        last = None  # another repo, whose files were never put here
    parents: list[str] = []  # on which a commit was sent: the answer may be lost
    with speaking_to(hub):
        return patiently(
            lambda: push_once(hub.api, target, repo, options, say, last, parents),
            lambda why: say(f"push: {why}"),
        )


def push_once(
    api: HfApi,
    target: Target,
    repo: Path,
    options: PushOptions,
    say: Callable[[str], None],
    last: Published | None,
    parents: list[str],
) -> Published:
    """Do what is left to do of a push; raise what the client raises."""
    repo_id, branch = target.repo_id, options.revision or "main"
    title, _, text = map(str.strip, format_commit_message(options, target).partition("\n"))
    info = prepare_repo(api, target, options)
    refs = api.list_repo_refs(repo_id)
    heads, tags = (
        {ref.name: ref.target_commit for ref in found} for found in (refs.branches, refs.tags)
    )
    plan = make_plan(api, repo_id, heads.get(branch) or str(info.sha), repo, last)
    files = files_of(repo)
    released = None if plan else find_release_tag(api, repo_id, plan.head, tags, files, options.tag)
    if options.tag in tags and not released:
        raise HubtweetsError(
            f"{target.url} has a tag {options.tag} on another commit; choose another --tag, or leave it out"
        )
    conflicts = plan.card.conflicts if plan.card else ()
    for conflict in conflicts:
        say(f"push: {CARD} was edited where it is rendered anew: {conflict}")
    if conflicts and branch != "main":
        raise HubtweetsError(
            f"{target.url}: edits of {CARD} on {branch} are in the way (see above); undo them, or push to another --revision"
        )

    def send(plan: Plan, revision: str) -> str:
        """Commit to a branch, and return the commit."""
        size = sum(path.stat().st_size for name, path in files.items() if name in plan.changed)
        say(
            f"push: {len(plan.changed)} of {len(files)} files, {size / 2**20:.1f} MiB, to {target.url}{f' as {revision}' * (revision != 'main')}"
        )
        parents.append(plan.head)
        operations = list_operations(plan, files)
        made = api.create_commit(
            repo_id,
            operations,
            commit_message=title,
            commit_description=text,
            revision=revision,
            parent_commit=plan.head,
        )
        return made.oid

    if plan and (options.create_pr or conflicts):
        number, pull = open_pull_request(api, repo_id, title, conflicts)
        revision = f"refs/pr/{number}"
        plan = make_plan(
            api, repo_id, str(api.model_info(repo_id, revision=revision).sha), repo, last
        )
        commit = send(plan, revision) if plan else plan.head
        if pull == "draft":
            api.change_discussion_status(repo_id, number, "open")
        put = tuple(
            dict.fromkeys([*(last.files if last else ()), *files])
        )  # all that is to go when the folder drops it
        return Published(
            target.endpoint,
            repo_id,
            commit,
            parents[-1] if parents else commit,
            None,
            put,
            f"{target.url}/discussions/{number}",
        )
    if branch not in heads:
        api.create_branch(repo_id, branch=branch, revision=plan.head, exist_ok=True)
    if plan:
        commit = send(plan, branch)
    else:
        say(f"push: {target.url} has all {len(files)} files already, nothing to commit")
        commit = tags[released] if released else plan.head
    if not released and not options.create_pr:
        released = options.tag or f"v{max(map(parse_version_tag, tags), default=0) + 1}"
        api.create_tag(repo_id, tag=released, revision=commit)
    parent = last.parent if last and last.commit == commit else parents[-1] if parents else commit
    return Published(target.endpoint, repo_id, commit, parent, released, tuple(files))


def format_commit_message(options: PushOptions, target: Target) -> str:
    """Return the commit's message: its title in the first line."""
    return (options.commit_message or "").strip() or f"Publish @{target.repo_id.partition('/')[2]}"


def list_operations(
    plan: Plan, files: dict[str, Path]
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Return a plan as the client wants it; the card is sent as it was merged, not as it lies in the folder."""
    contents = {
        name: plan.card.text.encode() if name == CARD and plan.card else files[name]
        for name in plan.changed
    }
    return [
        *(CommitOperationAdd(*one) for one in contents.items()),
        *map(CommitOperationDelete, plan.gone),
    ]


def prepare_repo(api: HfApi, target: Target, options: PushOptions) -> ModelInfo:
    """Make the repo where there is none, and gate it before anything is in it; return what the Hub says of it."""
    try:
        info = api.model_info(target.repo_id)
    except RepositoryNotFoundError:
        api.create_repo(target.repo_id, private=options.private, exist_ok=True)
        info = api.model_info(target.repo_id)
    check_visibility(info, target, options.private)
    if options.gated and info.gated != options.gated:
        api.update_repo_settings(target.repo_id, gated=options.gated)
    return info


def open_pull_request(
    api: HfApi, repo_id: str, title: str, conflicts: tuple[Conflict, ...]
) -> tuple[int, str]:
    """Return the number and the status of the user's own pull request of this title that still waits, made where there is none."""
    user = api.whoami()["name"]
    for one in api.get_repo_discussions(repo_id, author=user, discussion_type="pull_request"):
        if one.title == title and one.status in ("draft", "open"):
            return one.num, one.status
    edited = "".join(f"\n- {conflict.where}" for conflict in conflicts)
    text = (
        f"{CARD} was edited where it is rendered anew; merging this takes the new text there:{edited}"
        if edited
        else "Made by hubtweets."
    )
    made = api.create_pull_request(repo_id, title=title, description=text)
    return made.num, made.status


def find_release_tag(
    api: HfApi,
    repo_id: str,
    head: str,
    tags: dict[str, str],
    files: dict[str, Path],
    wished: str | None,
) -> str | None:
    """Return the tag, the wished one or any, under which the Hub has these files, whatever their card's owner wrote into that; None without one."""
    candidates = [tag for tag in tags if wished in (None, tag)]
    name = max(
        candidates, key=lambda tag: (tags[tag] == head, parse_version_tag(tag)), default=None
    )
    if name is None or tags[name] == head:
        return name
    there = files_at(api, repo_id, tags[name])
    return (
        name
        if all(is_same(path, there.get(file)) for file, path in files.items() if file != CARD)
        else None
    )


def parse_version_tag(tag: str) -> int:
    """Return the number of a tag such as v3, 0 of any other."""
    match = VERSION_TAG.fullmatch(tag)
    return int(match[1]) if match else 0
