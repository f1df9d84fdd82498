"""The curves of training and evaluation: thinned, with ticks, as Typst draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hubtweets.card.typst import draw_template
from hubtweets.record.run_record import RunRecord

MAX_GROUPS = 200  # of points in a curve, each drawn as its lowest and its highest
MAX_DOTS = 40  # on a curve


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


def draw_loss(record: RunRecord, repo: Path) -> bytes:
    """Draw the training loss and the held-out bits per byte over the steps, 1200 x 400 pixels; raise ValueError where there is no loss."""
    assert record.environment and record.metrics
    losses = [(float(point.step), point.loss) for point in record.history]
    scores = [
        (float(evaluation.step), evaluation.bits_per_byte) for evaluation in record.evaluations
    ]
    steps = max(step for step, _ in losses + scores)
    panels = [build_panel("Training loss (nats per token)", losses, steps, dots=False)]
    if scores:
        panels.append(
            build_panel(
                "Held-out bits per byte",
                scores,
                steps,
                dots=True,
                base=record.metrics.base.bits_per_byte,
            )
        )
    return draw_template(
        "loss.typ.j2",
        repo,
        [],
        record=record,
        panels=panels,
        published=record.environment.published_step / steps,
    )


def build_panel(
    title: str,
    curve: Sequence[tuple[float, float]],
    steps: float,
    dots: bool,
    base: float | None = None,
) -> Panel:
    """Scale a curve of (step, value) to the plot; the base's value is on the scale unless the curve would be flat beside it."""
    values = [value for _, value in curve]
    low, high = min(values), max(values)
    if base is not None and (
        is_flat(low, high) or max(base - high, low - base) <= 3 * (high - low)
    ):
        low, high = min(low, base), max(high, base)
    margin = (abs(high) / 10 or 1.0) if is_flat(low, high) else (high - low) / 12
    low, high = max(0.0, low - margin), high + margin

    def up(value: float) -> float:
        return (value - low) / (high - low)

    line = [(step / steps, up(value)) for step, value in thin(curve)]
    scale = choose_ticks(low, high)
    return Panel(
        title,
        line,
        line if len(line) == 1 or (dots and len(line) <= MAX_DOTS) else [],
        [(step / steps, f"{step:,.0f}") for step in choose_ticks(0, steps) if step == round(step)],
        [(up(tick), format_number(tick, scale[1] - scale[0])) for tick in scale],
        (
            up(base),
            f"{'↓' if base < low else '↑' if base > high else '- -'} untouched base: {format_number(base, max(1.0, base) / 1000)}",
        )
        if base
        else None,
    )


def thin(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the lowest and the highest point of each group of neighbours, so that a long curve keeps its peaks."""
    size = math.ceil(len(curve) / MAX_GROUPS)
    groups = [curve[i : i + size] for i in range(0, len(curve), size)]
    return [
        point
        for group in groups
        for point in sorted({min(group, key=value_of), max(group, key=value_of)})
    ]


def value_of(point: tuple[float, float]) -> float:
    return point[1]


def is_flat(low: float, high: float) -> bool:
    """Tell whether two numbers are so close that their ticks would take more digits than there is room for."""
    return high - low <= 1e-4 * abs(high)


def choose_ticks(low: float, high: float) -> list[float]:
    """Return the two to six multiples of 1, 2 or 5 times a power of ten that lie between two numbers."""
    power = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= high - low)
    return [count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def format_number(value: float, step: float) -> str:
    """Write a number to the digit in which its neighbours, a `step` away, differ."""
    digit = math.floor(math.log10(step) + 1e-9)
    if digit >= -6 and abs(value) < 1e6:
        return f"{value:,.{max(0, -digit)}f}"
    digits = math.floor(math.log10(abs(value))) - digit if value else 0
    return f"{value:.{max(0, digits)}e}".replace("e+", "e")
