"""Weights & Biases."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking.base import PROJECT_NAME, OpenTracker, TrackedRun, set_variables

if TYPE_CHECKING:
    import wandb
    from accelerate.tracking import WandBTracker


CONNECT_SECONDS = 20.0
UPLOAD_SECONDS = 600.0


@dataclass
class OpenWandb(OpenTracker):
    """An open run of W&B, which keeps models as artifacts."""

    name: str = ""

    def log_model(self, folder: Path) -> None:
        log_artifact(self.tracker.run, f"model-{self.name}", "model", [folder])


@contextmanager
def open_wandb(run: TrackedRun) -> Iterator[OpenTracker]:
    """Log the data in a run of its own, and open the run of the training.

    Nothing about this machine is sent. Raises HubtweetsError if the user is not logged in, or W&B
    can't be reached.
    """
    import wandb

    own = run.folder / "wandb"
    own.mkdir(parents=True, exist_ok=True)
    with set_variables(**list_variables(own)):
        settings = create_settings(run.folder)
        address = own / f"{run.run_id}.preprocess"  # has the URL of the run that logged the data
        try:
            online = check_login(settings)
            data_url = log_data(run, address, settings, online)
            tracker = start_training_run(run, own, settings)
        except BaseException as error:
            wandb.teardown()
            address.unlink(missing_ok=True)  # so that the next try logs the data again
            if isinstance(error, HubtweetsError) or not isinstance(error, Exception):
                raise
            reason = str(error).partition("Consider increasing")[0]  # advice to change the code
            raise HubtweetsError(
                f"--report-to wandb: {reason}; type: wandb login, or set WANDB_MODE=offline"
            ) from None
        address.write_text(data_url or "")
        train_url = get_public_url(tracker.run.url)
        tracked = (Tracked("wandb", "preprocess", data_url), Tracked("wandb", "train", train_url))
        try:
            yield OpenWandb(tracker, tracked, name=run.name)
        finally:
            finish(tracker, own, run.run_id)


def list_variables(own: Path) -> dict[str, str]:
    """Return the environment variables for what has no setting.

    These are files that W&B would put into the home and the working folder, and its error reports.
    """
    return {
        "WANDB_DATA_DIR": str(own / "data"),
        "WANDB_CACHE_DIR": str(own / "cache"),
        "WANDB_ARTIFACT_DIR": str(own / "artifacts"),
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
    }


def create_settings(folder: Path) -> "wandb.Settings":
    """Return settings that write into the folder and send nothing about this machine."""
    import wandb

    return wandb.Settings(
        root_dir=str(folder),
        console="off",
        silent=True,
        symlink=False,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        host="",
        program="hubtweets",
        save_code=False,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
        init_timeout=CONNECT_SECONDS,
        finish_timeout=UPLOAD_SECONDS,
        finish_timeout_raises=True,
        x_graphql_retry_max=4,
        x_graphql_retry_wait_min_seconds=1,
        x_graphql_retry_wait_max_seconds=8,
    )


def check_login(settings: "wandb.Settings") -> bool:
    """Return whether W&B is online; raise HubtweetsError if it is, and the user isn't logged in."""
    import wandb

    mode = wandb.setup(settings).settings.mode
    online = mode not in ("offline", "dryrun", "disabled")
    if online and not wandb.login(prompt=False, verify=False):
        raise HubtweetsError(
            "--report-to wandb: not logged in; type: wandb login, or set WANDB_MODE=offline"
        )
    return online


def list_run_options(run: TrackedRun, settings: "wandb.Settings") -> dict[str, Any]:
    """Return the arguments of `wandb.init` that both runs have."""
    return {"name": run.name, "group": run.name, "resume": "allow", "settings": settings}


def log_data(
    run: TrackedRun, address: Path, settings: "wandb.Settings", online: bool
) -> str | None:
    """Log the data as artifacts in a run of job type `preprocess`, and return its URL if public.

    A file with that address says that this was done before.
    """
    import wandb

    url = address.read_text() if address.exists() else None
    if url is not None and (url or not online):
        return url or None
    for path in address.parent.glob(f"offline-run-*-{run.run_id}-data"):
        shutil.rmtree(path)
    opened = wandb.init(
        project=PROJECT_NAME,
        job_type="preprocess",
        id=f"{run.run_id}-data",
        **list_run_options(run, settings),
    )
    log_artifact(opened, f"raw-{run.name}", "dataset", run.data[:1])
    log_artifact(opened, f"curated-{run.name}", "dataset", run.data[1:])
    opened.finish()
    return get_public_url(opened.url)


def start_training_run(run: TrackedRun, own: Path, settings: "wandb.Settings") -> "WandBTracker":
    """Start the run of the training, which uses the dataset's artifact."""
    from accelerate.tracking import WandBTracker

    for path in own.glob(f"offline-run-*-{run.run_id}"):  # of a process that was killed
        shutil.rmtree(path)
    dataset = f"curated-{run.name}"
    tracker = WandBTracker(
        PROJECT_NAME,
        job_type="train",
        id=run.run_id,
        config={**run.config, "data": dataset},
        **list_run_options(run, settings),
    )
    tracker.start()
    if tracker.run.url:  # offline, artifacts can't be used
        tracker.run.use_artifact(f"{dataset}:latest")
    return tracker


def finish(tracker: "WandBTracker", own: Path, run_id: str) -> None:
    """Finish the run of the training, and warn if its upload takes too long."""
    import wandb

    try:
        tracker.finish()
    except TimeoutError:
        message = (
            f"warning: the upload to W&B did not finish in {UPLOAD_SECONDS / 60:.0f} minutes; "
            f"type: wandb sync {own}/run-*-{run_id}"
        )
        print(message, file=sys.stderr, flush=True)
    wandb.teardown()  # so that the next settings are read from the environment again


def get_public_url(url: str | None) -> str | None:
    """Return an address on wandb.ai without its query, or None for another server's address.

    The query of an anonymous run has its key; another server's address is private.
    """
    return url.partition("?")[0] if url and url.startswith("https://wandb.ai/") else None


def log_artifact(run: "wandb.Run", name: str, kind: str, paths: Sequence[Path]) -> None:
    """Log files, or the files of a folder, as an artifact.

    No copy is made, so the files must stay until the run is finished.
    """
    import wandb

    artifact = wandb.Artifact(name, type=kind)
    for path in paths:
        if path.is_dir():
            artifact.add_dir(str(path), policy="immutable", skip_cache=True)
        else:
            artifact.add_file(str(path), policy="immutable", skip_cache=True)
    run.log_artifact(artifact)
