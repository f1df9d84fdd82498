"""Training progress, on a terminal or in a log."""

import sys
import time

from tqdm.auto import tqdm


class ProgressBar:
    """A progress bar with loss and tokens per second.

    Without a terminal it prints a line after each tenth of the steps instead.
    """

    def __init__(self, total: int, start: int, quiet: bool) -> None:
        self.total, self.step, self.quiet = total, start, quiet
        self.tokens, self.began = 0, time.monotonic()
        self.tenth = 10 * start // total
        self.tty = not quiet and sys.stderr.isatty()
        if start:
            self.print_line(f"train: resuming from the checkpoint at step {start} of {total}")
        self.bar = tqdm(total=total, initial=start, unit="step", disable=not self.tty)

    def print_line(self, text: str) -> None:
        if not self.quiet:
            tqdm.write(text, file=sys.stderr)
            sys.stderr.flush()

    def update(self, tokens: int) -> None:
        """Count a step of so many tokens."""
        self.step += 1
        self.tokens += tokens
        self.bar.update()

    def show(self, loss: float) -> None:
        """Show the mean loss of the last steps, and the speed."""
        speed = self.tokens / (time.monotonic() - self.began)
        status = f"loss {loss:.3f}, {speed:,.0f} tokens/s"
        self.bar.set_postfix_str(status)
        tenth = 10 * self.step // self.total
        if not self.tty and tenth > self.tenth:
            self.print_line(f"step {self.step} of {self.total}: {status}")
        self.tenth = tenth

    def close(self) -> None:
        self.bar.close()
