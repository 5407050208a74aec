"""A prompt with rules switched off is what compiling without them would have given, to the byte."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pld_core.canonical import hash_text
from pld_core.compilation import Choices, compile_baseline, compile_prompt
from pld_core.errors import InvalidInput
from pld_core.models import CompiledPrompt
from pld_core.prompt_manifest import PromptKind, RuleOrder
from pld_core.prompt_style import Style
from pld_core.trial_prompt import REASON, without_rules
from tests.core.prompt_parts import THREE
from tests.factories import make_task

IDS = ("R1", "R2", "R3")


def compiled(**choices: object) -> CompiledPrompt:
    return compile_prompt(make_task(), THREE, Choices(**choices))  # type: ignore[arg-type]  # as the test gives them


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("gone", [*itertools.combinations(IDS, 1), *itertools.combinations(IDS, 2)])
def test_it_is_the_prompt_that_compiling_without_the_rules_gives(style: Style, gone: tuple[str, ...]) -> None:
    trial = without_rules(compiled(style=style), gone)
    direct = compiled(style=style, leave_out=gone, reason=REASON)
    assert trial.text == direct.text
    assert trial == direct


def test_the_order_of_the_others_stays_and_they_are_numbered_anew() -> None:
    trial = without_rules(compiled(order=RuleOrder(("R3", "R2", "R1"), "the weather first")), ["R2"])
    assert [(rule.number, rule.rule_id) for rule in trial.rules] == [(1, "R3"), (2, "R1")]
    assert trial.build.order == RuleOrder(("R3", "R1"), "the weather first")
    assert trial.sha256 == hash_text(trial.text)
    assert "[R2]" not in trial.text


def test_in_which_order_rules_are_named_makes_no_difference() -> None:
    assert without_rules(compiled(), ["R3", "R1", "R3"]) == without_rules(compiled(), ["R1", "R3"])


def test_all_rules_can_be_switched_off_where_the_answer_is_a_label() -> None:
    trial = without_rules(compiled(), IDS)
    assert trial.rules == ()
    assert "HOW TO DECIDE" in trial.text
    assert "[R" not in trial.text


def test_a_guideline_that_quotes_the_rules_is_left_alone() -> None:
    plain = compiled()
    quoted = "\n".join(line for line in plain.text.split("\n") if "[R" in line)
    task = replace(make_task(), guideline=f"Once they were:\n{quoted}\nThat is all.")
    trial = without_rules(compile_prompt(task, THREE), ["R2"])
    assert quoted in trial.text
    assert trial.text.count("[R2]") == 1
    assert trial.text.count("[R1]") == 2


@pytest.mark.parametrize(
    ("prompt", "gone", "words"),
    [
        (compiled(), (), "No rule was named"),
        (compiled(), ("R9", "R1", "R9"), "R9 cannot be switched off, as this prompt does not hold it."),
        (compiled(), ("R9",), "It holds: R1, R2, R3."),
        (compiled(style=Style.CITED), IDS, "Keep one rule on."),
        (compile_baseline(make_task(), (), Choices(kind=PromptKind.NO_RULES)), ("R1",), "It holds: no rule."),
        (replace(compiled(), text="Something else."), ("R1",), "cannot be found in the text"),
    ],
)
def test_what_cannot_be_switched_off_is_refused(prompt: CompiledPrompt, gone: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        without_rules(prompt, gone)
