"""How far a training is."""

import sys
import time

from tqdm.auto import tqdm


class ProgressBar:
    """A progress bar with loss and tokens per second; where nobody watches a terminal, a plain line every tenth of the way."""

    def __init__(self, total: int, start: int, quiet: bool) -> None:
        self.total, self.step, self.quiet = total, start, quiet
        self.tokens, self.began = 0, time.monotonic()
        self.tenth = 10 * start // total
        self.tty = not quiet and sys.stderr.isatty()
        if start:
            self.say(f"train: goes on from the checkpoint at step {start} of {total}")
        self.bar = tqdm(total=total, initial=start, unit="step", disable=not self.tty)

    def say(self, text: str) -> None:
        if not self.quiet:
            tqdm.write(text, file=sys.stderr)
            sys.stderr.flush()

    def update(self, tokens: int) -> None:
        """Count a step of so many tokens."""
        self.step += 1
        self.tokens += tokens
        self.bar.update()

    def show(self, loss: float) -> None:
        """Show the loss of the last steps."""
        speed = self.tokens / (time.monotonic() - self.began)
        self.bar.set_postfix_str(f"loss {loss:.3f}, {speed:,.0f} tokens/s")
        tenth = 10 * self.step // self.total
        if not self.tty and tenth > self.tenth:
            self.say(f"step {self.step} of {self.total}: loss {loss:.3f}, {speed:,.0f} tokens/s")
        self.tenth = tenth

    def close(self) -> None:
        self.bar.close()
