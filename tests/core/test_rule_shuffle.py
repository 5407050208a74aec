"""A shuffled prompt says the same in another order, and nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.canonical import hash_text
from pld_core.errors import InvalidInput
from pld_core.models import CompiledPrompt, CompiledRule
from pld_core.rule_shuffle import shuffled_prompt
from tests.factories import LABELS

RULES = tuple(CompiledRule(number, f"R{number}", f"sha256:{number}", number) for number in range(1, 6))
LINES = [f"{number}. [R{number}] IF case {number}, THEN keep." for number in range(1, 6)]
TEXT = "\n".join(["Decide.", "1. [R1] is cited like this.", "", *LINES, "", "ANSWER"])
PROMPT = CompiledPrompt("posts", TEXT, hash_text(TEXT), RULES, "sha256:t", 1, LABELS)


def test_the_rules_are_the_same_in_another_order_numbered_anew() -> None:
    shuffled = shuffled_prompt(PROMPT, 1)
    lines = shuffled.text.split("\n")
    assert (lines[:3], lines[8:]) == (TEXT.split("\n")[:3], TEXT.split("\n")[8:])
    assert [line.partition(" ")[0] for line in lines[3:8]] == ["1.", "2.", "3.", "4.", "5."]
    assert sorted(line.partition(" ")[2] for line in lines[3:8]) == [line.partition(" ")[2] for line in LINES]
    assert shuffled.text != TEXT


def test_the_rules_of_the_prompt_stand_as_in_its_text_and_the_hash_is_of_that_text() -> None:
    shuffled = shuffled_prompt(PROMPT, 1)
    assert [f"{rule.number}. [{rule.rule_id}]" for rule in shuffled.rules] == [
        " ".join(line.split()[:2]) for line in shuffled.text.split("\n")[3:8]
    ]
    assert shuffled.sha256 == hash_text(shuffled.text)
    assert shuffled.build.order.manual == tuple(rule.rule_id for rule in shuffled.rules)
    assert "never released" in shuffled.build.order.reason
    assert shuffled.manifest_hash != PROMPT.manifest_hash


def test_the_same_seed_gives_the_same_order_and_others_give_others() -> None:
    orders = [shuffled_prompt(PROMPT, seed).text for seed in range(20)]
    assert shuffled_prompt(PROMPT, 7).text == orders[7]
    assert len(set(orders)) > 15


@pytest.mark.parametrize("rules", [(), RULES[:1]], ids=["baseline", "one rule"])
def test_what_has_no_other_order_is_refused(rules: tuple[CompiledRule, ...]) -> None:
    with pytest.raises(InvalidInput, match="fewer than two rules"):
        shuffled_prompt(replace(PROMPT, rules=rules), 1)


def test_a_text_in_which_the_rules_do_not_stand_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot be found"):
        shuffled_prompt(replace(PROMPT, text="Decide."), 1)


def test_a_guideline_that_quotes_all_rules_stays_as_it_is() -> None:
    quoted = "\n".join(["Decide.", *LINES, "", *LINES, "", "ANSWER"])
    lines = shuffled_prompt(replace(PROMPT, text=quoted, sha256=hash_text(quoted)), 1).text.split("\n")
    assert lines[1:6] == LINES
    assert lines[7:12] != LINES
