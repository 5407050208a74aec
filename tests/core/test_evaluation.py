"""Answers are read strictly, and figures say how sure they are."""

from __future__ import annotations

import json

import pytest

from pld_core.evaluation import (
    Proportion,
    answer_from,
    failed_answer,
    score,
)
from pld_core.model_ports import ChatReply
from pld_core.models import Answer, AnswerStatus, Prediction
from pld_core.prompt_style import AnswerForm, Style
from tests.factories import LABELS

FORM = AnswerForm(Style.LABEL, LABELS)


def test_a_good_reply_keeps_its_words_and_its_costs() -> None:
    reply = ChatReply("remove", "m", "stop", 12, prompt_tokens=30, output_tokens=4, cached_tokens=20, context_size=4096)
    assert answer_from(FORM, reply) == Answer("remove", "remove", AnswerStatus.OK, 12, 30, 4, 20, 4096)


def test_a_cut_reply_has_no_label_even_if_one_could_be_read() -> None:
    answer = answer_from(FORM, ChatReply("keep", "m", "length", 1))
    assert (answer.label, answer.status, answer.raw) == (None, AnswerStatus.CUT, "keep")
    assert "cut" in answer.problem


def test_a_reply_without_a_declared_label_is_malformed_and_keeps_its_words() -> None:
    answer = answer_from(FORM, ChatReply("Hm, keep?", "m", "stop", 1))
    assert (answer.label, answer.status, answer.raw) == (None, AnswerStatus.MALFORMED, "Hm, keep?")
    assert "not one of the declared labels" in answer.problem


def test_a_letter_fills_all_the_room_there_is_and_is_not_cut() -> None:
    form = AnswerForm(Style.LETTER, LABELS)
    answer = answer_from(form, ChatReply("B", "m", "length", 1, output_tokens=1))
    assert (answer.label, answer.status) == ("remove", AnswerStatus.OK)
    assert answer_from(form, ChatReply("The", "m", "length", 1)).status is AnswerStatus.CUT
    assert answer_from(form, ChatReply("keep", "m", "stop", 1)).status is AnswerStatus.MALFORMED


def test_the_rules_that_an_answer_cites_are_kept() -> None:
    form = AnswerForm(Style.CITED, LABELS, ("R1", "R2"))
    answer = answer_from(form, ChatReply('{"label": "keep", "rules": ["R2", "R9"]}', "m", "stop", 1))
    assert (answer.label, answer.cited) == ("keep", ("R2", "unknown"))
    assert "R9" in answer.raw


def prediction(gold: str, label: str | None, status: AnswerStatus = AnswerStatus.OK) -> Prediction:
    return Prediction(f"sha256:{gold}", gold, Answer(label, label or "?", status, 1))


def test_malformed_cut_and_failed_answers_count_as_wrong() -> None:
    given_answers = [
        prediction("keep", "keep"),
        prediction("remove", "remove"),
        prediction("remove", "keep"),
        prediction("keep", None, AnswerStatus.MALFORMED),
        prediction("keep", None, AnswerStatus.CUT),
        Prediction("sha256:x", "remove", failed_answer("it slept")),
    ]
    figures = score(LABELS, given_answers)
    assert (figures.accuracy.k, figures.accuracy.n) == (2, 6)
    assert figures.majority.k == 3
    assert figures.statuses == {
        AnswerStatus.OK: 3,
        AnswerStatus.MALFORMED: 1,
        AnswerStatus.CUT: 1,
        AnswerStatus.FAILED: 1,
    }
    assert [(s.label, s.gold, s.predicted, s.correct) for s in figures.labels] == [
        ("keep", 3, 2, 1),
        ("remove", 3, 1, 1),
    ]
    assert sum(figures.confusion.values()) == 6
    assert figures.as_json()["invalid"] == {"malformed": 1, "cut": 1, "failed": 1}


def test_a_label_named_invalid_is_not_taken_for_an_unusable_answer() -> None:
    figures = score(("valid", "invalid"), [prediction("invalid", None, AnswerStatus.MALFORMED)] * 3)
    assert figures.accuracy.k == 0
    assert [(s.label, s.gold, s.correct) for s in figures.labels] == [("valid", 0, 0), ("invalid", 3, 0)]


def test_a_declared_label_that_nobody_gave_still_has_its_row() -> None:
    figures = score((*LABELS, "ask"), [prediction("keep", "keep")])
    assert [(s.label, s.gold) for s in figures.labels] == [("keep", 1), ("remove", 0), ("ask", 0)]


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Wilson 1927; the values of 8/10 and 0/10 stand in Brown, Cai and DasGupta 2001 and Newcombe 1998 alike.
    [
        (8, 10, 0.490, 0.943),
        (0, 10, 0.0, 0.278),
        (10, 10, 0.722, 1.0),
        (81, 263, 0.255, 0.366),
        (15, 148, 0.062, 0.161),
    ],
)
def test_the_interval_is_wilsons(k: int, n: int, low: float, high: float) -> None:
    proportion = Proportion.of(k, n)
    assert proportion.rate == k / n
    assert proportion.low == pytest.approx(low, abs=0.0006)
    assert proportion.high == pytest.approx(high, abs=0.0006)


def test_nothing_answered_has_no_rate_at_all() -> None:
    none = Proportion.of(0, 0)
    assert (none.rate, none.low, none.high) == (None, None, None)
    assert none.words == "nothing answered yet"
    figures = score(LABELS, [])
    assert figures.as_json()["interval_95"] is None
    assert figures.majority.rate is None


@pytest.mark.parametrize("n", [1, 5, 9])
def test_below_ten_answers_no_rate_is_shown(n: int) -> None:
    words = Proportion.of(1, n).words
    assert words == f"1 of {n} (too few for a rate)"
    assert "%" not in words


def test_from_ten_answers_on_rate_and_interval_are_shown() -> None:
    words = Proportion.of(8, 10).words
    assert words.startswith("8 of 10")
    for figure in ("80", "49", "94"):
        assert figure in words


def test_the_figures_can_be_written_as_json() -> None:
    value = json.loads(json.dumps(score(LABELS, [prediction("keep", "keep")] * 10).as_json()))
    assert (value["n"], value["correct"], value["accuracy"]) == (10, 10, 1.0)
    assert value["interval_95"][1] == pytest.approx(1.0)
