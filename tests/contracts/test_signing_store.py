"""Signatures in the store: what is recorded, and who is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.errors import RevisionMovedOn, StaleSignIn
from pld_core.models import (
    Actor,
    Identity,
    RejectCategory,
    RevisionState,
    Role,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from pld_core.review import Action, next_state
from pld_core.signing import MEANINGS, Signature
from storage import SqliteStore as Store
from tests.factories import ANNA, BERT, fill, make_rule, rule_in_review, verdict_on

FRESH = Policy(fresh_sign_in=15)
LEA = "lea@example.org"


def signed_in(store: Store, minutes_ago: float | None, name: str = LEA) -> Actor:
    """Return somebody whom the provider saw so many minutes before the store's clock; None: it does not tell."""
    now = store.database.clock().timestamp()
    seen = None if minutes_ago is None else int(now - minutes_ago * 60)
    identity = Identity("https://login.example.org", name, "Lea Lead", name, seen, int(now))
    return Actor(name, frozenset({Role.LEAD}), identity)


@pytest.fixture
def rule(sqlite_store: Store) -> str:
    """A rule in review, in a task whose policy asks for a sign-in of the last 15 minutes."""
    fill(sqlite_store, policy=FRESH)
    return rule_in_review(sqlite_store)


def another_rule(store: Store) -> str:
    return rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:], origin="origin-2"))


@pytest.mark.parametrize("verdict", Verdict)
def test_an_old_sign_in_signs_nothing(sqlite_store: Store, rule: str, verdict: Verdict) -> None:
    judgement = replace(
        verdict_on(sqlite_store, rule), verdict=verdict, reason="because", category=RejectCategory.OTHER
    )
    before = sqlite_store.events.count()
    with pytest.raises(StaleSignIn, match="what you wrote is kept"):
        sqlite_store.rules.judge(judgement, signed_in(sqlite_store, 16))
    assert sqlite_store.events.count() == before
    assert sqlite_store.rules.summary(rule).state is RevisionState.IN_REVIEW
    sqlite_store.rules.judge(judgement, signed_in(sqlite_store, 5))
    signed = sqlite_store.events.page()[0].payload["signed_as"]
    assert isinstance(signed, dict)
    assert signed["kind"] == "signature of a signed-in person"


def test_what_moved_on_is_told_before_the_sign_in(sqlite_store: Store, rule: str) -> None:
    seen = verdict_on(sqlite_store, rule)
    sqlite_store.rules.judge(seen, ANNA)
    with pytest.raises(RevisionMovedOn):
        sqlite_store.rules.judge(seen, signed_in(sqlite_store, 16))


def test_duplicates_are_signed_too(sqlite_store: Store, rule: str) -> None:
    other = another_rule(sqlite_store)
    seen = verdict_on(sqlite_store, other)
    judgement = replace(seen, verdict=Verdict.REJECT, reason="same", category=RejectCategory.DUPLICATE)
    with pytest.raises(StaleSignIn):
        sqlite_store.desk.queue.reject_duplicates([judgement], rule, signed_in(sqlite_store, 16))
    assert sqlite_store.rules.summary(other).state is RevisionState.IN_REVIEW


def test_withdrawing_is_signed_beside_the_evidence(sqlite_store: Store, rule: str) -> None:
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule), signed_in(sqlite_store, 0))
    seen = sqlite_store.rules.dossier(rule, ANNA)
    arguments = (rule, seen.head.hash, seen.summary.state, "too early")
    with pytest.raises(StaleSignIn):
        sqlite_store.desk.queue.withdraw(*arguments, signed_in(sqlite_store, 20))
    assert sqlite_store.rules.summary(rule).state is RevisionState.APPROVED
    sqlite_store.desk.queue.withdraw(*arguments, signed_in(sqlite_store, 1))
    payload = sqlite_store.events.page()[0].payload
    assert payload["meaning"] == MEANINGS[Action.WITHDRAW]
    assert payload["evidence"] == evidence_set_hash(seen.evidence)
    assert sqlite_store.events.verify().intact


def test_where_the_provider_does_not_tell_a_signature_is_an_attestation(sqlite_store: Store, rule: str) -> None:
    decision = sqlite_store.rules.judge(verdict_on(sqlite_store, rule), signed_in(sqlite_store, None))
    found = sqlite_store.rules.signatures([decision])
    assert found == {decision.id: Signature(MEANINGS[Action.APPROVE], "attestation", "Lea Lead")}


def test_the_local_user_attests_and_the_command_line_beside_a_sign_in_does_not(sqlite_store: Store, rule: str) -> None:
    with pytest.raises(StaleSignIn, match="at the command line"):
        sqlite_store.rules.judge(verdict_on(sqlite_store, rule), Actor("os:olga", frozenset({Role.REVIEWER})))
    decision = sqlite_store.rules.judge(verdict_on(sqlite_store, rule), ANNA)
    assert sqlite_store.rules.signatures([decision])[decision.id].kind == "attestation"


def test_the_policy_of_another_task_asks_for_nothing_here(sqlite_store: Store) -> None:
    fill(sqlite_store)
    rule = rule_in_review(sqlite_store)
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule), signed_in(sqlite_store, 600))
    assert sqlite_store.rules.summary(rule).state is RevisionState.APPROVED


def test_signatures_are_told_for_the_decisions_that_are_asked_for(sqlite_store: Store, rule: str) -> None:
    first = sqlite_store.rules.judge(verdict_on(sqlite_store, rule), ANNA)
    other = another_rule(sqlite_store)
    second = sqlite_store.rules.judge(verdict_on(sqlite_store, other), BERT)
    assert set(sqlite_store.rules.signatures([first, second])) == {first.id, second.id}
    assert set(sqlite_store.rules.signatures([second])) == {second.id}
    assert sqlite_store.rules.signatures([]) == {}


def test_what_the_guard_knows_can_be_asked(sqlite_store: Store, rule: str) -> None:
    assert sqlite_store.rules.standing(rule).approvers == ()
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule), ANNA)
    standing = sqlite_store.rules.standing(rule)
    assert standing.approvers == ("anna",)
    assert next_state(standing, Action.WITHDRAW, ANNA) is RevisionState.IN_REVIEW
