"""What the teacher is asked about in a round: what people found, what the student got wrong, rules that are close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pld_core.conflicts.chart import Chart, Implication, charted_texts
from pld_core.conflicts.groups import (
    Finding,
    Group,
    Observed,
    finding_groups,
    pair_groups,
    student_groups,
    without_covered,
)
from pld_core.conflicts.records import LoopOrder
from pld_core.conflicts.request import Shown, drawn
from pld_core.conflicts.rule_set import RuleSet
from pld_core.effect import StudentKey
from pld_core.model_ports import Embedder
from pld_core.models import Answer, Example, Task
from pld_core.ports import Store


async def charted(embedder: Embedder, train: Sequence[Example], conditions: tuple[str, ...] = ()) -> Chart:
    """Return the training examples and conditions as they lie to each other."""
    return Chart(tuple(train), conditions, await embedder.embed(charted_texts(train, conditions)))


def observed(examples: Sequence[Example], answers: Mapping[str, Answer]) -> list[Observed]:
    """Return examples with what the student said; each needs an answer."""
    return [Observed(e, answers[e.hash].label, answers[e.hash].cited) for e in examples]


def asked_about(
    store: Store,
    task: Task,
    student: StudentKey,
    rules: RuleSet,
    seen: Sequence[Observed],
    chart: Chart,
    order: LoopOrder,
    findings: Sequence[Finding] | None,
) -> tuple[Shown, ...]:
    """Return what the teacher is shown in a round, at most `LoopLimits.groups` groups, in the order of asking.

    Args:
        student: whose answers were seen; where rules were left out of its prompt, that says which are at fault.
        findings: what people found; None after the first round, in which close rules are looked at too.
    """
    implication = Implication(chart, rules.rules, store.ablations.at_fault(student, rules.prompt(task).sha256))
    found: tuple[Group, ...] = student_groups(seen, implication)
    if findings is not None:
        said = finding_groups(findings, rules.ids)
        pairs = [(pair.low, pair.high) for pair in store.lineage.overlaps(task.name)]
        close = pair_groups([p for p in pairs if set(p) <= set(rules.ids)], chart.examples, implication)
        found = (*said, *found, *without_covered(close, (*said, *found)))
    return tuple(drawn(task, group, rules, order.seed) for group in found[: order.limits.groups])
