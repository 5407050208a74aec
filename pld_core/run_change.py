"""What became of the answers between two runs, of counts: the paired figures and the changes of each label. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.analytics import LabelChange
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.models import Run
from pld_core.paired import Comparison, Pair, compare_counted


@dataclass(frozen=True)
class RunChange:
    """How the second of two runs compares with the first, over the examples that both answered.

    Attributes:
        changes: one for each gold label, by name.
        apart: examples that only one of the two answered; they count in no figure.
    """

    before: Run
    after: Run
    figures: Comparison
    changes: tuple[LabelChange, ...]
    apart: int

    def as_json(self) -> dict[str, Json]:
        return {
            "before": self.before.id,
            "after": self.after.id,
            **self.figures.as_json(),
            "changes": [
                {"label": one.label, "fixed": one.fixed, "broken": one.broken, "still_wrong": one.still_wrong}
                for one in self.changes
            ],
            "answered_by_one_only": self.apart,
        }


def change_of(labels: tuple[str, ...], before: Run, after: Run, pairs: Mapping[Pair, int], answers: int) -> RunChange:
    """Compare two runs.

    Args:
        labels: the declared ones.
        pairs: how many examples that both answered are of each kind.
        answers: of both runs together.

    Raises:
        InvalidInput: they have no example in common.
    """
    both = sum(pairs.values())
    if not both:
        raise InvalidInput(f"Runs {before.id} and {after.id} have no example in common. Evaluate one of them again.")
    changes = tuple(_change(gold, pairs) for gold in sorted({pair.gold for pair in pairs}))
    return RunChange(before, after, compare_counted(labels, pairs), changes, answers - 2 * both)


def _change(gold: str, pairs: Mapping[Pair, int]) -> LabelChange:
    own = [(pair, n) for pair, n in pairs.items() if pair.gold == gold]
    return LabelChange(
        label=gold,
        before=sum(n for pair, n in own if pair.before == gold),
        after=sum(n for pair, n in own if pair.after == gold),
        fixed=sum(n for pair, n in own if pair.is_fixed),
        broken=sum(n for pair, n in own if pair.is_broken),
        still_wrong=sum(n for pair, n in own if gold not in (pair.before, pair.after)),
    )
