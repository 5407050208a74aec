"""Rules on which two people disagree, as a loop looks at them: what was decided on, and both reasons, without names."""

from __future__ import annotations

from pld_app.findings import found_by_people
from pld_app.wiring import App
from pld_core.compilation import rule_line
from pld_core.conflicts.people import Dispute, FromPeople
from pld_core.models import Decision, RevisionState, RuleDossier, Verdict
from pld_core.personal import mask_personal
from pld_core.records import RuleFilter

_SAID = {Verdict.APPROVE: "approved", Verdict.REJECT: "rejected", Verdict.REQUEST_CHANGES: "asked for changes to"}


def from_people(app: App, task: str) -> FromPeople:
    """Return what people hold against the rules of a task: answers that they marked, and their disputes.

    Ticked examples are not in it: they are evidence of the rules.
    """
    return FromPeople(found_by_people(app, task), disputes(app, task))


def disputes(app: App, task: str) -> tuple[Dispute, ...]:
    """Return the disputed rules of which an earlier revision is in force; of others there is nothing to repair."""
    found = app.store.rules.queue(task, RuleFilter((RevisionState.DISPUTED,)), actor=app.actor)
    return tuple(_dispute(app.store.rules.dossier(rule.id, app.actor)) for rule in found if rule.in_force)


def _dispute(dossier: RuleDossier) -> Dispute:
    head = dossier.head
    # The last two decisions on the disputed revision disagree; earlier ones were about other evidence.
    sides = [d for d in dossier.decisions if d.revision_hash == head.hash][-2:]
    proposed = f"Disputed is this text in its place: {rule_line(0, head).removeprefix('0. ')}"
    return Dispute(dossier.summary.id, (proposed, *(_side(number, d) for number, d in enumerate(sides, 1))))


def _side(number: int, decision: Decision) -> str:
    """Return what one of the two said; personal data are masked, as a reason may quote an example."""
    category = f" ({decision.category.value.replace('_', ' ')})" if decision.category else ""
    reason = " ".join(mask_personal(decision.reason).split()) or "none was given"
    return f"Reviewer {number} {_SAID[decision.verdict]} it{category}. Reason: {reason}"
