"""Trackio."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking.base import PROJECT_NAME, OpenTracker, TrackedRun, set_variables


@contextmanager
def open_trackio(run: TrackedRun) -> Iterator[OpenTracker]:
    """Open a run of trackio in place of the last one, or in the Space TRACKIO_SPACE_ID.

    trackio reads its folder once per process. Raises HubtweetsError if the Space can't be used.
    """
    from httpx2 import HTTPError

    folder = run.folder / "trackio"
    shutil.rmtree(folder, ignore_errors=True)
    with set_variables(TRACKIO_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False"):
        import trackio
        from accelerate.tracking import TrackioTracker

        # `config` is an argument: Accelerate's store_init_configuration adds a setting of its own
        tracker = TrackioTracker(
            PROJECT_NAME,
            name=run.name,
            config=dict(run.config),
            embed=False,
            auto_log_cpu=False,
            auto_log_gpu=False,
        )
        try:
            with redirect_stdout(io.StringIO()):
                tracker.start()
        except (HTTPError, OSError, ValueError) as error:
            raise HubtweetsError(
                f"--report-to trackio: {error}; "
                "type: hf auth login, or: unset TRACKIO_SPACE_ID TRACKIO_SERVER_URL"
            ) from None
        try:
            yield OpenTracker(tracker, (Tracked("trackio", "train", get_url(tracker.run.url)),))
        finally:
            with redirect_stdout(io.StringIO()):
                # tracker.finish() would finish the run, and print so, a second time at exit
                trackio.finish()


def get_url(space: str | None) -> str | None:
    """Return the address of a Space, or None for a server's address or a local run."""
    from huggingface_hub.constants import ENDPOINT

    return f"{ENDPOINT}/spaces/{space}" if space and "://" not in space else None
