"""Who acts, with which roles, and how sign-in is set."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pld_app.acting import command_line_actor, is_loopback, signed_in_actor
from pld_app.serve import _app_command
from pld_app.settings import LiveSettings, Settings, load_settings
from pld_core.errors import InvalidInput, NotSignedIn, SignInUnusable
from pld_core.models import Actor, Role
from pld_core.ports import Store
from storage import SqliteStore
from tests.signing_in import CLIENT_SECRET, COOKIE_SECRET, ISSUER, secrets_text, signed_in, write_secrets

LOCAL = Actor("os:olga", frozenset(Role))
ME = f"os:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture
def store(sqlite_store: SqliteStore) -> Store:
    sqlite_store.roles.grant("ada@example.org", Role.LEAD, "", LOCAL)
    return sqlite_store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Sign-in is configured; the groups Legal and Heads give roles."""
    write_secrets(tmp_path)
    (tmp_path / "settings.toml").write_text(
        '[sign_in]\nroles_claim = "groups"\n[sign_in.roles]\nLegal = "reviewer"\nHeads = ["lead", "admin"]\n'
    )
    return load_settings(tmp_path, {})


def now() -> datetime:
    return datetime.now(UTC)


# --- who acts ---------------------------------------------------------------------------------------------------------


def test_without_sign_in_the_local_user_holds_all_roles(tmp_path: Path, store: Store) -> None:
    settings = load_settings(tmp_path, {"PLD_USER": "anna"})
    assert not settings.sign_in.is_on
    assert command_line_actor(settings, store.roles) == Actor("anna", frozenset(Role))


def test_with_sign_in_the_command_line_holds_what_was_granted_to_the_systems_user(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ada@example.org")
    assert command_line_actor(settings, store.roles) == Actor(ME, frozenset())
    store.roles.grant(ME, Role.REVIEWER, "", LOCAL)
    assert command_line_actor(settings, store.roles) == Actor(ME, frozenset({Role.REVIEWER}))


def test_somebody_signed_in_holds_what_was_granted_and_what_the_claim_gives(settings: Settings, store: Store) -> None:
    ada = signed_in_actor(settings, store.roles, signed_in("ada@example.org", groups=["Legal", "Chess"]), now())
    assert (ada.name, ada.roles) == ("ada@example.org", frozenset({Role.LEAD, Role.REVIEWER}))
    assert ada.signed_as["subject"] == "sub-ada@example.org"
    store.roles.revoke("ada@example.org", Role.LEAD, "moved on", LOCAL)
    assert signed_in_actor(settings, store.roles, signed_in("ada@example.org"), now()).roles == set()


def test_an_address_that_is_not_verified_gives_nobody_its_roles(settings: Settings, store: Store) -> None:
    eve = signed_in_actor(settings, store.roles, signed_in("ada@example.org", email_verified=False), now())
    assert (eve.name, eve.roles) == (f"{ISSUER}#sub-ada@example.org", frozenset())


@pytest.mark.parametrize("flag", [False, None, "true", 1])
def test_nobody_is_signed_in_by_any_other_word_for_it(settings: Settings, store: Store, flag: object) -> None:
    with pytest.raises(NotSignedIn, match="Nobody is signed in"):
        signed_in_actor(settings, store.roles, signed_in("ada@example.org", is_logged_in=flag), now())


def test_an_old_sign_in_is_none(settings: Settings, store: Store) -> None:
    old = int(now().timestamp()) - 13 * 3600
    with pytest.raises(NotSignedIn, match=r"too long ago .more than 720 minutes"):
        signed_in_actor(settings, store.roles, signed_in("ada@example.org", iat=old), now())


def test_claims_without_a_subject_are_nobody(settings: Settings, store: Store) -> None:
    with pytest.raises(SignInUnusable):
        signed_in_actor(settings, store.roles, signed_in("ada@example.org", sub=None), now())


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("[::1]", True), ("localhost", True), ("LOCALHOST", True)]
    + [(host, False) for host in ("", "::", "10.0.0.1", "127.evil.org", "localhost.evil.org")],
)
def test_loopback_is_told_from_what_only_looks_like_it(host: str, inside: bool) -> None:
    assert is_loopback(host) is inside


# --- how it is set ----------------------------------------------------------------------------------------------------


def test_secrets_are_looked_for_in_the_workspace_or_where_the_environment_says(tmp_path: Path) -> None:
    elsewhere = write_secrets(tmp_path / "elsewhere")
    assert load_settings(tmp_path, {}).secrets_file == tmp_path / "secrets.toml"
    settings = load_settings(tmp_path, {"PLD_SECRETS": str(elsewhere)})
    assert settings.sign_in.providers == ("default",)
    assert f"--secrets.files={elsewhere}" in _app_command(settings)
    assert f"--secrets.files={tmp_path / 'secrets.toml'}" in _app_command(load_settings(tmp_path, {}))


def test_no_secret_is_kept(settings: Settings) -> None:
    assert CLIENT_SECRET not in repr(settings)
    assert COOKIE_SECRET not in repr(settings)


def test_named_providers_are_offered_each(tmp_path: Path) -> None:
    whole = secrets_text()
    shared = "".join(line + "\n" for line in whole.splitlines()[:3])
    own = "".join(line + "\n" for line in whole.splitlines()[3:])
    (tmp_path / "secrets.toml").write_text(f"{shared}[auth.okta]\n{own}[auth.entra]\n{own}")
    assert load_settings(tmp_path, {}).sign_in.providers == ("okta", "entra")


def test_secrets_for_something_else_are_no_sign_in(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text('[database]\npassword = "x"\n')
    assert not load_settings(tmp_path, {}).sign_in.is_on


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda text: text.replace("cookie_secret", "biscuit"), r"lacks cookie_secret in \[auth\]"),
        (lambda text: text.replace("client_id", "x"), r"lacks client_id in \[auth\]"),
        (lambda text: text.replace(COOKIE_SECRET, "short"), "cookie_secret shorter than 32 characters"),
        (lambda text: text.replace("/oauth2callback", ""), "redirect_uri that is not an address ending in"),
        (lambda text: f"{text}[auth.my_own]\n", "no underscore"),
        (lambda text: f"{text}[auth.okta]\n", r"lacks client_id, client_secret, server_metadata_url in \[auth.okta\]"),
        (lambda text: text.replace("[auth]", 'auth = "yes"'), "has no section"),
        (lambda text: f"{text}client_secret = {CLIENT_SECRET}\n", "it is not TOML"),
    ],
)
def test_secrets_that_are_not_complete_stop_everything_without_showing_one(
    tmp_path: Path, wrong: object, words: str
) -> None:
    assert callable(wrong)
    (tmp_path / "secrets.toml").write_text(wrong(secrets_text()))
    with pytest.raises(InvalidInput, match=words) as refusal:
        load_settings(tmp_path, {})
    assert CLIENT_SECRET not in str(refusal.value)
    assert COOKIE_SECRET not in str(refusal.value)


def test_a_file_that_the_environment_names_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_settings(tmp_path, {"PLD_SECRETS": str(tmp_path / "gone.toml")})
    (tmp_path / "other.toml").write_text("")
    with pytest.raises(InvalidInput, match=r"has no section \[auth\]"):
        load_settings(tmp_path, {"PLD_SECRETS": str(tmp_path / "other.toml")})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("sign_in = 1", "has to be a table"),
        ("[sign_in]\nclient_secret = 'x'", "unknown setting 'client_secret'.*secrets belong in the secrets"),
        ("[sign_in]\nroles = 'lead'", "has to be a table of claim values"),
        ("[sign_in.roles]\nLegal = 'boss'", "'Legal' the role 'boss', which there is not. Roles: reviewer"),
        ("[sign_in]\nmax_age_minutes = 0", "max_age_minutes"),
    ],
)
def test_a_wrong_setting_of_sign_in_is_named(tmp_path: Path, table: str, words: str) -> None:
    (tmp_path / "settings.toml").write_text(table)
    with pytest.raises(InvalidInput, match=words):
        load_settings(tmp_path, {})


# --- while the app runs -----------------------------------------------------------------------------------------------


def test_what_a_claim_gives_changes_at_once_but_no_file_opens_a_running_app(settings: Settings, store: Store) -> None:
    live = LiveSettings(settings, {})
    (settings.workspace / "secrets.toml").unlink()
    (settings.workspace / "settings.toml").write_text('[sign_in]\nroles_claim = "teams"\nmax_age_minutes = 5\n')
    now_set = live.now().sign_in
    assert (now_set.is_on, now_set.roles_claim, now_set.max_age_minutes) == (True, "teams", 5)
    assert live.now().secrets_file == settings.secrets_file
