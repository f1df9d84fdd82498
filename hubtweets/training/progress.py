"""Training progress for the hook, and as a message after each tenth of the steps."""

import time

from hubtweets.progress import STEPS, logger, report_progress


class ProgressBar:
    """Counts the steps of one training and tells how fast it goes."""

    def __init__(self, total: int, start: int, quiet: bool) -> None:
        self.total, self.step, self.quiet = total, start, quiet
        self.tokens, self.began = 0, time.monotonic()
        self.note, self.tenth = "", 10 * start // total
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
        if loss is not None:
            speed = self.tokens / (time.monotonic() - self.began)
            self.note = f"loss {loss:.3f}, {speed:,.0f} tokens/s"
            if (tenth := 10 * self.step // self.total) > self.tenth:
                logger.info("train: step %d of %d: %s", self.step, self.total, self.note)
                self.tenth = tenth
        report_progress(STEPS, self.step, self.total, self.note)

    def close(self) -> None:
        """Report the end of a training that stopped early."""
        if not self.quiet and self.step < self.total:
            report_progress(STEPS, self.step, self.step, self.note)
