"""Where a training stands, on disk: the last checkpoint, the best weights so far, and the settings that they belong to.

settings.json  what this training is of; another one does not go on from here
step-N/        Accelerate's state after step N, with progress.json
best-N/        the weights that scored best, as they would be published
"""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from accelerate import Accelerator
from safetensors import SafetensorError

from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.record.run_record import Evaluation, HistoryPoint

logging.getLogger("accelerate").setLevel(
    logging.ERROR
)  # it warns at every checkpoint that tied weights are kept once


@dataclass
class TrainingState:
    """Where a training run stands; saved with each checkpoint. `seconds` leaves out what a kill threw away."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    loss: float = 0.0  # the sum of the steps' losses since the last point of the history
    history: list[HistoryPoint] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The step that scored best, the first of several; 0 where none was scored."""
        return (
            min(self.evaluations, key=lambda evaluation: evaluation.bits_per_byte).step
            if self.evaluations
            else 0
        )

    def points(self) -> list[HistoryPoint | Evaluation]:
        """Return everything that was logged, in its order."""
        return sorted([*self.history, *self.evaluations], key=lambda point: point.step)

    @property
    def evaluations_since_best(self) -> int:
        return sum(evaluation.step > self.best for evaluation in self.evaluations)


def check_settings(folder: Path, settings: Mapping[str, object]) -> None:
    """Make the folder ready for a training with these settings; raise HubtweetsError where one with others stands in the middle there."""
    path = folder / "settings.json"
    settings = json.loads(json.dumps(settings))
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        before = None
    if before != settings:
        if before and (cut := find_newest(folder)):
            names = [name for name in before | settings if before.get(name) != settings.get(name)]
            changes = ", ".join(
                f"{name.replace('_', ' ')} was {before.get(name)} and is {settings.get(name)}"
                for name in names
            )
            raise HubtweetsError(
                f"{folder}: a training stopped there at step {cut[0]}, and {changes}; type the command as it was then, or remove that folder"
            )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_atomically(path, json.dumps(settings, indent=2).encode())


def find_newest(folder: Path) -> tuple[int, Path] | None:
    """Return the step and the folder of the last checkpoint that is whole."""
    return max(
        (
            (int(path.parent.name.removeprefix("step-")), path.parent)
            for path in folder.glob("step-*/progress.json")
        ),
        default=None,
    )


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints and the best weights, for nobody wants to go on from there."""
    for path in folder.glob("*-*"):
        shutil.rmtree(path, ignore_errors=True)


def save_checkpoint(accelerator: Accelerator, folder: Path, progress: TrainingState) -> None:
    """Write the state into a fresh folder and put it in the place of the last checkpoint, so that a cut write never counts."""
    fresh = folder / "writing"
    if accelerator.is_main_process:
        shutil.rmtree(fresh, ignore_errors=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(fresh))
    except (
        OSError,
        RuntimeError,
        SafetensorError,
    ) as error:  # torch's word for a full disk is RuntimeError
        shutil.rmtree(fresh, ignore_errors=True)
        raise HubtweetsError(
            f"{folder}: the checkpoint can't be written ({error}); free some disk space and type the command again"
        ) from None
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        (fresh / "progress.json").write_text(json.dumps(asdict(progress)))
        fresh.rename(folder / f"step-{progress.step}")
        for path in folder.glob("*-*"):
            if path.name not in (f"step-{progress.step}", f"best-{progress.best}"):
                shutil.rmtree(path)


def restore_checkpoint(accelerator: Accelerator, folder: Path) -> TrainingState | None:
    """Load the newest whole checkpoint and return where it stood, or None where there is none, or its best weights are gone."""
    found = find_newest(folder)
    if not found:
        return None
    saved = json.loads((found[1] / "progress.json").read_text())
    saved["history"] = [HistoryPoint(**point) for point in saved["history"]]
    saved["evaluations"] = [Evaluation(**point) for point in saved["evaluations"]]
    progress = TrainingState(**saved)
    if progress.best and not (folder / f"best-{progress.best}").exists():
        return None
    accelerator.load_state(str(found[1]))
    return progress
