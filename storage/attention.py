"""What the page noted while decisions were made, inside somebody else's transaction."""

from __future__ import annotations

import sqlite3

from pld_core.attention import Attention, Seen
from storage.connection import Write


def record_attention(write: Write, decision_id: int, attention: Attention | None) -> None:
    """Store what was noted of a decision; where nothing was, nothing is."""
    if attention is None:
        return
    evidence, contradicting = attention.evidence, attention.contradicting
    write.insert(
        "decision_attention",
        {
            "decision_id": decision_id,
            "active_seconds": attention.active_seconds,
            "evidence": evidence.total,
            "evidence_shown": evidence.shown,
            "evidence_in_full": evidence.in_full,
            "contradicting": contradicting.total,
            "contradicting_shown": contradicting.shown,
            "contradicting_in_full": contradicting.in_full,
            "unfolded": attention.unfolded,
        },
    )


def attention_from(row: sqlite3.Row) -> Attention | None:
    """Return what was noted, from a row joined to `decision_attention`; None where there is none."""
    if row["active_seconds"] is None:
        return None
    return Attention(
        row["active_seconds"],
        Seen(row["evidence"], row["evidence_shown"], row["evidence_in_full"]),
        Seen(row["contradicting"], row["contradicting_shown"], row["contradicting_in_full"]),
        row["unfolded"],
    )


def load_attention(conn: sqlite3.Connection, rule_id: str) -> dict[int, Attention]:
    """Return what was noted of each decision on a rule, by the decision's number."""
    found = conn.execute(
        """SELECT a.* FROM decision_attention AS a JOIN decision AS d ON d.id = a.decision_id WHERE d.rule_id = ?""",
        (rule_id,),
    )
    return {row["decision_id"]: noted for row in found if (noted := attention_from(row)) is not None}
