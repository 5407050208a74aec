"""Blind second review: what is kept from whoever may still decide, and what is told afterwards. Pure.

A first approval is kept back together with what would tell of it or of how it was read: see `Veil`. That there is one
is told, as the rule waits for a second decision. Blindness ends with that: whoever settles a dispute sees both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pld_core.desk import Comment
from pld_core.errors import StillBlind
from pld_core.event_words import AROUND_FIRST_DECISION, FIRST_DECISION, SHEET_IMPORTED
from pld_core.models import SYSTEM, Actor, Decision, Event, Evidence, RuleDossier, RuleSummary, Verdict
from pld_core.permissions import Step, permits

SOMEBODY = "somebody"
"""Stands for the name of whoever decided first."""


@dataclass(frozen=True)
class Veil:
    """A first approval that a reader does not see yet.

    Attributes:
        revision: hash of the revision, the newest of its rule.
        decider: who approved it first.
        since: UTC time at which its review began, ISO 8601. What the decider did on the rule after that is kept back.
    """

    rule_id: str
    revision: str
    decider: str
    since: str

    def hides(self, by: str, at: str) -> bool:
        """Return whether something that was done by a person at a time is kept back."""
        return by == self.decider and at > self.since


def may_still_decide(actor: Actor, decider: str) -> bool:
    """Return whether the actor could decide second: whoever may judge and did not decide first.

    The author of the revision is no exception: he cannot give the deciding approval, but he can disagree. Nor is one
    who holds no role at all: a role may be granted at any time.
    """
    if actor == SYSTEM or actor.name == decider:
        return False
    return not actor.roles or permits(actor, Step.JUDGE)


def veiled_summary(summary: RuleSummary, veil: Veil | None) -> RuleSummary:
    return summary if veil is None else replace(summary, changed_by=SOMEBODY, changed_at=veil.since)


def veiled_dossier(dossier: RuleDossier, veil: Veil | None) -> RuleDossier:
    """Return the dossier without the first decision and without the name of whoever made it at ticks."""
    if veil is None:
        return dossier
    return replace(
        dossier,
        summary=veiled_summary(dossier.summary, veil),
        evidence=tuple(_veiled_tick(e, veil) for e in dossier.evidence),
        decisions=tuple(d for d in dossier.decisions if not veil.hides(d.reviewer, d.decided_at)),
        withheld=True,
    )


def _veiled_tick(evidence: Evidence, veil: Veil) -> Evidence:
    return replace(evidence, ticked_by=SOMEBODY) if evidence.ticked_by == veil.decider else evidence


def veiled_comments(comments: Iterable[Comment], veil: Veil | None) -> tuple[Comment, ...]:
    """Return the comments without those of the first decider, without answers to them, and without who settled them."""
    if veil is None:
        return tuple(comments)
    kept = [c for c in comments if not veil.hides(c.by, c.at)]
    threads = {c.id for c in kept if c.parent is None}
    return tuple(
        replace(c, resolved_by=SOMEBODY) if c.resolved_by == veil.decider else c
        for c in kept
        if c.parent is None or c.parent in threads
    )


def veiled_event(event: Event, kept: Mapping[str, Veil]) -> Event:
    """Return the event, or that there is one: its place in the chain and its subject, and nothing of its content.

    Args:
        kept: what the reader does not see yet, by the rule's id.
    """
    if not any(kept[rule].hides(event.actor, event.at) for rule in _rules_told(event) if rule in kept):
        return event
    kind = FIRST_DECISION if event.kind == "rule.approved" else AROUND_FIRST_DECISION
    return replace(event, at="", actor=SOMEBODY, kind=kind, payload={})


def _rules_told(event: Event) -> Iterator[str]:
    """Yield the rules that an event tells of: its subject, and those of a sheet of decisions."""
    yield event.subject
    if event.kind == SHEET_IMPORTED:
        for rows in (event.payload.get("decisions"), event.payload.get("refusals")):
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, dict):
                    yield str(row.get("rule"))


def refuse_blind(rule_ids: Sequence[str], actor: Actor) -> None:
    """Raise `StillBlind` where a whole record would show what is kept from the actor on these rules."""
    if rule_ids:
        raise StillBlind(
            f"The record holds first decisions that {actor.name} does not see before deciding: on "
            f"{', '.join(rule_ids)}. Nothing was changed. Decide on them first, or let somebody export it who does not "
            "decide on rules."
        )


# --- what is told once the second decision is made --------------------------------------------------------------------


def told_after(own: Decision, decisions: Sequence[Decision]) -> str:
    """Return what somebody learns of the first approval after deciding second; empty if there was none before.

    Args:
        own: the second decision.
        decisions: all decisions on the rule, oldest first.
    """
    before = [d for d in decisions if d.revision_hash == own.revision_hash and d.id < own.id]
    if not before or before[-1].verdict is not Verdict.APPROVE or before[-1].reviewer == own.reviewer:
        return ""
    first = before[-1]
    when = f"{first.decided_at[:16].replace('T', ' ')} UTC"
    if own.verdict is Verdict.APPROVE:
        return f"{first.reviewer} approved this too, on {when}{_because(first, '. Reason: ', ', without a reason')}"
    return (
        f"Disputed: {first.reviewer} had approved it on {when}{_because(first, ' because: ', ' without a reason')} "
        "A third person decides."
    )


def _because(decision: Decision, before: str, otherwise: str) -> str:
    return f"{before}{decision.reason.rstrip('.')}." if decision.reason else f"{otherwise}."


def dispute_words(decisions: Sequence[Decision], actor: Actor) -> str:
    """Return who disagrees and who may settle it.

    Args:
        decisions: those on the disputed revision, oldest first; the last two disagree.
    """
    sides = decisions[-2:]
    said = ", ".join(f"{d.reviewer} {_SAID[d.verdict]}" for d in sides)
    if any(d.reviewer == actor.name for d in sides):
        yours = "You have decided, so somebody else does."
    elif permits(actor, Step.JUDGE):
        yours = "You can."
    else:
        yours = ""
    return f"Disputed: {said}. A reviewer or lead who has not decided on it settles it. {yours}".strip()


_SAID = {Verdict.APPROVE: "approved it", Verdict.REJECT: "rejected it", Verdict.REQUEST_CHANGES: "asked for changes"}
