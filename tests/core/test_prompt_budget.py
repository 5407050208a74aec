"""Over budget, the least useful rules a token are proposed; where an effect was measured, it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.models import Answer, AnswerStatus, Prediction, Run, Split
from pld_core.prompt_budget import drop_order, enough
from pld_core.prompt_effects import RuleEffect, effects_of_runs
from pld_core.prompt_manifest import CountMethod, TokenCount
from pld_core.prompt_plan import BudgetPlan
from pld_core.token_count import estimated
from tests.core.prompt_parts import THREE, candidate, reworded, version

TEXT = version(1).prompt.text
COUNT = TokenCount(2 * estimated(TEXT).tokens, CountMethod.TOKENIZER, "told")
HASHES = [entry.revision_hash for _, entry, _ in THREE]


def test_without_a_measured_effect_the_least_supported_goes_first_and_says_so() -> None:
    order = drop_order(THREE, {}, 20, COUNT, TEXT)
    assert [worth.rule_id for worth in order] == ["R3", "R2", "R1"]
    assert order[0].basis == "not measured; 1 of 20 training examples support it"
    assert order[0].utility == 5.0


def test_a_measured_effect_counts_fixed_less_twice_broken() -> None:
    order = drop_order(THREE, {HASHES[0]: RuleEffect(3, 2, 40, "fixed 3 and broke 2")}, 20, COUNT, TEXT)
    assert [worth.rule_id for worth in order] == ["R1", "R3", "R2"]
    assert order[0].utility == 100 * (3 - 4) / 40
    assert order[0].basis == "measured: fixed 3 and broke 2"


def test_a_long_rule_goes_before_a_short_one_of_equal_use() -> None:
    rules = (candidate("R1", "it is short", 2), candidate("R2", "it is " + "very " * 40 + "long", 2))
    order = drop_order(rules, {}, 10, COUNT, TEXT)
    assert [worth.rule_id for worth in order] == ["R2", "R1"]
    assert order[0].utility == order[1].utility
    assert order[0].tokens > order[1].tokens


def test_shares_of_the_rules_are_scaled_to_the_students_count() -> None:
    plain = drop_order(THREE, {}, 20, estimated(TEXT), TEXT)
    doubled = drop_order(THREE, {}, 20, COUNT, TEXT)
    assert [w.tokens for w in doubled] == [2 * w.tokens for w in plain]


def test_enough_rules_go_but_one_always_stays() -> None:
    order = drop_order(THREE, {}, 20, COUNT, TEXT)
    assert enough(order, 1) == 1
    assert enough(order, order[0].tokens + 1) == 2
    assert enough(order, 10_000) == 2
    assert enough(order[:1], 1) == 0
    assert enough((), 1) == 0


def test_a_plan_in_words() -> None:
    drops = drop_order(THREE, {}, 20, COUNT, TEXT)[:1]
    left = TokenCount(80, CountMethod.TOKENIZER, "told")
    plan = BudgetPlan(TokenCount(110, CountMethod.TOKENIZER, "told"), 100, drops, left)
    assert plan.fits
    assert plan.words == (
        "The prompt has 110 tokens, counted by the tokenizer of told: 10 over 100. Without R3 it would have 80."
    )
    hopeless = BudgetPlan(plan.tokens, 50, drops, left)
    assert not hopeless.fits
    assert "would not fit with a single rule" in hopeless.words


# --- effects that two runs tell ---------------------------------------------------------------------------------------


def run(number: int, prompt: int, student: str = "told", digest: str = "d", total: int = 4) -> Run:
    return Run(number, "posts", prompt, "sha256:p", student, digest, Split.VALIDATION, "", "anna", total, None)


def answers(right: str) -> list[Prediction]:
    """Return an answer for each letter: `+` right, `-` wrong."""
    return [
        Prediction(f"sha256:{n}", "keep", Answer("keep" if sign == "+" else "remove", "", AnswerStatus.OK, 1))
        for n, sign in enumerate(right)
    ]


VERSIONS = [version(1, THREE[:2]), version(2, THREE), version(3, (reworded(THREE[0], "it is kind"), *THREE[1:]))]


def test_two_runs_whose_prompts_differ_by_one_rule_tell_its_effect() -> None:
    told = {1: answers("+--+"), 2: answers("-+++")}
    found = effects_of_runs(VERSIONS, [run(1, 1), run(2, 2)], told.__getitem__)
    assert found == {HASHES[2]: RuleEffect(2, 1, 4, "fixed 2 and broke 1 of 4 answers (runs 1 and 2)")}
    assert found[HASHES[2]].utility == 0


@pytest.mark.parametrize(
    "runs",
    [
        [run(1, 1), run(2, 2, student="other")],
        [run(1, 1), run(2, 2, digest="other")],
        [run(1, 1), run(2, 2, total=5)],
        [run(1, 1), run(2, 3)],
        [run(1, 2), run(2, 3)],
        [run(1, 2), run(2, 2)],
        [run(1, 1)],
        [replace(run(1, 1), split=Split.TEST), replace(run(2, 2), split=Split.TEST)],
    ],
    ids=["student", "weights", "unfinished", "two changes", "an edit", "one prompt", "one run", "test split"],
)
def test_runs_that_cannot_be_compared_tell_nothing(runs: list[Run]) -> None:
    assert effects_of_runs(VERSIONS, runs, {1: answers("+--+"), 2: answers("-+++")}.__getitem__) == {}


def test_the_newest_pair_of_runs_counts() -> None:
    told = {1: answers("----"), 2: answers("++++"), 3: answers("+---")}
    found = effects_of_runs(VERSIONS, [run(1, 1), run(2, 2), run(3, 2)], told.__getitem__)
    assert found[HASHES[2]] == RuleEffect(1, 0, 4, "fixed 1 and broke 0 of 4 answers (runs 1 and 3)")
