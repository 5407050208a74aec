"""Which rejections are drawn, and who may look again."""

from __future__ import annotations

import pytest

from pld_core.canonical import hash_json
from pld_core.errors import IllegalTransition, MissingReason, MissingRole
from pld_core.models import Actor, Decision, RejectCategory, Role, Verdict
from pld_core.permissions import PERMITTED, Step
from pld_core.second_look import LookOutcome, SecondLook, check_look, is_drawn
from tests.factories import ANNA, BERT

REJECTION = Decision(3, "R7", "sha256:r", "sha256:e", Verdict.REJECT, RejectCategory.UNCLEAR, "No.", "bert", "", "2026")
LOOK = SecondLook(REJECTION, "2026")


@pytest.mark.parametrize("percent", [0, 1, 20, 50, 99, 100])
def test_about_the_share_of_the_policy_is_drawn_and_always_the_same(percent: int) -> None:
    revisions = [(number, hash_json(f"revision {number}")) for number in range(4000)]
    drawn = [is_drawn(number, revision, percent) for number, revision in revisions]
    assert drawn == [is_drawn(number, revision, percent) for number, revision in revisions]
    assert sum(drawn) / len(drawn) == pytest.approx(percent / 100, abs=0.025)
    if percent in (0, 100):
        assert set(drawn) == {percent == 100}


def test_what_a_lower_share_draws_a_higher_one_draws_too() -> None:
    lots = [(number, hash_json(number)) for number in range(500)]
    for low, high in ((1, 5), (5, 50), (50, 100)):
        assert all(is_drawn(*lot, high) for lot in lots if is_drawn(*lot, low))


def test_a_reason_is_folded_and_asked_for() -> None:
    assert check_look(LOOK, " It is\n right. ", ANNA) == "It is right."
    with pytest.raises(MissingReason, match="Nothing was recorded"):
        check_look(LOOK, " \n", ANNA)


def test_who_rejected_does_not_look_again_whatever_the_roles() -> None:
    with pytest.raises(IllegalTransition, match="bert rejected R7 and cannot give the second look"):
        check_look(LOOK, "It is right.", BERT)


def test_nobody_looks_twice() -> None:
    looked = SecondLook(REJECTION, "2026", LookOutcome.CONFIRM, "Right.", "cleo", "2026")
    with pytest.raises(IllegalTransition, match=r"cleo has looked at the rejection of R7 already \(confirm\)"):
        check_look(looked, "It is right.", ANNA)


@pytest.mark.parametrize("role", Role)
def test_it_takes_a_role_that_reviews(role: Role) -> None:
    actor = Actor("olga", frozenset({role}))
    if role in PERMITTED[Step.SECOND_LOOK]:
        assert check_look(LOOK, "right", actor) == "right"
    else:
        with pytest.raises(MissingRole):
            check_look(LOOK, "right", actor)
