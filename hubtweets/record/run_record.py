"""The record of a run, made of frozen dataclasses.

Every stage adds its section; the card, the pictures and the publisher only read.
"""

from dataclasses import dataclass, field
from typing import Literal

from hubtweets.posts.post import Profile
from hubtweets.posts.source_kinds import SourceKind
from hubtweets.record.config import Curation, TrainingConfig
from hubtweets.record.counts import Counts
from hubtweets.record.samples import MemorizationAudit, Samples

SCHEMA_VERSION = 6

Tracker = Literal["tensorboard", "wandb", "trackio"]
Consent = Literal["own", "given"]  # the posts are the publisher's own, or their author agreed


@dataclass(frozen=True)
class Source:
    """What an author's posts were read from, and the moments (ISO 8601, UTC) of the first and last kept post where they are known.

    `dataset` is the id of a public dataset on the Hub; the posts of a protected account were for its followers alone.
    """

    kind: SourceKind
    sha256: str
    first: str | None
    last: str | None
    dataset: str | None = None
    protected: bool = False


@dataclass(frozen=True)
class Row:
    """A post that was trained on and that everybody may read."""

    author: str
    text: str


@dataclass(frozen=True)
class DatasetInfo:
    """How many posts each side of the split holds, the SHA-256 of their texts, how they were split, and the share of each language in them.

    `rows` are some of the posts that were trained on, for the card.
    """

    train_posts: int
    train_sha256: str
    validation_posts: int
    validation_sha256: str
    split: Literal["time", "hash"]
    languages: dict[str, float]
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class License:
    """A licence by its id on the Hub; one that is `other` has a name and a link."""

    id: str
    name: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class Base:
    """The model that is fine-tuned; `revision` is its commit on the Hub, or the SHA-256 of a local folder's weights.

    `languages` are the codes that its card names, none where it names none.
    """

    id: str
    revision: str
    license: License | None
    languages: tuple[str, ...]
    on_hub: bool


@dataclass(frozen=True)
class Environment:
    """What the training ran on, how long, and which of its steps is published, the one that scored best on the held-out posts."""

    versions: dict[str, str]
    device: str
    num_processes: int
    mixed_precision: str
    packed: bool  # else padded, for a model that can't keep the documents of a block apart
    seconds: float
    tokens: int
    steps: int
    published_step: int
    default_learning_rate: float  # for this base, where none was set
    parameters: int  # numbers in the published weights; of an adapter, those that are trained


@dataclass(frozen=True)
class HistoryPoint:
    """The mean loss (nats per token) of the steps since the last point."""

    step: int
    loss: float
    learning_rate: float

    def values(self) -> dict[str, float]:
        """Return the point as trackers show it."""
        return {"train/loss": self.loss, "train/learning_rate": self.learning_rate}


@dataclass(frozen=True)
class Evaluation:
    """The bits per byte of the held-out posts after a step."""

    step: int
    bits_per_byte: float

    def values(self) -> dict[str, float]:
        """Return the evaluation as trackers show it."""
        return {"eval/bits_per_byte": self.bits_per_byte}


@dataclass(frozen=True)
class Tracked:
    """A run in an experiment tracker; `url` is None where it is kept on this machine."""

    tracker: Tracker
    kind: Literal["preprocess", "train"]
    url: str | None


@dataclass(frozen=True)
class Score:
    """A model's score on held-out texts; the formulas stand at `evaluation.evaluate`."""

    bits_per_byte: float
    perplexity: float
    bytes: int
    tokens: int


@dataclass(frozen=True)
class Metrics:
    """The same held-out posts scored by the untouched base and by the tuned model."""

    base: Score
    tuned: Score


@dataclass(frozen=True)
class File:
    """A file of the run by its path in the run folder."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Stage:
    """A finished stage: the hash of what it depended on, and what it wrote."""

    key: str
    outputs: tuple[File, ...]


@dataclass(frozen=True)
class Target:
    """Where the bot is to stand."""

    endpoint: str
    repo_id: str

    @property
    def url(self) -> str:
        return f"{self.endpoint}/{self.repo_id}"

    def file_url(self, name: str) -> str:
        """Return the address at which the Hub serves a file of the repo's newest commit."""
        return f"{self.url}/resolve/main/{name}"


@dataclass(frozen=True)
class Terms:
    """Under what the bot is published: its licence, and what the publisher says of the right to the posts, None: nothing."""

    license: License
    consent: Consent | None = None


@dataclass(frozen=True)
class Published:
    """The last push: its commit, the commit before it, the tag, the files it put there; or the pull request that it waits in."""

    endpoint: str
    repo_id: str
    commit: str
    parent: str
    tag: str | None
    files: tuple[str, ...]
    pull_request: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """Everything a card can say; a section is None (or empty) until its stage is done.

    `handle` names the bot; profiles, sources, counts, passes (over an author's posts in an epoch) and metrics_by_author have one entry for each
    author, in the same order. `files` are those of repo/, by their paths there, but for the card and the record itself.
    """

    handle: str
    hubtweets_version: str
    schema_version: int = SCHEMA_VERSION
    target: Target | None = None
    terms: Terms | None = None
    profiles: tuple[Profile, ...] = ()
    sources: tuple[Source, ...] = ()
    curation: Curation | None = None
    counts: tuple[Counts, ...] = ()
    dataset: DatasetInfo | None = None
    base: Base | None = None
    training: TrainingConfig | None = None
    passes: tuple[float, ...] = ()
    environment: Environment | None = None
    history: tuple[HistoryPoint, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    tracked: tuple[Tracked, ...] = ()
    metrics: Metrics | None = None
    metrics_by_author: tuple[Metrics, ...] = ()
    samples: Samples | None = None
    audit: MemorizationAudit | None = None
    files: tuple[File, ...] = ()
    published: Published | None = None
    stages: dict[str, Stage] = field(default_factory=dict)
