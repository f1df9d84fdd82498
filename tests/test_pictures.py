import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import typst
from PIL import Image, ImageChops

from hubtweets.card import avatar, faces, figures, loss_curve, model_card
from hubtweets.card.faces import Face
from hubtweets.card.loss_curve import build_panel, format_number, thin
from hubtweets.card.templating import TEMPLATES
from hubtweets.card.typst import load_fonts
from hubtweets.posts.example import x_archive
from hubtweets.posts.post import Profile
from hubtweets.record.run_record import Evaluation, HistoryPoint, RunRecord
from hubtweets.text import to_plain_text, to_typst_literal
from tests.hostile import HOSTILE
from tests.records import RECORD, named, samples_of, saying


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repo")
    (folder / "avatar.png").write_bytes(x_archive.draw_avatar())
    return folder


class Plain(NamedTuple):
    """The pictures of RECORD."""

    thumbnail: bytes
    pipeline: bytes


@pytest.fixture(scope="module")
def plain(repo: Path) -> Plain:
    return Plain(figures.draw_thumbnail(RECORD, repo), figures.draw_pipeline(RECORD, repo))


def opened(picture: bytes) -> Image.Image:
    """Return a picture as it looks on a white page."""
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


Box = tuple[int, int, int, int]


def difference(one: bytes, other: bytes) -> Box:
    """Return the box of pixels in which two pictures differ, (0, 0, 0, 0) if they do not."""
    return ImageChops.difference(opened(one), opened(other)).getbbox() or (0, 0, 0, 0)


def is_inside(box: Box, other: Box) -> bool:
    """Return True if a box lies in another one, or is empty."""
    inside = box[0] >= other[0] and box[1] >= other[1] and box[2] <= other[2] and box[3] <= other[3]
    return inside or box == (0, 0, 0, 0)


def test_sizes(repo: Path) -> None:
    assert opened(figures.draw_thumbnail(RECORD, repo)).size == (1200, 630)
    assert opened(figures.draw_pipeline(RECORD, repo)).size == (1200, 230)
    assert opened(loss_curve.draw_loss(RECORD, repo)).size == (1200, 440)


def test_same_record_same_bytes(repo: Path) -> None:
    assert figures.draw_thumbnail(RECORD, repo) == figures.draw_thumbnail(RECORD, repo)
    assert loss_curve.draw_loss(RECORD, repo) == loss_curve.draw_loss(RECORD, repo)


def said(repo: Path, *texts: str, prompt: str = "I like") -> bytes:
    """Draw a thumbnail of a record of which these samples are picked."""
    samples = samples_of(prompt, *(prompt + text for text in texts))
    return figures.draw_thumbnail(replace(RECORD, samples=samples), repo)


# of the thumbnail of a quote of one line
BUBBLE, SPEAKER, NAME, FOOTER = (
    (55, 150, 1145, 290),
    (55, 320, 1145, 440),
    (185, 325, 1145, 385),
    (55, 565, 1145, 620),
)


def test_face_name_quote_and_id_are_each_drawn_in_their_place(repo: Path) -> None:
    whole = figures.draw_thumbnail(RECORD, repo)
    other_name = difference(whole, figures.draw_thumbnail(named("Somebody"), repo))
    other_id = replace(RECORD, target=replace(RECORD.target, repo_id="me/bot"))  # type: ignore[type-var]
    other_footer = difference(whole, figures.draw_thumbnail(other_id, repo))
    other_quote = difference(said(repo, " pie"), said(repo, " pies"))
    assert is_inside(other_name, NAME) and any(other_name)
    assert is_inside(other_footer, FOOTER) and any(other_footer)
    assert is_inside(other_quote, BUBBLE) and any(other_quote)
    assert any(
        difference(said(repo, " pie", prompt="I like"), said(repo, " pie", prompt="I liked"))
    )
    assert (232, 238, 244) in colors(opened(whole).crop((90, 370, 130, 410)))  # the avatar


def test_the_prompt_alone_is_bold_and_the_space_after_it_is_kept(repo: Path) -> None:
    assert any(difference(said(repo, ": rain"), said(repo, " rain", prompt="I like:")))
    assert any(difference(said(repo, "rain"), said(repo, " rain")))
    drawn = opened(said(repo, "I" * 8, prompt="I" * 8)).crop((105, 185, 355, 240))
    counts = {color: count for count, color in drawn.getcolors(10**6) or []}
    del counts[255, 255, 255]
    rest = counts.pop((22, 32, 46))
    assert max(counts.values()) > 1.3 * rest > 1_000  # the stems of the prompt are broader


LONG = " the radiator and the bread machine" * 20  # does not fit whole


@pytest.mark.parametrize(
    ("picked", "same_as"),
    [
        ([" pie", " rain"], [" pie"]),
        ([LONG, " rain", " pie"], [" rain"]),
        ([LONG, " no" + LONG], [LONG]),
    ],
)
def test_the_quote_is_the_first_picked_sample_that_fits_whole(
    picked: list[str], same_as: list[str], repo: Path
) -> None:
    assert said(repo, *picked) == said(repo, *same_as)
    assert said(repo, *picked) != said(repo, picked[-1])


def test_no_picked_sample_is_no_quote(repo: Path) -> None:
    nothing = replace(RECORD, samples=replace(samples_of("I like", "I like pie"), picked=()))
    assert any(difference(figures.draw_thumbnail(nothing, repo), said(repo, " pie")))


def test_the_bubble_fits_its_text(repo: Path) -> None:
    def measure(text: str) -> Box:
        white = opened(said(repo, text)).convert("L").point(lambda level: 255 * (level == 255))
        return white.getbbox() or BUBBLE

    short, line, lines = measure(" pie"), measure(" it" * 15), measure(" radiators" * 9)
    assert short[2] - short[0] < 350 < 900 < line[2] - line[0] < lines[2] - lines[0] <= 1084
    assert short[1] == line[1] > lines[1]
    two_lines, one_word = measure(" it" * 20), measure(" " + "w" * 100)
    assert one_word[1] < two_lines[1] < line[1]  # a word that is too long goes on in the next line


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_texts_stay_in_their_place(repo: Path, plain: Plain, text: str) -> None:
    named_so = figures.draw_thumbnail(named(text), repo)
    assert is_inside(difference(plain.thumbnail, named_so), NAME)
    saying_so = figures.draw_thumbnail(saying(text), repo)
    assert is_inside(difference(plain.thumbnail, saying_so), (55, 30, 1145, 555))
    base = replace(RECORD.base, id=text)  # type: ignore[type-var]
    based_so = figures.draw_pipeline(replace(RECORD, base=base), repo)
    assert is_inside(difference(plain.pipeline, based_so), (624, 0, 888, 110))


# a letter and another one of the same script: a font that lacks them draws the same box for both
@pytest.mark.parametrize(
    "letters",
    [
        "日月",
        "あい",
        "アイ",
        "한글",
        "กข",
        "अब",
        "אב",
        "بج",
        "аб",
        "αβ",
        "😀🎉",
        "𝓃𝓂",
        "❤❄",
        "বত",
        "தக",
        "తక",
        "ಕನ",
        "കന",
        "ગત",
        "ਗਤ",
        "ଗତ",
        "සක",
        "កខ",
        "ກຂ",
        "ကခ",
        "አበ",
        "აბ",
        "աբ",
        "ރބ",
    ],
)
def test_the_packaged_fonts_have_the_letters(letters: str, repo: Path) -> None:
    bases = [replace(RECORD.base, id=letter) for letter in letters]  # type: ignore[type-var]
    one, other = (figures.draw_pipeline(replace(RECORD, base=base), repo) for base in bases)
    assert one != other


def test_an_extra_font_in_the_home_folder_changes_nothing(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = "\u20c0"  # in no packaged font
    record = saying(f"I like {letter} and {letter}")
    plain = figures.draw_thumbnail(record, repo)
    extra = (TEMPLATES / "fonts" / "NotoSansHebrew-Regular.ttf").read_bytes()
    (tmp_path / ".fonts").mkdir()
    # its shekel sign, U+20AA, becomes that letter
    font = extra.replace(b"\x20\xaa", b"\x20\xc0")
    (tmp_path / ".fonts" / "extra.ttf").write_bytes(font)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    try:
        load_fonts.cache_clear()
        assert figures.draw_thumbnail(record, repo) == plain
        folders = [TEMPLATES / "fonts"]
        every = typst.Fonts(True, False, font_paths=folders)  # the machine's fonts too
        monkeypatch.setattr("hubtweets.card.typst.load_fonts", lambda: every)
        assert figures.draw_thumbnail(record, repo) != plain  # that is how it would show
    finally:
        load_fonts.cache_clear()


@pytest.mark.parametrize(
    ("name", "handle", "expected"),
    [
        ("Ada Lovelace", "ada", "AL"),
        ("Lyons__ 𝓃 🤖", "lyons____", "L𝓃"),
        ("one two three", "x", "OT"),
        ("田中さくら", "sakura", "田"),
        ("", "__bob", "B"),
        ("🤖 !", "__", "@"),
        ("\u202e\x00", "7up", "7"),
    ],
)
def test_initials(name: str, handle: str, expected: str) -> None:
    assert faces.get_initials(Profile(handle, name)) == expected


def test_a_face_is_an_avatar_or_initials_on_the_colour_of_the_handle() -> None:
    bob, ada = Profile("bob", "Bob", avatar="avatar-2.png"), Profile("ada", "Ada")
    assert faces.list_faces([bob, ada]) == [Face("avatar-2.png", "B", 280), Face(None, "A", 5)]
    assert [face.initials for face in faces.list_faces([ada] * 5)] == ["A"] * 5
    assert [face.initials for face in faces.list_faces([ada] * 12)] == ["A"] * 4 + ["+8"]


def test_each_author_has_a_face(repo: Path) -> None:
    ada = replace(RECORD.profiles[0], avatar=None)
    rows = [
        figures.draw_thumbnail(replace(RECORD, profiles=(ada,) * count), repo)
        for count in (1, 2, 3)
    ]
    right = [difference(rows[0], row)[2] for row in rows[1:]]
    assert all(is_inside(difference(rows[0], row), SPEAKER) for row in rows) and right[0] < right[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("שלום", True), ("12 مرحبا", True), ("My שלום", False), ("!? 123", False), ("", False)],
)
def test_direction_of_a_quote(text: str, expected: bool) -> None:
    assert figures.is_right_to_left(text) is expected


@pytest.mark.parametrize(("text", "side"), [(" הוא שם" * 6, "right"), (" it is" * 9, "left")])
def test_the_lines_of_a_quote_begin_on_its_side(text: str, side: str, repo: Path) -> None:
    drawn = opened(said(repo, text, prompt=text[1:4]))
    letters = np.argwhere((np.asarray(drawn) == (22, 32, 46)).all(axis=2))  # [pixels, (y, x)]
    last = letters[letters[:, 0] > letters[:, 0].max() - 30, 1]  # in the last line
    assert (last.min() > 600) == (side == "right") and (last.max() < 600) == (side == "left")


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


def test_the_pictures_name_every_packaged_font() -> None:
    import re

    ours = set(
        typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[TEMPLATES / "fonts"],
        ).families()
    )
    prelude = (TEMPLATES / "prelude.typ.j2").read_text()
    fonts = re.search(r"font: \(([^)]*)\)", prelude)[1]  # type: ignore[index]
    assert set(re.findall(r'"([^"]+)"', fonts)) == ours
    assert (TEMPLATES / "fonts" / "LICENSE.txt").exists()


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


@pytest.mark.parametrize("points", [0, 2, 3])
def test_fewer_than_three_losses_are_no_picture(points: int, repo: Path) -> None:
    record = replace(RECORD, history=RECORD.history[:points])
    names = ["predictions.png", "pipeline.png", *(["loss.png"] if points == 3 else [])]
    assert list(figures.draw_figures(record, repo)) == names
    assert ("resolve/main/loss.png" in model_card.render(record)) == (points == 3)


LEFT_PLOT, RIGHT_PLOT = (120, 120, 552, 354), (740, 120, 1172, 354)


def test_losses_scores_base_and_published_step_are_each_drawn(repo: Path) -> None:
    whole = loss_curve.draw_loss(RECORD, repo)
    bent = replace(
        RECORD,
        history=(RECORD.history[0], replace(RECORD.history[1], loss=2.6), *RECORD.history[2:]),
    )
    box = difference(whole, loss_curve.draw_loss(bent, repo))
    assert is_inside(box, LEFT_PLOT) and any(box)
    evaluations = (
        RECORD.evaluations[0],
        replace(RECORD.evaluations[1], bits_per_byte=1.7),
        *RECORD.evaluations[2:],
    )
    box = difference(whole, loss_curve.draw_loss(replace(RECORD, evaluations=evaluations), repo))
    assert is_inside(box, RIGHT_PLOT) and any(box)
    box = difference(whole, loss_curve.draw_loss(based(2.4), repo))
    assert 620 <= box[0] < box[2] <= 1200 and 36 < box[1] < 80  # its line and its label
    for step in (60, 80):  # of 100: a dashed line through both plots, 420 pixels wide
        environment = replace(RECORD.environment, published_step=step)  # type: ignore[type-var]
        picture = opened(loss_curve.draw_loss(replace(RECORD, environment=environment), repo))
        marked = {x for x in range(1200) for y in range(150, 340) if red(picture.getpixel((x, y)))}
        assert all(
            {round(x + step / 100 * 420), round(x + step / 100 * 420) - 1} & marked
            for x in (126, 746)
        )
        assert max(marked) - min(marked) < 640  # and nowhere else


def red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[0] > 200 and pixel[2] < 60


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
    line, dot = (47, 120, 214), (211, 80, 28)
    plots = [(120, 120, 1172, 354)] if name == "not scored" else [LEFT_PLOT, RIGHT_PLOT]
    for box in plots:
        assert {line, dot} & colors(picture.crop(box))
    for box in ((0, 0, 1200, 80), (0, 358, 1200, 440), (0, 0, 115, 440)):
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
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.0, 100.0, 5, ["0", "20", "40", "60", "80", "100"]),
        (0.0, 10_000.0, 3, ["0", "5,000", "10,000"]),
        (0.0, 103.0, 3, ["0", "50", "100"]),
        (1.09, 2.61, 5, ["1.5", "2.0", "2.5"]),
        (2.3, 4.9, 5, ["3", "4"]),
        (0.0, 123_456.0, 5, ["0", "50,000", "100,000"]),
        (1e12, 3e12, 5, ["1.0e12", "1.5e12", "2.0e12", "2.5e12", "3.0e12"]),
        (1e-7, 2e-7, 5, ["1.0e-07", "1.2e-07", "1.4e-07", "1.6e-07", "1.8e-07", "2.0e-07"]),
        (1.4999, 1.5001, 5, ["1.49990", "1.49995", "1.50000", "1.50005", "1.50010"]),
    ],
)
def test_ticks_are_round_and_told_apart(
    low: float, high: float, most: int, expected: list[str]
) -> None:
    ticks = loss_curve.choose_ticks(low, high, most)
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
    panel = build_panel("", [(20.0, 1.8), (80.0, 1.2)], 100, base)
    assert panel.note == expected
    assert panel.base is not None and (0 < panel.base < 1) == expected.startswith("- -")
