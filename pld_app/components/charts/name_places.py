"""Where names stand beside the points of a scatter, so that none covers another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LETTER, _LINE = 8.0, 16.0
"""Pixels that a letter of a name is wide, and a name high."""


@dataclass(frozen=True)
class Plot:
    """What a scatter shows and how large it is on the smallest screen that we draw for.

    Attributes:
        x, y: from where to where each axis goes.
        width, height: pixels.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float

    def pixel(self, place: tuple[float, float]) -> tuple[float, float]:
        """Return a place in pixels, counted from the lower left."""
        (left, right), (low, high) = self.x, self.y
        return (place[0] - left) / (right - left) * self.width, (place[1] - low) / (high - low) * self.height


def sides_of_names(names: Sequence[str], places: Mapping[str, tuple[float, float]], plot: Plot) -> dict[str, str]:
    """Return on which side of its point each name stands; a name that finds no room on either is left out.

    Args:
        names: the most important first, which choose first.
        places: of the point of each name.
    """
    taken: list[tuple[float, float, float]] = []
    sides: dict[str, str] = {}
    for name in names:
        x, y = plot.pixel(places[name])
        width = _LETTER * (len(name) + 2)
        for side, left in (("top right", x), ("top left", x - width)):
            is_inside = left >= 0 and left + width <= plot.width
            if is_inside and all(_are_apart((left, y, width), other) for other in taken):
                taken.append((left, y, width))
                sides[name] = side
                break
    return sides


def _are_apart(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Return whether two names, each told by its left end, its foot and its width, leave each other free."""
    if abs(one[1] - other[1]) >= _LINE:
        return True
    return one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
