"""Figures on the oversight: agreement as scikit-learn has it, and shares that never pretend."""

from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pld_core.models import AuthorKind, RejectCategory, Verdict
from pld_core.oversight import (
    LENGTH_BANDS,
    DecisionFacts,
    RuleFacts,
    agreement,
    opinion_pairs,
    oversight,
    time_bands,
)

OPINIONS = st.sampled_from([verdict.value for verdict in Verdict])


def made(
    revision: str = "v1",
    reviewer: str = "anna",
    verdict: Verdict = Verdict.APPROVE,
    seconds: float | None = 60.0,
    length: int = 500,
    author: AuthorKind = AuthorKind.TEACHER,
) -> DecisionFacts:
    category = RejectCategory.OVER_BROAD if verdict is Verdict.REJECT else None
    return DecisionFacts(revision, author, verdict, category, reviewer, seconds, length)


@given(st.lists(st.tuples(OPINIONS, OPINIONS), min_size=1, max_size=60))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    found = agreement(pairs)
    with warnings.catch_warnings():
        # It warns, and answers NaN, where both only ever gave one and the same verdict.
        warnings.simplefilter("ignore")
        wanted = cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs])
    if found.kappa is None:
        assert math.isnan(wanted) or len({name for pair in pairs for name in pair}) == 1
    else:
        assert found.kappa == pytest.approx(wanted, abs=1e-12)
        assert -1.0 <= found.kappa <= 1.0


@given(st.lists(st.tuples(OPINIONS, OPINIONS), min_size=1, max_size=60))
def test_kappa_does_not_depend_on_who_is_called_first_and_prevalence_sums_to_one(pairs: list[tuple[str, str]]) -> None:
    found, turned = agreement(pairs), agreement([(b, a) for a, b in pairs])
    assert found == turned
    assert sum(found.prevalence.values()) == pytest.approx(1.0)
    assert found.agreed <= found.n == len(pairs)


def test_a_worked_number() -> None:
    found = agreement([("a", "a"), ("a", "a"), ("a", "r"), ("r", "r")])
    assert (found.agreed, found.expected, found.kappa) == (3, 0.5, 0.5)
    assert found.prevalence == {"a": 5 / 8, "r": 3 / 8}


def test_without_a_pair_nothing_is_claimed() -> None:
    found = agreement([])
    assert (found.n, found.kappa, found.expected, found.prevalence) == (0, None, None, {})


def test_a_pair_is_two_people_on_one_revision_in_their_order() -> None:
    decisions = [
        made("v1", "anna"),
        made("v2", "anna", Verdict.REJECT),
        made("v1", "anna", Verdict.REJECT),
        made("v1", "bert", Verdict.REJECT),
        made("v1", "cleo"),
    ]
    assert opinion_pairs(decisions) == (("approve", "reject"),)


def test_times_are_told_by_length_and_not_below_ten_decisions() -> None:
    short = [made(seconds=float(n), length=LENGTH_BANDS[0]) for n in range(1, 12)]
    few = [made(seconds=5.0, length=LENGTH_BANDS[-1] + 1), made(seconds=None)]
    bands = time_bands([*short, *few])
    assert [(band.longest, band.n, band.median) for band in bands] == [
        (LENGTH_BANDS[0], 11, 6.0),
        (LENGTH_BANDS[1], 0, None),
        (LENGTH_BANDS[2], 0, None),
        (None, 1, None),
    ]
    assert (bands[0].low, bands[0].high) == (3.5, 8.5)


def test_shares_have_their_n() -> None:
    decisions = [
        made("v1"),
        made("v2", verdict=Verdict.REJECT, seconds=None),
        made("v3", verdict=Verdict.REQUEST_CHANGES, reviewer="bert"),
        made("v4", author=AuthorKind.PERSON),
    ]
    rules = [RuleFacts(False, True), RuleFacts(True, True), RuleFacts(True, False), RuleFacts(False, False)]
    found = oversight(decisions, rules)
    assert (found.decisions, found.reviewers, found.without_time) == (4, 2, 1)
    assert (found.overridden.k, found.overridden.n) == (2, 3)
    assert (found.edited.k, found.edited.n) == (2, 3)
    assert found.verdicts == {Verdict.APPROVE: 2, Verdict.REJECT: 1, Verdict.REQUEST_CHANGES: 1}
    assert found.categories[RejectCategory.OVER_BROAD] == 1
    value = found.as_json()
    assert value["agreement"] == {
        "pairs": 0,
        "agreed": 0,
        "cohens_kappa": None,
        "expected_by_chance": None,
        "prevalence": {},
    }


def test_nothing_decided_is_no_zero_rate() -> None:
    found = oversight([], [])
    assert found.overridden.rate is None
    assert found.edited.rate is None
