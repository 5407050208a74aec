"""Texts that people wrote in place of proposed ones, before they are tried. None is ever changed."""

from __future__ import annotations

import json
import sqlite3

from pld_core.canonical import Json, canonical_json
from pld_core.conflicts.edited import EditedTexts
from pld_core.conflicts.records import MadeProposal
from pld_core.models import Actor
from storage.connection import Write
from storage.resolution_rows import text_from


def load_edits(conn: sqlite3.Connection, resolution_id: int, proposal_hash: str = "") -> tuple[EditedTexts, ...]:
    """Return the texts of a proposal, or of all proposals of a loop, newest first."""
    found = conn.execute(
        "SELECT * FROM edited_texts WHERE resolution_id = ? AND (? = '' OR proposal = ?) ORDER BY id DESC",
        (resolution_id, proposal_hash, proposal_hash),
    )
    return tuple(
        EditedTexts(row["proposal"], tuple(text_from(text) for text in json.loads(row["texts"])), row["by"], row["at"])
        for row in found
    )


def keep_edit(
    write: Write, resolution_id: int, task: str, made: MadeProposal, edited: EditedTexts, actor: Actor
) -> None:
    """Write texts with their event."""
    texts: list[Json] = [text.as_json() for text in edited.texts]
    write.insert(
        "edited_texts",
        {
            "resolution_id": resolution_id,
            "proposal": edited.proposal,
            "texts": canonical_json(texts),
            "by": edited.by,
            "at": edited.at,
        },
    )
    payload: dict[str, Json] = {
        "resolution": resolution_id,
        "proposal": edited.proposal,
        "action": made.proposal.words,
        "hash": edited.hash,
        "texts": texts,
    }
    write.event(actor, "proposal.rewritten", task, payload)
