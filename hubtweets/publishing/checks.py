"""The checks of preflight. Each yields problems or raises one, with a fix.

A check may find out something that later ones use, and stores it in the context. If what a check
needs is missing, the problem is known already, and the check does nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from huggingface_hub import constants
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import get_session, hf_raise_for_status, validate_repo_id

from hubtweets.card import licensing, metadata
from hubtweets.errors import HubtweetsError
from hubtweets.files import check_download_space, check_training_space
from hubtweets.models import inspection
from hubtweets.models.base import resolve_base
from hubtweets.models.inspection import CheckpointInfo
from hubtweets.posts.sources import is_remote
from hubtweets.publishing import connection, permissions, pull_requests, upload
from hubtweets.publishing.connection import Hub, hub_errors
from hubtweets.publishing.push import PushOptions
from hubtweets.publishing.request import PreparedPublish, PublishRequest, draft_record, is_trained
from hubtweets.publishing.secret_scan import (
    SensitiveValues,
    find_sensitive_values,
    scan_file,
    scan_text,
)
from hubtweets.record.run_folder import RunFolder
from hubtweets.record.run_record import Base, Target, Terms
from hubtweets.training.tracking import trackers

# Where the base was once loaded from, which is not copied into models made of it.
UNKNOWN_NAMESPACE = "your-name"  # until a token tells whose it is
LOADED_FROM = re.compile(rb'"_?name_or_path"\s*:\s*"[^"]*"')


@dataclass
class Context:
    """What the checks work on. A field is None until it is found out, and if that failed."""

    run: RunFolder
    hub: Hub
    request: PublishRequest
    parse_read_options: Callable[[], dict[str, Any]]
    curate: Callable[..., object]
    user: dict[str, Any] | None = None  # the answer of `whoami`
    target: Target | None = None
    base: Base | None = None
    location: str = ""  # of the base
    contents: CheckpointInfo | None = None  # of the base
    terms: Terms | None = None
    read_options: dict[str, Any] | None = None
    push_options: PushOptions = field(init=False)
    sensitive: SensitiveValues = field(init=False)

    def __post_init__(self) -> None:
        self.push_options = self.request.push_options
        self.sensitive = find_sensitive_values(self.hub.api.token)

    def is_trained(self) -> bool:
        return self.base is not None and is_trained(self.run, self.base, self.request.training)

    def reads_network(self) -> bool:
        """Return whether any of the posts have to be fetched."""
        if not self.read_options:
            return False
        folder, columns = self.run.folder / "sources", self.read_options["columns"]
        refresh = self.read_options["fetching"].refresh
        named = self.read_options["named"].items()
        return any(is_remote(source, handle, folder, columns, refresh) for handle, source in named)

    def to_prepared(self) -> PreparedPublish:
        assert self.target and self.base and self.contents and self.terms
        return PreparedPublish(
            self.target, self.base, self.contents, self.location, self.terms, self.push_options
        )


Check = Callable[[Context], Iterable[str] | None]


def find_user(context: Context) -> None:
    """Find out who the token belongs to and what it may do."""
    with hub_errors(context.hub):
        context.user = context.hub.api.whoami()


def find_target(context: Context) -> None:
    """Find out the repo; raise HubtweetsError if no repo could have this name."""
    namespace = context.request.namespace or (context.user or {}).get("name") or UNKNOWN_NAMESPACE
    target = Target(context.hub.endpoint, f"{namespace}/{context.run.record.handle}")
    try:
        validate_repo_id(target.repo_id)
    except HFValidationError as error:
        reason = str(error).partition(": ")[0]
        raise HubtweetsError(f"{target.repo_id}: {reason}; choose another --namespace") from None
    context.target = target


def check_permissions(context: Context) -> Iterator[str]:
    """Yield why the token may not push, or no pull request can be made."""
    hub, user, target = context.hub, context.user, context.target
    if not (user and target):
        return
    create_pr, login = context.push_options.create_pr, hub.type_hf("auth login")
    found = list(permissions.find_problems(user, target.repo_id, create_pr, login))
    yield from found
    if found:
        return
    with hub_errors(hub):
        if create_pr:
            may_create = not list(permissions.find_problems(user, target.repo_id, False, login))
            yield from pull_requests.find_problems(hub, target, may_create)
        else:
            yield from permissions.find_refusal(hub, target.repo_id)


def check_upload(context: Context) -> None:
    """Log how large files will be sent, if not by Xet."""
    if context.user and context.target:
        with hub_errors(context.hub):
            missing = upload.is_xet_missing(context.hub, context.target.repo_id)
        if missing:
            context.run.log("the Hub has no Xet, so large files will be sent by LFS")


def find_base(context: Context) -> None:
    context.base, context.location = resolve_base(context.request.base_model)


def read_base(context: Context) -> None:
    if context.base:
        context.contents = inspection.inspect_base(context.base, context.location)


def choose_terms(context: Context) -> None:
    """Choose the terms; without a base, only check the license."""
    request = context.request
    if context.base:
        context.terms = licensing.choose_terms(context.base, request.license, request.consent)
    elif request.license:
        licensing.check_license(request.license)


def check_trackers(context: Context) -> None:
    trackers.check_installed(context.request.report_to)


def check_adapter(context: Context) -> None:
    if context.base:
        inspection.check_adapter(context.base, context.request.training)


def check_context_length(context: Context) -> None:
    if context.base and context.contents and not context.is_trained():
        length = context.contents.context
        inspection.check_context(context.base, length, context.request.training)


def check_disk_for_training(context: Context) -> None:
    if context.contents and not context.is_trained():
        check_training_space(context.run.folder, context.contents.parameters)


def check_disk_for_download(context: Context) -> None:
    if context.contents and not context.is_trained():
        check_download_space(Path(constants.HF_HUB_CACHE), context.contents.download)


def check_tag(context: Context) -> Iterator[str]:
    """Yield a problem if another commit has the tag, or a head whose weights will change."""
    tag, target = context.push_options.tag, context.target
    if not (tag and target and context.user):
        return
    with hub_errors(context.hub):
        try:
            refs = context.hub.api.list_repo_refs(target.repo_id)
        except RepositoryNotFoundError:
            return
    commit = next((ref.target_commit for ref in refs.tags if ref.name == tag), None)
    is_head = commit in {ref.target_commit for ref in refs.branches}
    if commit and not (is_head and context.is_trained()):
        yield (
            f"--tag {tag}: {target.url} has it on another commit; "
            "choose another, or leave --tag out"
        )


def check_secrets_in_options(context: Context) -> Iterator[str]:
    """Yield what the options reveal."""
    options = context.push_options
    texts = [("--prompt", prompt) for prompt in context.request.prompts]
    texts += [
        ("--commit-message", options.commit_message or ""),
        ("--tag", options.tag or ""),
        ("--revision", options.revision or ""),
        ("--base", context.base.id if context.base else ""),
    ]
    for option, text in texts:
        for what in scan_text(text, context.sensitive):
            yield f"{option}: contains {what}; take it out"


def check_secrets_in_base(context: Context) -> Iterator[str]:
    """Yield what the base's files reveal."""
    if not (context.base and context.contents):
        return
    for name, content in context.contents.texts.items():
        for line in scan_file(name, LOADED_FROM.sub(b"", content), context.sensitive):
            yield (f"{context.base.id}: {line}; take it out there, or use another base: --base ID")


def parse_read_options(context: Context) -> None:
    context.read_options = context.parse_read_options()


def read_posts(context: Context) -> None:
    context.curate(**(context.read_options or {}))


def check_secrets_in_profiles(context: Context) -> Iterator[str]:
    """Yield what the authors' names and bios reveal, besides what is masked in them."""
    for profile in context.run.record.profiles:
        for what in scan_text(f"{profile.name}\n{profile.bio or ''}", context.sensitive):
            yield (
                f"@{profile.handle}: the name or the bio contains {what}; "
                "take it out there, and get the posts again"
            )


def choose_visibility(context: Context) -> None:
    """Make the push private if the sources of the posts require it."""
    sources, options = context.run.record.sources, context.push_options
    if context.terms and options.private is None and licensing.is_private(sources, context.terms):
        context.run.log(f"the repo will be private, {licensing.explain_private(sources)}")
        context.push_options = replace(options, private=True)


def check_visibility(context: Context) -> Iterator[str]:
    """Yield a problem if the repo exists with another visibility."""
    target, private = context.target, context.push_options.private
    if not (target and context.user):
        return
    with hub_errors(context.hub):
        try:
            info = context.hub.api.model_info(target.repo_id)
        except RepositoryNotFoundError:
            return
    reason = licensing.explain_private(context.run.record.sources)
    if context.request.push_options.private is None and reason and private and not info.private:
        yield (
            f"{target.url} is public already, and this push would be private, {reason}; "
            "or make it private in its settings"
        )
    else:
        connection.check_visibility(info, target, private)


def check_card(context: Context) -> Iterator[str]:
    """Yield errors in the card's metadata, as far as they are known, by our rules and the Hub's."""
    hub, record = context.hub, context.run.record
    if not (context.base and context.terms):
        return
    target = context.target or Target(hub.endpoint, f"{UNKNOWN_NAMESPACE}/{record.handle}")
    draft = draft_record(record, target, context.base, context.terms, context.request)
    card = f"---\n{metadata.dump_metadata(draft)}---\n"
    if not context.user:
        return
    with hub_errors(hub):
        response = get_session().post(
            f"{hub.api.endpoint}/api/validate-yaml", json={"content": card, "repoType": "model"}
        )
        if response.status_code != 400:
            hf_raise_for_status(response)
            return
        errors = response.json().get("errors") or []
    for error in errors:
        yield (
            f"the card's metadata: {error.get('message')}; "
            "give another --license, --base or source of posts"
        )
