"""Roles of people: each grant and revocation is a row that stays; the newest of a person and role counts."""

from __future__ import annotations

import sqlite3

from pld_core.errors import InvalidInput, MissingReason, NotFound
from pld_core.identity import person_name
from pld_core.models import Actor, Role, RoleChange
from pld_core.permissions import Step, guarded, require_admin_left, require_grant
from storage.connection import Database, Write

_IN_FORCE = """SELECT * FROM role_change AS c WHERE c.granted = 1
    AND c.id = (SELECT max(id) FROM role_change WHERE person = c.person AND role = c.role)"""


class SqliteRoles:
    def __init__(self, database: Database) -> None:
        self._database = database

    def held(self, person: str) -> frozenset[Role]:
        with self._database.read() as conn:
            found = conn.execute(f"{_IN_FORCE} AND c.person = ?", (person,))
            return frozenset(Role(row["role"]) for row in found)

    def holders(self) -> tuple[RoleChange, ...]:
        """Return the grants in force, by person and role."""
        with self._database.read() as conn:
            return tuple(_change(row) for row in conn.execute(f"{_IN_FORCE} ORDER BY c.person, c.role"))

    def history(self) -> tuple[RoleChange, ...]:
        """Return every grant and revocation, newest first."""
        with self._database.read() as conn:
            return tuple(_change(row) for row in conn.execute("SELECT * FROM role_change ORDER BY id DESC"))

    def grant(self, person: str, role: Role, reason: str, actor: Actor) -> RoleChange:
        name = person_name(person)
        with self._database.write() as write:
            is_first = require_grant(actor, role, _admins(write.conn))
            if _holds(write.conn, name, role):
                raise InvalidInput(f"{name} holds the role {role.label} already. Nothing was changed.")
            change = RoleChange(name, role, True, reason.strip(), is_first, actor.name, write.now)
            _record(write, change, actor)
            return change

    @guarded(Step.GRANT)
    def revoke(self, person: str, role: Role, reason: str, actor: Actor) -> RoleChange:
        name = person_name(person)
        if not reason.strip():
            raise MissingReason("Revoking a role needs a reason. Nothing was changed. Say why; it is kept.")
        with self._database.write() as write:
            if not _holds(write.conn, name, role):
                raise NotFound(
                    f"{name} was not granted the role {role.label} here. Nothing was changed. What a claim of the "
                    "identity provider gives is taken away there."
                )
            require_admin_left(name, role, _admins(write.conn))
            change = RoleChange(name, role, False, reason.strip(), False, actor.name, write.now)
            _record(write, change, actor)
            return change


def _admins(conn: sqlite3.Connection) -> set[str]:
    found = conn.execute(f"{_IN_FORCE} AND c.role = ?", (Role.ADMIN.value,))
    return {str(row["person"]) for row in found}


def _holds(conn: sqlite3.Connection, person: str, role: Role) -> bool:
    sql = f"{_IN_FORCE} AND c.person = ? AND c.role = ?"
    return conn.execute(sql, (person, role.value)).fetchone() is not None


def _record(write: Write, change: RoleChange, actor: Actor) -> None:
    write.insert(
        "role_change",
        {
            "person": change.person,
            "role": change.role.value,
            "granted": int(change.granted),
            "reason": change.reason,
            "first_admin": int(change.first_admin),
            "by": change.by,
            "at": change.at,
        },
    )
    write.event(
        actor,
        "role.granted" if change.granted else "role.revoked",
        change.person,
        {
            "role": change.role.value,
            "reason": change.reason,
            "first_admin": change.first_admin,
            "signed_as": actor.signed_as,
        },
    )


def _change(row: sqlite3.Row) -> RoleChange:
    return RoleChange(
        person=row["person"],
        role=Role(row["role"]),
        granted=bool(row["granted"]),
        reason=row["reason"],
        first_admin=bool(row["first_admin"]),
        by=row["by"],
        at=row["at"],
    )
