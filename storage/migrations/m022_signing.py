"""The way from a rule to the events of its signatures."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m022_signing(db: Tables) -> None:
    each(db, "CREATE INDEX event_by_subject ON event (subject, seq)")
