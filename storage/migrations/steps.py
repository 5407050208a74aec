"""The list that each migration adds itself to, and what they share."""

from __future__ import annotations

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

migrations = Migrations("pld")


def each(db: Tables, *statements: str) -> None:
    """Run statements in their order."""
    for statement in statements:
        db.execute(statement)
