"""Which rule a cluster goes on as, and which change of evidence undoes a decision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.lineage import (
    Lineage,
    Part,
    StandingRule,
    came_and_went,
    change_words,
    for_labels,
    match_parts,
    takes_over,
)
from pld_core.models import Evidence, EvidenceRole, RevisionState

S, R = RevisionState, EvidenceRole


def rule(number: int, members: str, state: RevisionState = S.APPROVED) -> StandingRule:
    lineage = Lineage(1, 0, tuple(sorted(members)))
    return StandingRule(f"R{number}", number, f"h{number}", ("keep",), state, "it is so", lineage, ())


def part(cluster: int, members: str, label: str = "keep") -> Part:
    return Part(cluster, label, frozenset(members))


def matched(parts: list[Part], rules: list[StandingRule], active: str = "abcdefghijklmnopqrstuvwxyz") -> dict[int, str]:
    found = match_parts(parts, rules, frozenset(active))
    return {cluster: rule_id for (cluster, _), rule_id in found.items()}


@pytest.mark.parametrize(
    ("parts", "rules", "expected"),
    [
        ([part(0, "abc")], [rule(1, "abc")], {0: "R1"}),
        ([part(0, "abcd")], [rule(1, "abc")], {0: "R1"}),
        ([part(0, "abcdefgh")], [rule(1, "ab")], {0: "R1"}),
        ([part(0, "xyz")], [rule(1, "abc")], {}),
        # Of two halves the larger goes on as the rule, of equal ones the lower cluster; the other is new.
        ([part(0, "ab"), part(1, "cde")], [rule(1, "abcde")], {1: "R1"}),
        ([part(1, "cdy"), part(0, "abx")], [rule(1, "abcd")], {0: "R1"}),
        # Two rules that became one cluster: the larger one goes on, of equal ones the older.
        ([part(0, "abcde")], [rule(1, "de"), rule(2, "abc")], {0: "R2"}),
        ([part(0, "abcd")], [rule(2, "cd"), rule(1, "ab")], {0: "R1"}),
        # One stray example makes no succession.
        ([part(0, "axyzuvw")], [rule(1, "abcdefg")], {}),
        # Equal sets come first, whatever else would share more.
        ([part(0, "ab")], [rule(1, "abc"), rule(2, "ab")], {0: "R2"}),
        # A rejection holds for what was before it, and not for what is mostly new.
        ([part(0, "abc")], [rule(1, "abc", S.REJECTED)], {0: "R1"}),
        ([part(0, "abcd")], [rule(1, "abc", S.REJECTED)], {0: "R1"}),
        ([part(0, "abcdefgh")], [rule(1, "abc", S.REJECTED)], {}),
        # A live rule comes before a rejected one.
        ([part(0, "abcd")], [rule(1, "abc", S.REJECTED), rule(2, "cd")], {0: "R2"}),
    ],
)
def test_a_part_goes_on_as_the_rule_that_shares_most_with_it(
    parts: list[Part], rules: list[StandingRule], expected: dict[int, str]
) -> None:
    assert matched(parts, rules) == expected


def test_members_that_take_no_part_any_more_do_not_count() -> None:
    assert matched([part(0, "abxyz")], [rule(1, "abcdefg")]) == {}
    assert matched([part(0, "abxyz")], [rule(1, "abcdefg")], "abcxyz") == {0: "R1"}


SETS = st.frozensets(st.sampled_from("abcdefghij"), min_size=1)


@given(st.lists(SETS, max_size=5), st.lists(st.tuples(SETS, st.sampled_from([*S])), max_size=6))
def test_no_rule_goes_on_twice_and_order_does_not_matter(
    groups: list[frozenset[str]], given_rules: list[tuple[frozenset[str], RevisionState]]
) -> None:
    seen: set[str] = set()
    parts = []
    for number, group in enumerate(groups):
        if left := group - seen:
            parts.append(Part(number, "keep", frozenset(left)))
            seen |= left
    rules = [rule(n, "".join(members), state) for n, (members, state) in enumerate(dict(given_rules).items())]
    found = match_parts(parts, rules, frozenset("abcdefgh"))
    assert len(set(found.values())) == len(found)
    assert match_parts(parts[::-1], rules[::-1], frozenset("abcdefgh")) == found
    by_members = {r.members: r.id for r in rules}
    for p in parts:
        if p.members in by_members:
            assert found[p.cluster, p.label] == by_members[p.members]


def evidence(**roles: EvidenceRole) -> tuple[Evidence, ...]:
    return tuple(Evidence(name, role) for name, role in roles.items())


OLD = evidence(a=R.SUPPORTS, b=R.SUPPORTS, c=R.CONTRADICTS, d=R.NEAR_MISS)
BEARING = [
    evidence(a=R.SUPPORTS, b=R.SUPPORTS, x=R.SUPPORTS, c=R.CONTRADICTS, d=R.NEAR_MISS),
    evidence(a=R.SUPPORTS, c=R.CONTRADICTS, d=R.NEAR_MISS),
    evidence(a=R.SUPPORTS, b=R.SUPPORTS, c=R.CONTRADICTS, x=R.CONTRADICTS, d=R.NEAR_MISS),
]
BESIDE = [
    evidence(a=R.SUPPORTS, b=R.SUPPORTS, c=R.CONTRADICTS, x=R.NEAR_MISS),
    evidence(a=R.SUPPORTS, b=R.SUPPORTS, c=R.CONTRADICTS, d=R.CONTRADICTS),
    evidence(a=R.SUPPORTS, b=R.SUPPORTS, c=R.NEAR_MISS, d=R.NEAR_MISS),
]
ACTIVE = frozenset("abcdx")


@pytest.mark.parametrize("state", list(S))
def test_a_decision_is_undone_only_by_what_bears_on_it(state: RevisionState) -> None:
    final = state in (S.REJECTED, S.SUPERSEDED, S.RETIRED)
    decided = state in (S.APPROVED, S.FIRST_APPROVED, S.DISPUTED)
    assert not takes_over(state, OLD, OLD[::-1], ACTIVE)
    assert {takes_over(state, OLD, new, ACTIVE) for new in BEARING} == {not final}
    assert {takes_over(state, OLD, new, ACTIVE) for new in BESIDE} == {not (final or decided)}
    without = tuple(e for e in OLD if e.example_hash != "c")
    assert takes_over(state, OLD, without, ACTIVE - {"c"}) is not final


def test_a_change_is_told_in_words() -> None:
    assert came_and_went(OLD, BEARING[0]) == (("x",), ())
    assert change_words(3, 1, "Clustering 4") == (
        "Clustering 4: 3 examples were added to its evidence, 1 example was taken out"
    )
    assert change_words(0, 1200, "X") == "X: 1,200 examples were taken out of its evidence"
    assert change_words(0, 0, "X") == "X: the roles of its examples changed"


def test_evidence_for_another_label_turns_round() -> None:
    label_of = {"a": "keep", "b": "keep", "c": "remove", "d": "remove"}
    turned = for_labels(OLD, ("remove",), label_of)
    assert {e.example_hash: e.role for e in turned} == {
        "a": R.CONTRADICTS,
        "b": R.CONTRADICTS,
        "c": R.SUPPORTS,
    }
    assert for_labels(OLD, ("keep",), label_of) == OLD
    assert {e.role for e in for_labels(OLD, ("keep", "remove"), label_of)} == {R.SUPPORTS}
