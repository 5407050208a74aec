"""Small bars with their interval, drawn as SVG inside the page. Each says in words what it shows. Pure."""

from __future__ import annotations

from pld_core.macro_f1 import MacroF1
from pld_core.pack.html_parts import figure, text
from pld_core.proportion import SMALL_SAMPLE, Proportion

_WIDTH, _HEIGHT = 160, 12


def share_cell(share: Proportion, what: str) -> str:
    """Return a bar and the words of a share; the words alone below 10 answers.

    Args:
        what: what the share is of, for who does not see the bar.
    """
    if share.rate is None or share.n < SMALL_SAMPLE:
        return figure(share.words)
    interval = None if share.low is None or share.high is None else (share.low, share.high)
    return f"{_bar(share.rate, interval, f'{what}: {share.words}')} {figure(share.words)}"


def f1_cell(found: MacroF1, what: str) -> str:
    """Return a bar and the words of macro F1; the words alone below 10 answers."""
    if found.value is None or found.n < SMALL_SAMPLE:
        return figure(found.words)
    return f"{_bar(found.value, found.interval, f'{what}: {found.words}')} {figure(found.words)}"


def _bar(value: float, interval: tuple[float, float] | None, words: str) -> str:
    """Return a bar from 0 to 1: what is reached, and a line from one end of the interval to the other."""
    middle = _HEIGHT / 2
    whisker = ""
    if interval:
        low, high = (_place(end) for end in interval)
        whisker = f'<path class="reach" d="M{low} {middle:g}H{high}M{low} 2V{_HEIGHT - 2}M{high} 2V{_HEIGHT - 2}"/>'
    return (
        f'<svg class="bar" role="img" aria-label="{text(words)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}"><rect class="all" width="{_WIDTH}" height="{_HEIGHT}"/>'
        f'<rect class="part" width="{_place(value)}" height="{_HEIGHT}"/>{whisker}</svg>'
    )


def _place(share: float) -> str:
    return f"{share * _WIDTH:.1f}"
