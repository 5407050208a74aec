"""Settling marked answers, and saying where they stand, for commands and pages."""

from __future__ import annotations

from pld_app.wiring import App
from pld_core.errors import InvalidInput
from pld_core.finding import Finding, Mark, Settlement
from pld_core.models import Answer, EvidenceRole
from pld_core.permissions import Step, guarded_app


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
