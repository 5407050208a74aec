"""The policy of a task: who may change it, and that every change is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput, MissingReason, MissingRole, NotFound, PolicyMovedOn
from pld_core.models import Actor, Role
from pld_core.policy import PLAIN, Policy, check_policy, differences
from storage import SqliteStore as Store
from tests.factories import ANNA, fill

STRICT = Policy(four_eyes=True, blind=True, second_look=20, known_bad=5, fresh_sign_in=15)


def test_a_task_starts_with_one_person_deciding(sqlite_store: Store) -> None:
    fill(sqlite_store)
    assert sqlite_store.policies.of("posts") == PLAIN == Policy()
    assert sqlite_store.policies.history("posts") == ()


def test_every_change_is_kept_with_its_reason_and_told_in_the_event_log(sqlite_store: Store) -> None:
    fill(sqlite_store)
    first = sqlite_store.policies.change("posts", PLAIN, STRICT, " the regulator  asks for it ", ANNA)
    second = sqlite_store.policies.change("posts", STRICT, Policy(four_eyes=True), "less", ANNA)
    assert sqlite_store.policies.of("posts") == Policy(four_eyes=True)
    assert sqlite_store.policies.history("posts") == (second, first)
    assert first.reason == "the regulator asks for it"
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.subject, event.actor) == ("policy.changed", "posts", "anna")
    assert event.payload["before"] == {"blind": True, "second_look": 20, "known_bad": 5, "fresh_sign_in": 15}
    assert event.payload["after"] == {"blind": False, "second_look": 0, "known_bad": 0, "fresh_sign_in": 0}
    assert sqlite_store.events.verify().intact


@pytest.mark.parametrize(
    ("policy", "reason", "error"),
    [
        (Policy(blind=True), "why", InvalidInput),
        (Policy(second_look=101), "why", InvalidInput),
        (Policy(known_bad=21), "why", InvalidInput),
        (Policy(fresh_sign_in=-1), "why", InvalidInput),
        (PLAIN, "why", InvalidInput),
        (STRICT, "  ", MissingReason),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(
    sqlite_store: Store, policy: Policy, reason: str, error: type[Exception]
) -> None:
    fill(sqlite_store)
    before = sqlite_store.events.count()
    with pytest.raises(error, match="Nothing was changed"):
        sqlite_store.policies.change("posts", PLAIN, policy, reason, ANNA)
    assert sqlite_store.policies.of("posts") == PLAIN
    assert sqlite_store.events.count() == before


def test_of_two_who_change_it_at_once_the_second_is_told(sqlite_store: Store) -> None:
    fill(sqlite_store)
    sqlite_store.policies.change("posts", PLAIN, STRICT, "one", ANNA)
    with pytest.raises(PolicyMovedOn, match="what you chose is kept"):
        sqlite_store.policies.change("posts", PLAIN, Policy(four_eyes=True), "two", ANNA)
    assert sqlite_store.policies.of("posts") == STRICT


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_an_admin_changes_it(sqlite_store: Store, role: Role) -> None:
    fill(sqlite_store)
    with pytest.raises(MissingRole, match="admin"):
        sqlite_store.policies.change("posts", PLAIN, STRICT, "why", Actor("rita", frozenset({role})))


def test_a_task_that_is_not_there_has_no_policy(sqlite_store: Store) -> None:
    with pytest.raises(NotFound):
        sqlite_store.policies.of("nowhere")


@given(
    st.builds(
        Policy,
        four_eyes=st.booleans(),
        blind=st.booleans(),
        second_look=st.integers(-5, 110),
        known_bad=st.integers(-5, 30),
        fresh_sign_in=st.integers(-5, 2000),
    )
)
def test_a_policy_is_refused_or_within_its_limits(policy: Policy) -> None:
    try:
        check_policy(policy)
    except InvalidInput:
        return
    assert policy.four_eyes or not policy.blind
    assert 0 <= policy.second_look <= 100
    assert 0 <= policy.known_bad <= 20
    assert 0 <= policy.fresh_sign_in <= 1440
    assert differences(policy, policy) == {}
