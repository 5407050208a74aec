"""What is kept from whoever may still decide, and what is told afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.blind import (
    SOMEBODY,
    Veil,
    dispute_words,
    may_still_decide,
    refuse_blind,
    told_after,
    veiled_comments,
    veiled_event,
    veiled_summary,
)
from pld_core.canonical import Json
from pld_core.desk import Comment
from pld_core.errors import StillBlind
from pld_core.event_words import SHEET_IMPORTED, sentence
from pld_core.models import ANYBODY, SYSTEM, Actor, Decision, Event, RevisionState, Role, RuleSummary, Verdict
from pld_core.permissions import PERMITTED, Step
from tests.factories import ANNA, BERT, CLEO, READER

VEIL = Veil("R7", "sha256:head", "cleo", "2026-01-02T10:00:00Z")
KEPT = {"R7": VEIL}
BEFORE, AFTER = "2026-01-02T09:00:00Z", "2026-01-02T11:00:00Z"


def comment(number: int, by: str, at: str = AFTER, parent: int | None = None, resolved_by: str = "") -> Comment:
    return Comment(number, "R7", 1, "", parent, f"text {number}", (), by, at, bool(resolved_by), resolved_by)


def event(actor: str, at: str, kind: str = "rule.approved") -> Event:
    return Event(9, at, actor, kind, "R7", {"reason": "I am sure."}, "sha256:before", "sha256:own")


def decision(number: int, reviewer: str, verdict: Verdict, reason: str = "", revision: str = "sha256:head") -> Decision:
    return Decision(
        number, "R7", revision, "sha256:e", verdict, None, reason, reviewer, "", f"2026-01-02T11:0{number}:00Z"
    )


@pytest.mark.parametrize("role", Role)
def test_it_is_kept_from_exactly_those_who_may_judge_and_did_not_decide_first(role: Role) -> None:
    expected = role in PERMITTED[Step.JUDGE]
    assert may_still_decide(Actor("olga", frozenset({role})), "cleo") is expected
    assert may_still_decide(Actor("olga", frozenset({role, Role.AUDITOR})), "cleo") is expected
    assert may_still_decide(Actor("cleo", frozenset({role})), "cleo") is False


def test_a_reader_of_whom_nothing_is_known_sees_no_more_than_a_reviewer_and_the_system_sees_all() -> None:
    assert may_still_decide(ANYBODY, "cleo")
    assert may_still_decide(Actor("nora", frozenset()), "cleo")
    assert not may_still_decide(SYSTEM, "cleo")
    assert may_still_decide(replace(SYSTEM, roles=frozenset({Role.REVIEWER})), "cleo"), "a name alone opens nothing"


def test_what_the_decider_did_before_the_review_began_is_no_part_of_it() -> None:
    assert [VEIL.hides("cleo", at) for at in (BEFORE, VEIL.since, AFTER)] == [False, False, True]
    assert not VEIL.hides("bert", AFTER)


def test_a_summary_tells_neither_who_nor_when() -> None:
    rule = RuleSummary(
        "R7", "nda", "t", ("keep",), RevisionState.FIRST_APPROVED, 1, "sha256:head", "", 1, 0, AFTER, "cleo"
    )
    shown = veiled_summary(rule, VEIL)
    assert (shown.changed_by, shown.changed_at) == (SOMEBODY, VEIL.since)
    assert veiled_summary(rule, None) is rule


def test_comments_of_the_decider_go_with_the_answers_to_them() -> None:
    comments = [
        comment(1, "bert", resolved_by="cleo"),
        comment(2, "cleo", parent=1),
        comment(3, "dora", parent=1),
        comment(4, "cleo"),
        comment(5, "dora", parent=4),
        comment(6, "cleo", at=BEFORE),
    ]
    shown = veiled_comments(comments, VEIL)
    assert [(c.id, c.resolved_by) for c in shown] == [(1, SOMEBODY), (3, ""), (6, "")]
    assert veiled_comments(comments, None) == tuple(comments)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("rule.approved", "A first decision on R7 was made; it is shown after yours."),
        ("comment.added", "A step of the first reviewer on R7; it is shown after your decision."),
    ],
)
def test_an_event_keeps_its_place_and_loses_its_content(kind: str, told: str) -> None:
    shown = veiled_event(event("cleo", AFTER, kind), KEPT)
    assert sentence(shown) == told
    assert shown == Event(9, "", SOMEBODY, shown.kind, "R7", {}, "sha256:before", "sha256:own")
    for other in (event("cleo", BEFORE, kind), event("bert", AFTER, kind)):
        assert veiled_event(other, KEPT) is other


@pytest.mark.parametrize("part", ["decisions", "refusals"])
def test_a_sheet_that_tells_of_the_rule_is_kept_too(part: str) -> None:
    def sheet(actor: str, *rules: str) -> Event:
        payload: dict[str, Json] = {"decisions": [], "refusals": [], part: [{"row": 2, "rule": rule} for rule in rules]}
        return Event(9, AFTER, actor, SHEET_IMPORTED, "posts", payload, "sha256:before", "sha256:own")

    shown = veiled_event(sheet("cleo", "R1", "R7"), KEPT)
    assert sentence(shown) == "A step of the first reviewer on posts; it is shown after your decision."
    assert (shown.actor, shown.at, shown.payload) == (SOMEBODY, "", {})
    for other in (sheet("cleo", "R1"), sheet("bert", "R7")):
        assert veiled_event(other, KEPT) is other


def test_a_whole_record_is_refused_with_the_rules_that_stand_in_the_way() -> None:
    refuse_blind((), ANNA)
    with pytest.raises(StillBlind, match=r"anna does not see before deciding: on R7, R9\. Nothing was changed"):
        refuse_blind(("R7", "R9"), ANNA)


def test_after_deciding_one_is_told_of_the_first_approval() -> None:
    first = decision(1, "cleo", Verdict.APPROVE, "Every example fits.")
    agreed, against = decision(2, "bert", Verdict.APPROVE), decision(2, "bert", Verdict.REQUEST_CHANGES, "No.")
    assert told_after(agreed, (first, agreed)) == (
        "cleo approved this too, on 2026-01-02 11:01 UTC. Reason: Every example fits."
    )
    assert told_after(against, (first, against)) == (
        "Disputed: cleo had approved it on 2026-01-02 11:01 UTC because: Every example fits. A third person decides."
    )
    silent = replace(first, reason="")
    assert told_after(agreed, (silent, agreed)).endswith("11:01 UTC, without a reason.")
    assert told_after(against, (silent, against)).endswith("11:01 UTC without a reason. A third person decides.")


def test_whoever_decides_first_or_settles_a_dispute_is_told_nothing_new() -> None:
    first, against = decision(1, "cleo", Verdict.APPROVE), decision(2, "bert", Verdict.REJECT, "No.")
    third = decision(3, "anna", Verdict.APPROVE)
    assert told_after(first, (first,)) == ""
    assert told_after(third, (first, against, third)) == ""
    elsewhere = decision(1, "cleo", Verdict.APPROVE, revision="sha256:old")
    assert told_after(third, (elsewhere, third)) == ""


@pytest.mark.parametrize(
    ("actor", "end"),
    [(ANNA, "You can."), (BERT, "somebody else does."), (CLEO, "somebody else does."), (READER, "settles it.")],
)
def test_a_dispute_says_who_disagrees_and_who_may_settle_it(actor: Actor, end: str) -> None:
    sides = (decision(1, "cleo", Verdict.APPROVE), decision(2, "bert", Verdict.REJECT, "No."))
    said = dispute_words(sides, actor)
    assert said.startswith("Disputed: cleo approved it, bert rejected it. A reviewer or lead who has not decided on it")
    assert said.endswith(end)
