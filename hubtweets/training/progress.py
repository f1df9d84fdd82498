"""Training progress, for the hook, or as a message after each tenth of the steps."""

import time

from hubtweets.progress import has_progress_hook, logger, report_progress


class ProgressBar:
    """Counts the steps of one training and tells how fast it goes."""

    def __init__(self, total: int, start: int, quiet: bool) -> None:
        self.total, self.step, self.quiet = total, start, quiet
        self.tokens, self.began = 0, time.monotonic()
        self.tenth = 10 * start // total
        self.note = ""
        if start and not quiet:
            logger.info("train: resuming from the checkpoint at step %d of %d", start, total)

    def update(self, tokens: int) -> None:
        """Count a step of so many tokens."""
        self.step += 1
        self.tokens += tokens
        if not self.quiet:
            report_progress("step", self.step, self.total, self.note)

    def show(self, loss: float) -> None:
        """Show the loss of the last steps."""
        speed = self.tokens / (time.monotonic() - self.began)
        self.note = f"loss {loss:.3f}, {speed:,.0f} tokens/s"
        tenth = 10 * self.step // self.total
        if tenth > self.tenth and not self.quiet and not has_progress_hook():
            logger.info("step %d of %d: %s", self.step, self.total, self.note)
        self.tenth = tenth

    def close(self) -> None:
        """End the bar of a training that stopped early."""
        if not self.quiet and self.step < self.total:
            report_progress("step", self.total, self.total, self.note)
