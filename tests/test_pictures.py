import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from hubtweets import example, pictures
from hubtweets.rendering import TEMPLATES, plain, typst_string
from tests.hostile import HOSTILE
from tests.records import RECORD, named, saying


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repo")
    (folder / "avatar.png").write_bytes(example.draw_avatar())
    return folder


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGB")


def difference(one: bytes, other: bytes) -> tuple[int, int, int, int] | None:
    """Return the box of pixels in which two pictures differ."""
    return ImageChops.difference(opened(one), opened(other)).getbbox()


def test_sizes(repo: Path) -> None:
    assert opened(pictures.predictions(RECORD, repo)).size == (1200, 630)
    assert opened(pictures.pipeline(RECORD, repo)).size == (1200, 260)


def test_same_record_same_bytes(repo: Path) -> None:
    assert pictures.predictions(RECORD, repo) == pictures.predictions(RECORD, repo)


def test_avatar_name_prompt_and_posts_are_each_drawn(repo: Path) -> None:
    whole = pictures.predictions(RECORD, repo)
    (x0, _, x1, _) = difference(whole, pictures.predictions(named("Somebody"), repo)) or (0, 0, 0, 0)
    assert 0 < x0 < x1 <= 340  # only the left column
    (x0, _, x1, _) = difference(whole, pictures.predictions(saying("Another beginning"), repo)) or (0, 0, 0, 0)
    assert 340 < x0 < x1
    face = opened(whole).crop((140, 180, 200, 260)).getcolors(10**6)
    assert face and (232, 238, 244) in [color for _, color in face]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_texts_stay_in_their_place(repo: Path, text: str) -> None:
    empty = pictures.predictions(named("a"), repo)
    (x0, y0, x1, y1) = difference(empty, pictures.predictions(named(text), repo)) or (40, 300, 41, 301)
    assert 30 <= x0 < x1 <= 310 and 300 <= y0 < y1 <= 560
    (x0, y0, x1, y1) = difference(empty, pictures.predictions(saying(text), repo)) or (400, 100, 401, 101)
    assert 30 <= x0 < x1 <= 1160 and 48 <= y0 < y1 <= 600


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_typst_reads_back_the_very_text(text: str, tmp_path: Path) -> None:
    import json

    import typst

    (tmp_path / "main.typ").write_text(f"#metadata({typst_string(text)}) <it>", encoding="utf-8")
    found = json.loads(typst.query(tmp_path / "main.typ", "<it>", field="value", one=True, root=tmp_path))
    assert found == plain(text)


@pytest.mark.parametrize("image", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n cut", example.draw_avatar()[:200]])
def test_an_avatar_that_is_no_picture_is_none(image: bytes) -> None:
    assert pictures.square(image) is None


def test_an_avatar_becomes_a_square_png_of_pixels_only() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (300, 100), "#ff0000").save(buffer, "PNG", pnginfo=None, exif=b"Exif\x00\x00secret")
    square = pictures.square(buffer.getvalue())
    assert square and b"secret" not in square
    assert opened(square).size == (400, 400) and opened(square).getpixel((200, 200)) == (255, 0, 0)


def test_the_fonts_that_templates_name_are_there() -> None:
    import re

    ours = set(pictures.typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[TEMPLATES / "fonts"]).families())
    for template in TEMPLATES.glob("*.typ.j2"):
        named = set(re.findall(r'"([^"]+)"', re.search(r"font: \(([^)]*)\)", template.read_text())[1]))  # type: ignore[index]
        assert {name for name in named - ours if "CJK" not in name} == set()
    assert (TEMPLATES / "fonts" / "OFL.txt").exists()
