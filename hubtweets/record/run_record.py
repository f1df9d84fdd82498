"""The record of a run, as frozen dataclasses.

Every stage adds its section. The card, the pictures and the publisher only read it.
"""

from dataclasses import dataclass, field
from typing import Literal

from hubtweets.config import Curation, TrainingConfig
from hubtweets.posts.post import Profile
from hubtweets.posts.source_kinds import SourceKind
from hubtweets.record.counts import Counts
from hubtweets.record.samples import MemorizationAudit, Samples

SCHEMA_VERSION = 6
MIN_CURVE_POINTS = 3  # of the training loss; fewer are no curve

Tracker = Literal["tensorboard", "wandb", "trackio"]
Consent = Literal["own", "given"]  # the posts are the publisher's own, or their author agreed


@dataclass(frozen=True)
class Source:
    """What an author's posts were read from.

    `first` and `last` are the times (ISO 8601, UTC) of the first and last kept post, if known.
    `dataset` is the id of a public dataset on the Hub. `protected` is True for a protected account,
    whose posts are for its followers only.
    """

    kind: SourceKind
    sha256: str
    first: str | None
    last: str | None
    dataset: str | None = None
    protected: bool = False


@dataclass(frozen=True)
class Row:
    """A public post that was trained on."""

    author: str
    text: str


@dataclass(frozen=True)
class DatasetInfo:
    """The split of the kept posts: how many are on each side, and the SHA-256 of their texts.

    `languages` has the share of each language, `rows` some of the training posts.
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
    """A licence by its id on the Hub; one with the id `other` has a name and a link."""

    id: str
    name: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class Base:
    """The model that is fine-tuned.

    `revision` is its commit on the Hub, or the SHA-256 of the weights in a local folder.
    `languages` are the codes that its card names, if any.
    """

    id: str
    revision: str
    license: License | None
    languages: tuple[str, ...]
    on_hub: bool


@dataclass(frozen=True)
class Environment:
    """What the training ran on, how long it took, and which of its steps is published.

    `published_step` is the one that scored best on the held-out posts.
    """

    versions: dict[str, str]
    device: str
    num_processes: int
    mixed_precision: str
    packed: bool  # else padded, for a model that can't keep the documents of a block apart
    seconds: float
    tokens: int
    steps: int
    published_step: int
    default_learning_rate: float  # for this base, if none is set
    parameters: int  # of the published weights; of an adapter, its own


@dataclass(frozen=True)
class HistoryPoint:
    """The mean loss (nats per token) of the steps since the last point."""

    step: int
    loss: float
    learning_rate: float

    def values(self) -> dict[str, float]:
        """Return the point by the names that trackers show."""
        return {"train/loss": self.loss, "train/learning_rate": self.learning_rate}


@dataclass(frozen=True)
class Evaluation:
    """The bits per byte of the held-out posts after a step."""

    step: int
    bits_per_byte: float

    def values(self) -> dict[str, float]:
        """Return the evaluation by the names that trackers show."""
        return {"eval/bits_per_byte": self.bits_per_byte}


@dataclass(frozen=True)
class Tracked:
    """A run in an experiment tracker; `url` is None if it is on this machine only."""

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
    """The repo that the bot is published to."""

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
    """The bot's licence, and what the publisher states about the right to the posts."""

    license: License
    consent: Consent | None = None


@dataclass(frozen=True)
class Published:
    """The last push: its commit, the commit before it, its tag and its files.

    `pull_request` is the address of the pull request that it opened, if any.
    """

    endpoint: str
    repo_id: str
    commit: str
    parent: str
    tag: str | None
    files: tuple[str, ...]
    pull_request: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """Everything that a card can say; a section is None or empty until its stage is done.

    `handle` is the name of the bot. `profiles`, `sources`, `counts`, `passes` (over an author's
    posts in an epoch) and `metrics_by_author` have one entry per author, in the same order. `files`
    are those of repo/, by their paths there, without the card and the record itself.
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

    @property
    def has_loss_curve(self) -> bool:
        """True if the loss was logged often enough for loss.png."""
        return len(self.history) >= MIN_CURVE_POINTS
