"""The pictures of a run: predictions.png for previews, pipeline.png and loss.png for the card.

In: the record and the avatars. Out: PNG bytes. Jinja fills a Typst template, every value as a string literal and never as markup; Typst compiles
it in an empty folder that holds the avatars only, so that nothing else can be read.
"""

import io
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst
from PIL import Image, UnidentifiedImageError

from hubtweets.record.run_record import RunRecord
from hubtweets.text import TEMPLATES, environment, plain, typst_string

AVATAR_PIXELS = 400
MAX_AVATAR_PIXELS = 64 * 2**20
MOST_AVATARS = 9  # on the thumbnail
MOST_GROUPS = 200  # of points in a curve, each drawn as its lowest and its highest
MOST_DOTS = 40  # on a curve
MOST_POSTS = 3  # on the thumbnail
LONGEST_PROMPT = 60
LONGEST_TEXT = 600  # characters that are laid out; the rest would not be seen and takes Typst seconds


def draw_all(record: RunRecord, repo: Path) -> dict[str, bytes]:
    """Draw every picture that the record has something for, by the name of its file in the repo."""
    pictures = {"predictions.png": predictions(record, repo), "pipeline.png": pipeline(record, repo)}
    return pictures | ({"loss.png": loss(record, repo)} if record.history else {})


def predictions(record: RunRecord, repo: Path) -> bytes:
    """Draw the thumbnail, 1200 x 630 pixels: avatars, names, and up to three of the picked samples, each after its prompt."""
    assert record.samples
    shown = record.samples.shown()[:MOST_POSTS]
    rests = [(one.text or "").removeprefix(one.prompt) for one in shown]
    posts = [(plain(one.prompt, LONGEST_PROMPT), int(rest[:1].isspace()), plain(rest, LONGEST_TEXT)) for one, rest in zip(shown, rests, strict=True)]
    return draw(
        "thumbnail.typ.j2",
        repo,
        [profile.avatar for profile in record.profiles if profile.avatar][:MOST_AVATARS],
        name=plain(" & ".join(plain(profile.name, 60) or profile.handle for profile in record.profiles), 120),
        kind="AI BOT" if len(record.profiles) == 1 else "AI CYBORG",
        record=record,
        posts=posts,
    )


def pipeline(record: RunRecord, repo: Path) -> bytes:
    """Draw how posts became a bot, 1200 x 260 pixels, with this run's own numbers."""
    downloaded, kept = (sum(getattr(counts, name) for counts in record.counts) for name in ("downloaded", "kept"))
    return draw("pipeline.typ.j2", repo, [], record=record, downloaded=downloaded, kept=kept)


@dataclass(frozen=True)
class Panel:
    """A curve over steps with its ticks: every coordinate a fraction of the plot, every label as it is shown.

    `base` is the height of the dashed line and its label; outside of the plot no line is drawn.
    """

    title: str
    line: list[tuple[float, float]]
    points: list[tuple[float, float]]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    base: tuple[float, str] | None


def loss(record: RunRecord, repo: Path) -> bytes:
    """Draw the training loss and the held-out bits per byte over the steps, 1200 x 400 pixels; raise ValueError where there is no loss."""
    assert record.environment and record.metrics
    losses = [(float(point.step), point.loss) for point in record.history]
    scores = [(float(evaluation.step), evaluation.bits_per_byte) for evaluation in record.evaluations]
    steps = max(step for step, _ in losses + scores)
    panels = [panel_of("Training loss (nats per token)", losses, steps, dots=False)]
    if scores:
        panels.append(panel_of("Held-out bits per byte", scores, steps, dots=True, base=record.metrics.base.bits_per_byte))
    return draw("loss.typ.j2", repo, [], record=record, panels=panels, published=record.environment.published_step / steps)


def panel_of(title: str, curve: Sequence[tuple[float, float]], steps: float, dots: bool, base: float | None = None) -> Panel:
    """Scale a curve of (step, value) to the plot; the base's value is on the scale unless the curve would be flat beside it."""
    values = [value for _, value in curve]
    low, high = min(values), max(values)
    if base is not None and (is_flat(low, high) or max(base - high, low - base) <= 3 * (high - low)):
        low, high = min(low, base), max(high, base)
    margin = (abs(high) / 10 or 1.0) if is_flat(low, high) else (high - low) / 12
    low, high = max(0.0, low - margin), high + margin

    def up(value: float) -> float:
        return (value - low) / (high - low)

    line = [(step / steps, up(value)) for step, value in thinned(curve)]
    scale = ticks(low, high)
    return Panel(
        title,
        line,
        line if len(line) == 1 or (dots and len(line) <= MOST_DOTS) else [],
        [(step / steps, f"{step:,.0f}") for step in ticks(0, steps) if step == round(step)],
        [(up(tick), number(tick, scale[1] - scale[0])) for tick in scale],
        (up(base), f"{'↓' if base < low else '↑' if base > high else '- -'} untouched base: {number(base, max(1.0, base) / 1000)}") if base else None,
    )


def thinned(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the lowest and the highest point of each group of neighbours, so that a long curve keeps its peaks."""
    size = math.ceil(len(curve) / MOST_GROUPS)
    groups = [curve[i : i + size] for i in range(0, len(curve), size)]
    return [point for group in groups for point in sorted({min(group, key=value_of), max(group, key=value_of)})]


def value_of(point: tuple[float, float]) -> float:
    return point[1]


def is_flat(low: float, high: float) -> bool:
    """Tell whether two numbers are so close that their ticks would take more digits than there is room for."""
    return high - low <= 1e-4 * abs(high)


def ticks(low: float, high: float) -> list[float]:
    """Return the two to six multiples of 1, 2 or 5 times a power of ten that lie between two numbers."""
    power = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= high - low)
    return [count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def number(value: float, step: float) -> str:
    """Write a number to the digit in which its neighbours, a `step` away, differ."""
    digit = math.floor(math.log10(step) + 1e-9)
    if digit >= -6 and abs(value) < 1e6:
        return f"{value:,.{max(0, -digit)}f}"
    digits = math.floor(math.log10(abs(value))) - digit if value else 0
    return f"{value:.{max(0, digits)}e}".replace("e+", "e")


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
