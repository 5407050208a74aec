"""The gates about what stands in a prompt: its rules, and its length."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.gate_facts import Fix, Gate, GateFacts, GateState
from pld_core.gate_policy import GatePolicy

NO_RULES = "The prompt holds no rule, so there is nothing that was approved."
_NAMED = 5


def approved(facts: GateFacts) -> Gate:
    """Every rule of the prompt is the approved revision in force, so none is stale, replaced or retired."""
    title = "Only approved rules, none of them stale"
    good = sum(rule.in_force for rule in facts.rules)
    figure = f"{good:,} of {len(facts.rules):,} rules approved and in force"
    if not facts.rules:
        return _empty("approved", title, figure)
    if facts.unreviewed:
        fix = Fix("prompt", "Compile a new version, of approved rules.")
        return _red("approved", title, figure, len(facts.rules), "It is a trial prompt, which nobody reviewed.", fix)
    if bad := [f"{rule.rule_id} ({rule.state})" for rule in facts.rules if not rule.in_force]:
        fix = Fix("review", "Review these rules again, then compile a new version.")
        return _red("approved", title, figure, len(facts.rules), f"Not in force as it reads here: {named(bad)}.", fix)
    return Gate("approved", title, GateState.GREEN, figure, len(facts.rules))


def contradictions(facts: GateFacts) -> Gate:
    """No two rules of the prompt clash without anybody having seen it, and no text stands with two labels."""
    key, title = "contradictions", "No open contradiction"
    compared = sum(rule.is_compared for rule in facts.rules)
    figure = f"{len(facts.contradictions):,} among {compared:,} compared rules, {facts.conflicts:,} in the data"
    if not facts.rules:
        return _empty(key, title, figure)
    if loose := [rule.rule_id for rule in facts.rules if not rule.is_compared]:
        fix = Fix("review", "Compare the rules: “Compare rules” on the Review page, or pld rules overlaps.")
        return _red(key, title, figure, compared, f"Not compared with the other rules yet: {named(loose)}.", fix)
    if facts.contradictions:
        pairs = [f"{low} and {high}" for low, high in facts.contradictions]
        reason = f"Close conditions with different labels, approved without either beside the other: {named(pairs)}."
        return _red(key, title, figure, compared, reason, Fix("review", "Review one rule of each pair again."))
    if facts.conflicts:
        reason = f"Texts that stand with two labels, which nobody has settled: {facts.conflicts:,}."
        return _red(key, title, figure, compared, reason, Fix("data", "Say which label of each text is right."))
    return Gate(key, title, GateState.GREEN, figure, compared)


def no_seeded_check(facts: GateFacts) -> Gate:
    """No known-bad rule is in the prompt. Which one it is stays unsaid: it may still be open in somebody's queue."""
    key, title = "seeded_checks", "No seeded check inside"
    bad = sum(rule.is_check for rule in facts.rules)
    figure = f"{bad:,} seeded checks among {len(facts.rules):,} rules"
    if not facts.rules:
        return _empty(key, title, figure)
    if bad:
        fix = Fix("prompt", "Compile a new version; seeded checks are left out of it.")
        return _red(key, title, figure, len(facts.rules), "A rule of this prompt was made wrong on purpose.", fix)
    return Gate(key, title, GateState.GREEN, figure, len(facts.rules))


def within_budget(facts: GateFacts, policy: GatePolicy) -> Gate:
    """The prompt is no longer than the policy allows."""
    key, title = "budget", f"At most {policy.token_budget:,} tokens"
    figure = f"{facts.tokens:,} tokens, {facts.counted}"
    if not facts.tokens:
        return _red(key, title, figure, 0, "The prompt has no text.", Fix("prompt", "Compile a new version."))
    if facts.tokens > policy.token_budget:
        reason = f"{facts.tokens - policy.token_budget:,} tokens over the budget."
        fix = Fix("review", "Retire or merge rules, or have an admin raise the budget in Settings.")
        return _red(key, title, figure, facts.tokens, reason, fix)
    return Gate(key, title, GateState.GREEN, figure, facts.tokens)


def named(things: Sequence[str]) -> str:
    """Return the first few of a list in words: `R1, R2 and 7 more`."""
    rest = len(things) - _NAMED
    return ", ".join(things[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def _red(key: str, title: str, figure: str, n: int, reason: str, fix: Fix) -> Gate:
    return Gate(key, title, GateState.RED, figure, n, reason, fix)


def _empty(key: str, title: str, figure: str) -> Gate:
    return _red(key, title, figure, 0, NO_RULES, Fix("review", "Approve rules, then compile a new version."))
