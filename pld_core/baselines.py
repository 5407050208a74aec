"""What the rules have to beat: the same examples answered without them, and which baselines do better. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.models import Prediction
from pld_core.paired import Comparison, Pair, PairedVerdict, compare


class Baseline(StrEnum):
    """A way to answer without the rules; the value is how screens call it."""

    NO_RULES = "no rules"
    FIVE_SHOT = "5-shot"
    NEAREST = "nearest neighbour"
    NEAREST_FIVE = "vote of the 5 nearest neighbours"
    MAJORITY = "most frequent label"


Said = Mapping[str, str | None]
"""Content hash of an example -> what a baseline says of it; None for no usable answer."""


@dataclass(frozen=True)
class Beside:
    """A baseline beside the rules, on the same examples.

    Attributes:
        comparison: from the baseline (before) to the rules (after).
    """

    baseline: Baseline
    comparison: Comparison

    @property
    def words(self) -> str:
        """Such as `Rules beside 5-shot: better: macro F1 0.812 against 0.740, …`."""
        return f"Rules beside {self.baseline.value}: {self.comparison.words}"

    def as_json(self) -> dict[str, Json]:
        return {"baseline": self.baseline.value, **self.comparison.as_json()}


def beside(
    labels: Sequence[str], rules: Sequence[Prediction], baselines: Mapping[Baseline, Said]
) -> tuple[Beside, ...]:
    """Compare the answers with the rules with those of each baseline, in the order of `Baseline`.

    Args:
        labels: the declared ones.
        rules: at least one answer.

    Raises:
        InvalidInput: there is no answer, or a baseline says nothing of an example; that would make it look worse.
    """
    if not rules:
        raise InvalidInput("Nothing was answered with the rules yet, so no baseline can stand beside them.")
    found = []
    for baseline in (one for one in Baseline if one in baselines):
        said = baselines[baseline]
        if missing := sum(p.example_hash not in said for p in rules):
            raise InvalidInput(
                f"The baseline “{baseline.value}” did not answer {missing:,} of the {len(rules):,} examples that the "
                "rules were asked, so they cannot be compared. Let it answer all of them first."
            )
        pairs = [Pair(p.gold, said[p.example_hash], p.answer.label) for p in rules]
        found.append(Beside(baseline, compare(labels, pairs)))
    return tuple(found)


def beaten_by(found: Sequence[Beside]) -> tuple[Baseline, ...]:
    """Return the baselines that are shown to be better than the rules."""
    return tuple(one.baseline for one in found if one.comparison.verdict is PairedVerdict.WORSE)


def report(found: Sequence[Beside]) -> str:
    """Return in words how the rules stand: which baselines beat them, which they are not shown to beat."""
    if not found:
        return "No baseline stands beside the rules yet, so nothing says that they help."
    by_verdict = {
        verdict: ", ".join(one.baseline.value for one in found if one.comparison.verdict is verdict)
        for verdict in PairedVerdict
    }
    parts = {
        PairedVerdict.WORSE: "Better than the rules: {}.",
        PairedVerdict.NOT_SHOWN: "No difference shown to: {}.",
        PairedVerdict.TOO_FEW: "Too few examples to tell from: {}.",
        PairedVerdict.BETTER: "The rules are better than: {}.",
    }
    return " ".join(words.format(by_verdict[verdict]) for verdict, words in parts.items() if by_verdict[verdict])
