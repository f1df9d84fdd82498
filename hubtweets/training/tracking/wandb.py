"""Weights & Biases."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked
from hubtweets.training.tracking.base import PROJECT_NAME, Config, Trackers, set_variables

if TYPE_CHECKING:
    import wandb


CONNECT_SECONDS = 20.0
UPLOAD_SECONDS = 600.0


@contextmanager
def open_wandb(
    trackers: Trackers, folder: Path, run_id: str, config: Config, data: Sequence[Path]
) -> Iterator[None]:
    """Log the data in a run of their own, and open the run of the training; nothing of this machine is sent along."""
    import wandb
    from accelerate.tracking import WandBTracker

    own = folder / "wandb"
    logged = own / f"{run_id}.preprocess"  # holds the address of the run that logged the data
    own.mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(
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
    # its settings know nothing of these: what it would put into the home and the working folder, and its reports of its own errors
    places = {
        "WANDB_DATA_DIR": str(own / "data"),
        "WANDB_CACHE_DIR": str(own / "cache"),
        "WANDB_ARTIFACT_DIR": str(own / "artifacts"),
    }
    with set_variables(**places, WANDB_ERROR_REPORTING="false", WANDB_SILENT="true"):
        try:
            online = wandb.setup(settings).settings.mode not in ("offline", "dryrun", "disabled")
            if online and not wandb.login(prompt=False, verify=False):
                raise HubtweetsError(
                    "--report-to wandb: nobody is logged in; type: wandb login, or set WANDB_MODE=offline"
                )
            for path in own.glob(f"offline-run-*-{run_id}"):  # of the process that was killed
                shutil.rmtree(path)
            common = {
                "name": trackers.name,
                "group": trackers.name,
                "resume": "allow",
                "settings": settings,
            }
            url = log_data(logged, trackers.name, run_id, data, common, online)
            curated = f"curated-{trackers.name}"
            tracker = WandBTracker(
                PROJECT_NAME,
                job_type="train",
                id=run_id,
                config={**config, "data": curated},
                **common,
            )
            tracker.start()
            if tracker.run.url:  # offline it refuses
                tracker.run.use_artifact(f"{curated}:latest")
        except BaseException as error:
            wandb.teardown()
            logged.unlink(missing_ok=True)  # the next try logs the data again
            if isinstance(error, HubtweetsError) or not isinstance(error, Exception):
                raise
            reason = str(error).partition("Consider increasing")[0]  # advice to change its code
            raise HubtweetsError(
                f"--report-to wandb: {reason}; type: wandb login, or set WANDB_MODE=offline"
            ) from None
        logged.write_text(url or "")
        trackers.opened.append(tracker)
        trackers.model_loggers.append(
            lambda folder: log_artifact(tracker.run, f"model-{trackers.name}", "model", [folder])
        )
        trackers.tracked += (
            Tracked("wandb", "preprocess", url),
            Tracked("wandb", "train", get_public_url(tracker.run.url)),
        )
        try:
            yield
        finally:
            try:
                tracker.finish()
            except TimeoutError:
                message = f"warning: W&B has not got everything after {UPLOAD_SECONDS / 60:.0f} minutes; type: wandb sync {own}/run-*-{run_id}"
                print(message, file=sys.stderr, flush=True)
            wandb.teardown()  # its next settings are read from the environment again


def log_data(
    logged: Path,
    name: str,
    run_id: str,
    data: Sequence[Path],
    common: Mapping[str, object],
    online: bool,
) -> str | None:
    """Log the data as artifacts in a run of job type `preprocess`, unless a file tells where that is done, and return its address, None for none."""
    import wandb

    url = logged.read_text() if logged.exists() else None
    if url is None or (online and not url):
        for path in logged.parent.glob(f"offline-run-*-{run_id}-data"):
            shutil.rmtree(path)
        run = wandb.init(project=PROJECT_NAME, job_type="preprocess", id=f"{run_id}-data", **common)  # type: ignore[arg-type]
        log_artifact(run, f"raw-{name}", "dataset", data[:1])
        log_artifact(run, f"curated-{name}", "dataset", data[1:])
        run.finish()
        url = get_public_url(run.url)
    return url or None


def get_public_url(url: str | None) -> str | None:
    """Return an address on wandb.ai without its query, in which an anonymous run has its key; that of another server is nobody's business."""
    return url.partition("?")[0] if url and url.startswith("https://wandb.ai/") else None


def log_artifact(run: "wandb.Run", name: str, kind: str, paths: Sequence[Path]) -> None:
    """Log files, or what is in a folder, as an artifact; they must stay until the run is finished, as no copy is made."""
    import wandb

    artifact = wandb.Artifact(name, type=kind)
    for path in paths:
        if path.is_dir():
            artifact.add_dir(str(path), policy="immutable", skip_cache=True)
        else:
            artifact.add_file(str(path), policy="immutable", skip_cache=True)
    run.log_artifact(artifact)
