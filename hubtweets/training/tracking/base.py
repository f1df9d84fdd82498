"""What all trackers share: what was logged and where."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.record.run_record import Tracked

if TYPE_CHECKING:
    from accelerate.tracking import GeneralTracker


Config = Mapping[str, int | float | str]
PROJECT_NAME = "hubtweets"


@dataclass
class Trackers:
    """The open trackers; `event_files`, those of TensorBoard, are there when the trackers are closed."""

    opened: list["GeneralTracker"] = field(default_factory=list)
    tracked: tuple[Tracked, ...] = ()
    event_files: tuple[Path, ...] = ()
    name: str = ""
    model_loggers: list[Callable[[Path], None]] = field(default_factory=list)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values after an optimizer step; steps may come twice, but never fall."""
        for tracker in self.opened:
            tracker.log(dict(values), step=step)

    def log_model(self, folder: Path) -> None:
        """Log the files of a folder as a model to the trackers that keep models."""
        for log_model in self.model_loggers:
            log_model(folder)


@contextmanager
def set_variables(**values: str) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ |= values
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
