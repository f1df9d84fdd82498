"""Experiment trackers: a run's numbers in TensorBoard, Weights & Biases or trackio, through the tracker classes of Accelerate.

In: the names of the trackers, the folder `tracking` of a run, its configuration; then its numbers, step by step. Out: what each tracker keeps in
that folder or shows online, and the event file of TensorBoard, which is pushed with the model. A run that was killed is logged again from its
first step under the same `run_id`; no tracker shows a point twice. Only the main process tracks.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracker
from hubtweets.training.tracking.base import Trackers
from hubtweets.training.tracking.tensorboard import flatten_config, open_tensorboard
from hubtweets.training.tracking.trackio import open_trackio
from hubtweets.training.tracking.wandb import open_wandb


def check_installed(names: Sequence[Tracker]) -> None:
    """Raise HubtweetsError where the package of a tracker is missing."""
    for name in names:
        try:
            distribution(
                "tensorboardX" if name == "tensorboard" else name
            )  # a folder called wandb, which wandb makes, can be imported too
        except PackageNotFoundError:
            raise HubtweetsError(
                f"--report-to {name} needs a package that is not installed; type: pip install 'hubtweets[{name}]'"
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
    """Open the trackers for a run, and close them with it; `data` are the Parquet files that W&B gets: the posts as read, then the dataset.

    trackio learns its folder once in a process. Raises HubtweetsError where a package or a login is missing, or a tracker can't be reached.
    """
    check_installed(names)
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    PartialState(
        cpu=parse_flag_from_env("ACCELERATE_USE_CPU")
    )  # the trackers ask it; these are the words in which Accelerator makes it
    folder, flat = folder.absolute(), flatten_config(config)
    trackers = Trackers(name=name)
    with ExitStack() as stack:
        if "tensorboard" in names:
            stack.enter_context(open_tensorboard(trackers, folder / "tensorboard", flat))
        if "wandb" in names:
            stack.enter_context(open_wandb(trackers, folder, run_id, flat, data))
        if "trackio" in names:
            stack.enter_context(open_trackio(trackers, folder / "trackio", flat))
        yield trackers
