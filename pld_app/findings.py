"""Settling marked answers, and saying where they stand, for commands and pages."""

from __future__ import annotations

from pld_app.wiring import App
from pld_core.conflicts.groups import Finding as Found
from pld_core.errors import InvalidInput
from pld_core.finding import Finding, Mark, Settlement, example_of
from pld_core.models import Answer, EvidenceRole, ExampleState, Split
from pld_core.permissions import Step, guarded_app
from pld_core.records import ExampleFilter


@guarded_app(Step.TICK)
def settle(app: App, number: int, rule_id: str, role: EvidenceRole | None, reason: str) -> Finding:
    """Settle a finding at a rule as it stands now; no rule need be named where it waits at one alone, or at none."""
    finding = app.store.findings.get(number)
    if not rule_id and len(finding.waits_at) > 1:
        raise InvalidInput(
            f"Finding {number} waits at {', '.join(finding.waits_at)}. Nothing was changed. Say at which rule: --rule."
        )
    about = rule_id.upper() or next(iter(finding.waits_at), "")
    seen = app.store.rules.summary(about).head if about else ""
    return app.store.findings.settle(Settlement(number, about, seen, role, reason), app.actor)


def likely_rules(answer: Answer, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rules that the student cited, as far as the prompt holds them."""
    return tuple(rule_id for rule_id in dict.fromkeys(answer.cited) if rule_id in known)


def state_words(finding: Finding) -> str:
    """Say where a finding stands."""
    if finding.replaced:
        return "marked again later"
    if finding.marking.mark is Mark.RIGHT:
        return "marked right"
    if finding.waits_at:
        return f"waits at {', '.join(finding.waits_at)}"
    if not finding.outcomes:
        return "about no rule yet"
    return "; ".join(
        f"{one.rule_id + ': ' if one.rule_id else ''}"
        f"{'taken as ' + one.role.value.replace('_', ' ') if one.role else 'dismissed'} by {one.by}"
        for one in finding.outcomes
    )


def found_by_people(app: App, task: str) -> tuple[Found, ...]:
    """Return the wrong answers that people marked, for a loop to look at first; what was dismissed is left out.

    So is an answer without a label, which no rule's words make readable, a text of the validation or test split, on
    which proposals are judged, and one with two labels of which nobody has settled the right one.
    """
    left_out = [ExampleFilter(split=split) for split in (Split.VALIDATION, Split.TEST)]
    left_out.append(ExampleFilter(states=(ExampleState.CONFLICT,)))
    kept_out = {example.text_hash for where in left_out for example in app.store.tasks.examples(task, where)}
    found = []
    for one in app.store.findings.all(task):
        example, said = example_of(one), one.answer.label
        if said is not None and _stands(one) and example.text_hash not in kept_out:
            found.append(Found(example, said, one.rules))
    return tuple(found)


def _stands(one: Finding) -> bool:
    """Whether an answer is marked wrong and nobody dismissed that."""
    if one.replaced or one.marking.mark is Mark.RIGHT:
        return False
    return one.is_open or any(outcome.role is not None for outcome in one.outcomes)
