"""A widget with the messages, the progress and the failure of a call of the library.

Jupyter doesn't sanitize HTML widgets, so every text in one is escaped here.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import ipywidgets as widgets

from hubtweets.errors import HubtweetsError, explain_os_error
from hubtweets.progress import logger, set_progress_hook
from hubtweets.text import to_plain_text

SECONDS_BETWEEN_UPDATES = 0.1  # each is a message to the browser


class CellStoppedError(HubtweetsError):
    """Ends a cell after a widget has shown why, so that the cells after it don't run."""


class Status(widgets.VBox):
    """Shows messages, progress, warnings and a failure of the library."""

    def __init__(self) -> None:
        self.message, self.detail, self.warnings = to_html(), to_html(), to_html()
        self.bar = widgets.IntProgress(max=1, layout={"width": "100%"})
        self.updated_at = 0.0
        super().__init__(
            [self.message, self.bar, self.detail, self.warnings], layout={"display": "none"}
        )

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Show what happens in the block; after a failure, show it and raise CellStoppedError."""
        handler, level = StatusHandler(self), logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        set_progress_hook(self.show_progress)
        self.layout.display = None
        self.bar.bar_style = self.warnings.value = ""
        try:
            yield
        except KeyboardInterrupt:
            raise self.fail("stopped; run it again to go on") from None
        except HubtweetsError as error:
            raise self.fail(str(error)) from None
        except OSError as error:
            raise self.fail(explain_os_error(error)) from None
        finally:
            set_progress_hook(None)
            logger.removeHandler(handler)
            logger.setLevel(level)
        self.bar.value, self.bar.bar_style = self.bar.max, "success"
        self.message.value, self.detail.value = "Done.", ""

    def show_progress(self, unit: str, done: int, total: int | None, note: str) -> None:
        """Move the bar; see `hubtweets.set_progress_hook`."""
        now = time.monotonic()
        if done != total and now - self.updated_at < SECONDS_BETWEEN_UPDATES:
            return
        self.updated_at = now
        self.bar.max = total or done or 1
        self.bar.value = done if total else 0
        of = f" of {total:,}" if total else ""
        self.detail.value = escape(f"{unit} {done:,}{of}  {note}")

    def show_record(self, record: logging.LogRecord) -> None:
        """Show a message; warnings stay until the next run."""
        text = escape(to_plain_text(record.getMessage()))
        if record.levelno >= logging.WARNING:
            self.warnings.value += f"<div>Warning: {text}</div>"
        else:
            self.message.value = text

    def fail(self, text: str) -> CellStoppedError:
        """Show a failure, and return what ends the cell."""
        self.bar.bar_style, self.detail.value = "danger", ""
        lines = "<br>".join(escape(to_plain_text(line)) for line in text.splitlines())
        self.message.value = f'<b style="color: crimson">{lines}</b>'
        return CellStoppedError("Not finished: see above.")


class StatusHandler(logging.Handler):
    """Passes the messages of the library on to a Status."""

    def __init__(self, status: Status) -> None:
        super().__init__()
        self.status = status

    def emit(self, record: logging.LogRecord) -> None:
        self.status.show_record(record)


def to_html(text: str = "") -> widgets.HTML:
    """Return a widget that shows a plain text."""
    return widgets.HTML(escape(text))
