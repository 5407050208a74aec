"""`pld roles`: who holds which role, granting and revoking."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.canonical import Json
from pld_core.models import Role, RoleChange

_ROLE = click.argument("role", type=click.Choice([role.value for role in Role]))


@click.group()
def roles() -> None:
    """Roles: list, grant, revoke."""


@roles.command(name="list")
@options
@click.option("--history", is_flag=True, help="Every grant and revocation, newest first.")
def list_(workspace: Path, out: Output, history: bool) -> None:
    """List who holds which role by a grant; what a claim of the identity provider gives is not among them."""
    store = wiring.open_app(workspace).store
    found = store.roles.history() if history else store.roles.holders()
    out.emit([role_json(change) for change in found], "\n".join(map(_line, found)) or "No role has been granted yet.")


@roles.command()
@options
@click.argument("person")
@_ROLE
@click.option("--reason", default="", help="Why; kept with the grant.")
def grant(workspace: Path, out: Output, person: str, role: str, reason: str) -> None:
    """Grant a role to a person: a verified e-mail address, ISSUER#SUBJECT, or os:NAME for the command line.

    Only an admin can; while there is none, the local user may grant the first.
    """
    app = wiring.create_app(workspace)
    change = app.store.roles.grant(person, Role(role), reason, app.actor)
    first = " It is the first admin, granted by the local user because there was none." if change.first_admin else ""
    out.emit(role_json(change), f"{change.person} is {change.role.label}.{first}")


@roles.command()
@options
@click.argument("person")
@_ROLE
@click.option("--reason", default="", help="Why; kept with the revocation.")
def revoke(workspace: Path, out: Output, person: str, role: str, reason: str) -> None:
    """Revoke a role; the last admin cannot be revoked."""
    app = wiring.open_app(workspace)
    change = app.store.roles.revoke(person, Role(role), reason, app.actor)
    out.emit(role_json(change), f"{change.person} is no longer {change.role.label}.")


def role_json(change: RoleChange) -> dict[str, Json]:
    return {
        "person": change.person,
        "role": change.role.value,
        "granted": change.granted,
        "reason": change.reason,
        "first_admin": change.first_admin,
        "by": change.by,
        "at": change.at,
    }


def _line(change: RoleChange) -> str:
    what = "granted" if change.granted else "revoked"
    first = ", first admin" if change.first_admin else ""
    why = f": {change.reason}" if change.reason else ""
    return f"{change.person:<32} {change.role.label:<16} {what} by {change.by}, {change.at}{first}{why}"
