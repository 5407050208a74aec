"""What leaving a rule out shows: counted by hand, and concluded from enough changed answers only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.ablation import (
    Ablated,
    Ablation,
    AblationVerdict,
    Scope,
    ablation_of,
    figures_of,
    verdict_on,
)
from pld_core.effect import StudentKey
from pld_core.metrics import cells_of
from pld_core.models import Prediction
from pld_core.paired import Comparison
from tests.answering import answer_of
from tests.factories import LABELS

OF = Ablated(1, "R1", "sha256:r", "sha256:with", "sha256:without", Scope.ALL)
KEY = StudentKey("told", "sha256:w", "sha256:o")


def run_of(*said: str | None, cited: tuple[int, ...] = ()) -> list[Prediction]:
    """Return answers whose gold labels take turns: keep, remove, keep, ..."""
    return [
        Prediction(f"e{i:02}", LABELS[i % 2], answer_of(label, *(["R1"] if i in cited else [])))
        for i, label in enumerate(said)
    ]


def left_out(with_rule: list[Prediction], *said: str | None) -> Ablation:
    answers = {p.example_hash: answer_of(label) for p, label in zip(with_rule, said, strict=True)}
    return ablation_of("posts", OF, KEY, with_rule, answers)


def compared(difference: float, low: float, high: float) -> Comparison:
    return Comparison(100, 0.5, 0.5 + difference, low, high, 5, 1, None)


def test_what_is_right_only_with_the_rule_is_fixed_and_only_without_it_broken() -> None:
    found = left_out(run_of("keep", "keep", "keep", "remove"), "remove", "remove", "keep", None)
    assert (found.fixed, found.broken, found.net) == (2, 1, 1)


def test_a_citation_is_confirmed_if_the_answer_is_another_without_the_rule() -> None:
    found = left_out(run_of("keep", "keep", "keep", "remove", cited=(0, 1, 2)), "remove", "keep", None, "keep")
    assert found.citing == ("e00", "e01", "e02")
    assert (found.confirmed.k, found.confirmed.n) == (2, 3)


def test_what_was_not_asked_for_counts_as_unchanged() -> None:
    predictions = run_of(*["keep", "remove"] * 10)
    found = ablation_of("posts", OF, KEY, predictions[:2], {"e00": answer_of("remove"), "e01": answer_of("remove")})
    comparison = figures_of(found, LABELS, cells_of(predictions)).comparison
    assert (comparison.n, comparison.fixed, comparison.broken, comparison.after) == (20, 1, 0, 1.0)


def test_with_many_fixed_answers_a_rule_helps_and_with_many_broken_ones_it_harms() -> None:
    right, wrong = ["keep", "remove"] * 20, ["remove", "keep"] * 10 + ["keep", "remove"] * 10
    helps, harms = run_of(*right), run_of(*wrong)
    assert figures_of(left_out(helps, *wrong), LABELS, cells_of(helps)).verdict is AblationVerdict.HELPS
    assert figures_of(left_out(harms, *right), LABELS, cells_of(harms)).verdict is AblationVerdict.HARMS


@pytest.mark.parametrize(
    ("changed", "found", "verdict"),
    [
        (4, compared(0.2, 0.1, 0.3), AblationVerdict.INCONCLUSIVE),
        (5, compared(0.2, 0.1, 0.3), AblationVerdict.HELPS),
        (5, compared(0.0049, 0.001, 0.01), AblationVerdict.NEUTRAL),
        (5, compared(-0.0049, -0.01, -0.001), AblationVerdict.NEUTRAL),
        (5, compared(0.0051, 0.001, 0.01), AblationVerdict.HELPS),
        (9, compared(-0.1, -0.2, -0.01), AblationVerdict.HARMS),
        (9, compared(0.1, -0.01, 0.2), AblationVerdict.NOT_SHOWN),
        (0, compared(0.0, 0.0, 0.0), AblationVerdict.INCONCLUSIVE),
    ],
)
def test_verdicts(changed: int, found: Comparison, verdict: AblationVerdict) -> None:
    assert verdict_on(changed, found) is verdict


def test_the_hash_is_that_of_the_answers_and_of_what_was_left_out() -> None:
    predictions = run_of("keep", "keep")
    one = left_out(predictions, "keep", "remove")
    others = [
        left_out(predictions, "keep", "keep"),
        replace(one, of=replace(OF, scope=Scope.AFFECTED)),
        replace(one, of=replace(OF, without_sha256="x")),
        replace(one, student=replace(KEY, digest="x")),
        replace(one, citing=("e00",)),
    ]
    assert len({one.hash, *(other.hash for other in others)}) == 6
    assert left_out(predictions, "keep", "remove").hash == one.hash
