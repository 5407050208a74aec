"""What is set about sign-in: that there is one, read from Streamlit's secrets, and what it gives.

Secrets themselves are not kept: Streamlit reads the same file by itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from annotated_types import Gt

from pld_core.errors import InvalidInput
from pld_core.models import Role

SECRETS_VARIABLE = "PLD_SECRETS"
SECRETS_FILE = "secrets.toml"
SIGN_IN_FIELDS = ("roles_claim", "roles", "max_age_minutes")
SHARED = ("redirect_uri", "cookie_secret")
OF_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
CALLBACK = "/oauth2callback"
SHORTEST_COOKIE_SECRET = 32
"""Characters; it signs who somebody is, so it must not be guessable."""
DEFAULT_PROVIDER = "default"


@dataclass(frozen=True)
class SignInSettings:
    """Sign-in, from the table `[sign_in]` of `settings.toml` and the section `[auth]` of the secrets.

    Attributes:
        providers: names of the configured providers, `default` for the one without a name; empty: no sign-in.
        roles_claim: the claim of the provider that gives roles; empty for none.
        roles: the roles that each value of that claim gives.
        max_age_minutes: how long after the provider vouched for a person a sign-in is good for.
    """

    providers: tuple[str, ...] = ()
    roles_claim: str = ""
    roles: Mapping[str, tuple[Role, ...]] = field(default_factory=dict)
    max_age_minutes: Annotated[float, Gt(0)] = 720.0

    @property
    def is_on(self) -> bool:
        return bool(self.providers)


def secrets_file(workspace: Path, environment: Mapping[str, str]) -> Path:
    """Return where the secrets are looked for: PLD_SECRETS, else `secrets.toml` in the workspace, nowhere else."""
    return Path(environment.get(SECRETS_VARIABLE) or workspace / SECRETS_FILE).absolute()


def configured_providers(file: Path, is_named: bool) -> tuple[str, ...]:
    """Return the names of the providers in the section `[auth]` of the secrets, none if there is no such section.

    Args:
        is_named: whether somebody named the file; then it has to be there and to have the section.

    Raises:
        InvalidInput: the file cannot be read or the section is incomplete. The message names no value of it.
    """
    if not file.is_file() and not is_named:
        return ()
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        # A TOML error may quote the line, and with it a secret.
        reason = error.strerror if isinstance(error, OSError) else "it is not TOML"
        raise InvalidInput(
            f"The secrets file {file} cannot be read: {reason}. Nothing was started; correct it or remove it."
        ) from None
    auth = found.get("auth")
    if auth is None and not is_named:
        return ()
    if not isinstance(auth, dict):
        raise _incomplete(file, "has no section [auth]")
    return _providers(file, auth)


def _providers(file: Path, auth: Mapping[str, object]) -> tuple[str, ...]:
    _require(file, "[auth]", auth, SHARED)
    redirect = urlsplit(str(auth["redirect_uri"]))
    if redirect.scheme not in ("http", "https") or not redirect.netloc or not redirect.path.endswith(CALLBACK):
        raise _incomplete(file, f"has a redirect_uri that is not an address ending in {CALLBACK}")
    if len(str(auth["cookie_secret"])) < SHORTEST_COOKIE_SECRET:
        raise _incomplete(file, f"has a cookie_secret shorter than {SHORTEST_COOKIE_SECRET} characters")
    sections = {name: value for name, value in auth.items() if isinstance(value, dict) and name != "client_kwargs"}
    for name, section in sections.items():
        if "_" in name:
            raise _incomplete(file, f"names a provider {name!r}; Streamlit takes no underscore there")
        _require(file, f"[auth.{name}]", section, OF_PROVIDER)
    if not sections or any(name in auth for name in OF_PROVIDER):
        _require(file, "[auth]", auth, OF_PROVIDER)
        return (DEFAULT_PROVIDER, *sections)
    return tuple(sections)


def _require(file: Path, section: str, found: Mapping[str, object], names: tuple[str, ...]) -> None:
    if missing := [name for name in names if not str(found.get(name) or "").strip()]:
        raise _incomplete(file, f"lacks {', '.join(missing)} in {section}")


def _incomplete(file: Path, what: str) -> InvalidInput:
    return InvalidInput(
        f"Sign-in is configured, but the secrets file {file} {what}. Nothing was started; docs/sign-in.md shows a "
        "complete one."
    )


def role_mapping(file: Path, found: object) -> dict[str, tuple[Role, ...]]:
    """Return the table `[sign_in.roles]`: a value of the claim, and the role or the list of roles that it gives.

    Raises:
        InvalidInput: it is no table, or names something that is no role.
    """
    if not isinstance(found, dict):
        raise InvalidInput(f"In {file}, [sign_in.roles] has to be a table of claim values and roles. Correct it.")
    given = {str(value): roles if isinstance(roles, list) else [roles] for value, roles in found.items()}
    known = {role.value: role for role in Role}
    for value, roles in given.items():
        if unknown := [name for name in roles if name not in known]:
            raise InvalidInput(
                f"In {file}, [sign_in.roles] gives {value!r} the role {unknown[0]!r}, which there is not. "
                f"Roles: {', '.join(known)}."
            )
    return {value: tuple(known[name] for name in roles) for value, roles in given.items()}
