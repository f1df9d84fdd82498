"""The pictures of a run: predictions.png for previews, pipeline.png for the card.

In: the record and the avatar. Out: PNG bytes. Jinja fills a Typst template, every value as a string literal and never as markup; Typst compiles
it in an empty folder that holds the avatar only, so that nothing else can be read.
"""

import io
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import typst
from PIL import Image, UnidentifiedImageError

from hubtweets.record import RunRecord
from hubtweets.rendering import TEMPLATES, environment, plain, typst_string

AVATAR_PIXELS = 400
MAX_AVATAR_PIXELS = 64 * 2**20
MOST_AVATARS = 9  # on the thumbnail
LONGEST_TEXT = 600  # characters that are laid out; the rest would not be seen and takes Typst seconds


def predictions(record: RunRecord, repo: Path) -> bytes:
    """Draw the thumbnail, 1200 x 630 pixels: avatars, names, prompt and generated posts."""
    assert record.samples
    texts = [plain(text.removeprefix(record.samples.prompt), LONGEST_TEXT) for text in record.samples.texts[:3]]
    return draw(
        "thumbnail.typ.j2",
        repo,
        [profile.avatar for profile in record.profiles if profile.avatar][:MOST_AVATARS],
        name=plain(" & ".join(plain(profile.name, 60) or profile.handle for profile in record.profiles), 120),
        kind="AI BOT" if len(record.profiles) == 1 else "AI CYBORG",
        record=record,
        prompt=plain(record.samples.prompt, 120),
        texts=texts,
    )


def pipeline(record: RunRecord, repo: Path) -> bytes:
    """Draw how posts became a bot, 1200 x 260 pixels, with this run's own numbers."""
    downloaded, kept = (sum(getattr(counts, name) for counts in record.counts) for name in ("downloaded", "kept"))
    return draw("pipeline.typ.j2", repo, [], record=record, downloaded=downloaded, kept=kept)


def draw(template: str, repo: Path, avatars: Sequence[str], **values: object) -> bytes:
    jinja = environment(finalize=typst_string)
    source = jinja.get_template(template).render(avatars=avatars, **values)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "main.typ").write_text(source, encoding="utf-8")
        for avatar in avatars:
            (root / avatar).write_bytes((repo / avatar).read_bytes())
        picture = typst.compile(root / "main.typ", root=root, font_paths=fonts(), format="png", ppi=72.0)
    assert isinstance(picture, bytes)
    return picture


@cache
def fonts() -> typst.Fonts:
    """Return the fonts of templates/fonts, and the system's for scripts that those lack."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=False, font_paths=[TEMPLATES / "fonts"])


def square(image: bytes) -> bytes | None:
    """Return an avatar as a PNG of 400 x 400 pixels with nothing of the file but its pixels, or None where it is no picture."""
    Image.MAX_IMAGE_PIXELS = MAX_AVATAR_PIXELS
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG", "GIF", "WEBP")) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    buffer = io.BytesIO()
    picture.resize((AVATAR_PIXELS, AVATAR_PIXELS), Image.Resampling.LANCZOS, (left, top, left + side, top + side)).save(buffer, "PNG")
    return buffer.getvalue()
