"""Every gate in both directions, and what counts over nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.gate_facts import Gate, GateFacts, GateState, Production, RuleFact, red_gates
from pld_core.gate_policy import AS_MADE, GatePolicy
from pld_core.gates import judge_gates
from tests.gate_making import answers, evaluation, facts, in_production

GREEN, RED, NONE = GateState.GREEN, GateState.RED, GateState.NOT_APPLICABLE
KEYS = ("approved", "contradictions", "seeded_checks", "budget", "evaluated", "macro_f1", "labels", "malformed")
FINE = RuleFact("R1", True, "approved")


def gate(key: str, found: GateFacts, policy: GatePolicy = AS_MADE) -> Gate:
    return {one.key: one for one in judge_gates(found, policy)}[key]


def test_a_first_release_that_is_in_order_has_no_red_gate() -> None:
    gates = judge_gates(facts(), AS_MADE)
    assert tuple(one.key for one in gates) == KEYS
    assert [one.state for one in gates] == [GREEN] * 5 + [NONE, NONE, GREEN]
    assert gate("macro_f1", facts()).reason == "No other version is in production, or was before this one."


def test_a_later_release_that_is_in_order_is_green_throughout() -> None:
    gates = judge_gates(facts(production=in_production()), AS_MADE)
    assert {one.state for one in gates} == {GREEN}
    assert all(one.n > 0 and one.figure and not one.reason for one in gates)


# --- what stands in the prompt ----------------------------------------------------------------------------------------


def test_a_rule_that_went_stale_is_named() -> None:
    found = gate("approved", facts([FINE, RuleFact("R2", False, "stale")]))
    assert (found.state, found.n) == (RED, 2)
    assert "R2 (stale)" in found.reason
    assert found.fix is not None
    assert found.fix.page == "review"


@pytest.mark.parametrize(
    ("found", "part", "page"),
    [
        (facts([FINE, RuleFact("R2", True, "approved", is_compared=False)]), "Not compared", "review"),
        (facts([FINE, replace(FINE, rule_id="R2")], contradictions=[("R1", "R2")]), "R1 and R2", "review"),
        (facts(conflicts=2), "two labels", "data"),
    ],
)
def test_contradictions_in_the_rules_and_in_the_data_are_red(found: GateFacts, part: str, page: str) -> None:
    red = gate("contradictions", found)
    assert red.state is RED
    assert part in red.reason
    assert red.fix is not None
    assert red.fix.page == page


def test_a_seeded_check_is_red_and_stays_unnamed() -> None:
    found = gate("seeded_checks", facts([FINE, RuleFact("R77", True, "approved", is_check=True)]))
    assert found.state is RED
    assert "R77" not in str(found.as_json())


def test_a_prompt_of_just_the_budget_is_green_and_one_token_more_red() -> None:
    assert gate("budget", facts(tokens=900), GatePolicy(token_budget=900)).state is GREEN
    over = gate("budget", facts(tokens=901), GatePolicy(token_budget=900))
    assert (over.state, over.reason) == (RED, "1 tokens over the budget.")
    assert "counted by hand" in over.figure


def test_without_rules_and_without_text_nothing_is_green() -> None:
    empty = facts(rules=(), tokens=0)
    for key in ("approved", "contradictions", "seeded_checks", "budget"):
        assert (gate(key, empty).state, gate(key, empty).n) == (RED, 0)


# --- what the student does with it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "part"),
    [
        (facts(is_evaluated=False), "not evaluated"),
        (facts(evaluated=evaluation(answers(n=20), total=24)), "20 of 24 answers"),
        (facts(evaluated=evaluation(answers(), digest="")), "which weights"),
        (facts(split=frozenset({"another"})), "other examples now"),
    ],
)
def test_an_evaluation_counts_only_if_whole_of_named_weights_and_on_the_split_as_it_is(
    found: GateFacts, part: str
) -> None:
    red = gate("evaluated", found)
    assert red.state is RED
    assert part in red.reason
    assert "on test so far: 3" in red.figure
    assert red.fix is not None
    assert red.fix.page == "evaluate"


def test_without_an_answer_every_figure_is_red() -> None:
    found = facts(is_evaluated=False, production=in_production())
    for key in ("evaluated", "macro_f1", "labels", "malformed"):
        assert (gate(key, found).state, gate(key, found).n) == (RED, 0)


def test_what_is_malformed_is_held_against_the_limit_exactly() -> None:
    found = facts(evaluated=evaluation(answers(unusable=[3], n=100)))
    assert gate("malformed", found).state is GREEN
    assert gate("malformed", found).figure == "1 of 100 (1.0%)"
    assert gate("malformed", facts(evaluated=evaluation(answers(unusable=[3, 5], n=100)))).state is RED
    few = gate("malformed", facts(evaluated=evaluation(answers(unusable=[3], n=6))))
    assert (few.state, few.figure) == (RED, "1 of 6")


def test_macro_f1_is_green_within_its_margin_and_red_beyond_it() -> None:
    production = Production(1, evaluation(answers(n=200), number=5))
    within = facts(evaluated=evaluation(answers([0, 1], n=200)), production=production)
    beyond = facts(evaluated=evaluation(answers([0, 1, 2], n=200)), production=production)
    assert gate("macro_f1", within).state is GREEN
    red = gate("macro_f1", beyond)
    assert red.state is RED
    assert "0.015 below production's" in red.reason
    assert "broken 3 of 200" in red.figure
    assert "95 % interval" in red.figure
    assert gate("macro_f1", beyond, GatePolicy(f1_margin=0.02)).state is GREEN


def test_below_ten_examples_macro_f1_is_decided_on_counts_and_says_so() -> None:
    same = facts(evaluated=evaluation(answers([1], n=8)), production=in_production([0], n=8))
    worse = facts(evaluated=evaluation(answers([1, 2], n=8)), production=in_production([0], n=8))
    assert gate("macro_f1", same).state is GREEN
    assert "fixed 1, broken 1 of 8 examples (too few for a rate)" in gate("macro_f1", same).figure
    assert gate("macro_f1", worse).state is RED


def test_one_label_that_gets_worse_is_red_although_the_other_gains() -> None:
    # Ten wrong answers to `remove` in production, six to `keep` now: better as a whole, worse for `keep`.
    better = facts(evaluated=evaluation(answers([0, 2])), production=in_production([1, 3, 5, 7]))
    assert gate("macro_f1", better).state is GREEN
    red = gate("labels", better)
    assert (red.state, red.reason) == (RED, "Worse: keep.")
    assert "keep 10 of 12, version 1 12" in red.figure


def test_a_label_with_few_examples_may_lose_none_whatever_its_margin() -> None:
    few = evaluation(answers([0], n=8))
    found = facts(evaluated=few, production=in_production(n=8))
    red = gate("labels", found, GatePolicy(label_margin=1.0))
    assert red.state is RED
    assert "decided on counts" in red.figure
    assert gate("labels", facts(evaluated=few, production=in_production([2], n=8))).state is GREEN


def test_a_label_without_a_test_example_is_red() -> None:
    found = gate("labels", facts(labels=("keep", "remove", "unsure"), production=in_production()))
    assert (found.state, found.n) == (RED, 0)
    assert "Without a test example: unsure." in found.reason


@pytest.mark.parametrize("theirs", [None, evaluation(answers(n=20)), evaluation(answers(), total=30)])
def test_production_that_was_not_evaluated_on_the_same_examples_is_nothing_to_compare_with(theirs: object) -> None:
    found = facts(production=Production(1, theirs))  # type: ignore[arg-type]  # one of the parameters above
    for key in ("macro_f1", "labels"):
        red = gate(key, found)
        assert (red.state, red.n) == (RED, 0)
        assert red.fix is not None
        assert "Evaluate version 1 with told on test" in red.fix.todo


# --- what holds for all of them ---------------------------------------------------------------------------------------

RULES = st.lists(
    st.builds(RuleFact, st.sampled_from(["R1", "R2"]), st.booleans(), st.just("stale"), st.booleans(), st.booleans()),
    max_size=3,
)
WRONG = st.lists(st.integers(0, 11), max_size=12)


@given(RULES, st.integers(0, 2), st.integers(0, 6000), st.integers(0, 12), WRONG, WRONG, st.booleans(), st.booleans())
def test_green_is_never_counted_over_nothing_and_red_always_says_why_and_where(
    rules: list[RuleFact],
    conflicts: int,
    tokens: int,
    n: int,
    wrong: list[int],
    before: list[int],
    is_evaluated: bool,
    is_first: bool,
) -> None:
    mine = evaluation(answers(wrong, n=n)) if is_evaluated else None
    production = None if is_first else in_production(before, n=n)
    found = facts(rules, (), conflicts, tokens, mine, is_evaluated, production=production)
    gates = judge_gates(found, AS_MADE)
    assert gates == judge_gates(found, AS_MADE), "the same facts give the same gates"
    assert [Gate.from_json(one.as_json()) for one in gates] == list(gates)
    for one in gates:
        assert one.n > 0 or one.state is not GREEN
        assert bool(one.reason and one.fix) is (one.state is RED)
        assert (one in red_gates(gates)) is (one.state is RED)


def test_a_trial_prompt_is_red_whatever_its_rules_are() -> None:
    found = gate("approved", replace(facts(), unreviewed=True))
    assert (found.state, found.reason) == (RED, "It is a trial prompt, which nobody reviewed.")
    assert gate("approved", facts()).state is GREEN
