"""The run folder: all that is read, trained and rendered for a bot, and `repo/`, which is pushed.

A stage is done if its key, the hash of its settings and inputs, is the recorded one and its outputs
are unchanged. run.json is written after the outputs, atomically, so a run that is killed anywhere
resumes after the last finished stage.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from hubtweets import __version__
from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError, suggest
from hubtweets.files import hash_files
from hubtweets.progress import logger
from hubtweets.record import serialization
from hubtweets.record.run_record import Base, DatasetInfo, File, RunRecord, Stage

Item = TypeVar("Item")

HANDLE = re.compile(r"(?!.*(--|\.\.))\w(?:[\w.-]{0,94}\w)?(?<!\.git)", re.ASCII)

# The stages in order, and the sections of the record that each adds.
SECTIONS = {
    "curate": ("profiles", "sources", "curation", "counts", "dataset"),
    "train": ("base", "training", "passes", "environment", "history", "evaluations", "tracked"),
    "evaluate": ("metrics", "metrics_by_author"),
    "sample": ("samples", "audit"),
    "snippets": (),
}
NEUTRAL_SETTINGS = (  # which the weights do not depend on
    "save_seconds",
    "save_steps",
    "logging_steps",
    "per_device_train_batch_size",
)
MAX_NAMED_RUNS = 10  # in an error
UNUSED_OUTPUTS = (".png", "posts.parquet")  # which no later stage depends on
EMPTY_RECORD = RunRecord("", "")


def normalize_handle(handle: str) -> str:
    """Return a handle without its @ and in lower case.

    Raises HubtweetsError if it can't be the name of a repo.
    """
    bare = handle.removeprefix("@").lower()
    if not HANDLE.fullmatch(bare):
        raise HubtweetsError(
            f"{handle}: not a handle (letters, digits, _ . - and at most 96 of them); "
            "type: hubtweets publish NAME"
        )
    return bare


def join_handles(handles: Sequence[str]) -> str:
    """Return the name of the bot of these authors: their handles, joined.

    Raises HubtweetsError if a handle is repeated or the name is too long.
    """
    names = [normalize_handle(handle) for handle in handles]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise HubtweetsError(f"{twice} is named twice; name each author once")
    return normalize_handle("-".join(names))


class RunFolder:
    """A run folder that this process has locked.

    Of several processes that train together, only the main one writes and logs.
    """

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.is_main = get_rank() == 0
        self.folder, self.record = folder, record
        self.repo = folder / "repo"

    @property
    def authors(self) -> str:
        """The handles of the bot's authors, as typed on the command line."""
        return " ".join(profile.handle for profile in self.record.profiles) or self.record.handle

    def log(self, text: str, row: bool = False) -> None:
        """Log a message, in one of several processes only the main one's.

        A row of a table is cut at the width of a terminal, other messages are wrapped.
        """
        if self.is_main:
            logger.info(text, extra={"row": row})

    def warn(self, text: str) -> None:
        """Log a warning, in one of several processes only the main one's."""
        if self.is_main:
            logger.warning(text)

    def is_done(self, stage: str, key: str) -> bool:
        """Return True, and log it, if a stage can be skipped."""
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
        """Record a stage and its sections; if its outputs changed, remove the later stages."""
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
        """Raise HubtweetsError if an output of these stages, or of any, was changed."""
        for stage, done in self.record.stages.items():
            if stage in (stages or SECTIONS) and done.outputs != self.describe_files(
                self.folder / output.path for output in done.outputs
            ):
                raise HubtweetsError(
                    f"{self.folder}: a file of the stage {stage} was changed; "
                    f"type: hubtweets publish {self.authors}"
                )

    def update(self, **sections: Any) -> None:
        """Change sections of the record, and write it."""
        self.record = replace(self.record, hubtweets_version=__version__, **sections)
        serialization.write_record(self.record, self.folder / "run.json")

    def list_outputs(self, stage: str) -> tuple[File, ...]:
        """Return the outputs of a stage; raise HubtweetsError if it has not run yet."""
        if stage not in self.record.stages:
            raise HubtweetsError(
                f"{self.folder}: not that far yet; "
                f"type first: hubtweets {stage} {self.record.handle}"
            )
        return self.record.stages[stage].outputs

    def describe_files(self, paths: Iterable[Path]) -> tuple[File, ...]:
        """Return the path in the run folder, hash and size of the files that exist."""
        present = [path for path in paths if path.is_file()]
        return tuple(
            File(path.relative_to(self.folder).as_posix(), hash_files([path]), path.stat().st_size)
            for path in present
        )


def hash_key(*parts: object) -> str:
    """Return the SHA-256 of settings and input hashes, in hex."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def list_training_inputs(
    base: Base, training: TrainingConfig, dataset: DatasetInfo
) -> dict[str, object]:
    """Return everything that the trained weights depend on; `hash_key` of it is the stage's key."""
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
    runs: Path, handle: str, new: bool = False, shared: bool = False
) -> Iterator[RunFolder]:
    """Open and lock the run folder of a handle.

    It is created if `new` is true. Several processes can open it together if `shared` is true.
    Raises HubtweetsError if it does not exist or another hubtweets has locked it.
    """
    if is_distributed() and not shared:
        raise HubtweetsError(
            "only train runs in several processes; "
            f"type: hubtweets publish {handle} --num-processes N"
        )
    folder = runs / handle
    if not new:
        check_is_run(folder)
    (folder / "repo").mkdir(parents=True, exist_ok=True)
    path, lock = folder / "run.json", FileLock(folder / ".lock", timeout=0)
    if get_rank() == 0:  # it locks the folder for the others
        acquire_lock(lock, folder)
    try:
        yield RunFolder(
            folder,
            serialization.read_record(path) if path.exists() else RunRecord(handle, __version__),
        )
    finally:
        if new:
            remove_if_empty(folder)
        lock.release()


def remove_if_empty(folder: Path) -> None:
    """Remove the folder of a run that has not begun, and the folder around it if that is all.

    Its posts were refused, or its handle is misspelt.
    """
    files = {path.name for path in folder.rglob("*") if not path.is_dir()}
    if files <= {".lock"}:
        shutil.rmtree(folder)
        with suppress(OSError):  # it holds other runs
            folder.parent.rmdir()


def check_is_run(folder: Path) -> None:
    """Raise HubtweetsError if there is no run in a folder; name those that there are."""
    if (folder / "run.json").exists():
        return
    names = list_run_names(folder.parent)
    named = names[:MAX_NAMED_RUNS] + ["..."] * (len(names) > MAX_NAMED_RUNS)
    there = f"there {'is' if len(names) == 1 else 'are'} {', '.join(named)}; " if names else ""
    advice = suggest(folder.name, names) or f"{there}type: hubtweets publish {folder.name}"
    raise HubtweetsError(f"{folder}: no such run; {advice}")


def list_run_names(runs: Path) -> list[str]:
    """Return the names of the runs in a folder, in alphabetical order."""
    names = sorted(path.parent.name for path in runs.glob("*/run.json"))
    return [name for name in names if HANDLE.fullmatch(name)]  # others can't be typed as a handle


def acquire_lock(lock: FileLock, folder: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise HubtweetsError(
            f"{folder}: another hubtweets is running there; wait for it, or choose another folder "
            "with --runs DIR"
        ) from None


def find_last_handle(runs: Path) -> str:
    """Return the handle of the run that was changed last; raise HubtweetsError if there is none."""
    found = sorted(runs.glob("*/run.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise HubtweetsError(f"{runs}: no run yet; type: hubtweets publish NAME")
    return found[-1].parent.name


def get_rank() -> int:
    return int(os.environ.get("RANK", "0"))


def get_world_size() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_distributed() -> bool:
    """Return True if this process is one of several that train together."""
    return get_world_size() > 1
