"""How fresh a sign-in has to be for a signature, and what a signature means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import NotAllowed, StaleSignIn
from pld_core.models import SYSTEM, Actor, Identity, Role, Verdict
from pld_core.review import Action, action_of
from pld_core.signing import MEANINGS, is_fresh, require_fresh_sign_in

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def signed_in(minutes_ago: float | None) -> Actor:
    """Return Lea, whom the provider saw so many minutes before noon; None: it does not tell."""
    seen = None if minutes_ago is None else int((NOON - timedelta(minutes=minutes_ago)).timestamp())
    identity = Identity("https://login.example.org", "7", "Lea", "lea@example.org", seen, int(NOON.timestamp()))
    return Actor("lea@example.org", frozenset({Role.LEAD}), identity)


@pytest.mark.parametrize(
    ("minutes_ago", "minutes", "fresh"),
    [
        (10_000, 0, True),
        (0, 15, True),
        (14.9, 15, True),
        (15, 15, False),
        (16, 15, False),
        (-1, 15, True),
        (-60, 15, False),
        (None, 15, True),
        (None, 0, True),
    ],
)
def test_the_policy_says_how_old_a_sign_in_may_be(minutes_ago: float | None, minutes: int, fresh: bool) -> None:
    assert is_fresh(signed_in(minutes_ago), minutes, NOON) is fresh


def test_the_refusal_says_what_happened_what_was_kept_and_what_to_do() -> None:
    words = r"last 15 minutes\. lea@example\.org signed in longer ago\. Nothing was signed.*kept\. Sign in again"
    with pytest.raises(StaleSignIn, match=words):
        require_fresh_sign_in(signed_in(20), 15, NOON)
    assert issubclass(StaleSignIn, NotAllowed)


def test_without_sign_in_the_policy_asks_for_nothing() -> None:
    require_fresh_sign_in(Actor("anna", frozenset(Role)), 15, NOON)
    require_fresh_sign_in(SYSTEM, 15, NOON)


def test_the_command_line_is_no_way_around_the_provider() -> None:
    olga = Actor("os:olga", frozenset({Role.LEAD}))
    require_fresh_sign_in(olga, 0, NOON)
    with pytest.raises(StaleSignIn, match=r"nobody signs in at the command line\. Nothing was signed"):
        require_fresh_sign_in(olga, 15, NOON)


@given(st.integers(1, 1440), st.integers(0, 3000))
def test_waiting_never_makes_a_sign_in_fresh_again(minutes: int, age: int) -> None:
    actor = signed_in(age)
    if not is_fresh(actor, minutes, NOON):
        assert not is_fresh(actor, minutes, NOON + timedelta(minutes=1))
        assert is_fresh(actor, age + 1, NOON)


def test_every_step_that_is_signed_has_a_meaning_of_its_own() -> None:
    assert set(MEANINGS) == {*(action_of(verdict) for verdict in Verdict), Action.WITHDRAW}
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert all(meaning.startswith("I ") for meaning in MEANINGS.values())
