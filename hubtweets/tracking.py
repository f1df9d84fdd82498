"""Experiment trackers: a run's numbers in TensorBoard, Weights & Biases or trackio, through the tracker classes of Accelerate.

In: the names of the trackers, the folder `tracking` of a run, its configuration; then its numbers, step by step. Out: what each tracker keeps in
that folder or shows online, and the event file of TensorBoard, which is pushed with the model. A run that was killed is logged again from its
first step under the same `run_id`; no tracker shows a point twice. Only the main process tracks.
"""

import io
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from hubtweets.errors import HubtweetsError
from hubtweets.record.run_record import Tracked, Tracker

if TYPE_CHECKING:
    import wandb
    from accelerate.tracking import GeneralTracker

Config = Mapping[str, int | float | str]
PROJECT = "hubtweets"
EVENTS = "events.out.tfevents.hubtweets"  # the writers put the host's name there
CONNECT_SECONDS = 20.0
UPLOAD_SECONDS = 600.0


@dataclass
class Trackers:
    """The open trackers; `event_files`, those of TensorBoard, are there when the trackers are closed."""

    opened: list["GeneralTracker"] = field(default_factory=list)
    tracked: tuple[Tracked, ...] = ()
    event_files: tuple[Path, ...] = ()
    name: str = ""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log the values after an optimizer step; steps may come twice, but never fall."""
        for tracker in self.opened:
            tracker.log(dict(values), step=step)

    def log_model(self, folder: Path) -> None:
        """Log the files of a folder as a model to W&B; the other trackers keep no models."""
        for tracker in self.opened:
            if tracker.name == "wandb":
                log_artifact(tracker.run, f"model-{self.name}", "model", [folder])


def check(names: Sequence[Tracker]) -> None:
    """Raise HubtweetsError where the package of a tracker is missing."""
    for name in names:
        try:
            distribution("tensorboardX" if name == "tensorboard" else name)  # a folder called wandb, which wandb makes, can be imported too
        except PackageNotFoundError:
            raise HubtweetsError(f"--track {name} needs a package that is not installed; type: pip install 'hubtweets[{name}]'") from None


@contextmanager
def tracking(
    names: Sequence[Tracker], folder: Path, name: str, run_id: str, config: Mapping[str, object], data: Sequence[Path]
) -> Iterator[Trackers]:
    """Open the trackers for a run, and close them with it; `data` are the Parquet files that W&B gets: the posts as read, then the dataset.

    trackio learns its folder once in a process. Raises HubtweetsError where a package or a login is missing, or a tracker can't be reached.
    """
    check(names)
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))  # the trackers ask it; these are the words in which Accelerator makes it
    folder, flat = folder.absolute(), flatten(config)
    trackers = Trackers(name=name)
    with ExitStack() as stack:
        if "tensorboard" in names:
            stack.enter_context(open_tensorboard(trackers, folder / "tensorboard", flat))
        if "wandb" in names:
            stack.enter_context(open_wandb(trackers, folder, run_id, flat, data))
        if "trackio" in names:
            stack.enter_context(open_trackio(trackers, folder / "trackio", flat))
        yield trackers


def flatten(config: Mapping[str, object], prefix: str = "") -> dict[str, int | float | str]:
    """Return nested settings as one level, `training.epochs` and the like; None is left out, lists become JSON."""
    flat: dict[str, int | float | str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        elif value is not None:
            flat[prefix + key] = value if isinstance(value, int | float | str) else json.dumps(value)
    return flat


@contextmanager
def variables(**values: str) -> Iterator[None]:
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
        tracker.log({"config": "\n".join(f"    {key}: {json.dumps(value)}" for key, value in config.items())}, step=0)  # indented: no Markdown
        trackers.opened.append(tracker)
        trackers.tracked += (Tracked("tensorboard", "train", None),)
        yield
    finally:
        tracker.finish()
        (written,) = folder.iterdir()
        trackers.event_files = (written.rename(folder / EVENTS),)


@contextmanager
def open_wandb(trackers: Trackers, folder: Path, run_id: str, config: Config, data: Sequence[Path]) -> Iterator[None]:
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
    places = {"WANDB_DATA_DIR": str(own / "data"), "WANDB_CACHE_DIR": str(own / "cache"), "WANDB_ARTIFACT_DIR": str(own / "artifacts")}
    with variables(**places, WANDB_ERROR_REPORTING="false", WANDB_SILENT="true"):
        try:
            online = wandb.setup(settings).settings.mode not in ("offline", "dryrun", "disabled")
            if online and not wandb.login(prompt=False, verify=False):
                raise HubtweetsError("--track wandb: nobody is logged in; type: wandb login, or set WANDB_MODE=offline")
            for path in own.glob(f"offline-run-*-{run_id}"):  # of the process that was killed
                shutil.rmtree(path)
            common = {"name": trackers.name, "group": trackers.name, "resume": "allow", "settings": settings}
            url = log_data(logged, trackers.name, run_id, data, common, online)
            curated = f"curated-{trackers.name}"
            tracker = WandBTracker(PROJECT, job_type="train", id=run_id, config={**config, "data": curated}, **common)
            tracker.start()
            if tracker.run.url:  # offline it refuses
                tracker.run.use_artifact(f"{curated}:latest")
        except BaseException as error:
            wandb.teardown()
            logged.unlink(missing_ok=True)  # the next try logs the data again
            if isinstance(error, HubtweetsError) or not isinstance(error, Exception):
                raise
            reason = str(error).partition("Consider increasing")[0]  # advice to change its code
            raise HubtweetsError(f"--track wandb: {reason}; type: wandb login, or set WANDB_MODE=offline") from None
        logged.write_text(url or "")
        trackers.opened.append(tracker)
        trackers.tracked += (Tracked("wandb", "preprocess", url), Tracked("wandb", "train", public(tracker.run.url)))
        try:
            yield
        finally:
            try:
                tracker.finish()
            except TimeoutError:
                message = f"warning: W&B has not got everything after {UPLOAD_SECONDS / 60:.0f} minutes; type: wandb sync {own}/run-*-{run_id}"
                print(message, file=sys.stderr, flush=True)
            wandb.teardown()  # its next settings are read from the environment again


def log_data(logged: Path, name: str, run_id: str, data: Sequence[Path], common: Mapping[str, object], online: bool) -> str | None:
    """Log the data as artifacts in a run of job type `preprocess`, unless a file tells where that is done, and return its address, None for none."""
    import wandb

    url = logged.read_text() if logged.exists() else None
    if url is None or (online and not url):
        for path in logged.parent.glob(f"offline-run-*-{run_id}-data"):
            shutil.rmtree(path)
        run = wandb.init(project=PROJECT, job_type="preprocess", id=f"{run_id}-data", **common)  # type: ignore[arg-type]
        log_artifact(run, f"raw-{name}", "dataset", data[:1])
        log_artifact(run, f"curated-{name}", "dataset", data[1:])
        run.finish()
        url = public(run.url)
    return url or None


def public(url: str | None) -> str | None:
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


@contextmanager
def open_trackio(trackers: Trackers, folder: Path, config: Config) -> Iterator[None]:
    """Open a run of trackio in the place of the last one, or in the Space that TRACKIO_SPACE_ID names."""
    from httpx2 import HTTPError

    shutil.rmtree(folder, ignore_errors=True)
    with variables(TRACKIO_DIR=str(folder), GRADIO_ANALYTICS_ENABLED="False"):
        import trackio
        from accelerate.tracking import TrackioTracker

        # as an argument: Accelerate's store_init_configuration adds a setting of its own
        tracker = TrackioTracker(PROJECT, name=trackers.name, config=dict(config), embed=False, auto_log_cpu=False, auto_log_gpu=False)
        try:
            with redirect_stdout(io.StringIO()):
                tracker.start()
        except (HTTPError, OSError, ValueError) as error:
            raise HubtweetsError(f"--track trackio: {error}; type: hf auth login, or: unset TRACKIO_SPACE_ID TRACKIO_SERVER_URL") from None
        space = tracker.run.url  # its name, or the address of a server
        from huggingface_hub.constants import ENDPOINT

        trackers.opened.append(tracker)
        trackers.tracked += (Tracked("trackio", "train", f"{ENDPOINT}/spaces/{space}" if space and "://" not in space else None),)
        try:
            yield
        finally:
            with redirect_stdout(io.StringIO()):
                trackio.finish()  # tracker.finish() leaves a run that is finished, and told of, a second time at exit
