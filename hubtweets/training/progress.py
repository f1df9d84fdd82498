"""Training progress for the hook, and as a message after each tenth of the steps or a minute."""

import time

from hubtweets.progress import STEPS, format_seconds, logger, report_progress

SECONDS_PER_MESSAGE = 60


class ProgressBar:
    """Counts the steps of one training and tells how fast it goes."""

    def __init__(self, total: int, start: int, quiet: bool) -> None:
        self.total, self.first, self.step, self.quiet = total, start, start, quiet
        self.tokens, self.began = 0, time.monotonic()
        self.told, self.tenth = self.began, 10 * start // total
        self.loss = ""
        if start and not quiet:
            logger.info("train: resuming from the checkpoint at step %d of %d", start, total)

    def count(self, tokens: int) -> None:
        """Count a step of so many tokens."""
        self.step += 1
        self.tokens += tokens

    def report(self, loss: float | None = None) -> None:
        """Report the steps, with the loss of the last ones if it is given."""
        if self.quiet:
            return
        now = time.monotonic()
        if loss is not None:
            self.loss = f"loss {loss:.3f}, "
        note = f"{self.loss}{self.tokens / (now - self.began):,.0f} tokens/s"
        tenth = 10 * self.step // self.total
        late = now - self.told > SECONDS_PER_MESSAGE
        if late or (loss is not None and tenth > self.tenth):
            left = (now - self.began) / (self.step - self.first) * (self.total - self.step)
            self.told, self.tenth = now, tenth
            logger.info(
                f"train: step {self.step} of {self.total}: {note}, {format_seconds(left)} left"
            )
        report_progress(STEPS, self.step, self.total, note)

    def close(self) -> None:
        """Report the end of a training that stopped early."""
        if not self.quiet and self.step < self.total:
            report_progress(STEPS, self.step, self.step)
