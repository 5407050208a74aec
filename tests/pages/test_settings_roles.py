"""Roles on the Settings page: an admin grants and revokes, everybody else reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import Role
from tests.pages.driving import NASTY, Visit, go, press, prose, raw, run
from tests.signing_in import signed_in, write_secrets

ADA = "ada@example.org"


def key(role: Role, person: str) -> str:
    return f"{role.value}_{person.encode().hex()}"


def grant(at: AppTest, person: str, role: Role, reason: str = "") -> AppTest:
    at.text_input("role_person").set_value(person)
    at.selectbox("role_role").select(role)
    at.text_input("role_reason").set_value(reason)
    return press(at, "grant")


def test_a_first_admin_is_granted_and_stands_there(demo: App, visit: Visit) -> None:
    at = visit("settings")
    assert "No role has been granted yet" in prose(at)
    grant(at, "Ada@Example.org", Role.ADMIN, NASTY)
    assert "as the first admin" in prose(at)
    assert at.text_input("role_person").value == ""
    assert [(c.person, c.by, c.reason) for c in demo.store.roles.holders()] == [(ADA, "anna", NASTY)]
    assert NASTY in prose(at)
    assert NASTY not in "\n".join(raw(at, "markdown"))


def test_a_role_is_revoked_with_a_reason_and_stays_in_the_history(demo: App, visit: Visit) -> None:
    for person in (ADA, "bert@example.org"):
        demo.store.roles.grant(person, Role.ADMIN, "", demo.actor)
    at = visit("settings")
    press(at, f"revoke_{key(Role.ADMIN, 'bert@example.org')}")
    assert "Revoking a role needs a reason" in prose(at)
    at.text_input(f"revoke_reason_{key(Role.ADMIN, 'bert@example.org')}").set_value("left")
    press(at, f"revoke_{key(Role.ADMIN, 'bert@example.org')}")
    assert [c.person for c in demo.store.roles.holders()] == [ADA]
    newest = at.dataframe[-1].value.iloc[0]
    assert (newest["person"], newest["what"], newest["reason"]) == ("bert@example.org", "revoked", "left")
    at.text_input(f"revoke_reason_{key(Role.ADMIN, ADA)}").set_value("left")
    press(at, f"revoke_{key(Role.ADMIN, ADA)}")
    assert f"{ADA} is the last admin" in prose(at)


@pytest.mark.parametrize("person", ["", "Ada Lovelace"])
def test_what_is_no_name_is_refused_and_kept(demo: App, visit: Visit, person: str) -> None:
    at = grant(visit("settings"), person, Role.LEAD)
    assert "is not the name of a person" in prose(at)
    assert at.text_input("role_person").value == person
    assert demo.store.roles.holders() == ()


def test_only_an_admin_has_the_buttons(demo: App, visit: Visit, workspace_folder: Path) -> None:
    write_secrets(workspace_folder)
    (workspace_folder / "settings.toml").write_text(
        '[sign_in]\nroles_claim = "groups"\n[sign_in.roles]\nLegal = "reviewer"\n'
    )
    for person, role in ((ADA, Role.ADMIN), ("lea@example.org", Role.LEAD)):
        demo.store.roles.grant(person, role, "", demo.actor)
    at = visit("home")
    at.user = signed_in("lea@example.org")
    go(run(at), "settings")
    keys = {str(button.key) for button in at.button}
    assert not {key for key in keys if key.startswith(("grant", "revoke"))}
    assert "Changing them takes the role admin." in prose(at)
    assert {at.button(key).disabled for key in keys if key.startswith("save_")} == {True}
    assert at.text_input("set_students_0_num_ctx").disabled
    assert "Only an admin grants and revokes roles." in prose(at)
    assert "by its claim groups (Legal: reviewer)" in prose(at)
    assert ADA in prose(at)
    at = visit("home")
    at.user = signed_in(ADA)
    assert not go(run(at), "settings").button("save_students").disabled
    grant(go(run(at), "settings"), "bert@example.org", Role.LEAD)
    assert demo.store.roles.held("bert@example.org") == {Role.LEAD}
    assert demo.store.roles.history()[0].by == ADA
