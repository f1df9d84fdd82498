"""Push the repo folder to the Hub: one commit, then a tag.

In: a finished repo/ folder. Out: Published. A push is a loop: read the branch's head, plan by
hashes what it lacks, commit that on top of exactly this head, tag. After a transient error, a
push of someone else or a lost response, the loop starts again and finds what is left to do; if
that is nothing, it is done. So nothing is committed twice, and a push that is killed leaves the
old commit or the new one. Files on the Hub that no push of this run put there stay, and so do
the edits of the card's owner.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import CommitInfo, ModelInfo

from hubtweets.card.merge import Conflict
from hubtweets.errors import HubtweetsError
from hubtweets.files import format_size
from hubtweets.progress import activity
from hubtweets.publishing.commit import (
    confirm_commit,
    is_same_commit,
    list_contents,
    list_operations,
)
from hubtweets.publishing.connection import Hub, check_visibility, hub_errors
from hubtweets.publishing.diff import CARD, Plan, list_local_files, make_plan
from hubtweets.publishing.pull_requests import open_pull_request
from hubtweets.publishing.retry import retry
from hubtweets.publishing.tags import choose_next_version, find_release_tag, parse_version_tag
from hubtweets.publishing.upload import fit_parent, send_commit
from hubtweets.record.run_record import Published, Target


@dataclass(frozen=True)
class PushOptions:
    """Push options; None means the default."""

    private: bool | None = None
    gated: Literal["auto", "manual"] | None = None
    create_pr: bool = False
    revision: str | None = None
    tag: str | None = None
    commit_message: str | None = None

    def __post_init__(self) -> None:
        check_compatible(self)

    @property
    def branch(self) -> str:
        """The branch that is pushed to."""
        return self.revision or "main"


def check_compatible(options: PushOptions) -> None:
    """Raise HubtweetsError if a pull request has a tag, or is made to another branch than main."""
    if options.create_pr and options.branch != "main":
        raise HubtweetsError(
            f"--revision {options.revision}: a pull request is made to main; "
            "leave --create-pr or --revision out"
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
    log: Callable[[str], None],
    last: Published | None = None,
) -> Published:
    """Push a folder's files, and tag the commit, by default with the next version.

    Repeated with the same files, it changes nothing. A file that the `last` push put there is
    deleted if the folder no longer has it. If the owner edited a rendered part of the card, the
    push becomes a pull request for a person to review.
    """
    if last and (last.endpoint, last.repo_id) != (target.endpoint, target.repo_id):
        last = None  # of another repo
    push = Push(hub.api, target, repo, options, log, last)
    with hub_errors(hub):
        return retry(push.finish, lambda reason: log(f"push: {reason}"))


@dataclass
class Push:
    """A push, whose `finish` can be called again after an error."""

    api: HfApi
    target: Target
    folder: Path
    options: PushOptions
    log: Callable[[str], None]
    last: Published | None
    # The head that the newest commit was sent on top of. It is kept from one call of `finish` to
    # the next, as the Hub may have made that commit although its response was lost.
    parent: str | None = None
    # By head. A commit never changes, so an attempt reads and hashes again only what is new.
    plans: dict[str, Plan] = field(default_factory=dict)

    def finish(self) -> Published:
        """Do what is left to do; raise the client's exceptions."""
        api, repo_id, options = self.api, self.target.repo_id, self.options
        info = prepare_repo(api, self.target, options)
        refs = api.list_repo_refs(repo_id)
        heads = {ref.name: ref.target_commit for ref in refs.branches}
        tags = {ref.name: ref.target_commit for ref in refs.tags}
        plan = self.plan(heads.get(options.branch) or self.choose_start(str(info.sha), tags))
        tag = None if plan else self.find_own_tag(plan.head, tags)
        if options.tag in tags and not tag:
            raise HubtweetsError(
                f"{self.target.url} has a tag {options.tag} on another commit; "
                "choose another --tag, or leave it out"
            )
        conflicts = self.report_conflicts(plan)
        if plan and (options.create_pr or conflicts):
            return self.finish_pull_request(conflicts)
        if options.branch not in heads:
            api.create_branch(repo_id, branch=options.branch, revision=plan.head, exist_ok=True)
        if plan:
            commit = self.commit(plan, options.branch)
        else:
            number = len(list_local_files(self.folder))
            self.log(f"push: all {number} files are at {self.target.url} already")
            commit = tags[tag] if tag else plan.head
        if not tag and not options.create_pr:
            tag = options.tag or choose_next_version(tags)
            api.create_tag(repo_id, tag=tag, revision=commit)
        return self.describe_commit(commit, tag)

    def plan(self, head: str) -> Plan:
        if head not in self.plans:
            repo_id = self.target.repo_id
            self.plans[head] = make_plan(self.api, repo_id, head, self.folder, self.last)
        return self.plans[head]

    def choose_start(self, head: str, tags: dict[str, str]) -> str:
        """Return the commit that a new branch starts at.

        It is main's head or, if edits there conflict with this push, the commit of the last one.
        """
        if self.options.branch == "main" or not list_conflicts(self.plan(head)):
            return head
        newest = max(tags, key=parse_version_tag, default=None)
        last = self.last.tag if self.last and self.last.tag in tags else newest
        return tags[last] if last else head

    def find_own_tag(self, head: str, tags: dict[str, str]) -> str | None:
        """Return the tag of an earlier push of these files, None if there is none."""
        files = list_local_files(self.folder)
        return find_release_tag(self.api, self.target.repo_id, head, tags, files, self.options.tag)

    def report_conflicts(self, plan: Plan) -> tuple[Conflict, ...]:
        """Return the owner's edits of rendered parts of the card.

        Raises HubtweetsError if a pull request can't solve them, as it is always made to main.
        """
        conflicts = list_conflicts(plan)
        for conflict in conflicts:
            self.log(f"{CARD}: a rendered part was edited: {conflict}")
        branch = self.options.branch
        if conflicts and branch != "main":
            raise HubtweetsError(
                f"{self.target.url}: edits of {CARD} on {branch} conflict with this push "
                "(see above); undo them, or push to a new branch: --revision NAME"
            )
        return conflicts

    def commit(self, plan: Plan, revision: str) -> str:
        """Commit a plan to a branch or a pull request, and return the commit."""
        files = list_local_files(self.folder)
        size = sum(files[name].stat().st_size for name in plan.changed)
        place = self.target.url if revision == "main" else f"{self.target.url} as {revision}"
        counts = f"{len(plan.changed)} of {len(files)} files, {format_size(size)}"
        self.log(f"push: {counts}, to {place}")
        with activity(f"uploading {counts}"):
            made = self.send(plan, revision)
            again = self.find_replaced_edits(plan, made)
            return self.send(again, revision) if again else made

    def send(self, plan: Plan, revision: str) -> str:
        """Send a commit, and return its id when the Hub was seen to have it."""
        api, repo_id = self.api, self.target.repo_id
        contents = list_contents(plan, list_local_files(self.folder))
        title, _, text = format_commit_message(self.options, self.target).partition("\n")
        self.parent = plan.head

        def create() -> CommitInfo:
            return api.create_commit(
                repo_id,
                list_operations(plan, contents),
                commit_message=title.strip(),
                commit_description=text.strip(),
                revision=revision,
                parent_commit=fit_parent(plan.head),
            )

        made = send_commit(create, lambda text: self.log(f"push: {text}")).oid
        self.parent = confirm_commit(api, repo_id, revision, made, plan, contents)
        return made

    def find_replaced_edits(self, plan: Plan, made: str) -> Plan | None:
        """Return a plan that brings back the owner's edits of a card that a commit replaced.

        A Hub that ignores `parent_commit` lets them come between the plan and its commit.
        """
        parent = self.parent
        if parent is None or is_same_commit(parent, plan.head) or CARD not in plan.changed:
            return None
        merged = self.plan(parent).card
        if merged is None:
            return None
        place = f"{self.target.url}/blob/{parent}/{CARD}"
        for conflict in merged.conflicts:
            self.log(f"{CARD}: an edit was replaced, which is kept at {place}: {conflict}")
        ours = (self.folder / CARD).read_text(encoding="utf-8")
        sent = plan.card.text if plan.card else ours
        return Plan(made, (CARD,), (), merged) if merged.text != sent else None

    def finish_pull_request(self, conflicts: tuple[Conflict, ...]) -> Published:
        """Commit to a pull request, and open it."""
        api, repo_id = self.api, self.target.repo_id
        message = format_commit_message(self.options, self.target)
        number, status = open_pull_request(api, self.target, message, conflicts)
        revision = f"refs/pr/{number}"
        plan = self.plan(str(api.model_info(repo_id, revision=revision).sha))
        commit = self.commit(plan, revision) if plan else plan.head
        if status == "draft":
            api.change_discussion_status(repo_id, number, "open")
        # A later push deletes those of these files that the folder then lacks.
        earlier = self.last.files if self.last else ()
        files = tuple(dict.fromkeys([*earlier, *list_local_files(self.folder)]))
        url = f"{self.target.url}/discussions/{number}"
        parent = self.parent or commit
        return Published(self.target.endpoint, repo_id, commit, parent, None, files, url)

    def describe_commit(self, commit: str, tag: str | None) -> Published:
        if self.last and self.last.commit == commit:
            parent = self.last.parent
        else:
            parent = self.parent or commit
        files = tuple(list_local_files(self.folder))
        return Published(self.target.endpoint, self.target.repo_id, commit, parent, tag, files)


def list_conflicts(plan: Plan) -> tuple[Conflict, ...]:
    return plan.card.conflicts if plan.card else ()


def format_commit_message(options: PushOptions, target: Target) -> str:
    """Return the commit message, with the title in its first line."""
    handle = target.repo_id.partition("/")[2]
    return (options.commit_message or "").strip() or f"Publish @{handle}"


def prepare_repo(api: HfApi, target: Target, options: PushOptions) -> ModelInfo:
    """Return the Hub's info of the repo, created if missing, and gated before it has files."""
    try:
        info = api.model_info(target.repo_id)
    except RepositoryNotFoundError:
        api.create_repo(target.repo_id, private=options.private, exist_ok=True)
        info = api.model_info(target.repo_id)
    check_visibility(info, target, options.private)
    if options.gated and info.gated != options.gated:
        api.update_repo_settings(target.repo_id, gated=options.gated)
        info = api.model_info(target.repo_id)
        if info.gated != options.gated:
            raise HubtweetsError(
                f"{target.url}: the Hub did not take --gated {options.gated}, so nothing was "
                "pushed; leave --gated out, or pass --private"
            )
    return info
