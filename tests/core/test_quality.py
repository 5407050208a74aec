"""Flags on micro-instructions: each has instructions that earn it and near ones that do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.demo import DEMO_TASKS, load_demo
from pld_core.quality import (
    Flag,
    carried,
    differs_in_language,
    duplicates,
    flags_of,
    is_vague,
    restates_format,
    shares_words,
)
from pld_core.wire import ExtractionReply, read_reply
from tests.factories import make_example, make_instruction

TEXT = "On 14 March 2021 the receiving party, Acme Corp, shall return all 250 documents to Borealis within ten days."


@pytest.mark.parametrize(
    "condition",
    [
        "the answer must be one of the labels",
        "respond with a JSON object that holds the label",
        "Return only the label",
        "output format is json",
    ],
)
def test_a_condition_about_the_answer_is_a_format_rule(condition: str) -> None:
    assert restates_format(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "the author answers a question with an insult",
        "the party must return all documents",
        "the response to the complaint blames the customer",
        "the post holds program code",
    ],
)
def test_a_condition_about_the_input_is_none(condition: str) -> None:
    assert not restates_format(condition)


def test_no_reply_of_the_demo_is_a_format_rule_or_vague() -> None:
    for name in DEMO_TASKS:
        for text in load_demo(name).script.extraction.values():
            condition = read_reply(ExtractionReply, text).condition
            assert not restates_format(condition)
            assert not is_vague(condition)


def test_eight_words_in_a_row_are_copied_and_seven_are_not() -> None:
    assert shares_words("if THE receiving party, Acme Corp, shall return all documents", TEXT, 7)
    assert shares_words("the receiving party Acme Corp shall return all 250", TEXT)
    assert not shares_words("the receiving party Acme Corp shall return", TEXT)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("a duty to return all 250 documents", ("250",)),
        ("what Borealis gets back", ("Borealis",)),
        ("signed in 2021", ("2021",)),
        ("a duty to return documents within a set time", ()),
    ],
)
def test_names_and_numbers_of_the_example_are_found(said: str, found: tuple[str, ...]) -> None:
    assert carried(said, TEXT) == found


def test_a_name_that_the_task_itself_uses_is_nobodys_secret() -> None:
    assert carried("what Borealis gets back", TEXT, "Contracts with Borealis") == ()


@pytest.mark.parametrize("condition", ["always", "the text matches the label", "it is such a case", "合同"])
def test_a_condition_without_content_is_vague(condition: str) -> None:
    assert is_vague(condition)


@pytest.mark.parametrize("condition", ["the clause obliges one party only", "该条款要求接收方返还所有文件"])
def test_a_condition_with_content_is_not_vague(condition: str) -> None:
    assert not is_vague(condition)


def test_languages_and_scripts_are_told_apart_where_they_can_be() -> None:
    english, german = (
        "the duty of the party is to return it",
        "die Pflicht der Partei ist nicht mit dem Vertrag zu Ende",
    )
    assert differs_in_language(english, german)
    assert differs_in_language(english, "сторона обязана вернуть документы")
    assert not differs_in_language(english, TEXT)
    assert not differs_in_language("returns documents", german), "too little to tell"


def test_instructions_that_say_the_same_are_both_flagged() -> None:
    first, second, third = (make_instruction(make_example(text), "The post is kind.") for text in "abc")
    second, third = replace(second, condition="the post is KIND"), replace(third, label="remove")
    assert duplicates([first, second, third]) == {first.example_hash, second.example_hash}


def test_the_flags_of_an_instruction_come_in_order() -> None:
    example = make_example(TEXT)
    clean = make_instruction(example, "a party has a duty to give back what it received")
    assert flags_of(clean, example) == ()
    bad = replace(clean, condition="the receiving party Acme Corp shall return all 250 documents")
    assert flags_of(bad, example) == (Flag.COPIES, Flag.CARRIES)
    assert all(flag.words for flag in Flag)
