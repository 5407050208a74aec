"""What the revisions that a proposal brings rest on. Lineage is kept by code: a teacher never hands it back. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.conflicts.chart import Chart
from pld_core.conflicts.proposal import ActionKind, Proposal
from pld_core.conflicts.rule_set import TrialRule
from pld_core.lineage import for_labels
from pld_core.models import Evidence, EvidenceRole
from pld_core.parts import half_evidence, merged_evidence


def carried(proposal: Proposal, parents: Sequence[TrialRule], chart: Chart) -> tuple[tuple[Evidence, ...], ...]:
    """Return the evidence of each text of a proposal that can be tried.

    A changed rule keeps its evidence, a merged one gets that of both, halves divide the supporting examples between
    them. What an action rests on comes on top, if it is a training example: it supports a rule that concludes its
    label, and is a near miss of any other. A new rule rests on those alone.
    """
    if proposal.kind is ActionKind.SPLIT:
        return _halves(proposal, parents[0], chart)
    evidence: tuple[Evidence, ...] = ()
    for parent in parents:
        evidence = merged_evidence(evidence, parent.evidence)
    return tuple(
        _grown(_fitting(evidence, text.text.labels, parents, chart), proposal, part, chart)
        for part, text in enumerate(proposal.texts)
    )


def _fitting(
    evidence: tuple[Evidence, ...], labels: tuple[str, ...], parents: Sequence[TrialRule], chart: Chart
) -> tuple[Evidence, ...]:
    if all(parent.text.labels == labels for parent in parents):
        return evidence
    known = tuple(e for e in evidence if e.example_hash in chart)
    return for_labels(known, labels, chart.labels)


def _grown(evidence: tuple[Evidence, ...], proposal: Proposal, part: int, chart: Chart) -> tuple[Evidence, ...]:
    """Add what the action rests on; an example that is there already keeps its role."""
    text = proposal.texts[part].text
    there = {e.example_hash for e in evidence}
    added = [
        Evidence(
            content,
            EvidenceRole.SUPPORTS if chart.labels[content] in text.labels else EvidenceRole.NEAR_MISS,
            chart.closeness(text.condition, content),
        )
        for content in proposal.examples
        if content in chart and content not in there
    ]
    return (*evidence, *added)


def _halves(proposal: Proposal, parent: TrialRule, chart: Chart) -> tuple[tuple[Evidence, ...], ...]:
    """Divide the supporting examples: by the half that names one, else by the nearer condition; to the first if equal.

    A half that is left with none rests on nothing: its evidence is empty, and the caller refuses the split.
    """
    first, second = proposal.texts
    sides: tuple[set[str], set[str]] = (set(), set())
    for content in parent.supports:
        in_first = content in first.examples
        if in_first is (content in second.examples):
            near = [chart.closeness(half.text.condition, content) for half in (first, second) if content in chart]
            in_first = not near or near[0] >= near[1]
        sides[0 if in_first else 1].add(content)
    return tuple(half_evidence(parent.evidence, frozenset(side)) if side else () for side in sides)
