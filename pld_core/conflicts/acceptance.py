"""When a trial passes: a strict gain on validation examples, and no label worse than its margin. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.canonical import Json
from pld_core.gate_policy import AS_MADE
from pld_core.paired import Comparison, LabelPair, Pair, by_label, compare
from pld_core.proportion import SMALL_SAMPLE

_EXACT = 1e-9
"""Sums of shares differ in their last digits; a gain of exactly the bar is one."""


@dataclass(frozen=True)
class Bar:
    """What a trial has to reach.

    Attributes:
        gain: least gain of macro F1, 0 to 1; no gain at all never passes, whatever this is.
        label_margin: how much of its right answers a label may lose, 0 to 1; with fewer than 10 examples none.
    """

    gain: float = 0.005
    label_margin: float = AS_MADE.label_margin

    def as_json(self) -> dict[str, Json]:
        return {"gain": self.gain, "label_margin": self.label_margin}


class Verdict(StrEnum):
    """What came of a trial."""

    PASSES = "passes"
    NO_EXAMPLES = "no_examples"
    NO_GAIN = "no_gain"
    WORSE = "worse"
    LABEL_WORSE = "label_worse"
    LOSES_EARLY = "loses_early"
    SEEN_BEFORE = "seen_before"
    NO_CHANGE = "no_change"


@dataclass(frozen=True)
class Result:
    """A comparison over the same examples, and what it comes to.

    Attributes:
        comparison: None where there was no example to compare on.
        reason: in one sentence.
        labels: a line for each declared label, over the same examples; with `LOSES_EARLY` over the affected ones only.
    """

    verdict: Verdict
    reason: str
    comparison: Comparison | None = None
    labels: tuple[LabelPair, ...] = ()

    @property
    def passes(self) -> bool:
        return self.verdict is Verdict.PASSES

    @property
    def after(self) -> float:
        """Macro F1 of the second prompt; 0 where nothing was compared."""
        return self.comparison.after if self.comparison else 0.0

    @property
    def gain(self) -> float:
        return self.comparison.difference if self.comparison else 0.0


def judged(labels: Sequence[str], pairs: Sequence[Pair], bar: Bar) -> Result:
    """Say whether the second prompt of the pairs is accepted over the first. Nothing passes on no example.

    With fewer than 10 examples macro F1 says too little: then more have to be fixed than broken, and it says so.
    """
    if not pairs:
        return Result(Verdict.NO_EXAMPLES, "There is no validation example, so nothing can be accepted.")
    comparison, lines = compare(labels, pairs), by_label(labels, Counter(pairs))
    worse = [line.label for line in lines if line.loses_more_than(bar.label_margin)]
    is_small = len(pairs) < SMALL_SAMPLE
    verdict, reason = _on_counts(comparison) if is_small else _on_macro_f1(comparison, bar)
    if verdict is Verdict.PASSES and worse:
        verdict, reason = Verdict.LABEL_WORSE, f"Worse than the margin allows: {', '.join(worse)}."
    if is_small:
        reason += f" Decided on counts: {len(pairs)} examples are too few for a rate."
    return Result(verdict, reason, comparison, lines)


def _on_counts(found: Comparison) -> tuple[Verdict, str]:
    told = f"Fixes {found.fixed}, breaks {found.broken}."
    if found.fixed > found.broken and found.difference > 0:
        return Verdict.PASSES, told
    return (Verdict.WORSE if found.fixed < found.broken else Verdict.NO_GAIN), told


def _on_macro_f1(found: Comparison, bar: Bar) -> tuple[Verdict, str]:
    told = f"Macro F1 {found.before:.3f} to {found.after:.3f} ({found.difference:+.3f})"
    if found.difference < -_EXACT:
        return Verdict.WORSE, f"{told}: worse."
    if found.difference <= _EXACT or found.difference < bar.gain - _EXACT:
        return Verdict.NO_GAIN, f"{told}: a gain of at least {bar.gain:g} is asked for."
    return Verdict.PASSES, f"{told}."


def early(labels: Sequence[str], pairs: Sequence[Pair]) -> Result | None:
    """Return why a trial ends after the affected examples: it breaks more than it fixes; None if it goes on."""
    if not pairs:
        return None
    found = compare(labels, pairs)
    if found.broken <= found.fixed:
        return None
    reason = f"Breaks {found.broken} and fixes {found.fixed} of {found.n} affected examples; the rest were not asked."
    return Result(Verdict.LOSES_EARLY, reason, found, by_label(labels, Counter(pairs)))
