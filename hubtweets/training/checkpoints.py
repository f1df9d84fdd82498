"""Checkpoints: the state of a training on disk, the best weights so far, and their settings.

settings.json  the settings of the training; one with other settings does not resume from here
step-N/        Accelerate's state after step N, with progress.json, a TrainingState
best-N/        the weights that scored best, as they would be published
"""

import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from accelerate import Accelerator
from safetensors import SafetensorError

from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.record.run_record import Evaluation, HistoryPoint

Item = TypeVar("Item")

# it warns at every checkpoint that tied weights are kept once
logging.getLogger("accelerate").setLevel(logging.ERROR)


@dataclass
class TrainingState:
    """The position of a training, saved with each checkpoint.

    `seconds` leaves out the time of steps that were lost when a training was killed.
    """

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    loss: float = 0.0  # the sum of the steps' losses since the last point of the history
    history: list[HistoryPoint] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)

    @property
    def best_step(self) -> int:
        """The step that scored best, the first of several; 0 before the first evaluation."""
        if not self.evaluations:
            return 0
        return min(self.evaluations, key=lambda evaluation: evaluation.bits_per_byte).step

    @property
    def evaluations_since_best(self) -> int:
        return sum(evaluation.step > self.best_step for evaluation in self.evaluations)

    def remaining(self, batches: Iterable[Item]) -> Iterator[tuple[int, Item]]:
        """Yield the batches after the current step, each with its step, counted from 1."""
        return islice(enumerate(batches, 1), self.step, None)

    def list_points(self) -> list[HistoryPoint | Evaluation]:
        """Return everything that was logged, in order."""
        return sorted([*self.history, *self.evaluations], key=lambda point: point.step)


def check_settings(folder: Path, settings: Mapping[str, object]) -> None:
    """Prepare the folder for a training with these settings.

    A folder with other settings is emptied. Raises HubtweetsError if it has a checkpoint.
    """
    path = folder / "settings.json"
    settings = json.loads(json.dumps(settings))
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        before = None
    if before == settings:
        return
    if before and (newest := find_newest(folder)):
        changes = describe_changes(before, settings)
        raise HubtweetsError(
            f"{folder}: a training stopped there at step {newest[0]}, and {changes}; "
            "type the command as it was then, or remove that folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_atomically(path, json.dumps(settings, indent=2).encode())


def describe_changes(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """Return a phrase that names each setting that changed, with both values."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(
        f"{name.replace('_', ' ')} was {before.get(name)} and is {after.get(name)}"
        for name in changed
    )


def find_newest(folder: Path) -> tuple[int, Path] | None:
    """Return the step and the folder of the last complete checkpoint, or None."""
    complete = [path.parent for path in folder.glob("step-*/progress.json")]
    return max(((int(path.name.removeprefix("step-")), path) for path in complete), default=None)


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints and the best weights of a training that can't be resumed."""
    for path in folder.glob("*-*"):
        shutil.rmtree(path, ignore_errors=True)


def save_checkpoint(accelerator: Accelerator, folder: Path, state: TrainingState) -> None:
    """Write the state into a new folder, then replace the last checkpoint with it.

    An interrupted write never counts. Raises HubtweetsError if it can't be written.
    """
    writing = folder / "writing"
    if accelerator.is_main_process:
        shutil.rmtree(writing, ignore_errors=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(writing))
    except (OSError, RuntimeError, SafetensorError) as error:  # torch's is RuntimeError: disk full
        shutil.rmtree(writing, ignore_errors=True)
        raise HubtweetsError(
            f"{folder}: the checkpoint can't be written ({error}); "
            "free some disk space and type the command again"
        ) from None
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        (writing / "progress.json").write_text(json.dumps(asdict(state)))
        writing.rename(folder / f"step-{state.step}")
        for path in folder.glob("*-*"):
            if path.name not in (f"step-{state.step}", f"best-{state.best_step}"):
                shutil.rmtree(path)


def restore_checkpoint(accelerator: Accelerator, folder: Path) -> TrainingState | None:
    """Load the newest complete checkpoint and return its state.

    Returns None if there is no checkpoint, or if its best weights are missing.
    """
    newest = find_newest(folder)
    if not newest:
        return None
    saved = json.loads((newest[1] / "progress.json").read_text())
    saved["history"] = [HistoryPoint(**point) for point in saved["history"]]
    saved["evaluations"] = [Evaluation(**point) for point in saved["evaluations"]]
    state = TrainingState(**saved)
    if state.best_step and not (folder / f"best-{state.best_step}").exists():
        return None
    accelerator.load_state(str(newest[1]))
    return state
