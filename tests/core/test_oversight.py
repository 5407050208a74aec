"""Figures on the oversight: shares that never pretend, and no figure by person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.attention import Attention, Seen
from pld_core.models import AuthorKind, RejectCategory, Verdict
from pld_core.oversight import (
    LENGTH_BANDS,
    DecisionFacts,
    OversightFacts,
    RuleFacts,
    approval_evidence,
    opinion_pairs,
    oversight,
    seconds_between,
    time_bands,
)

NOTHING = OversightFacts((), ())


def made(
    revision: str = "v1",
    reviewer: str = "anna",
    verdict: Verdict = Verdict.APPROVE,
    attention: Attention | None = None,
    author: AuthorKind = AuthorKind.TEACHER,
) -> DecisionFacts:
    category = RejectCategory.OVER_BROAD if verdict is Verdict.REJECT else None
    return DecisionFacts(revision, "e1", author, verdict, category, reviewer, 60.0, 500, attention)


def noted(
    shown: int, in_full: int, contradicting: tuple[int, int, int] = (0, 0, 0), total: int = 5, seconds: int = 30
) -> Attention:
    return Attention(seconds, Seen(total, shown, in_full), Seen(*contradicting), 0)


# --- opinions ---------------------------------------------------------------------------------------------------------


def test_a_pair_is_two_people_on_one_revision_in_their_order() -> None:
    decisions = [
        made("v1", "anna"),
        made("v2", "anna", Verdict.REJECT),
        made("v1", "anna", Verdict.REJECT),
        made("v1", "bert", Verdict.REJECT),
        made("v1", "cleo"),
    ]
    assert opinion_pairs(decisions) == (("approve", "reject"),)


def test_two_people_beside_different_evidence_are_no_pair() -> None:
    assert opinion_pairs([made("v1", "anna"), replace(made("v1", "bert"), evidence_hash="e2")]) == ()


def test_what_somebody_took_back_is_no_opinion() -> None:
    decisions = [
        replace(made("v1", "anna", Verdict.REJECT), withdrawn=True),
        made("v1", "bert"),
        made("v1", "anna"),
    ]
    assert opinion_pairs(decisions) == (("approve", "approve"),)


# --- time -------------------------------------------------------------------------------------------------------------


def test_times_are_told_by_length_and_as_dots_below_ten_decisions() -> None:
    short = [(LENGTH_BANDS[0], float(n)) for n in range(1, 12)]
    bands = time_bands([*short, (LENGTH_BANDS[-1] + 1, 5.0), (LENGTH_BANDS[-1] + 2, 3.0)])
    assert [(band.longest, band.n, band.median, band.dots) for band in bands] == [
        (LENGTH_BANDS[0], 11, 6.0, ()),
        (LENGTH_BANDS[1], 0, None, ()),
        (LENGTH_BANDS[2], 0, None, ()),
        (None, 2, None, (3.0, 5.0)),
    ]
    assert (bands[0].low, bands[0].high) == (3.5, 8.5)


@pytest.mark.parametrize(
    ("opened", "decided", "wanted"),
    [
        ("2026-01-02T03:00:00Z", "2026-01-02T03:00:41.500000Z", 41.5),
        ("", "2026-01-02T03:00:00Z", None),
        ("this morning", "2026-01-02T03:00:00Z", None),
        ("2026-01-02T03:00:00", "2026-01-02T03:00:00Z", None),
        ("2026-01-02T03:00:01Z", "2026-01-02T03:00:00Z", None),
    ],
)
def test_seconds_from_opening_to_deciding(opened: str, decided: str, wanted: float | None) -> None:
    assert seconds_between(opened, decided) == wanted


# --- evidence ---------------------------------------------------------------------------------------------------------


def test_evidence_counts_for_approvals_of_which_it_was_noted() -> None:
    found = approval_evidence(
        [
            made(attention=noted(5, 5)),
            made(attention=noted(5, 3, (2, 2, 1))),
            made(attention=noted(4, 4, (1, 1, 1))),
            made(attention=noted(4, 3, (3, 2, 2))),
            made(),
            made(verdict=Verdict.REJECT, attention=noted(0, 0)),
        ]
    )
    assert (found.approvals, found.unknown) == (5, 1)
    shares = (found.contradicting, found.contradicting_in_full, found.all_shown, found.all_in_full)
    assert [(share.k, share.n) for share in shares] == [(2, 3), (1, 3), (2, 4), (1, 4)]


def test_unknown_is_never_zero() -> None:
    found = approval_evidence([made(), made()])
    assert (found.approvals, found.unknown) == (2, 2)
    assert found.all_shown.rate is None
    assert found.contradicting.rate is None


# --- all of it --------------------------------------------------------------------------------------------------------


def test_shares_have_their_n() -> None:
    decisions = (
        made("v1", attention=noted(5, 5)),
        replace(made("v2", verdict=Verdict.REJECT), seconds=None),
        made("v3", verdict=Verdict.REQUEST_CHANGES, reviewer="bert"),
        made("v4", author=AuthorKind.PERSON),
        replace(made("v5", verdict=Verdict.REJECT), withdrawn=True),
    )
    rules = (RuleFacts(False, True), RuleFacts(True, True), RuleFacts(True, False), RuleFacts(False, False))
    found = oversight(OversightFacts(decisions, rules, asked=3, answered=2))
    assert (found.decisions, found.reviewers, found.withdrawn) == (5, 2, 1)
    assert (found.without_opening, found.without_attention) == (1, 4)
    assert (found.overridden.k, found.overridden.n) == (2, 3)
    assert (found.edited.k, found.edited.n) == (2, 3)
    assert (found.opinions.k, found.opinions.n) == (2, 3)
    assert found.verdicts == {Verdict.APPROVE: 2, Verdict.REJECT: 2, Verdict.REQUEST_CHANGES: 1}
    assert found.categories[RejectCategory.OVER_BROAD] == 2
    assert (found.active[0].n, found.active[0].dots) == (1, (30.0,))
    assert found.elapsed[0].n == 4


def test_nothing_decided_is_no_zero_rate() -> None:
    found = oversight(NOTHING)
    for share in (found.overridden, found.edited, found.opinions, found.evidence.all_shown):
        assert share.rate is None
        assert share.as_json() == {"k": 0, "n": 0, "rate": None, "interval_95": None}


def test_the_figures_name_nobody() -> None:
    facts = OversightFacts(tuple(made(f"v{n}", f"person-{n % 3}") for n in range(30)), ())
    assert "person-" not in repr(oversight(facts))
    assert oversight(facts).as_json()["reviewers"] == 3
