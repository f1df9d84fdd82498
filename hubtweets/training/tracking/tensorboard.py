"""TensorBoard event files."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking.base import OpenTracker, TrackedRun

EVENT_FILE_NAME = "events.out.tfevents.hubtweets"  # the writers put the host's name there


@contextmanager
def open_tensorboard(run: TrackedRun) -> Iterator[OpenTracker]:
    """Write one event file, in place of the last one.

    The configuration is logged as text: Accelerate's own way to store it writes a second event file
    with the host's name, and a third file.
    """
    from accelerate.tracking import TensorBoardTracker

    folder = run.folder / "tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    tracker = TensorBoardTracker("", folder)
    tracker.start()
    opened = OpenTracker(tracker, (Tracked("tensorboard", "train", None),))
    # indented, or TensorBoard renders it as Markdown
    lines = [f"    {key}: {json.dumps(value)}" for key, value in run.config.items()]
    try:
        tracker.log({"config": "\n".join(lines)}, step=0)
        yield opened
    finally:
        tracker.finish()
        (written,) = folder.iterdir()
        opened.event_files = (written.rename(folder / EVENT_FILE_NAME),)
