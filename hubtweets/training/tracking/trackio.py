"""Trackio."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking.base import PROJECT_NAME, Config, Trackers, set_variables


@contextmanager
def open_trackio(trackers: Trackers, folder: Path, config: Config) -> Iterator[None]:
    """Open a run of trackio in the place of the last one, or in the Space that TRACKIO_SPACE_ID names."""
    from httpx2 import HTTPError

    shutil.rmtree(folder, ignore_errors=True)
    with set_variables(TRACKIO_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False"):
        import trackio
        from accelerate.tracking import TrackioTracker

        # as an argument: Accelerate's store_init_configuration adds a setting of its own
        tracker = TrackioTracker(
            PROJECT_NAME,
            name=trackers.name,
            config=dict(config),
            embed=False,
            auto_log_cpu=False,
            auto_log_gpu=False,
        )
        try:
            with redirect_stdout(io.StringIO()):
                tracker.start()
        except (HTTPError, OSError, ValueError) as error:
            raise HubtweetsError(
                f"--report-to trackio: {error}; type: hf auth login, or: unset TRACKIO_SPACE_ID TRACKIO_SERVER_URL"
            ) from None
        space = tracker.run.url  # its name, or the address of a server
        from huggingface_hub.constants import ENDPOINT

        trackers.opened.append(tracker)
        trackers.tracked += (
            Tracked(
                "trackio",
                "train",
                f"{ENDPOINT}/spaces/{space}" if space and "://" not in space else None,
            ),
        )
        try:
            yield
        finally:
            with redirect_stdout(io.StringIO()):
                trackio.finish()  # tracker.finish() leaves a run that is finished, and told of, a second time at exit
