"""The record of a run: run.json, and hubtweets.json in the repo.

Every stage adds its section; the card, the pictures and the publisher only read. It is made of frozen dataclasses, and read back strictly: an
unknown or misspelt key is an error, not a blank on a card.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from hubtweets import atomic
from hubtweets.errors import HubtweetsError
from hubtweets.posts import Profile

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Source:
    """What was read, and the days (ISO 8601, UTC) of the first and last kept post where they are known."""

    kind: str
    sha256: str
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Counts:
    """One author's funnel in posts, and the characters of the kept ones; raises ValueError where it does not add up."""

    handle: str
    downloaded: int
    reposts: int
    private: int
    superseded: int
    short: int
    kept: int
    characters: int

    def __post_init__(self) -> None:
        if sum(self.funnel().values()) != self.downloaded:
            raise ValueError(f"{self} does not add up")

    def funnel(self) -> dict[str, int]:
        """Return every fate of a post with its number, in the order of the stats table."""
        return {
            "retweets": self.reposts,
            "private": self.private,
            "older versions of edited posts": self.superseded,
            "short": self.short,
            "kept": self.kept,
        }


@dataclass(frozen=True)
class DatasetInfo:
    """How many posts each side of the split holds, the SHA-256 of their texts, and their most common language as the source marks it."""

    train_posts: int
    train_sha256: str
    validation_posts: int
    validation_sha256: str
    language: str | None


@dataclass(frozen=True)
class Base:
    """The model that is fine-tuned; `revision` is its commit on the Hub, or the SHA-256 of a local folder's weights."""

    id: str
    revision: str
    license: str | None
    on_hub: bool


@dataclass(frozen=True)
class TrainingConfig:
    """Every knob of the trainer."""

    epochs: float = 4.0  # passes over the training posts
    learning_rate: float | None = None  # at the top of the schedule; None: by the model's width
    warmup_ratio: float = 0.05  # share of the steps in which the learning rate rises
    weight_decay: float = 0.1  # of matrices; biases and norms do not decay
    max_grad_norm: float = 1.0
    batch_size: int = 8  # blocks per optimizer step, over all processes
    block_size: int = 128  # tokens per block
    logging_steps: int = 10
    checkpoint_seconds: float = 30.0
    seed: int = 0


@dataclass(frozen=True)
class Environment:
    """What the training ran on."""

    versions: dict[str, str]
    device: str
    num_processes: int
    mixed_precision: str
    seconds: float
    tokens: int


@dataclass(frozen=True)
class HistoryPoint:
    """The mean loss (nats per token) of the steps since the last point."""

    step: int
    loss: float
    learning_rate: float


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
class Samples:
    """Texts that the published weights made from a prompt."""

    prompt: str
    seed: int
    texts: tuple[str, ...]


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
class Published:
    """The last push: its commit, the commit before it, the tag, the files it put there."""

    endpoint: str
    repo_id: str
    commit: str
    parent: str
    tag: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class RunRecord:
    """Everything a card can say; a section is None (or empty) until its stage is done."""

    handle: str
    hubtweets_version: str
    schema_version: int = SCHEMA_VERSION
    target: Target | None = None
    profiles: tuple[Profile, ...] = ()
    source: Source | None = None
    counts: tuple[Counts, ...] = ()
    dataset: DatasetInfo | None = None
    base: Base | None = None
    training: TrainingConfig | None = None
    environment: Environment | None = None
    history: tuple[HistoryPoint, ...] = ()
    metrics: Metrics | None = None
    samples: Samples | None = None
    published: Published | None = None
    stages: dict[str, Stage] = field(default_factory=dict)


def dumps(record: RunRecord) -> str:
    return json.dumps(asdict(record), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def dumps_public(record: RunRecord) -> str:
    """Return what goes into the repo as hubtweets.json: the record without the run folder's stages and without the push that is yet to come."""
    public = asdict(replace(record, stages={}, published=None))
    del public["stages"], public["published"]
    return json.dumps(public, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write(record: RunRecord, path: Path) -> None:
    atomic.write(path, dumps(record).encode())


def read(path: Path) -> RunRecord:
    """Read a record; raise HubtweetsError where a key is missing, unknown or of another type."""
    from pydantic import TypeAdapter, ValidationError

    try:
        text = path.read_text(encoding="utf-8")
        record = TypeAdapter(RunRecord).validate_json(text)
        if json.loads(text) != json.loads(dumps(record)):
            raise ValueError("keys that this version does not know, or lacks some")
    except (ValidationError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise HubtweetsError(f"{path}: not a record of this version ({reason}); delete the folder and run again") from None
    return record
