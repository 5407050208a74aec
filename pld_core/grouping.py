"""What the teacher is asked about in a round: what people found, what the student got wrong, rules that are close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pld_core.conflicts.chart import Chart, Implication, charted_texts
from pld_core.conflicts.groups import Group, Observed, pair_groups, student_groups, without_covered
from pld_core.conflicts.pairs import PairVerdict, to_ask_about
from pld_core.conflicts.people import FromPeople, people_groups
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
    people: FromPeople | None,
) -> tuple[Shown, ...]:
    """Return what the teacher is shown in a round, at most `LoopLimits.groups` groups, in the order of asking.

    What people found comes first, then pairs of rules that a teacher takes for a contradiction, then what the student
    got wrong, then other pairs.

    Args:
        student: whose answers were seen; where rules were left out of its prompt, that says which are at fault.
        people: what people found; None after the first round, in which close rules are looked at too.
    """
    implication = Implication(chart, rules.in_force, store.ablations.at_fault(student, rules.prompt(task).sha256))
    found: tuple[Group, ...] = student_groups(seen, implication)
    if people is not None:
        said = people_groups(people, rules, chart.examples)
        clashing, close = _close_rules(store, task, rules, chart, implication)
        covering = (*said, *found)
        found = (*said, *without_covered(clashing, covering), *found, *without_covered(close, covering))
    return tuple(drawn(task, group, rules, order.seed) for group in found[: order.limits.groups])


def _close_rules(
    store: Store, task: Task, rules: RuleSet, chart: Chart, implication: Implication
) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Return the pairs that a teacher takes for a contradiction, and the others but those of different scope."""
    heads = {rule.id: rule.revision.hash for rule in rules.in_force}
    judged = {one.rules: one for one in store.pairs.judged(task.name)}
    asked = to_ask_about(store.lineage.overlaps(task.name), judged, heads)

    def groups(clashing: bool) -> tuple[Group, ...]:
        pairs = [one.pair for one in asked if (one.verdict is PairVerdict.CONTRADICTION) is clashing]
        return pair_groups([(pair.low, pair.high) for pair in pairs], chart.examples, implication)

    return groups(True), groups(False)
