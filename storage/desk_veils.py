"""The queue's rows and notes as somebody sees them who may still decide on a rule whose review is blind."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from pld_core.blind import Veil, veiled_summary
from pld_core.desk import QueueRow, SecondOpinion
from storage.desk_comments import comments_of
from storage.veils import kept_tags


def opinions_on(conn: sqlite3.Connection, revision_hash: str, veil: Veil | None) -> tuple[SecondOpinion, ...]:
    """Return the requests on a revision without those behind the veil, oldest first."""
    found = conn.execute("SELECT * FROM second_opinion WHERE revision_hash = ? ORDER BY id", (revision_hash,))
    opinions = (SecondOpinion(row["note"], row["by"], row["at"]) for row in found)
    return tuple(o for o in opinions if veil is None or not veil.hides(o.by, o.at))


def veiled_row(conn: sqlite3.Connection, row: QueueRow, veil: Veil | None) -> QueueRow:
    """Return the row without what the first decider left on the rule, and without his name."""
    if veil is None:
        return row
    kept = kept_tags(conn, veil)
    threads = [c for c in comments_of(conn, veil.rule_id, veil) if c.parent is None]
    return replace(
        row,
        summary=veiled_summary(row.summary, veil),
        assignee="" if row.assignee == veil.decider else row.assignee,
        tags=tuple(tag for tag in row.tags if tag not in kept),
        open_comments=sum(not c.resolved for c in threads),
        second_opinion=row.second_opinion and bool(opinions_on(conn, veil.revision, veil)),
    )
