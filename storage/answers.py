"""The cache of students' answers by prompt, student and example, inside somebody else's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pld_core.canonical import canonical_json
from pld_core.effect import StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.models import Answer
from storage import rows
from storage.connection import Write

BY_STUDENT = "student = ? AND digest = ? AND options = ?"


def load_answers(
    conn: sqlite3.Connection, student: StudentKey, prompt_sha256: str, example_hashes: Sequence[str]
) -> dict[str, Answer]:
    """Return the answers to those of the examples that have one, by hash."""
    found = conn.execute(
        f"""SELECT example_hash, answer FROM student_answer WHERE prompt_sha256 = ? AND {BY_STUDENT}
            AND example_hash IN (SELECT value FROM json_each(?))""",  # noqa: S608 - a constant of this module
        (prompt_sha256, student.name, student.digest, student.options, canonical_json(list(example_hashes))),
    )
    return {str(row["example_hash"]): rows.answer_from(json.loads(row["answer"])) for row in found}


def keep_answers(write: Write, student: StudentKey, answers: Sequence[KeptAnswer]) -> None:
    """Keep answers; where there is one already, it stays: two workers may have asked the same."""
    first = {(kept.prompt_sha256, kept.example_hash): kept for kept in reversed(answers)}
    there: set[tuple[str, str]] = set()
    for prompt in {kept.prompt_sha256 for kept in answers}:
        asked = [example for under, example in first if under == prompt]
        there |= {(prompt, example) for example in load_answers(write.conn, student, prompt, asked)}
    write.insert_all(
        "student_answer",
        [
            {
                "prompt_sha256": kept.prompt_sha256,
                "student": student.name,
                "digest": student.digest,
                "options": student.options,
                "example_hash": kept.example_hash,
                "answer": canonical_json(rows.answer_json(kept.answer)),
                "at": write.now,
            }
            for key, kept in first.items()
            if key not in there
        ],
    )
