"""Draw docs/card.png, the picture in README.md.

`make picture` publishes the example with the built-in base on an embedded Hub, and takes a picture
of the bot's page.
"""

import io
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from hubtweets.hub import local
from hubtweets.hub.storage.storage import Storage
from tests.browser import start_chromium
from tests.conftest import HUBTWEETS, environment

PICTURE = Path(__file__).parent.parent / "docs" / "card.png"
WIDTH, HEIGHT = 1000, 1000  # pixels of the page
COLOURS = 128  # enough for text and one avatar, and a third of the bytes


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        publish(Path(name))
        take(Path(name))
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")


def publish(folder: Path) -> None:
    """Publish the example in a folder that is the home too."""
    home = environment(folder, HUBTWEETS_SAMPLES="200")
    for arguments in ("example lyons____.zip", "publish lyons____ --base tiny --hub local"):
        subprocess.run([HUBTWEETS, *arguments.split()], cwd=folder, env=home, check=True)


def take(folder: Path) -> None:
    """Write the picture of the published page."""
    with local.serve_in_thread(Storage(folder / "hub")) as endpoint, start_chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        answer = page.goto(f"{endpoint}/huggingtweets/lyons____", wait_until="networkidle")
        assert answer and answer.ok
        pixels = page.screenshot()
    with Image.open(io.BytesIO(pixels)) as image:
        image.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
