"""What a publish is asked for, and what its preflight found out."""

from dataclasses import dataclass, replace

from hubtweets.config import TrainingConfig
from hubtweets.models.inspection import CheckpointInfo
from hubtweets.publishing.push import PushOptions
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

NO_SCORE = Score(0.0, 0.0, 0, 0)


@dataclass(frozen=True)
class PublishRequest:
    """What to publish: where, on which base, under which terms, trained and pushed how.

    `prompts` are those of the samples on the card.
    """

    namespace: str | None
    base_model: str
    license: str | None
    consent: Consent | None
    training: TrainingConfig
    report_to: tuple[Tracker, ...]
    prompts: tuple[str, ...]
    push_options: PushOptions


@dataclass(frozen=True)
class PreparedPublish:
    """What a publish needs, as preflight found it.

    `location` is where the base is loaded from, and `contents` what is in it.
    """

    target: Target
    base: Base
    contents: CheckpointInfo
    location: str
    terms: Terms
    push_options: PushOptions


def is_trained(run: RunFolder, base: Base, training: TrainingConfig) -> bool:
    """Return whether a run was trained on the posts that it read last, with these options."""
    stage, posts = run.record.stages.get("train"), run.record.dataset
    if stage is None or posts is None:
        return False
    return stage.key == hash_key(list_training_inputs(base, training, posts))


def draft_record(
    record: RunRecord, target: Target, base: Base, terms: Terms, request: PublishRequest
) -> RunRecord:
    """Return a record as it will be after training, with prompts as samples and zero scores."""
    samples = tuple(Sample(prompt, prompt, Overlap(0, 0, 0.0)) for prompt in request.prompts)
    metrics, picked = Metrics(NO_SCORE, NO_SCORE), tuple(range(1, len(samples) + 1))
    return replace(
        record,
        target=target,
        terms=terms,
        base=base,
        training=request.training,
        metrics=metrics,
        metrics_by_author=(metrics,) * len(record.profiles),
        samples=Samples(request.training.seed, SAMPLING_SETTINGS, samples, picked),
        audit=MemorizationAudit(1.0, len(samples), 0, 0, 0),
    )
