"""The policy in words: every part has some, and a change names each part that differs and no other."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from pld_core.policy import PLAIN, Policy, differences
from pld_core.policy_words import PARTS, change_lines, open_reviews, policy_lines, value_words

POLICIES = st.builds(
    Policy,
    four_eyes=st.booleans(),
    blind=st.booleans(),
    second_look=st.integers(0, 100),
    known_bad=st.integers(0, 20),
    fresh_sign_in=st.integers(0, 1440),
)


def test_every_part_says_in_a_sentence_what_it_means_and_what_it_costs() -> None:
    assert list(PARTS) == [part.name for part in fields(Policy)]
    for words in PARTS.values():
        assert words.meaning.endswith(".")
        assert words.cost.endswith(".")


def test_values_in_words() -> None:
    assert [value_words("four_eyes", True), value_words("blind", False)] == ["on", "off"]
    assert [value_words("second_look", 20), value_words("known_bad", 0)] == ["20 of 100", "none"]
    assert [value_words("fresh_sign_in", 1440), value_words("fresh_sign_in", 0)] == ["1,440 minutes", "any time"]
    assert len(policy_lines(PLAIN)) == len(PARTS)


@given(POLICIES, POLICIES)
def test_a_change_names_what_differs(before: Policy, after: Policy) -> None:
    assert len(change_lines(before, after)) == len(differences(before, after))
    assert change_lines(after, after) == ()


def test_half_done_reviews_are_told_of_when_four_eyes_go() -> None:
    both = Policy(four_eyes=True)
    assert open_reviews(both, PLAIN, 1200, 1).startswith("Half done: 1,200 first approved, 1 disputed.")
    assert "No review is half done" in open_reviews(both, PLAIN, 0, 0)
    assert "two approvals from now on" in open_reviews(PLAIN, both, 0, 0)
    assert open_reviews(PLAIN, Policy(second_look=5), 3, 3) == ""
