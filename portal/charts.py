"""Lay bars out for a chart drawn as SVG: one idea each, labelled directly. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 190
TOP, BOTTOM = 26, 26
BAR_SHARE = 0.56  # of a bar's slot
LEAST_BAR = 2  # pixels: an amount above zero is always seen


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its label below and its figure above; all numbers in view-box pixels."""

    label: str
    figure: str
    x: float
    y: float
    width: float
    height: float
    middle: float
    figure_y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's frame and its bars."""

    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT
    ground: int = HEIGHT - BOTTOM
    label_y: int = HEIGHT - 6


def bars(points: Sequence[tuple[str, int, str]]) -> Chart:
    """Lay out ``(label, value >= 0, figure)``; the tallest bar fills the frame."""
    tallest = max((value for _, value, _ in points), default=0) or 1
    slot = WIDTH / max(len(points), 1)
    room = HEIGHT - TOP - BOTTOM
    laid = []
    for i, (label, value, figure) in enumerate(points):
        height = max(room * value / tallest, LEAST_BAR) if value > 0 else 0.0
        laid.append(
            Bar(
                label=label,
                figure=figure,
                x=round(slot * (i + (1 - BAR_SHARE) / 2), 1),
                y=round(HEIGHT - BOTTOM - height, 1),
                width=round(slot * BAR_SHARE, 1),
                height=round(height, 1),
                middle=round(slot * (i + 0.5), 1),
                figure_y=round(HEIGHT - BOTTOM - height - 8, 1),
            )
        )
    return Chart(bars=tuple(laid))
