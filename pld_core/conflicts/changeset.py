"""Proposals applied to a set of rules: the set that a trial compiles. The same proposals give the same set. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.conflicts.proposal import ActionKind, Proposal
from pld_core.conflicts.rule_set import RuleSet, TrialRule
from pld_core.errors import InvalidInput
from pld_core.models import AuthorKind, Evidence, Revision, RuleText


@dataclass(frozen=True)
class Change:
    """A proposal that can be tried, with the evidence of each of its texts, as `carrying` found it."""

    proposal: Proposal
    evidence: tuple[tuple[Evidence, ...], ...] = ()

    @property
    def touches(self) -> frozenset[str]:
        """Ids of the rules that it changes, replaces or takes out."""
        return frozenset(self.proposal.rules)


def clashes(changes: Sequence[Change]) -> tuple[tuple[int, int], ...]:
    """Return the places of each two changes that touch the same rule, so that both cannot be applied."""
    return tuple(
        (one, other)
        for other in range(len(changes))
        for one in range(other)
        if changes[one].touches & changes[other].touches
    )


def compatible(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes in their order without those that touch a rule that an earlier one touches."""
    taken: set[str] = set()
    found = []
    for change in changes:
        if not change.touches & taken:
            found.append(change)
            taken |= change.touches
    return tuple(found)


def applied(rules: RuleSet, changes: Sequence[Change], author: str) -> RuleSet:
    """Return the set with the changes in it; their order does not matter.

    Args:
        author: name of the teacher, under which the new revisions stand.

    Raises:
        InvalidInput: two changes touch the same rule, or one names a rule that is not there, or a locked one.
    """
    if clashing := clashes(changes):
        one, other = (changes[place].proposal for place in clashing[0])
        raise InvalidInput(f"{one.words} and {other.words} change the same rule. Nothing was compiled; take one.")
    touched = {rule_id for change in changes for rule_id in change.touches}
    if missing := sorted(touched - set(rules.ids)):
        raise InvalidInput(f"{missing[0]} is not among the rules of the trial. Nothing was compiled.")
    if locked := sorted(rule_id for rule_id in touched if rules.rule(rule_id).locked):
        raise InvalidInput(f"{locked[0]} is locked. Nothing was compiled; a reviewer can unlock it, with a reason.")
    stay = [rule for rule in rules.rules if rule.id not in touched]
    new = [made for change in changes for made in _made(rules, change, author)]
    return RuleSet((*stay, *new))


def _made(rules: RuleSet, change: Change, author: str) -> list[TrialRule]:
    proposal = change.proposal
    if proposal.kind is ActionKind.RETIRE:
        return []
    texts = [one.text for one in proposal.texts]
    if proposal.kind.makes_rules:
        revisions = [_first(rule_id, text, author) for rule_id, text in zip(proposal.makes, texts, strict=True)]
    else:
        revisions = [_next(rules.rule(proposal.rules[0]).revision, texts[0], author, proposal.reason)]
    return [TrialRule(revision, evidence) for revision, evidence in zip(revisions, change.evidence, strict=True)]


def _first(rule_id: str, text: RuleText, author: str) -> Revision:
    return Revision(rule_id, 1, text, author, AuthorKind.CONFLICT_LOOP)


def _next(parent: Revision, text: RuleText, author: str, reason: str) -> Revision:
    return Revision(
        parent.rule_id, parent.number + 1, text, author, AuthorKind.CONFLICT_LOOP, parent.hash, " ".join(reason.split())
    )
