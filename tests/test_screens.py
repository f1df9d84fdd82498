"""What stands on a terminal of 80 columns after a command: whole screens."""

import re
import signal
from pathlib import Path

from tests.conftest import environment
from tests.terminal import show

PUBLISHED = """\
✓ curate    nothing changed, skipped
✓ train     nothing changed, skipped
✓ evaluate  nothing changed, skipped
✓ sample    nothing changed, skipped
✓ card      README.md, predictions.png, pipeline.png, loss.png, hubtweets…  0.0s
✓ snippets  nothing changed, skipped
✓ push      all 12 files are at http://127.0.0.1:8086/huggingtweets/lyons…  0.0s

http://127.0.0.1:8086/huggingtweets/lyons____
See it: hubtweets hub
commit COMMIT, tag v1
- My dream is
- I think that
- I like
- I don't like
- I want
Serve it and open its page now? [y/N]:"""
CURATED = """\

                   @lyons____
Tweets downloaded       3,086
Retweets                1,225
Short tweets              997
Tweets kept               864

✓ curate    nothing changed, skipped

864 posts kept: 778 to train on, 86 held out"""
STOPPED = "Stopped; nothing was kept; type the command again to start over"
SAMPLE = re.compile(r"(?m)^(- (?:My dream is|I think that|I like|I don't like|I want)).*$")


def mask(lines: list[str]) -> str:
    """Return a screen without what changes from run to run: seconds, commits and samples."""
    screen = re.sub(r"  \d\.\ds\n", "  0.0s\n", "\n".join(lines) + "\n")
    screen = re.sub(r"\b[0-9a-f]{19,40}\b", "COMMIT", screen)
    return SAMPLE.sub(r"\1", screen).rstrip("\n")


def test_screens(workplace: Path, base: Path) -> None:
    home = environment(workplace, TERM="xterm-256color")
    publish = ["publish", "lyons____", "--base", str(base), "--hub", "local"]
    screen = show([*publish, "--num-train-epochs", "1"], workplace, home, typed="n\n")
    assert (mask(screen.lines), screen.code) == (PUBLISHED, 0)
    assert max(map(len, screen.lines)) == 80 and not screen.hides_cursor
    screen = show(["curate", "lyons____"], workplace, home)
    assert (mask(screen.lines), screen.code) == (CURATED, 0)


def test_a_command_that_is_stopped_shows_the_cursor_again(published: Path) -> None:
    home = environment(published, TERM="xterm-256color")
    verify = ["verify", "lyons____", "--hub", "local"]
    screen = show(verify, published, home, stop_at=": code (repo)", how=signal.SIGTERM)
    assert (screen.lines[-1], screen.code) == (STOPPED, 130)
    assert "\x1b[?25l" in screen.written and not screen.hides_cursor
