"""Answers are read strictly."""

from __future__ import annotations

from pld_core.evaluation import answer_from, failed_answer
from pld_core.model_ports import ChatReply
from pld_core.models import Answer, AnswerStatus
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


def test_what_was_not_answered_has_no_label_and_says_whether_it_was_refused() -> None:
    assert failed_answer("it slept") == Answer(None, "", AnswerStatus.FAILED, 0, problem="it slept")
    assert failed_answer("no", "I can't", AnswerStatus.REFUSED).status is AnswerStatus.REFUSED
