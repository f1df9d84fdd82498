"""What is checked before a training: everything that a push could fail on later, and all of it at once.

In: what a publish was asked for. Out: what was found out on the way, or every problem, each with its remedy. What the Hub is asked is asked once: it
may be away, and then the other problems are told all the same.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from huggingface_hub import constants
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import get_session, hf_raise_for_status, validate_repo_id

from hubtweets.card import licensing, metadata
from hubtweets.errors import HubtweetsError, ProblemsError
from hubtweets.files import check_download_space, check_training_space
from hubtweets.models import inspection
from hubtweets.models.base import resolve_base
from hubtweets.models.inspection import CheckpointInfo
from hubtweets.posts.sources import is_remote
from hubtweets.publishing import permissions, secret_scan
from hubtweets.publishing.connection import Hub, check_visibility, hub_errors
from hubtweets.publishing.push import PushOptions
from hubtweets.record.config import TrainingConfig
from hubtweets.record.run_folder import RunFolder, hash_key, list_training_inputs
from hubtweets.record.run_record import (
    Base,
    Consent,
    Metrics,
    RunRecord,
    Score,
    Target,
    Terms,
    Tracker,
)
from hubtweets.record.samples import SAMPLING_SETTINGS, MemorizationAudit, Overlap, Sample, Samples
from hubtweets.training.tracking import trackers

Given = ParamSpec("Given")
Taken = TypeVar("Taken")

ELSEWHERE = re.compile(
    rb'"_?name_or_path"\s*:\s*"[^"]*"'
)  # where the base was loaded from once; what is made of it does not say so
NOTHING = Score(0.0, 0.0, 0, 0)


@dataclass(frozen=True)
class PublishRequest:
    """What a publish is to make: where, of which base, under which terms, trained how, and which prompts its card shows."""

    namespace: str | None
    base: str
    license: str | None
    consent: Consent | None
    training: TrainingConfig
    track: tuple[Tracker, ...]
    prompts: tuple[str, ...]
    push_options: PushOptions


@dataclass(frozen=True)
class PreparedPublish:
    """What was found: where the bot will stand, on which base (what is in it, where it is loaded from), under which terms, and how it is pushed."""

    target: Target
    base: Base
    contents: CheckpointInfo
    location: str
    terms: Terms
    push_options: PushOptions


class ProblemCollector:
    """The problems that were found, in order, none of them twice."""

    def __init__(self) -> None:
        self.problems: dict[str, None] = {}

    def note(self, problems: Iterable[str]) -> None:
        """Add problems, those that are told and the one that is raised."""
        try:
            for problem in problems:
                self.problems[problem] = None
        except HubtweetsError as error:
            self.problems |= dict.fromkeys(
                error.lines if isinstance(error, ProblemsError) else [str(error)]
            )

    def take(
        self, function: Callable[Given, Taken], *arguments: Given.args, **more: Given.kwargs
    ) -> Taken | None:
        """Return what a function returns, or None where it raises a problem, which is added."""
        try:
            return function(*arguments, **more)
        except HubtweetsError as error:
            self.note(error.lines if isinstance(error, ProblemsError) else [str(error)])
            return None

    def check(self) -> None:
        """Raise HubtweetsError with all of them."""
        if self.problems:
            raise ProblemsError(list(self.problems))


def check(
    run: RunFolder,
    hub: Hub,
    asked: PublishRequest,
    reading: Callable[[], dict[str, Any]],
    curate: Callable[..., None],
) -> PreparedPublish:
    """Read the posts and check all that publishing needs; raise HubtweetsError with every problem, each with its remedy.

    Posts that are read over the network, which takes time and maybe money, are read only where nothing else stands in the way.
    """
    found, looked_for, options = (
        ProblemCollector(),
        secret_scan.marks(hub.api.token),
        asked.push_options,
    )
    who = found.take(ask, hub)
    handle, nowhere = run.record.handle, Target(hub.endpoint, f"nobody/{run.record.handle}")
    target = found.take(
        target_of, hub, asked.namespace or (who or {}).get("name") or "nobody", handle
    )
    if who and target:
        found.note(
            permissions.find_problems(
                who, target.repo_id.partition("/")[0], handle, options.create_pr
            )
        )
    base, location = found.take(resolve_base, asked.base) or (None, "")
    inside = found.take(inspection.inspect_base, base, location) if base else None
    agreed = (
        found.take(licensing.choose_terms, base, asked.license, asked.consent) if base else None
    )
    if asked.license and not base:
        found.take(licensing.check_license, asked.license)
    trained = base is not None and is_trained(run, base, asked.training)
    found.take(trackers.check_installed, asked.track)
    if base:
        found.take(inspection.check_adapter, base, asked.training)
    if base and inside and not trained:
        found.take(inspection.check_context, base, inside.context, asked.training)
        found.take(check_training_space, run.folder, inside.parameters)
        found.take(check_download_space, Path(constants.HF_HUB_CACHE), inside.download)
    if who and target:
        found.note(problems_of_tag(hub, target, options.tag, trained))
    found.note(problems_of_texts(asked, base, inside, looked_for))
    settings = found.take(reading)
    if settings and any(
        is_remote(source, run.folder / "sources", settings["columns"], settings["fetching"].refresh)
        for source in settings["named"].values()
    ):
        found.check()
    if settings and found.take(done, curate, settings):
        found.note(problems_of_profiles(run.record, looked_for))
        if agreed and options.private is None and licensing.is_private(run.record.sources, agreed):
            run.log(f"push: private, {licensing.explain_private(run.record.sources)}")
            options = replace(options, private=True)
        why = (
            licensing.explain_private(run.record.sources)
            if asked.push_options.private is None
            else None
        )
        if who and target:
            found.note(problems_of_visibility(hub, target, options.private, why))
        if base and agreed:
            found.note(
                problems_of_card(
                    hub if who else None,
                    provisional(run.record, target or nowhere, base, agreed, asked),
                )
            )
    found.check()
    assert target and base and inside and agreed
    return PreparedPublish(target, base, inside, location, agreed, options)


def ask(hub: Hub) -> dict[str, Any]:
    """Return who the token belongs to and what it may do, as the Hub tells it."""
    with hub_errors(hub):
        return hub.api.whoami()


def done(curate: Callable[..., None], settings: dict[str, Any]) -> bool:
    curate(**settings)
    return True


def is_trained(run: RunFolder, base: Base, training: TrainingConfig) -> bool:
    """Tell whether what is to be trained was trained on the posts that were read last."""
    stage, posts = run.record.stages.get("train"), run.record.dataset
    return (
        stage is not None
        and posts is not None
        and stage.key == hash_key(list_training_inputs(base, training, posts))
    )


def target_of(hub: Hub, namespace: str, name: str) -> Target:
    """Return where the bot will stand; raise HubtweetsError where no repo could have this name."""
    target = Target(hub.endpoint, f"{namespace}/{name}")
    try:
        validate_repo_id(target.repo_id)
    except HFValidationError as error:
        raise HubtweetsError(
            f"{target.repo_id}: {str(error).partition(': ')[0]}; choose another --namespace"
        ) from None
    return target


def problems_of_tag(hub: Hub, target: Target, tag: str | None, trained: bool) -> Iterator[str]:
    """Yield that a tag is taken: by another commit, or by the last one where the weights will be others."""
    with hub_errors(hub):
        try:
            refs = hub.api.list_repo_refs(target.repo_id) if tag else None
        except RepositoryNotFoundError:
            return
    heads = {ref.target_commit for ref in refs.branches} if refs else set()
    if any(
        ref.name == tag and not (trained and ref.target_commit in heads)
        for ref in (refs.tags if refs else ())
    ):
        yield f"--tag {tag}: {target.url} has it on another commit; choose another, or leave --tag out"


def problems_of_visibility(
    hub: Hub, target: Target, private: bool | None, why: str | None
) -> Iterator[str]:
    """Yield that a repo which is there already is public or private, and was to be the other; `why` it is private if nobody asked for that."""
    with hub_errors(hub):
        try:
            info = hub.api.model_info(target.repo_id)
        except RepositoryNotFoundError:
            return
    if why and private and not info.private:
        yield f"{target.url} is public already, and this push would be private, {why}; or make it private in its settings"
    else:
        check_visibility(info, target, private)


def problems_of_texts(
    asked: PublishRequest,
    base: Base | None,
    inside: CheckpointInfo | None,
    looked_for: secret_scan.Marks,
) -> Iterator[str]:
    """Yield what the options and the base's files would give away."""
    options = asked.push_options
    texts: list[tuple[str, str | None]] = [("--prompt", prompt) for prompt in asked.prompts]
    texts += [
        ("--commit-message", options.commit_message),
        ("--tag", options.tag),
        ("--revision", options.revision),
        ("--base", base.id if base else None),
    ]
    for option, text in texts:
        yield from (
            f"{option}: holds {what}; take it out"
            for what in secret_scan.in_text(text or "", looked_for)
        )
    for name, content in (inside.texts if inside else {}).items():
        for line in secret_scan.in_file(name, ELSEWHERE.sub(b"", content), looked_for):
            yield f"{base.id if base else ''}: {line}; take it out there, or take another base: --base ID"


def problems_of_profiles(record: RunRecord, looked_for: secret_scan.Marks) -> Iterator[str]:
    """Yield what the authors' names and bios would give away, besides what is masked in them."""
    for profile in record.profiles:
        for what in secret_scan.in_text(f"{profile.name}\n{profile.bio or ''}", looked_for):
            yield f"@{profile.handle}: the name or the bio holds {what}; take it out there, and get the posts again"


def problems_of_card(hub: Hub | None, record: RunRecord) -> Iterator[str]:
    """Yield what is not valid in a card's metadata, as far as they are known, by our own rules and the Hub's."""
    card = f"---\n{metadata.dump_metadata(record)}---\n"
    if hub is None:
        return
    with hub_errors(hub):
        response = get_session().post(
            f"{hub.api.endpoint}/api/validate-yaml", json={"content": card, "repoType": "model"}
        )
        if response.status_code != 400:
            hf_raise_for_status(response)
        for error in response.json().get("errors") or [] if response.status_code == 400 else []:
            yield f"the card's metadata: {error.get('message')}; give another --license, --base or source of posts"


def provisional(
    record: RunRecord, target: Target, base: Base, agreed: Terms, asked: PublishRequest
) -> RunRecord:
    """Return a record as it will be after the training, with prompts for samples and zeros for numbers."""
    samples = tuple(Sample(prompt, prompt, Overlap(0, 0, 0.0)) for prompt in asked.prompts)
    return replace(
        record,
        target=target,
        terms=agreed,
        base=base,
        training=asked.training,
        metrics=Metrics(NOTHING, NOTHING),
        metrics_by_author=(Metrics(NOTHING, NOTHING),) * len(record.profiles),
        samples=Samples(
            asked.training.seed, SAMPLING_SETTINGS, samples, tuple(range(1, len(samples) + 1))
        ),
        audit=MemorizationAudit(1.0, len(samples), 0, 0, 0),
    )
