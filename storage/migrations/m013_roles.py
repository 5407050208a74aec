"""Roles."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m013_roles(db: Tables) -> None:
    each(
        db,
        """CREATE TABLE role_change (
            id INTEGER PRIMARY KEY, person TEXT NOT NULL,
            role TEXT NOT NULL
                CHECK (role IN ('reviewer', 'lead', 'release_manager', 'analyst', 'auditor', 'admin')),
            granted INTEGER NOT NULL CHECK (granted IN (0, 1)), reason TEXT NOT NULL,
            first_admin INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
        # Ends in the row's id, so the newest change of each person and role is found without a scan.
        "CREATE INDEX role_change_by_person ON role_change (person, role)",
    )
