"""What the page noted while a decision was made."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m023_attention(db: Tables) -> None:
    each(
        db,
        # No row for a decision of which nothing was noted: unknown is not zero.
        """CREATE TABLE decision_attention (
            decision_id INTEGER PRIMARY KEY REFERENCES decision(id),
            active_seconds INTEGER NOT NULL CHECK (active_seconds >= 0),
            evidence INTEGER NOT NULL, evidence_shown INTEGER NOT NULL, evidence_in_full INTEGER NOT NULL,
            contradicting INTEGER NOT NULL, contradicting_shown INTEGER NOT NULL,
            contradicting_in_full INTEGER NOT NULL, unfolded INTEGER NOT NULL,
            CHECK (0 <= evidence_in_full AND evidence_in_full <= evidence_shown AND evidence_shown <= evidence),
            CHECK (0 <= contradicting_in_full AND contradicting_in_full <= contradicting_shown
                AND contradicting_shown <= contradicting AND contradicting <= evidence),
            CHECK (0 <= unfolded AND unfolded <= evidence_in_full)) STRICT""",
    )
