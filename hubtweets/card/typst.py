"""Pictures drawn with Typst, with the packaged fonts only: the same on every machine."""

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import typst

from hubtweets.card.templating import TEMPLATES, create_environment
from hubtweets.text import to_typst_literal


def draw_template(template: str, repo: Path, images: Sequence[str], **values: object) -> bytes:
    """Fill a Typst template and return the picture as PNG; `images` are files in `repo`.

    Typst runs in an empty folder with copies of the images, so it can read nothing else.
    """
    jinja = create_environment(finalize=to_typst_literal)
    source = jinja.get_template(template).render(values)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        main = root / "main.typ"
        main.write_text(source, encoding="utf-8")
        for image in images:
            (root / image).write_bytes((repo / image).read_bytes())
        picture = typst.compile(main, root=root, font_paths=load_fonts(), format="png", ppi=72.0)
    assert isinstance(picture, bytes)
    return picture


@cache
def load_fonts() -> typst.Fonts:
    """Return the fonts of templates/fonts, without those of the machine and those inside Typst."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[TEMPLATES / "fonts"]
    )
