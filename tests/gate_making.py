"""Facts for gates: a prompt of three rules whose gates are all green, to be spoilt one thing at a time."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.gate_facts import Evaluated, GateFacts, Production, RuleFact
from pld_core.models import Answer, AnswerStatus, Prediction, Run, Split

TEST_SPLIT = 24
"""Twelve examples of each label."""


def said(label: str | None) -> Answer:
    return Answer(label, label or "?", AnswerStatus.OK if label else AnswerStatus.MALFORMED, 5)


def gold(number: int) -> str:
    return ("keep", "remove")[number % 2]


def answers(wrong: Sequence[int] = (), unusable: Sequence[int] = (), n: int = TEST_SPLIT) -> tuple[Prediction, ...]:
    """Return answers to the first n test examples, right but for those numbered."""
    labels = {number: gold(number + 1) for number in wrong} | dict.fromkeys(unusable)
    return tuple(Prediction(f"e{i}", gold(i), said(labels.get(i, gold(i)))) for i in range(n))


def evaluation(
    predictions: tuple[Prediction, ...], digest: str = "sha256:weights", number: int = 7, total: int | None = None
) -> Evaluated:
    size = len(predictions) if total is None else total
    run = Run(number, "posts", 2, "sha256:p", "told", digest, Split.TEST, "2026-01-02", "anna", size, None)
    return Evaluated(run, predictions)


RULES = tuple(RuleFact(rule, True, "approved") for rule in ("R1", "R2", "R3"))


def facts(
    rules: Sequence[RuleFact] = RULES,
    contradictions: Sequence[tuple[str, str]] = (),
    conflicts: int = 0,
    tokens: int = 900,
    evaluated: Evaluated | None = None,
    is_evaluated: bool = True,
    split: frozenset[str] | None = None,
    production: Production | None = None,
    labels: tuple[str, ...] = ("keep", "remove"),
) -> GateFacts:
    mine = evaluated or (evaluation(answers()) if is_evaluated else None)
    examples = frozenset(p.example_hash for p in mine.predictions) if mine else frozenset({"e0"})
    return GateFacts(
        number=2,
        labels=labels,
        rules=tuple(rules),
        contradictions=tuple(contradictions),
        conflicts=conflicts,
        tokens=tokens,
        counted="counted by hand",
        evaluated=mine,
        split=examples if split is None else split,
        production=production,
        looks=3,
    )


def in_production(wrong: Sequence[int] = (), n: int = TEST_SPLIT) -> Production:
    return Production(1, evaluation(answers(wrong, n=n), number=5))
