"""Who is known in a workspace: everybody who ever acted in it."""

from __future__ import annotations

import sqlite3

from pld_core.models import SYSTEM


def known_people(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names, in alphabetical order."""
    found = conn.execute("SELECT DISTINCT actor FROM event WHERE actor <> ? ORDER BY actor", (SYSTEM.name,))
    return tuple(str(row["actor"]) for row in found)
