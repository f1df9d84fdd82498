"""TensorBoard event files."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking.base import Config, Trackers

EVENT_FILE_NAME = "events.out.tfevents.hubtweets"  # the writers put the host's name there


def flatten_config(config: Mapping[str, object], prefix: str = "") -> dict[str, int | float | str]:
    """Return nested settings as one level, `training.num_train_epochs` and the like; None is left out, lists become JSON."""
    flat: dict[str, int | float | str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten_config(value, f"{prefix}{key}.")
        elif value is not None:
            flat[prefix + key] = (
                value if isinstance(value, int | float | str) else json.dumps(value)
            )
    return flat


@contextmanager
def open_tensorboard(trackers: Trackers, folder: Path, config: Config) -> Iterator[None]:
    """Write one event file, in the place of the last one.

    Accelerate's own way to store a configuration writes a second event file with the host's name, and a third file; it is logged as text here.
    """
    from accelerate.tracking import TensorBoardTracker

    shutil.rmtree(folder, ignore_errors=True)
    tracker = TensorBoardTracker("", folder)
    tracker.start()
    try:
        tracker.log(
            {
                "config": "\n".join(
                    f"    {key}: {json.dumps(value)}" for key, value in config.items()
                )
            },
            step=0,
        )  # indented: no Markdown
        trackers.opened.append(tracker)
        trackers.tracked += (Tracked("tensorboard", "train", None),)
        yield
    finally:
        tracker.finish()
        (written,) = folder.iterdir()
        trackers.event_files = (written.rename(folder / EVENT_FILE_NAME),)
