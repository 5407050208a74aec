"""The gates of a release: eight conditions, each green, red or not applicable, with its figure and its fix. Pure."""

from __future__ import annotations

from pld_core.gate_facts import Gate, GateFacts
from pld_core.gate_figures import each_label, evaluated, macro_f1, malformed
from pld_core.gate_policy import GatePolicy
from pld_core.gate_rules import approved, contradictions, no_seeded_check, within_budget


def judge_gates(facts: GateFacts, policy: GatePolicy) -> tuple[Gate, ...]:
    """Return every gate, in the order in which they are put right: the rules first, then the student's answers.

    What was counted over nothing is red, never green. While nothing is in production, what compares with production
    does not apply: a first release must be possible.
    """
    return (
        approved(facts),
        contradictions(facts),
        no_seeded_check(facts),
        within_budget(facts, policy),
        evaluated(facts, policy),
        macro_f1(facts, policy),
        each_label(facts, policy),
        malformed(facts, policy),
    )
