"""Experiment trackers, through the tracker classes of Accelerate.

In: the names of the trackers, the folder `tracking` of a run, its configuration; then its numbers,
step by step. Out: what each tracker keeps in that folder or shows online, and the event file of
TensorBoard, which is pushed with the model. A run that was killed is logged again from its first
step under the same `run_id`; no tracker shows a point twice. Only the main process tracks.

A new tracker is a file with a function that opens it, and a row of TRACKERS.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked, Tracker
from hubtweets.training.tracking.base import OpenTracker, TrackedRun, flatten_config
from hubtweets.training.tracking.tensorboard import open_tensorboard
from hubtweets.training.tracking.trackio import open_trackio
from hubtweets.training.tracking.wandb import open_wandb


class Backend(NamedTuple):
    """A tracker's package on PyPI, and the function that opens it."""

    package: str
    open: Callable[[TrackedRun], AbstractContextManager[OpenTracker]]


TRACKERS: dict[str, Backend] = {
    "tensorboard": Backend("tensorboardX", open_tensorboard),
    "wandb": Backend("wandb", open_wandb),
    "trackio": Backend("trackio", open_trackio),
}


@dataclass(frozen=True)
class Trackers:
    """The open trackers of a run."""

    opened: Sequence[OpenTracker]

    @property
    def tracked(self) -> tuple[Tracked, ...]:
        """The entries of all trackers in the record."""
        return tuple(entry for tracker in self.opened for entry in tracker.tracked)

    @property
    def event_files(self) -> tuple[Path, ...]:
        """The files to publish with the model, once the trackers are closed."""
        return tuple(path for tracker in self.opened for path in tracker.event_files)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values after an optimizer step; a step may be repeated, but never decreases."""
        for tracker in self.opened:
            tracker.log(values, step)

    def log_model(self, folder: Path) -> None:
        """Log the files of a folder as a model, to the trackers that keep models."""
        for tracker in self.opened:
            tracker.log_model(folder)


def check_installed(names: Sequence[Tracker]) -> None:
    """Raise HubtweetsError if the package of a tracker is missing."""
    for name in names:
        try:
            # not by an import: wandb makes a folder called wandb, which could be imported instead
            distribution(TRACKERS[name].package)
        except PackageNotFoundError:
            raise HubtweetsError(
                f"--report-to {name} needs a package that is not installed; "
                f"type: pip install 'hubtweets[{name}]'"
            ) from None


@contextmanager
def open_trackers(
    names: Sequence[Tracker],
    folder: Path,
    name: str,
    run_id: str,
    config: Mapping[str, object],
    data: Sequence[Path],
) -> Iterator[Trackers]:
    """Open the trackers for a run, and close them with it.

    `data` are the Parquet files that W&B gets: the posts as read, then the dataset. Raises
    HubtweetsError if a package or a login is missing, or a tracker can't be reached.
    """
    check_installed(names)
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    # the trackers need it; it is created here as Accelerator would create it
    PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))
    run = TrackedRun(folder.absolute(), name, run_id, flatten_config(config), data)
    with ExitStack() as stack:
        chosen = [backend for tracker, backend in TRACKERS.items() if tracker in names]
        yield Trackers([stack.enter_context(backend.open(run)) for backend in chosen])
