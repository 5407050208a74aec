"""What a reviewer has to look at in a proposal: text copied from examples, and new contradictions. Heuristics. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.conflicts.chart import Chart
from pld_core.conflicts.proposal import Proposal
from pld_core.conflicts.rule_set import RuleSet
from pld_core.models import Example, RuleText, Task
from pld_core.overlaps import OVERLAP
from pld_core.quality import SHARED_WORDS
from pld_core.rule_check import leaks
from pld_core.synthesis import short_id


def flags_of(task: Task, proposal: Proposal, rules: RuleSet, chart: Chart, near: Sequence[Example]) -> tuple[str, ...]:
    """Return what is to be looked at, one sentence each; empty if the checks pass.

    Args:
        rules: that the proposal is made for.
        near: the examples that its texts rest on, and those that were shown.
    """
    found: list[str] = []
    for one in proposal.texts:
        for leak in leaks(one.text, near, task):
            if leak.copies:
                # Which words stays unsaid: they may be somebody's data, and what is flagged is kept for good.
                found.append(
                    f"The text shares {SHARED_WORDS} words in a row with example {short_id(leak.example_hash)}."
                )
        found += [f"It contradicts {rule_id}." for rule_id in contradicted(one.text, proposal, rules, chart)]
    return tuple(dict.fromkeys(found))


def contradicted(text: RuleText, proposal: Proposal, rules: RuleSet, chart: Chart) -> tuple[str, ...]:
    """Return the rules with a close condition and no label in common that the text did not contradict before."""
    named = [rules.rule(rule_id).text for rule_id in proposal.rules]
    return tuple(
        rule.id
        for rule in rules.in_force
        if rule.id not in proposal.rules
        and _clash(text, rule.text, chart)
        and not any(_clash(old, rule.text, chart) for old in named)
    )


def _clash(one: RuleText, other: RuleText, chart: Chart) -> bool:
    return not set(one.labels) & set(other.labels) and chart.between(one.condition, other.condition) >= OVERLAP
