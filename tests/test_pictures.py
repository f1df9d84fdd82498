import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import typst
from PIL import Image, ImageChops

from hubtweets.card import avatar, figures, loss_curve
from hubtweets.card.loss_curve import build_panel, format_number, thin
from hubtweets.card.templating import TEMPLATES
from hubtweets.posts.example import x_archive
from hubtweets.record.run_record import Evaluation, HistoryPoint, RunRecord
from hubtweets.text import to_plain_text, to_typst_literal
from tests.hostile import HOSTILE
from tests.records import RECORD, named, samples_of, saying


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repo")
    (folder / "avatar.png").write_bytes(x_archive.draw_avatar())
    return folder


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGB")


def difference(one: bytes, other: bytes) -> tuple[int, int, int, int] | None:
    """Return the box of pixels in which two pictures differ."""
    return ImageChops.difference(opened(one), opened(other)).getbbox()


def test_sizes(repo: Path) -> None:
    assert opened(figures.draw_thumbnail(RECORD, repo)).size == (1200, 630)
    assert opened(figures.draw_pipeline(RECORD, repo)).size == (1200, 260)
    assert opened(loss_curve.draw_loss(RECORD, repo)).size == (1200, 400)


def test_same_record_same_bytes(repo: Path) -> None:
    assert figures.draw_thumbnail(RECORD, repo) == figures.draw_thumbnail(RECORD, repo)
    assert loss_curve.draw_loss(RECORD, repo) == loss_curve.draw_loss(RECORD, repo)


def test_avatar_name_prompt_and_posts_are_each_drawn(repo: Path) -> None:
    whole = figures.draw_thumbnail(RECORD, repo)
    (x0, _, x1, _) = difference(whole, figures.draw_thumbnail(named("Somebody"), repo)) or (
        0,
        0,
        0,
        0,
    )
    assert 0 < x0 < x1 <= 340  # only the left column
    (x0, _, x1, _) = difference(
        whole, figures.draw_thumbnail(saying("Another beginning"), repo)
    ) or (
        0,
        0,
        0,
        0,
    )
    assert 340 < x0 < x1
    face = opened(whole).crop((140, 180, 200, 260)).getcolors(10**6)
    assert face and (232, 238, 244) in [color for _, color in face]


def said(prompt: str, rest: str, repo: Path) -> bytes:
    """Draw a thumbnail with one sample."""
    return figures.draw_thumbnail(replace(RECORD, samples=samples_of(prompt, prompt + rest)), repo)


def picking(*numbers: int) -> RunRecord:
    """A record of three samples from two prompts of which these are picked."""
    made = samples_of(
        "My dream is", "My dream is a shed.", "My dream is pie.", "My dream is to stop."
    )
    samples = (*made.samples[:2], replace(made.samples[0], prompt="I like", text="I like: rain."))
    return replace(RECORD, samples=replace(made, samples=samples, picked=numbers))


def test_each_picked_sample_stands_in_its_place_behind_its_own_prompt(repo: Path) -> None:
    whole, none = (
        figures.draw_thumbnail(picking(1, 2, 3), repo),
        figures.draw_thumbnail(picking(), repo),
    )
    white = [
        [place for place in range(630) if picture.getpixel((1100, place)) == (255, 255, 255)]
        for picture in (opened(whole), opened(none))
    ]
    assert 3 * 130 < len(white[0]) < 3 * 143 and white[1] == []
    boxes = [
        difference(whole, figures.draw_thumbnail(picking(*numbers), repo))
        for numbers in ((3, 2, 3), (1, 3, 3), (1, 2, 1))
    ]
    assert all(box and box[0] < 420 for box in boxes)  # from the prompt on
    tops, bottoms = [box[1] for box in boxes if box], [box[3] for box in boxes if box]
    assert tops[0] < bottoms[0] < tops[1] < bottoms[1] < tops[2]
    assert (
        difference(figures.draw_thumbnail(picking(1, 2, 3, 1), repo), whole) is None
    )  # three at most
    (x0, _, x1, _) = difference(said("I like", " rain", repo), said("I loved", " rain", repo)) or (
        0,
        0,
        0,
        0,
    )
    assert 400 < x0 < x1
    assert (
        difference(said("I like", ": rain", repo), said("I like:", " rain", repo)) is not None
    )  # the prompt alone is bold
    assert difference(said("I like", "rain", repo), said("I like", " rain", repo)) is not None


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_texts_stay_in_their_place(repo: Path, text: str) -> None:
    empty = figures.draw_thumbnail(named("a"), repo)
    (x0, y0, x1, y1) = difference(empty, figures.draw_thumbnail(named(text), repo)) or (
        40,
        300,
        41,
        301,
    )
    assert 30 <= x0 < x1 <= 310 and 300 <= y0 < y1 <= 560
    (x0, y0, x1, y1) = difference(empty, figures.draw_thumbnail(saying(text), repo)) or (
        400,
        100,
        401,
        101,
    )
    assert 30 <= x0 < x1 <= 1160 and 48 <= y0 < y1 <= 600


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_typst_reads_back_the_very_text(text: str, tmp_path: Path) -> None:
    import json

    import typst

    (tmp_path / "main.typ").write_text(
        f"#metadata({to_typst_literal(text)}) <it>", encoding="utf-8"
    )
    found = json.loads(
        typst.query(tmp_path / "main.typ", "<it>", field="value", one=True, root=tmp_path)
    )
    assert found == to_plain_text(text)


@pytest.mark.parametrize(
    "image", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n cut", x_archive.draw_avatar()[:200]]
)
def test_an_avatar_that_is_no_picture_is_none(image: bytes) -> None:
    assert avatar.crop_to_square(image) is None


def test_an_avatar_becomes_a_square_png_of_pixels_only() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (300, 100), "#ff0000").save(
        buffer, "PNG", pnginfo=None, exif=b"Exif\x00\x00secret"
    )
    square = avatar.crop_to_square(buffer.getvalue())
    assert square and b"secret" not in square
    assert opened(square).size == (400, 400) and opened(square).getpixel((200, 200)) == (255, 0, 0)


def test_the_fonts_that_templates_name_are_there() -> None:
    import re

    ours = set(
        typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[TEMPLATES / "fonts"],
        ).families()
    )
    for template in TEMPLATES.glob("*.typ.j2"):
        fonts = re.search(r"font: \(([^)]*)\)", template.read_text())[1]  # type: ignore[index]
        named = set(re.findall(r'"([^"]+)"', fonts))
        assert {name for name in named - ours if "CJK" not in name} == set()
    assert (TEMPLATES / "fonts" / "OFL.txt").exists()


def trained(losses: Sequence[float], scores: Sequence[float]) -> RunRecord:
    """A record with these losses and scores after 1, 2, ... steps; the last one is published."""
    steps = max(len(losses), len(scores))
    return replace(
        RECORD,
        history=tuple(HistoryPoint(step, loss, 1e-4) for step, loss in enumerate(losses, 1)),
        evaluations=tuple(Evaluation(step, score) for step, score in enumerate(scores, 1)),
        environment=replace(  # type: ignore[type-var]
            RECORD.environment,
            steps=steps,
            published_step=steps,
        ),
    )


def based(bits_per_byte: float) -> RunRecord:
    """A record whose untouched base has this score."""
    metrics = RECORD.metrics
    assert metrics
    return replace(
        RECORD, metrics=replace(metrics, base=replace(metrics.base, bits_per_byte=bits_per_byte))
    )


def test_no_history_is_no_picture_of_the_loss(repo: Path) -> None:
    names = ["predictions.png", "pipeline.png", "loss.png"]
    assert list(figures.draw_figures(RECORD, repo)) == names
    assert list(figures.draw_figures(replace(RECORD, history=()), repo)) == names[:2]


def test_losses_scores_base_and_published_step_are_each_drawn(repo: Path) -> None:
    whole = loss_curve.draw_loss(RECORD, repo)
    bent = replace(
        RECORD,
        history=(RECORD.history[0], replace(RECORD.history[1], loss=2.6), *RECORD.history[2:]),
    )
    (x0, y0, x1, y1) = difference(whole, loss_curve.draw_loss(bent, repo)) or (0, 0, 0, 0)
    assert 122 < x0 < x1 < 540 and 100 < y0 < y1 < 310  # in the left plot
    evaluations = (
        RECORD.evaluations[0],
        replace(RECORD.evaluations[1], bits_per_byte=1.7),
        *RECORD.evaluations[2:],
    )
    (x0, y0, x1, y1) = difference(
        whole, loss_curve.draw_loss(replace(RECORD, evaluations=evaluations), repo)
    ) or (0, 0, 0, 0)
    assert 704 < x0 < x1 < 1122 and 100 < y0 < y1 < 310  # in the right one
    (x0, y0, x1, y1) = difference(whole, loss_curve.draw_loss(based(2.4), repo)) or (0, 0, 0, 0)
    assert 612 < x0 < x1 < 1170 and y0 < 70
    for step in (60, 80):  # of 100: a dashed line through both plots, 418 pixels wide
        environment = replace(RECORD.environment, published_step=step)  # type: ignore[type-var]
        picture = opened(loss_curve.draw_loss(replace(RECORD, environment=environment), repo))
        marked = {x for x in range(1200) for y in range(130, 300) if red(picture.getpixel((x, y)))}
        assert all(
            {round(x + step / 100 * 418), round(x + step / 100 * 418) - 1} & marked
            for x in (122, 704)
        )
        assert max(marked) - min(marked) < 600  # and nowhere else


def red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[0] > 190 and pixel[2] < 60


# losses, held-out scores
CURVES = {
    "one": ([3.2], [1.7]),
    "two": ([3.2, 3.0], [1.8, 1.7]),
    "10,000": (
        [2 + 3 * math.exp(-step / 2_000) + 0.1 * math.sin(step) for step in range(10_000)],
        [1.2 + 1 / (step + 1) for step in range(10_000)],
    ),
    "constant": ([3.0] * 50, [1.5] * 50),
    "nearly constant": ([3.0, math.nextafter(3.0, 4)], [1.5, math.nextafter(1.5, 2)]),
    "zero": ([0.0, 0.0], [0.0, 0.0]),
    "huge": ([3e12, 2e12], [3e300, 1e300]),
    "tiny": ([3e-12, 2e-12], [3e-300, 1e-300]),
    "not scored": ([4.0, 3.0], []),
}


@pytest.mark.parametrize("name", CURVES)
def test_any_curve_is_drawn_inside_its_plot(name: str, repo: Path) -> None:
    record = trained(*CURVES[name])
    picture = opened(loss_curve.draw_loss(record, repo))
    line, dot = (43, 76, 126), (194, 65, 12)
    plots = (
        [(122, 105, 1120, 304)]
        if name == "not scored"
        else [(122, 105, 540, 304), (704, 105, 1122, 304)]
    )
    for box in plots:
        assert {line, dot} & colors(picture.crop(box))
    for box in ((0, 0, 1200, 80), (0, 312, 1200, 400), (0, 0, 115, 400)):
        assert line not in colors(picture.crop(box))


def colors(picture: Image.Image) -> set[object]:
    return {color for _, color in picture.getcolors(10**6) or []}


def test_a_long_curve_keeps_its_peaks() -> None:
    curve = [
        (float(step), 9.0 if step == 777 else 1.0 if step == 778 else 5.0) for step in range(1_000)
    ]
    thinned = thin(curve)
    assert len(thinned) <= 400 and thinned == sorted(thinned)
    assert (777.0, 9.0) in thinned and (778.0, 1.0) in thinned
    assert thin(curve[:150]) == curve[:150]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.0, 100.0, ["0", "20", "40", "60", "80", "100"]),
        (1.09, 2.61, ["1.5", "2.0", "2.5"]),
        (2.3, 4.9, ["3", "4"]),
        (0.0, 123_456.0, ["0", "50,000", "100,000"]),
        (1e12, 3e12, ["1.0e12", "1.5e12", "2.0e12", "2.5e12", "3.0e12"]),
        (1e-7, 2e-7, ["1.0e-07", "1.2e-07", "1.4e-07", "1.6e-07", "1.8e-07", "2.0e-07"]),
        (1.4999, 1.5001, ["1.49990", "1.49995", "1.50000", "1.50005", "1.50010"]),
    ],
)
def test_ticks_are_round_and_told_apart(low: float, high: float, expected: list[str]) -> None:
    ticks = loss_curve.choose_ticks(low, high)
    assert [format_number(tick, ticks[1] - ticks[0]) for tick in ticks] == expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (2.5, "- - untouched base: 2.500"),
        (5.0, "↑ untouched base: 5.000"),
        (0.1, "- - untouched base: 0.100"),
    ],
)
def test_a_base_that_would_flatten_the_curve_is_off_the_scale(base: float, expected: str) -> None:
    panel = build_panel("", [(20.0, 1.8), (80.0, 1.2)], 100, dots=True, base=base)
    assert panel.base and panel.base[1] == expected
    assert (0 < panel.base[0] < 1) == expected.startswith("- -")
