"""Prompt versions."""

from __future__ import annotations

import json
import sqlite3

from pld_core.canonical import Json, canonical_json
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Actor, CompiledPrompt, ListedPrompt, PromptVersion
from pld_core.permissions import Step, guarded
from pld_core.prompt_manifest import TokenCount
from pld_core.publishing import PublishedModel
from storage import rows
from storage.check_writes import refuse_known_bad
from storage.connection import Database, Write


class SqlitePrompts:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.COMPILE)
    def save(self, prompt: CompiledPrompt, actor: Actor, tokens: TokenCount | None = None) -> PromptVersion:
        """Store a compiled prompt as the next version; an equal one (bytes and manifest) is returned, not added.

        `tokens` is kept beside the version if it tells more than the newest count there.

        Raises:
            KnownBad: a rule of it is a seeded check.
            InvalidInput: it is a trial prompt, which nobody reviewed.
        """
        if prompt.build.unreviewed:
            raise InvalidInput(
                "A trial prompt is no version: its rules need no approval. Nothing was stored. Send what it tried to "
                "review, then compile the approved rules."
            )
        with self._database.write() as write:
            refuse_known_bad(write, prompt)
            same = write.conn.execute(
                f"{rows.VERSIONS} WHERE v.task = ? AND v.sha256 = ? AND v.manifest_hash = ?",
                (prompt.task, prompt.sha256, prompt.manifest_hash),
            ).fetchone()
            if same is None:
                number = _add_version(write, prompt, actor, tokens)
            else:
                version = rows.prompt_from(same)
                if tokens is None or not tokens.adds_to(version.tokens):
                    return version
                number = version.number
                write.event(actor, "prompt.counted", f"{prompt.task} v{number}", tokens.as_json())
            if tokens is not None:
                _add_count(write, prompt.task, number, tokens, actor)
            return load_version(write.conn, prompt.task, number)

    def get(self, task: str, number: int) -> PromptVersion:
        with self._database.read() as conn:
            return load_version(conn, task, number)

    def all(self, task: str) -> tuple[PromptVersion, ...]:
        """Return the versions of a task, newest first."""
        with self._database.read() as conn:
            found = conn.execute(f"{rows.VERSIONS} WHERE v.task = ? ORDER BY v.number DESC", (task,))
            return tuple(rows.prompt_from(row) for row in found)

    def listed(self, task: str) -> tuple[ListedPrompt, ...]:
        """Return the versions of a task as lists show them, newest first; reads no text."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT number, kind, style, rules, size, sha256, at, by FROM prompt_version
                   INDEXED BY prompt_version_listed WHERE task = ? ORDER BY number DESC""",
                (task,),
            )
            return tuple(rows.listed_from(row) for row in found)

    @guarded(Step.PUBLISH)
    def record_publication(self, task: str, number: int, made: PublishedModel, reason: str, actor: Actor) -> None:
        """Append to the audit chain that a version was published as a model."""
        version = self.get(task, number)
        with self._database.write() as write:
            write.event(
                actor,
                "prompt.published",
                f"{task} v{number}",
                {"sha256": version.prompt.sha256, "reason": reason, **made.as_json()},
            )

    def publications(self, task: str, number: int) -> tuple[PublishedModel, ...]:
        """Return what a version was published as, newest first."""
        with self._database.read() as conn:
            found = conn.execute(
                "SELECT payload FROM event WHERE kind = 'prompt.published' AND subject = ? ORDER BY seq DESC",
                (f"{task} v{number}",),
            )
            return tuple(PublishedModel.from_json(json.loads(row["payload"])) for row in found)


def load_version(conn: sqlite3.Connection, task: str, number: int) -> PromptVersion:
    """Return a prompt version of a task with the newest count of its tokens.

    Raises:
        NotFound: there is no such version.
    """
    row = conn.execute(f"{rows.VERSIONS} WHERE v.task = ? AND v.number = ?", (task, number)).fetchone()
    if row is None:
        raise NotFound(f"Task {task} has no prompt version {number}. The Prompt page lists those there are.")
    return rows.prompt_from(row)


def _add_version(write: Write, prompt: CompiledPrompt, actor: Actor, tokens: TokenCount | None) -> int:
    newest = write.conn.execute("SELECT coalesce(max(number), 0) FROM prompt_version WHERE task = ?", (prompt.task,))
    number = int(newest.fetchone()[0]) + 1
    write.insert(
        "prompt_version",
        {
            "task": prompt.task,
            "number": number,
            "sha256": prompt.sha256,
            "manifest_hash": prompt.manifest_hash,
            "text": prompt.text,
            "manifest": canonical_json(prompt.manifest()),
            "at": write.now,
            "by": actor.name,
        },
    )
    build = prompt.build
    reasons = [build.order.reason, *(one.reason for one in build.left_out)]
    payload: dict[str, Json] = {
        "sha256": prompt.sha256,
        "manifest": prompt.manifest_hash,
        "rules": [r.rule_id for r in prompt.rules],
        "kind": build.kind.words,
        "style": prompt.style.value,
        "left_out": [one.rule_id for one in build.left_out],
        "order": build.order.as_json(),
        "tokens": None if tokens is None else tokens.as_json(),
        "reason": "; ".join(dict.fromkeys(filter(None, reasons))),
        "signed_as": actor.signed_as,
    }
    write.event(actor, "prompt.compiled", f"{prompt.task} v{number}", payload)
    return number


def _add_count(write: Write, task: str, number: int, tokens: TokenCount, actor: Actor) -> None:
    write.insert(
        "prompt_count",
        {
            "task": task,
            "number": number,
            "tokens": tokens.tokens,
            "method": tokens.method.value,
            "counter": tokens.counter,
            "note": tokens.note,
            "at": write.now,
            "by": actor.name,
        },
    )
