"""How many examples changed their answer between repeats, label by label."""

from __future__ import annotations

from collections.abc import Sequence

from pld_app.components.charts.chart_frame import Chart
from pld_app.components.charts.look import NEUTRAL
from pld_app.components.charts.shares import Meaning, shares_chart
from pld_app.components.charts.statement import Statement
from pld_core.models import Run
from pld_core.stability import Stability

# An answer that changes is neither right nor wrong, so it has a colour of its own.
CHANGED = Meaning(
    counted="changed",
    other="the same each time",
    colour=NEUTRAL,
    counted_mark={"color": NEUTRAL, "size": 9, "symbol": "x"},
    other_mark={"color": NEUTRAL, "size": 7, "symbol": "circle-open", "line": {"color": NEUTRAL, "width": 1.5}},
)


def flips_chart(runs: Sequence[Run], how: str, found: Stability) -> Chart:
    """Return the share of examples with any flip, of all labels and of each gold label that occurs.

    Args:
        runs: the repeats, the first seed first.
        how: in which way the answers could differ, such as `temperature 0.7`.
    """
    numbers = ", ".join(str(run.id) for run in runs)
    more = f"repeats: runs {numbers}, {how}; by Wilson"
    statement = Statement(runs[0], found.flipped.n, "examples", more=more)
    parts = [("all labels", found.flipped), *((label, one) for label, one in found.by_label.items() if one.n)]
    return shares_chart("flips", "Examples that changed their answer, by gold label", statement, parts, CHANGED)
