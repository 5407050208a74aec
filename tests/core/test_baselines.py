"""Baselines beside the rules: the report says when one of them is better."""

from __future__ import annotations

import json

import pytest

from pld_core.baselines import Baseline, Said, beaten_by, beside, report
from pld_core.errors import InvalidInput
from pld_core.models import Answer, AnswerStatus, Prediction

LABELS = ("a", "b")
N = 40


def gold(number: int) -> str:
    return LABELS[number % 2]


def rules(right: int, n: int = N) -> list[Prediction]:
    """Return answers of which the first are right and the rest cut."""

    def answer(number: int) -> Answer:
        if number < right:
            return Answer(gold(number), "raw", AnswerStatus.OK, 1)
        return Answer(None, "", AnswerStatus.CUT, 1)

    return [Prediction(f"e{number}", gold(number), answer(number)) for number in range(n)]


def said(right: int, n: int = N) -> Said:
    return {f"e{number}": gold(number) if number < right else None for number in range(n)}


def test_the_report_names_the_baselines_that_beat_the_rules() -> None:
    baselines = {
        Baseline.MAJORITY: dict.fromkeys(said(N), "a"),
        Baseline.NEAREST: said(31),
        Baseline.FIVE_SHOT: said(39),
        Baseline.NO_RULES: said(10),
    }
    found = beside(LABELS, rules(30), baselines)
    assert [one.baseline for one in found] == [
        Baseline.NO_RULES,
        Baseline.FIVE_SHOT,
        Baseline.NEAREST,
        Baseline.MAJORITY,
    ]
    assert beaten_by(found) == (Baseline.FIVE_SHOT,)
    assert report(found) == (
        "Better than the rules: 5-shot. No difference shown to: nearest neighbour. "
        "The rules are better than: no rules, most frequent label."
    )
    assert found[1].words.startswith(
        "Rules beside 5-shot: worse: macro F1 0.857 against 0.987, -0.130 (95 % interval -"
    )
    assert json.loads(json.dumps(found[0].as_json()))["baseline"] == "no rules"
    assert (found[1].comparison.fixed, found[1].comparison.broken) == (0, 9)


def test_below_ten_examples_no_baseline_is_said_to_beat_the_rules() -> None:
    found = beside(LABELS, rules(0, n=9), {Baseline.NO_RULES: said(9, n=9)})
    assert beaten_by(found) == ()
    assert report(found) == "Too few examples to tell from: no rules."


def test_without_a_baseline_the_report_says_so() -> None:
    assert beside(LABELS, rules(1), {}) == ()
    assert report(()) == "No baseline stands beside the rules yet, so nothing says that they help."


def test_a_baseline_that_did_not_answer_all_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"“5-shot” did not answer 10 of the 40"):
        beside(LABELS, rules(30), {Baseline.FIVE_SHOT: said(30, n=30)})
    with pytest.raises(InvalidInput, match="Nothing was answered"):
        beside(LABELS, [], {Baseline.FIVE_SHOT: said(1)})
