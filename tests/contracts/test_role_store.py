"""The store of roles: what was granted stands until it is revoked, and everything stays readable."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pld_core.errors import InvalidInput, LastAdmin, MissingReason, MissingRole, NotFound
from pld_core.models import Actor, Identity, Role
from pld_core.ports import Store
from storage import SqliteStore

LOCAL = Actor("os:olga", frozenset())
ADA = Actor("ada@example.org", frozenset({Role.ADMIN}), Identity("https://login.example.org", "1", "Ada", auth_time=5))


@pytest.fixture
def store(sqlite_store: SqliteStore) -> Store:
    """A workspace whose only admin is ada."""
    sqlite_store.roles.grant("Ada@Example.org", Role.ADMIN, "runs the desk", LOCAL)
    return sqlite_store


def test_the_first_admin_is_recorded_as_such(store: Store) -> None:
    (change,) = store.roles.holders()
    assert (change.person, change.role, change.first_admin, change.by, change.reason) == (
        "ada@example.org",
        Role.ADMIN,
        True,
        "os:olga",
        "runs the desk",
    )
    (event,) = store.events.page()
    assert (event.kind, event.actor, event.subject) == ("role.granted", "os:olga", "ada@example.org")
    assert event.payload["first_admin"] is True
    with pytest.raises(MissingRole):
        store.roles.grant("olga@example.org", Role.ADMIN, "", LOCAL)


def test_roles_are_held_from_grant_to_revocation_and_can_be_granted_again(store: Store) -> None:
    for role in (Role.REVIEWER, Role.LEAD):
        change = store.roles.grant("bert@example.org", role, "", ADA)
        assert (change.first_admin, change.by) == (False, ADA.name)
    assert store.roles.held("bert@example.org") == {Role.REVIEWER, Role.LEAD}
    store.roles.revoke("BERT@example.org", Role.LEAD, "moved on", ADA)
    assert store.roles.held("bert@example.org") == {Role.REVIEWER}
    store.roles.grant("bert@example.org", Role.LEAD, "came back", ADA)
    assert store.roles.held("bert@example.org") == {Role.REVIEWER, Role.LEAD}
    assert [(c.role, c.granted, c.reason) for c in store.roles.history()] == [
        (Role.LEAD, True, "came back"),
        (Role.LEAD, False, "moved on"),
        (Role.LEAD, True, ""),
        (Role.REVIEWER, True, ""),
        (Role.ADMIN, True, "runs the desk"),
    ]
    assert [(c.person, c.role) for c in store.roles.holders()] == [
        ("ada@example.org", Role.ADMIN),
        ("bert@example.org", Role.LEAD),
        ("bert@example.org", Role.REVIEWER),
    ]
    assert store.roles.held("somebody@else.org") == set()
    assert store.events.verify().intact
    signed = store.events.page()[0].payload["signed_as"]
    assert isinstance(signed, dict)
    assert (signed["subject"], signed["auth_time"]) == ("1", 5)


def test_a_refused_change_leaves_no_trace(store: Store) -> None:
    before = store.events.count()
    lead = Actor("bert@example.org", frozenset(Role) - {Role.ADMIN})
    with pytest.raises(LastAdmin, match=r"ada@example\.org is the last admin"):
        store.roles.revoke("ada@example.org", Role.ADMIN, "why not", ADA)
    with pytest.raises(MissingRole):
        store.roles.grant("bert@example.org", Role.REVIEWER, "", lead)
    with pytest.raises(MissingRole):
        store.roles.revoke("ada@example.org", Role.ADMIN, "mine now", lead)
    with pytest.raises(MissingReason):
        store.roles.revoke("ada@example.org", Role.ADMIN, "  ", ADA)
    with pytest.raises(InvalidInput, match="already"):
        store.roles.grant("ada@example.org", Role.ADMIN, "", ADA)
    with pytest.raises(InvalidInput, match="not the name of a person"):
        store.roles.grant("Ada Lovelace", Role.LEAD, "", ADA)
    with pytest.raises(NotFound, match="was not granted the role lead here"):
        store.roles.revoke("ada@example.org", Role.LEAD, "why not", ADA)
    assert store.events.count() == before
    assert len(store.roles.history()) == 1


def test_one_of_two_admins_can_be_revoked(store: Store) -> None:
    store.roles.grant("bert@example.org", Role.ADMIN, "", ADA)
    store.roles.revoke("ada@example.org", Role.ADMIN, "holiday", ADA)
    assert [c.person for c in store.roles.holders()] == ["bert@example.org"]


@pytest.mark.parametrize("change", ["UPDATE role_change SET role = 'lead'", "DELETE FROM role_change"])
def test_a_grant_cannot_be_changed_behind_the_store(store: Store, workspace: Path, change: str) -> None:
    with (
        closing(sqlite3.connect(workspace, isolation_level=None)) as conn,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        conn.execute(change)
