"""What all trackers share: the training that they are opened for, and what an open one can do."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.record.run_record import Tracked

if TYPE_CHECKING:
    from accelerate.tracking import GeneralTracker


Config = Mapping[str, int | float | str]
PROJECT_NAME = "hubtweets"


@dataclass(frozen=True)
class TrackedRun:
    """A training to track: its folder, name and id, its settings, and the files it was made from.

    `data` are Parquet files: the posts as read, then the dataset.
    """

    folder: Path
    name: str
    run_id: str
    config: Config
    data: Sequence[Path]


@dataclass
class OpenTracker:
    """An open tracker; a tracker that keeps models overrides `log_model`."""

    tracker: "GeneralTracker"
    tracked: tuple[Tracked, ...]  # its entries in the record
    event_files: tuple[Path, ...] = ()  # published with the model; set when the tracker is closed

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values after an optimizer step; a step may be repeated, but never decreases."""
        self.tracker.log(dict(values), step=step)

    def log_model(self, folder: Path) -> None:
        """Log the files of a folder as a model."""


def flatten_config(config: Mapping[str, object], prefix: str = "") -> dict[str, int | float | str]:
    """Return nested settings as one level, with keys such as `training.num_train_epochs`.

    None is left out, and lists become JSON.
    """
    flat: dict[str, int | float | str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten_config(value, f"{prefix}{key}.")
        elif isinstance(value, int | float | str):
            flat[prefix + key] = value
        elif value is not None:
            flat[prefix + key] = json.dumps(value)
    return flat


@contextmanager
def set_variables(**values: str) -> Iterator[None]:
    """Set environment variables within the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ |= values
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
