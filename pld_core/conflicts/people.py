"""What people hold against rules: marked answers, ticked examples, and rules on which two of them disagree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.conflicts.groups import Finding, Group, Observed, Source, finding_groups
from pld_core.conflicts.rule_set import RuleSet, TrialRule
from pld_core.models import EvidenceRole, Example


@dataclass(frozen=True)
class Dispute:
    """A rule on whose newest revision two people disagree.

    Attributes:
        voices: what was decided on, and what either of them said, in sentences without names.
    """

    rule_id: str
    voices: tuple[str, ...]


@dataclass(frozen=True)
class FromPeople:
    """What people found that a loop looks at first; ticks need not be told, as they are evidence of the rules."""

    findings: tuple[Finding, ...] = ()
    disputes: tuple[Dispute, ...] = ()


def people_groups(people: FromPeople, rules: RuleSet, train: Sequence[Example]) -> tuple[Group, ...]:
    """Return the groups of what people hold against the rules: findings and ticks, then disputes.

    Args:
        train: the training examples that take part; a tick on another one, such as a held-out one, makes no group.
    """
    marked = {(finding.example.hash, rule_id) for finding in people.findings for rule_id in finding.rules}
    ticked = [one for one in _ticked(rules, train) if (one.example.hash, *one.rules) not in marked]
    return (*finding_groups((*people.findings, *ticked), rules.ids), *_disputed(people.disputes, rules, train))


def _ticked(rules: RuleSet, train: Sequence[Example]) -> tuple[Finding, ...]:
    """Return the examples that people ticked as contradicting a rule, with what the rule concludes.

    One whose label the rule concludes is left out: what is wrong with it is no confusion that a rule could repair.
    """
    there = {example.hash: example for example in train}
    return tuple(
        Finding(there[e.example_hash], rule.text.labels[0], (rule.id,), asked=False)
        for rule in rules.rules
        for e in rule.evidence
        if e.role is EvidenceRole.CONTRADICTS and e.ticked_by and e.example_hash in there
        if there[e.example_hash].label not in rule.text.labels
    )


def _disputed(disputes: Sequence[Dispute], rules: RuleSet, train: Sequence[Example]) -> tuple[Group, ...]:
    return tuple(_dispute_group(rules.rule(one.rule_id), one, train) for one in disputes if one.rule_id in rules.ids)


def _dispute_group(rule: TrialRule, dispute: Dispute, train: Sequence[Example]) -> Group:
    there = {example.hash: example for example in train}
    linked = [(there[e.example_hash], e.role) for e in rule.evidence if e.example_hash in there]
    said, right = rule.text.labels[0], rule.text.labels
    against = [e for e, role in linked if role is EvidenceRole.CONTRADICTS and e.label not in right]
    backing = [e for e, role in linked if role is EvidenceRole.SUPPORTS and e.label in right]
    return Group(
        Source.PEOPLE,
        (rule.id,),
        against[0].label if against else "",
        said,
        tuple(Observed(example, said, asked=False) for example in against),
        tuple(Observed(example, example.label, asked=False) for example in backing),
        voices=dispute.voices,
    )
