"""From a provider's claims to one person's name, and to roles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput, SignInUnusable
from pld_core.identity import (
    authenticated_within,
    identity_of,
    person_name,
    person_of,
    roles_from_claim,
    session_is_current,
)
from pld_core.models import Actor, Identity, Role

ISSUER = "https://login.example.org"
CLAIMS: dict[str, object] = {"iss": ISSUER, "sub": "42", "name": "Ada Lovelace", "email": "Ada@Example.org"}
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def seconds(hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 1, 2, hour, minute, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("verified", [True, "true"])
def test_a_verified_address_is_the_name_in_lower_case(verified: object) -> None:
    assert person_of(identity_of({**CLAIMS, "email_verified": verified})) == "ada@example.org"


@pytest.mark.parametrize("verified", [None, False, "false", 1.5, "yes", ["true"]])
def test_an_address_that_is_not_verified_is_nobodys_name(verified: object) -> None:
    identity = identity_of({**CLAIMS, "email_verified": verified})
    assert (identity.email, person_of(identity)) == ("", f"{ISSUER}#42")


def test_a_subject_that_looks_like_an_address_is_not_taken_for_one() -> None:
    assert person_of(identity_of({"iss": ISSUER, "sub": "ada@example.org"})) == f"{ISSUER}#ada@example.org"


def test_the_same_subject_of_two_providers_is_two_people() -> None:
    one, other = (person_of(identity_of({"iss": issuer, "sub": "42"})) for issuer in (ISSUER, "https://other.test"))
    assert one != other


@pytest.mark.parametrize(
    "claims", [{}, {"iss": ISSUER}, {"sub": "42"}, {"iss": ISSUER, "sub": " "}, {"iss": 1, "sub": 2}]
)
def test_claims_that_name_nobody_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises(SignInUnusable, match="no issuer or no subject"):
        identity_of(claims)


@pytest.mark.parametrize("value", ["1767355200", True, -5, None, [1]])
def test_a_time_that_is_none_is_not_told(value: object) -> None:
    assert identity_of({**CLAIMS, "auth_time": value}).auth_time is None


def test_a_name_is_stored_in_one_spelling() -> None:
    assert person_name(" Ada@Example.ORG ") == "ada@example.org"
    assert person_name(f"{ISSUER}#aB@c") == f"{ISSUER}#aB@c"
    assert person_name("os:Ada") == "os:Ada"


@given(st.text())
def test_a_stored_name_stays_as_it_is(text: str) -> None:
    try:
        name = person_name(text)
    except InvalidInput:
        return
    assert person_name(name) == name


@pytest.mark.parametrize("text", ["", "  ", "ada lovelace", "a\tb", "a\u202eb", "x" * 501])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not the name of a person"):
        person_name(text)


def test_roles_come_from_the_values_of_the_claim_and_no_others() -> None:
    mapping = {"Legal": (Role.REVIEWER,), "Heads": (Role.LEAD, Role.ADMIN)}
    assert roles_from_claim({"groups": ["Legal", "Heads", "admin", 7]}, "groups", mapping) == {
        Role.REVIEWER,
        Role.LEAD,
        Role.ADMIN,
    }
    assert roles_from_claim({"groups": "Legal"}, "groups", mapping) == {Role.REVIEWER}
    assert roles_from_claim({"groups": {"Legal": 1}}, "groups", mapping) == set()
    assert roles_from_claim({"groups": ["Legal"]}, "", mapping) == set()
    assert roles_from_claim({}, "groups", mapping) == set()


@pytest.mark.parametrize(
    ("auth_time", "fresh"),
    [
        (seconds(11, 50), True),
        (seconds(11, 46), True),
        (seconds(11, 45), False),
        (seconds(12, 1), True),
        (seconds(13), False),
        (None, False),
    ],
)
def test_a_fresh_sign_in_is_one_that_the_provider_vouches_for(auth_time: int | None, fresh: bool) -> None:
    identity = Identity(ISSUER, "42", auth_time=auth_time, issued_at=seconds(12))
    assert authenticated_within(identity, NOON, 15) is fresh


def test_the_local_user_has_no_fresh_sign_in() -> None:
    assert not authenticated_within(None, NOON, 15)


def test_a_session_lasts_from_when_the_provider_vouched_for_it() -> None:
    assert session_is_current(Identity(ISSUER, "42", auth_time=seconds(1), issued_at=seconds(11)), NOON, 120)
    assert session_is_current(Identity(ISSUER, "42", auth_time=seconds(11)), NOON, 120)
    assert not session_is_current(Identity(ISSUER, "42", issued_at=seconds(9)), NOON, 120)
    assert not session_is_current(Identity(ISSUER, "42"), NOON, 120)


def test_a_decision_says_what_it_was_signed_as() -> None:
    assert Actor("ada", frozenset()).signed_as == {"kind": "attestation"}
    signed = Actor("ada@example.org", frozenset(), Identity(ISSUER, "42", "Ada", "ada@example.org", 7, 8)).signed_as
    assert signed == {
        "kind": "signature of a signed-in person",
        "issuer": ISSUER,
        "subject": "42",
        "name": "Ada",
        "auth_time": 7,
    }


def test_a_provider_that_does_not_tell_when_it_saw_somebody_vouches_for_no_signature() -> None:
    signed = Actor("ada@example.org", frozenset(), Identity(ISSUER, "42", "Ada", "ada@example.org", None, 8)).signed_as
    assert (signed["kind"], signed["subject"], signed["auth_time"]) == ("attestation", "42", None)
