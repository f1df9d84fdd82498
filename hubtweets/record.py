"""The record of a run: run.json, and hubtweets.json in the repo.

Every stage adds its section; the card, the pictures and the publisher only read. It is made of frozen dataclasses, and read back strictly: an
unknown or misspelt key is an error, not a blank on a card.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from hubtweets import atomic
from hubtweets.errors import HubtweetsError
from hubtweets.posts import Profile, SourceKind

SCHEMA_VERSION = 2


# what becomes of a post, in the order of the stats table, and what the table calls it
FATES = {
    "reposts": "Retweets",
    "private": "Not public",
    "superseded": "Older versions of edited tweets",
    "warned": "Behind a content warning",
    "duplicates": "Said before",
    "quoted": "Said by others",
    "automated": "Posted by apps",
    "scrubbed": "With a key or token",
    "short": "Short tweets",
    "kept": "Tweets kept",
}


@dataclass(frozen=True)
class Source:
    """What an author's posts were read from, and the moments (ISO 8601, UTC) of the first and last kept post where they are known."""

    kind: SourceKind
    sha256: str
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Curation:
    """Every knob of curation; `split` None: by time where every kept post has a date, else by hash."""

    rules: Literal["default", "classic"] = "default"
    mentions: Literal["strip", "keep"] = "strip"  # those that lead a reply
    content_warnings: Literal["skip", "keep"] = "skip"  # posts behind one
    split: Literal["time", "hash"] | None = None


@dataclass(frozen=True)
class Counts:
    """One author's funnel in posts, how many of the kept ones are masked in part, and the characters of the kept ones.

    Raises ValueError where the funnel does not add up.
    """

    handle: str
    downloaded: int
    reposts: int
    private: int
    superseded: int
    warned: int
    duplicates: int
    quoted: int
    automated: int
    scrubbed: int
    short: int
    kept: int
    masked: int
    characters: int

    def __post_init__(self) -> None:
        if sum(self.funnel().values()) != self.downloaded:
            raise ValueError(f"{self} does not add up")

    def funnel(self) -> dict[str, int]:
        """Return every fate of a post with its number, in the order of the stats table."""
        return {fate: getattr(self, fate) for fate in FATES}


def stats_rows(counts: Sequence[Counts]) -> list[tuple[str, list[int]]]:
    """Return the stats table, a number for each author: the original's four rows, and between them what else was left out, where there was any."""
    always = ("reposts", "short", "kept")
    fates = [fate for fate in FATES if fate in always or any(getattr(count, fate) for count in counts)]
    return [
        ("Tweets downloaded", [count.downloaded for count in counts]),
        *((FATES[fate], [getattr(count, fate) for count in counts]) for fate in fates),
    ]


@dataclass(frozen=True)
class DatasetInfo:
    """How many posts each side of the split holds, the SHA-256 of their texts, how they were split, and the share of each language in them."""

    train_posts: int
    train_sha256: str
    validation_posts: int
    validation_sha256: str
    split: Literal["time", "hash"]
    languages: dict[str, float]


@dataclass(frozen=True)
class Base:
    """The model that is fine-tuned; `revision` is its commit on the Hub, or the SHA-256 of a local folder's weights.

    `languages` are the codes that its card names, none where it names none.
    """

    id: str
    revision: str
    license: str | None
    languages: tuple[str, ...]
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
    """Everything a card can say; a section is None (or empty) until its stage is done.

    `handle` names the bot; profiles, sources, counts and passes (over an author's posts in an epoch) have one entry for each author, in the
    same order.
    """

    handle: str
    hubtweets_version: str
    schema_version: int = SCHEMA_VERSION
    target: Target | None = None
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
    except ValidationError as error:
        wrong = error.errors()[0]
        raise other_version(path, f"{'.'.join(map(str, wrong['loc'])) or 'it'}: {wrong['msg']}") from None
    except ValueError as error:
        raise other_version(path, str(error)) from None
    return record


def other_version(path: Path, reason: str) -> HubtweetsError:
    return HubtweetsError(f"{path}: not a record of this version ({reason}); remove this file and publish again, what services gave is kept")
