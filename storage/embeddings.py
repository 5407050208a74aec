"""Vectors of texts by model, as little-endian float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pld_core.canonical import canonical_json
from pld_core.model_ports import Vectors
from pld_core.models import Actor
from pld_core.permissions import Step, guarded
from pld_core.records import TeacherCall
from storage import rows
from storage.connection import Database

STORED = np.dtype("<f4")


class SqliteEmbeddings:
    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, model: str, text_hashes: Sequence[str]) -> frozenset[str]:
        """Return which of the texts have a vector."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT text_hash FROM embedding
                   WHERE model = ? AND text_hash IN (SELECT value FROM json_each(?))""",
                (model, canonical_json(list(text_hashes))),
            )
            return frozenset(str(row["text_hash"]) for row in found)

    def vectors(self, model: str, text_hashes: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors of those of the texts that have one, by hash."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT text_hash, vector FROM embedding
                   WHERE model = ? AND text_hash IN (SELECT value FROM json_each(?))""",
                (model, canonical_json(list(text_hashes))),
            )
            return {str(row["text_hash"]): np.frombuffer(row["vector"], STORED) for row in found}

    def since(self, model: str, text_hash: str) -> str:
        """Return when the text was embedded, empty if it is not."""
        with self._database.read() as conn:
            sql = "SELECT at FROM embedding WHERE model = ? AND text_hash = ?"
            row = conn.execute(sql, (model, text_hash)).fetchone()
            return str(row["at"]) if row else ""

    def record(self, task: str, calls: Sequence[tuple[TeacherCall, Mapping[str, Vectors]]]) -> None:
        """Record calls, each with the vectors that it brought; a text that has a vector of the model keeps it."""
        with self._database.write() as write:
            for call, vectors in calls:
                write.insert("teacher_call", rows.call_row(task, call, write.now))
                write.conn.executemany(
                    "INSERT OR IGNORE INTO embedding (model, text_hash, vector, at) VALUES (?, ?, ?, ?)",
                    [
                        (call.teacher, text_hash, np.asarray(vector, STORED).tobytes(), write.now)
                        for text_hash, vector in vectors.items()
                    ],
                )

    @guarded(Step.EMBED)
    def forget(self, model: str, actor: Actor) -> int:
        """Drop every vector of a model and return how many there were."""
        with self._database.write() as write:
            dropped = int(write.conn.execute("DELETE FROM embedding WHERE model = ?", (model,)).rowcount)
            if dropped:
                write.event(actor, "embeddings.forgotten", model, {"texts": dropped})
            return dropped
