"""What happens between two optimizer steps: logging, evaluation, the best weights, checkpoints.

In: the state of a training and the losses of its steps. Out: its history and evaluations, logged
and written down, and `finished`, which ends the loop. Every process takes the same decisions.
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from transformers import PreTrainedModel

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError, StoppedError
from hubtweets.models.saving import write_weights
from hubtweets.record.run_record import Evaluation, HistoryPoint
from hubtweets.training.checkpoints import TrainingState, remove_checkpoints, save_checkpoint
from hubtweets.training.progress import ProgressBar
from hubtweets.training.schedule import TrainingPlan

Evaluate = Callable[[PreTrainedModel, Accelerator], float]  # returns bits per byte
Log = Callable[[Mapping[str, float], int], None]  # takes values and their step


class TrainingLoop:
    """Tracks a training from step to step, and does what is due after each.

    It holds no model: DDP has to be freed before its process group.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        state: TrainingState,
        config: TrainingConfig,
        plan: TrainingPlan,
        checkpoints: Path,
        evaluate: Evaluate | None,
        log: Log,
        bar: ProgressBar,
    ) -> None:
        self.accelerator, self.state, self.config, self.plan = accelerator, state, config, plan
        self.checkpoints, self.evaluate, self.log, self.bar = checkpoints, evaluate, log, bar
        # this process's losses since the last point of the history
        loss = state.loss if accelerator.is_main_process else 0.0
        self.loss = torch.tensor(loss, device=accelerator.device)
        self.started = self.saved = time.monotonic()
        self.seconds_before = state.seconds
        self.finished = self.stopping = False
        self.should_log = self.should_evaluate = self.should_save = False
        for point in state.list_points():
            log(point.values(), point.step)

    def measure_seconds(self, now: float) -> float:
        """Return the seconds of training up to now, those before a resumption included."""
        return self.seconds_before + now - self.started

    def advance(self, step: int, tokens: int, stop_requested: bool) -> None:
        """Count a step of so many tokens, and decide what is due after it."""
        now, config = time.monotonic(), self.config
        self.state.step, self.state.tokens = step, self.state.tokens + tokens
        self.state.seconds, late, self.stopping = sync_flags(
            self.accelerator,
            self.measure_seconds(now),
            now - self.saved > config.save_seconds,
            stop_requested,
        )
        self.finished = step == self.plan.total_steps or (
            config.max_minutes is not None and self.state.seconds >= 60 * config.max_minutes
        )
        at_evaluation = step % self.plan.eval_steps == 0 or self.finished
        self.should_evaluate = self.evaluate is not None and at_evaluation
        at_log = step % config.logging_steps == 0
        self.should_log = at_log or self.should_evaluate or self.finished
        at_save = config.save_steps is not None and step % config.save_steps == 0
        self.should_save = late or self.stopping or at_save
        self.bar.count(tokens)
        if not self.should_log:  # else the loss is reported too
            self.bar.report()

    def log_if_due(self, learning_rate: float) -> None:
        """Log the mean loss since the last point; raise HubtweetsError if it is not finite."""
        if not self.should_log:
            return
        state = self.state
        last_step = state.history[-1].step if state.history else 0
        loss = self.sum_loss() / (state.step - last_step)
        if not math.isfinite(loss):
            remove_checkpoints(self.checkpoints)
            raise HubtweetsError(
                f"training diverged: the loss is {loss} at step {state.step}; "
                f"type a smaller --learning-rate than {self.plan.peak_learning_rate:g}"
            )
        self.loss.zero_()
        state.history.append(HistoryPoint(state.step, loss, learning_rate))
        self.log(state.history[-1].values(), state.step)
        self.bar.report(loss)

    def evaluate_if_due(self, model: PreTrainedModel) -> None:
        """Evaluate the model, and finish after `early_stopping_patience` without improvement."""
        if not (self.evaluate and self.should_evaluate):
            return
        state = self.state
        try:
            bits_per_byte = self.evaluate(model, self.accelerator)
        except HubtweetsError:  # the model diverged
            remove_checkpoints(self.checkpoints)
            raise
        state.evaluations.append(Evaluation(state.step, bits_per_byte))
        self.log(state.evaluations[-1].values(), state.step)
        if state.evaluations_since_best >= self.config.early_stopping_patience:
            self.finished = True

    def write_if_best(self, model: PreTrainedModel) -> None:
        """Write the weights if this step scored best, or is the last one and none is scored."""
        step = self.state.step
        if step == self.state.best_step or (self.finished and not self.evaluate):
            weights = self.accelerator.get_state_dict(model)
            if self.accelerator.is_main_process:
                folder = self.checkpoints / f"best-{step}"
                write_weights(self.accelerator.unwrap_model(model), folder, weights)

    def save_if_due(self) -> None:
        """Save a checkpoint; raise HubtweetsError if the user asked to stop."""
        if self.should_save:
            self.state.loss = self.sum_loss()
            save_checkpoint(self.accelerator, self.checkpoints, self.state)
            self.saved = time.monotonic()
        if self.stopping:
            raise StoppedError(
                f"stopped at step {self.state.step} of {self.plan.total_steps}, "
                "which is saved; type the command again to resume"
            )

    def sum_loss(self) -> float:
        """Return the sum of the losses of all processes since the last point."""
        return self.accelerator.reduce(self.loss, "sum").item()

    def close(self) -> None:
        """Stop the clock, and close the progress bar."""
        self.state.seconds = self.measure_seconds(time.monotonic())
        self.bar.close()


def sync_flags(
    accelerator: Accelerator, seconds: float, late: bool, stop: bool
) -> tuple[float, bool, bool]:
    """Return the same clock and flags in every process.

    `seconds`, and whether a checkpoint is `late`, are those of the main process. `stop` is true if
    any process was asked to stop.
    """
    if accelerator.num_processes == 1:
        return seconds, late, stop
    main = accelerator.is_main_process
    sums = accelerator.reduce(
        torch.tensor([seconds * main, late * main, stop], device=accelerator.device), "sum"
    ).tolist()
    return sums[0], sums[1] > 0, sums[2] > 0
