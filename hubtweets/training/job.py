"""A training as files in a folder, so that any engine can do it on any machine.

In: dataset/train.parquet, dataset/validation.parquet, and config.json, a TrainingJob. Out:
training.json, a TrainingReport, which names the folder of the weights; or error.txt, the line that
a person should read. Checkpoints and the trackers' files are in the same folder, so a training that
was interrupted resumes there.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.record.run_folder import hash_key
from hubtweets.record.run_record import (
    Base,
    Environment,
    Evaluation,
    HistoryPoint,
    Tracked,
    Tracker,
)
from hubtweets.record.serialization import dump_json, is_repo_path

CONFIG, REPORT, ERROR = "config.json", "training.json", "error.txt"
CHECKPOINTS, TRACKING = "checkpoints", "tracking"

Contract = TypeVar("Contract", "TrainingJob", "TrainingReport")


@dataclass(frozen=True)
class TrainingJob:
    """What to train.

    `location` is where transformers loads the base from, `inputs` are all that the weights depend
    on, and messages are printed from `log_level` on.
    """

    name: str
    base: Base
    location: str
    training: TrainingConfig
    report_to: tuple[Tracker, ...]
    inputs: dict[str, Any]
    log_level: int

    @property
    def key(self) -> str:
        """The hash of the inputs: jobs of one key have the same weights."""
        return hash_key(self.inputs)


@dataclass(frozen=True)
class TrainingReport:
    """What a training did, for the job of this key.

    `weights` is the folder of the weights and the tokenizer, and `event_files` are files to publish
    with them, each relative to the folder of the job. `training` has the learning rate that was
    chosen. `stopped` says that a person asked to stop when the last step was done.
    """

    key: str
    weights: str
    event_files: tuple[str, ...]
    training: TrainingConfig
    passes: tuple[float, ...]
    environment: Environment
    history: tuple[HistoryPoint, ...]
    evaluations: tuple[Evaluation, ...]
    tracked: tuple[Tracked, ...]
    stopped: bool


def write_job(folder: Path, job: TrainingJob) -> None:
    write_atomically(folder / CONFIG, dump_json(asdict(job)).encode())


def read_job(folder: Path) -> TrainingJob:
    """Read config.json; raise HubtweetsError if it is missing or is no TrainingJob."""
    return read_contract(folder / CONFIG, TrainingJob)


def write_report(folder: Path, report: TrainingReport) -> None:
    write_atomically(folder / REPORT, dump_json(asdict(report)).encode())


def read_report(folder: Path) -> TrainingReport:
    """Read training.json; raise HubtweetsError if it is missing or is no TrainingReport."""
    report = read_contract(folder / REPORT, TrainingReport)
    places = [(report.weights, CHECKPOINTS), *((path, TRACKING) for path in report.event_files)]
    for path, place in places:
        if not (is_repo_path(path) and path.startswith(f"{place}/")):
            raise HubtweetsError(f"{folder / REPORT}: {path}: not a path in {place}/; remove it")
    return report


def find_report(folder: Path, key: str) -> TrainingReport | None:
    """Return the report of a job that was done in the folder, or None."""
    if not (folder / REPORT).exists():
        return None
    report = read_report(folder)
    is_whole = report.key == key and (folder / report.weights).is_dir()
    return report if is_whole else None


def read_contract(path: Path, kind: type[Contract]) -> Contract:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except OSError as error:
        raise HubtweetsError(
            f"{path}: {error.strerror}; type: hubtweets publish {path.parent.name}"
        ) from None
    except ValidationError as error:
        wrong = error.errors()[0]
        key = ".".join(map(str, wrong["loc"])) or "it"
        raise HubtweetsError(
            f"{path}: {key}: {wrong['msg']}; remove it, and type: hubtweets publish "
            f"{path.parent.name}"
        ) from None
