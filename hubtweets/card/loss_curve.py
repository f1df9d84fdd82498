"""loss.png: the curves of the training loss and of the held-out score over the steps.

In: the record's history and evaluations. Out: PNG bytes. Here curves are thinned and scaled to
fractions of the plot; templates/loss.typ.j2 draws them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from hubtweets.card.typst import draw_template
from hubtweets.record.run_record import RunRecord

MAX_GROUPS = 200  # of neighbouring points in a curve; each is drawn as its lowest and highest point
MAX_DOTS = 40  # on a curve; one with more points is drawn as a line only

Point = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """A curve over steps with its ticks: coordinates are fractions of the plot, labels are text.

    `base` is the height of the dashed line for the base model, which `note` labels; a height
    outside of the plot has no line.
    """

    title: str
    note: str
    line: list[Point]
    dots: list[Point]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    base: float | None


def draw_loss(record: RunRecord, repo: Path) -> bytes:
    """Draw the training loss and the held-out bits per byte, 1200 x 440 pixels.

    Raises ValueError if the record has neither.
    """
    assert record.environment and record.metrics
    losses = [(float(point.step), point.loss) for point in record.history]
    scores = [(float(point.step), point.bits_per_byte) for point in record.evaluations]
    steps = max(step for step, _ in losses + scores)
    panels = [build_panel("Training loss", losses, steps)]
    if scores:
        base = record.metrics.base.bits_per_byte
        panels.append(build_panel("Held-out bits per byte", scores, steps, base))
    published = record.environment.published_step / steps
    return draw_template("loss.typ.j2", repo, [], record=record, panels=panels, published=published)


def build_panel(
    title: str, curve: Sequence[Point], steps: float, base: float | None = None
) -> Panel:
    """Scale a curve of (step, value) to the plot; one with a `base` has a dot at each point."""
    low, high = choose_range([value for _, value in curve], base)

    def scale(value: float) -> float:
        return (value - low) / (high - low)

    line = [(step / steps, scale(value)) for step, value in thin(curve)]
    has_dots = len(line) == 1 or (base is not None and len(line) <= MAX_DOTS)
    x_ticks = [step for step in choose_ticks(0, steps, 3) if step == round(step)]
    y_ticks = choose_ticks(low, high, 5)
    return Panel(
        title=title,
        note="nats per token" if base is None else label_base(base, low, high),
        line=line,
        dots=line if has_dots else [],
        x_ticks=[(step / steps, f"{step:,.0f}") for step in x_ticks],
        y_ticks=[(scale(tick), format_number(tick, y_ticks[1] - y_ticks[0])) for tick in y_ticks],
        base=None if base is None else scale(base),
    )


def choose_range(values: Sequence[float], base: float | None) -> tuple[float, float]:
    """Return the lowest and highest value of the y axis, with a margin.

    The base's value is in the range unless it would flatten the curve to a quarter of the plot.
    """
    low, high = min(values), max(values)
    if base is not None:
        distance = max(base - high, low - base)
        if is_flat(low, high) or distance <= 3 * (high - low):
            low, high = min(low, base), max(high, base)
    margin = (abs(high) / 10 or 1.0) if is_flat(low, high) else (high - low) / 12
    return max(0.0, low - margin), high + margin


def label_base(base: float, low: float, high: float) -> str:
    """Return the label of the base's value, after a dashed line or an arrow to where it lies."""
    sign = "- -"
    if base < low:
        sign = "↓"
    elif base > high:
        sign = "↑"
    return f"{sign} untouched base: {format_number(base, max(1.0, base) / 1000)}"


def thin(curve: Sequence[Point]) -> list[Point]:
    """Return the lowest and highest point of each group of neighbours, which keeps the peaks."""
    value = itemgetter(1)
    size = math.ceil(len(curve) / MAX_GROUPS)
    thinned: list[Point] = []
    for start in range(0, len(curve), size):
        group = curve[start : start + size]
        thinned += sorted({min(group, key=value), max(group, key=value)})
    return thinned


def is_flat(low: float, high: float) -> bool:
    """Return True if two numbers are so close that their ticks would need too many digits."""
    return high - low <= 1e-4 * abs(high)


def choose_ticks(low: float, high: float, most: int) -> list[float]:
    """Return the multiples of 1, 2 or 5 times a power of ten that cut a range into up to `most`."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * most >= high - low)
    return [count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def format_number(value: float, step: float) -> str:
    """Return a number with the digits that tell it from its neighbours, a `step` away."""
    digit = math.floor(math.log10(step) + 1e-9)
    if digit >= -6 and abs(value) < 1e6:
        return f"{value:,.{max(0, -digit)}f}"
    digits = math.floor(math.log10(abs(value))) - digit if value else 0
    return f"{value:.{max(0, digits)}e}".replace("e+", "e")
