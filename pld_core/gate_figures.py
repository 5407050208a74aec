"""The gates about what the student does with a prompt: on the locked split, and against production."""

from __future__ import annotations

from collections import Counter

from pld_core.gate_facts import Evaluated, Fix, Gate, GateFacts, GateState, Production
from pld_core.gate_policy import GatePolicy
from pld_core.gate_rules import named
from pld_core.models import AnswerStatus
from pld_core.paired import Comparison, LabelPair, Pair, by_label, compare
from pld_core.proportion import SMALL_SAMPLE

_EXACT = 1e-9
"""Shares of small counts are not exact in binary: a loss of just the margin is within it."""


def evaluated(facts: GateFacts, policy: GatePolicy) -> Gate:
    """This very text was answered by weights that have a name, over every example of the split."""
    split = "test" if policy.on_test else "test or validation"
    key, title = "evaluated", f"Evaluated on the locked {split} split, with this very prompt and named weights"
    looks = f"evaluations on test so far: {facts.looks:,}"
    found = facts.evaluated
    fix = Fix("evaluate", f"Evaluate version {facts.number} on the {'test' if policy.on_test else split} split.")
    if found is None:
        return Gate(key, title, GateState.RED, looks, 0, "This prompt was not evaluated there.", fix)
    run = found.run
    figure = f"run {run.id}: {run.student} on {run.split.value}, {len(found.predictions):,} answers; {looks}"
    if not found.is_complete:
        reason = f"{len(found.predictions):,} of {run.total:,} answers are there."
        todo = Fix("evaluate", f"Go on with run {run.id}: pld evaluate --resume {run.id}.")
        return Gate(key, title, GateState.RED, figure, len(found.predictions), reason, todo)
    if not run.digest:
        reason = f"{run.student} does not say which weights answered, so nobody could tell them from others later."
        return Gate(key, title, GateState.RED, figure, run.total, reason, Fix("evaluate", "Evaluate another student."))
    if {prediction.example_hash for prediction in found.predictions} != facts.split:
        reason = f"The {run.split.value} split has other examples now: {len(facts.split):,} of them."
        return Gate(key, title, GateState.RED, figure, run.total, reason, fix)
    return Gate(key, title, GateState.GREEN, f"{figure}; weights {run.digest[:19]}", run.total)


def malformed(facts: GateFacts, policy: GatePolicy) -> Gate:
    """Nearly every answer states a label."""
    key, title = "malformed", f"At most {policy.malformed * 100:g} % of the answers without a label"
    if facts.evaluated is None or not facts.evaluated.is_complete:
        return _not_evaluated(key, title, facts)
    answers = [prediction.answer for prediction in facts.evaluated.predictions]
    bad, n = sum(answer.status is not AnswerStatus.OK for answer in answers), len(answers)
    figure = f"{bad:,} of {n:,}" + (f" ({bad / n:.1%})" if n >= SMALL_SAMPLE else "")
    if bad > policy.malformed * n + _EXACT:
        fix = Fix("evaluate", f"Read the answers of run {facts.evaluated.run.id} that state no label.")
        return Gate(key, title, GateState.RED, figure, n, "Too many answers cannot be used.", fix)
    return Gate(key, title, GateState.GREEN, figure, n)


def macro_f1(facts: GateFacts, policy: GatePolicy) -> Gate:
    """Macro F1 is not below production's by more than the margin, on the same examples."""
    key, title = "macro_f1", f"Macro F1 not below production by more than {policy.f1_margin:g}"
    pairs = _pairs(key, title, facts)
    if isinstance(pairs, Gate):
        return pairs
    found, n = compare(facts.labels, pairs), len(pairs)
    figure = _comparison_words(found, _other(facts))
    if n < SMALL_SAMPLE:
        is_worse, reason = found.broken > found.fixed, "Too few examples for a rate, and more were broken than fixed."
    else:
        is_worse = found.difference < -policy.f1_margin - _EXACT
        reason = f"Macro F1 is {-found.difference:.3f} below production's."
    if is_worse:
        return Gate(key, title, GateState.RED, figure, n, reason, _look_at_broken(facts))
    return Gate(key, title, GateState.GREEN, figure, n)


def each_label(facts: GateFacts, policy: GatePolicy) -> Gate:
    """No label loses more right answers than its margin; below ten examples it may lose none."""
    key, title = "labels", f"No label worse than production by more than {policy.label_margin:g}"
    pairs = _pairs(key, title, facts)
    if isinstance(pairs, Gate):
        return pairs
    lines = by_label(facts.labels, Counter(pairs))
    figure = "right: " + "; ".join(_label_words(line, _other(facts)) for line in lines)
    n = min(line.n for line in lines)
    if missing := [line.label for line in lines if not line.n]:
        fix = Fix("data", "Import test examples of these labels, then evaluate both versions again.")
        return Gate(key, title, GateState.RED, figure, n, f"Without a test example: {named(missing)}.", fix)
    if worse := [line.label for line in lines if line.loses_more_than(policy.label_margin)]:
        return Gate(key, title, GateState.RED, figure, n, f"Worse: {named(worse)}.", _look_at_broken(facts))
    return Gate(key, title, GateState.GREEN, figure, n)


def _pairs(key: str, title: str, facts: GateFacts) -> tuple[Pair, ...] | Gate:
    """Return the answers side by side, or the gate that says why they cannot be compared."""
    mine, production = facts.evaluated, facts.production
    if production is None:
        reason = "No other version is in production, or was before this one."
        return Gate(key, title, GateState.NOT_APPLICABLE, "nothing to compare with", 0, reason)
    if mine is None or not mine.is_complete:
        return _not_evaluated(key, title, facts)
    theirs = production.evaluated
    if theirs is None or not theirs.is_complete or _examples(theirs) != _examples(mine):
        return _incomparable(key, title, mine, production)
    before = {p.example_hash: p.answer.label for p in theirs.predictions}
    return tuple(Pair(p.gold, before[p.example_hash], p.answer.label) for p in mine.predictions)


def _examples(evaluated: Evaluated) -> frozenset[tuple[str, str]]:
    return frozenset((prediction.example_hash, prediction.gold) for prediction in evaluated.predictions)


def _incomparable(key: str, title: str, mine: Evaluated, production: Production) -> Gate:
    run = mine.run
    reason = (
        f"Version {production.number}, which it is compared with, was not evaluated with the same weights of "
        f"{run.student} on the same {run.split.value} examples."
    )
    fix = Fix("evaluate", f"Evaluate version {production.number} with {run.student} on {run.split.value}.")
    return Gate(key, title, GateState.RED, "nothing to compare with", 0, reason, fix)


def _not_evaluated(key: str, title: str, facts: GateFacts) -> Gate:
    fix = Fix("evaluate", f"Evaluate version {facts.number} first.")
    return Gate(key, title, GateState.RED, "no answer yet", 0, "Nothing was answered, so nothing is known.", fix)


def _look_at_broken(facts: GateFacts) -> Fix:
    run = f" of run {facts.evaluated.run.id}" if facts.evaluated else ""
    return Fix("evaluate", f"Look at the wrong answers{run}, and edit or retire the rules behind them.")


def _other(facts: GateFacts) -> str:
    """Return what the answers are compared with, in words."""
    return f"version {facts.production.number}" if facts.production else "production"


def _comparison_words(found: Comparison, other: str) -> str:
    n = found.n
    moved = f"fixed {found.fixed:,}, broken {found.broken:,} of {n:,} examples"
    if n < SMALL_SAMPLE:
        return f"{moved} (too few for a rate)"
    chance = "" if found.p_value is None else f", McNemar p = {found.p_value:.2g}"
    return (
        f"{found.after:.3f}, {other} {found.before:.3f}: {found.difference:+.3f} (95 % interval {found.low:+.3f} to "
        f"{found.high:+.3f}); {moved}{chance}"
    )


def _label_words(line: LabelPair, other: str) -> str:
    few = ", decided on counts" if 0 < line.n < SMALL_SAMPLE else ""
    return f"{line.label} {line.after:,} of {line.n:,}, {other} {line.before:,}{few}"
