"""The run folder: one per bot, everything that was read, learnt and rendered, and `repo/`, which is what will be pushed.

A stage is done when its key, the hash of its settings and inputs, is the recorded one and its outputs are as it left them. run.json is written
after the outputs, atomically, so that a run which was killed anywhere goes on from the last finished stage.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from hubtweets import __version__
from hubtweets.errors import HubtweetsError, printable
from hubtweets.files import hash_files
from hubtweets.record import serialization
from hubtweets.record.config import TrainingConfig
from hubtweets.record.run_record import Base, DatasetInfo, File, RunRecord, Stage

Item = TypeVar("Item")

HANDLE = re.compile(r"(?!.*(--|\.\.))\w(?:[\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)

# the stages in order, and what each adds to the record
SECTIONS = {
    "curate": ("profiles", "sources", "curation", "counts", "dataset"),
    "train": ("base", "training", "passes", "environment", "history", "evaluations", "tracked"),
    "evaluate": ("metrics", "metrics_by_author"),
    "sample": ("samples", "audit"),
    "snippets": (),
}
NEUTRAL_SETTINGS = (
    "save_seconds",
    "save_steps",
    "logging_steps",
    "per_device_train_batch_size",
)  # settings that leave the weights as they are
UNUSED_OUTPUTS = (".png", "posts.parquet")  # outputs that no later stage learns from
EMPTY_RECORD = RunRecord("", "")


def normalize_handle(handle: str) -> str:
    """Return a handle without its @ and in lower case; raise HubtweetsError where it could not name a repo."""
    bare = handle.removeprefix("@").lower()
    if not HANDLE.fullmatch(bare):
        raise HubtweetsError(
            f"{handle}: not a handle (letters, digits, _ . - and at most 96 of them); type: hubtweets publish NAME"
        )
    return bare


def join_handles(handles: Sequence[str]) -> str:
    """Return the name of the bot of these authors, their handles joined; raise HubtweetsError where one comes twice or the name is too long."""
    names = [normalize_handle(handle) for handle in handles]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise HubtweetsError(f"{twice} is named twice; name each author once")
    return normalize_handle("-".join(names))


class RunFolder:
    """A run folder that this process holds, or one of several that train together; only the main one of those writes and speaks."""

    def __init__(self, folder: Path, record: RunRecord, quiet: bool, lock: FileLock) -> None:
        self.is_main = get_rank() == 0
        self.folder, self.record, self.quiet, self.lock = (
            folder,
            record,
            quiet or not self.is_main,
            lock,
        )
        self.repo = folder / "repo"

    @property
    def authors(self) -> str:
        """The handles that make this bot, as they are typed."""
        return " ".join(profile.handle for profile in self.record.profiles) or self.record.handle

    def log(self, text: str) -> None:
        if not self.quiet:
            print(printable(text), file=sys.stderr, flush=True)

    def progress(self, items: Iterable[Item], unit: str) -> Iterator[Item]:
        """Pass the items on, and show on a terminal how many there were."""
        from tqdm import tqdm

        return iter(
            tqdm(items, unit=f" {unit}", disable=self.quiet or not sys.stderr.isatty(), leave=False)
        )

    def is_done(self, stage: str, key: str) -> bool:
        """Tell whether a stage can be skipped, and say so."""
        done = self.record.stages.get(stage)
        if (
            done is None
            or done.key != key
            or done.outputs
            != self.describe_files(self.folder / output.path for output in done.outputs)
        ):
            return False
        self.log(f"{stage}: nothing changed, skipped")
        return True

    def finish(
        self, stage: str, key: str, outputs: Iterable[Path] = (), **sections: object
    ) -> None:
        """Record a stage and the sections that it adds; where it came out otherwise than before, drop what later stages made of that."""
        finished, stages = Stage(key, self.describe_files(outputs)), dict(self.record.stages)
        before = {
            file
            for file in stages.get(stage, finished).outputs
            if not file.path.endswith(UNUSED_OUTPUTS)
        }
        if not before <= set(finished.outputs):
            for later in list(SECTIONS)[list(SECTIONS).index(stage) + 1 :]:
                for output in stages[later].outputs if later in stages else ():
                    (self.folder / output.path).unlink(missing_ok=True)
                stages.pop(later, None)
                sections |= {section: getattr(EMPTY_RECORD, section) for section in SECTIONS[later]}
        self.update(stages={**stages, stage: finished}, **sections)

    def check_outputs(self, *stages: str) -> None:
        """Raise HubtweetsError where a file is no longer what its stage, one of these or any, wrote."""
        for stage, done in self.record.stages.items():
            if stage in (stages or SECTIONS) and done.outputs != self.describe_files(
                self.folder / output.path for output in done.outputs
            ):
                raise HubtweetsError(
                    f"{self.folder}: a file of the stage {stage} was changed; type: hubtweets publish {self.authors}"
                )

    def update(self, **sections: object) -> None:
        self.record = replace(self.record, hubtweets_version=__version__, **sections)  # type: ignore[arg-type]
        serialization.write_record(self.record, self.folder / "run.json")

    def list_outputs(self, stage: str) -> tuple[File, ...]:
        """Return what a stage wrote; raise HubtweetsError where it has yet to run."""
        if stage not in self.record.stages:
            raise HubtweetsError(
                f"{self.folder}: not that far yet; type first: hubtweets {stage} {self.record.handle}"
            )
        return self.record.stages[stage].outputs

    def describe_files(self, paths: Iterable[Path]) -> tuple[File, ...]:
        present = [path for path in paths if path.is_file()]
        return tuple(
            File(path.relative_to(self.folder).as_posix(), hash_files([path]), path.stat().st_size)
            for path in present
        )

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Leave the folder to other processes for a while, then take it back as they left it."""
        self.lock.release()
        yield
        acquire_lock(self.lock, self.folder)
        self.record = serialization.read_record(self.folder / "run.json")


def hash_key(*parts: object) -> str:
    """Return the SHA-256 of settings and input hashes, in hex."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def list_training_inputs(
    base: Base, training: TrainingConfig, dataset: DatasetInfo
) -> dict[str, object]:
    """Return all that the weights of a training depend on, whose `key_of` is the stage's key."""
    settings = {
        name: value for name, value in asdict(training).items() if name not in NEUTRAL_SETTINGS
    }
    return settings | {
        "base": base.id,
        "revision": base.revision,
        "posts": dataset.train_sha256,
        "held_out": dataset.validation_sha256,
    }


@contextmanager
def open_run_folder(
    runs: Path, handle: str, quiet: bool = False, new: bool = False, shared: bool = False
) -> Iterator[RunFolder]:
    """Open the run folder of a handle, made where `new` allows it, for several processes at once where it is to be `shared`.

    Raises HubtweetsError where there is none or another hubtweets is at work in it.
    """
    if is_distributed() and not shared:
        raise HubtweetsError(
            f"only train runs in several processes; type: hubtweets publish {handle} --num-processes N"
        )
    folder = runs / handle
    if not new and not (folder / "run.json").exists():
        raise HubtweetsError(f"{folder}: no such run; type: hubtweets publish {handle}")
    (folder / "repo").mkdir(parents=True, exist_ok=True)
    path, lock = folder / "run.json", FileLock(folder / ".lock", timeout=0)
    if get_rank() == 0:  # which holds it for the others
        acquire_lock(lock, folder)
    try:
        yield RunFolder(
            folder,
            serialization.read_record(path) if path.exists() else RunRecord(handle, __version__),
            quiet,
            lock,
        )
    finally:
        lock.release()


def acquire_lock(lock: FileLock, folder: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise HubtweetsError(
            f"{folder}: another hubtweets is at work there; wait for it, or choose another folder with --runs DIR"
        ) from None


def find_last_handle(runs: Path) -> str:
    """Return the handle of the run that was worked on last; raise HubtweetsError where there is none."""
    found = sorted(runs.glob("*/run.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise HubtweetsError(f"{runs}: no run yet; type: hubtweets publish NAME")
    return found[-1].parent.name


def get_rank() -> int:
    return int(os.environ.get("RANK", "0"))


def get_world_size() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_distributed() -> bool:
    """Tell whether this process is one of several."""
    return get_world_size() > 1
