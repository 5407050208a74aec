"""The limits of the gates in the store: who may change them, and that every change is kept."""

from __future__ import annotations

import pytest

from pld_core.errors import InvalidInput, MissingReason, MissingRole, NotFound, PolicyMovedOn
from pld_core.gate_policy import AS_MADE, GatePolicy
from pld_core.models import Actor, Role
from storage import SqliteStore as Store
from tests.factories import ANNA, fill

LOOSE = GatePolicy(f1_margin=0.05, on_test=False)


def test_every_change_is_kept_with_its_reason_and_told_in_the_event_log(sqlite_store: Store) -> None:
    fill(sqlite_store)
    assert sqlite_store.gate_policies.of("posts") == AS_MADE
    first = sqlite_store.gate_policies.change("posts", AS_MADE, LOOSE, " few  examples ", ANNA)
    second = sqlite_store.gate_policies.change("posts", LOOSE, GatePolicy(f1_margin=0.05), "more now", ANNA)
    assert sqlite_store.gate_policies.of("posts") == GatePolicy(f1_margin=0.05)
    assert sqlite_store.gate_policies.history("posts") == (second, first)
    assert first.reason == "few examples"
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.subject, event.actor) == ("gates.changed", "posts", "anna")
    assert (event.payload["before"], event.payload["after"]) == ({"on_test": False}, {"on_test": True})
    assert event.payload["signed_as"] == {"kind": "attestation"}
    assert sqlite_store.events.verify().intact


@pytest.mark.parametrize(
    ("policy", "reason", "error"),
    [(GatePolicy(f1_margin=2), "why", InvalidInput), (AS_MADE, "why", InvalidInput), (LOOSE, " ", MissingReason)],
)
def test_a_change_that_cannot_be_changes_nothing(
    sqlite_store: Store, policy: GatePolicy, reason: str, error: type[Exception]
) -> None:
    fill(sqlite_store)
    before = sqlite_store.events.count()
    with pytest.raises(error, match="Nothing was changed"):
        sqlite_store.gate_policies.change("posts", AS_MADE, policy, reason, ANNA)
    assert (sqlite_store.gate_policies.of("posts"), sqlite_store.events.count()) == (AS_MADE, before)


def test_of_two_who_change_them_at_once_the_second_is_told(sqlite_store: Store) -> None:
    fill(sqlite_store)
    sqlite_store.gate_policies.change("posts", AS_MADE, LOOSE, "one", ANNA)
    with pytest.raises(PolicyMovedOn, match="what you chose is kept"):
        sqlite_store.gate_policies.change("posts", AS_MADE, GatePolicy(malformed=0.2), "two", ANNA)
    assert sqlite_store.gate_policies.of("posts") == LOOSE


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_an_admin_changes_them(sqlite_store: Store, role: Role) -> None:
    fill(sqlite_store)
    with pytest.raises(MissingRole, match="admin"):
        sqlite_store.gate_policies.change("posts", AS_MADE, LOOSE, "why", Actor("rita", frozenset({role})))
    with pytest.raises(NotFound):
        sqlite_store.gate_policies.of("nowhere")
