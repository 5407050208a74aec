"""Who is known in a workspace: everybody who ever acted in it, and everybody who was granted a role."""

from __future__ import annotations

import sqlite3

from pld_core.models import SYSTEM


def known_people(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names, in alphabetical order."""
    sql = "SELECT actor FROM event WHERE actor <> ? UNION SELECT person FROM role_change WHERE granted = 1 ORDER BY 1"
    return tuple(str(row[0]) for row in conn.execute(sql, (SYSTEM.name,)))
