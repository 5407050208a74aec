"""Comments on rules and on their evidence; settling a thread is a row of its own."""

from __future__ import annotations

import json
import sqlite3

from pld_core.blind import Veil, veiled_comments
from pld_core.canonical import canonical_json
from pld_core.comments import clean_comment, mentions
from pld_core.desk import Comment
from pld_core.errors import NotFound
from pld_core.models import ANYBODY, Actor
from pld_core.permissions import Step, guarded
from storage.connection import Database, Write
from storage.desk_people import known_people
from storage.rule_queries import effective_evidence, load_summary
from storage.veils import refuse_kept_comment, veil_of

OPEN_THREADS = """SELECT count(*) FROM comment AS c WHERE c.rule_id = rule.id AND c.parent IS NULL AND 0 = coalesce(
    (SELECT s.resolved FROM comment_state AS s WHERE s.comment_id = c.id ORDER BY s.id DESC LIMIT 1), 0)"""
_COMMENT = """SELECT c.*, coalesce(c.parent, c.id) AS thread, v.number, s.resolved, s.by AS settled_by
    FROM comment AS c JOIN revision AS v ON v.hash = c.revision_hash
    LEFT JOIN comment_state AS s ON s.id = (
        SELECT max(l.id) FROM comment_state AS l WHERE l.comment_id = coalesce(c.parent, c.id))"""


class SqliteComments:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.COMMENT)
    def add(self, rule_id: str, text: str, actor: Actor, example_hash: str = "", parent: int | None = None) -> Comment:
        """Append a comment on a rule or on an example of its evidence, or an answer to one.

        Raises:
            InvalidInput: no text, or too long.
            NotFound: no such rule, example or comment.
        """
        said = clean_comment(text)
        with self._database.write() as write:
            rule = load_summary(write.conn, rule_id)
            if parent is not None:
                first = _load(write.conn, parent)
                refuse_kept_comment(write.conn, actor, first.rule_id, first.by, first.at)
                if first.rule_id != rule.id:
                    raise NotFound(f"Comment {parent} is not on {rule.id}. Nothing was added.")
                # An answer to an answer stands in the same thread, about the same thing.
                parent, example_hash = first.parent or first.id, first.example_hash
            elif example_hash and not any(
                e.example_hash == example_hash for e in effective_evidence(write.conn, rule.head)
            ):
                raise NotFound(f"{rule.id} has no evidence {example_hash[:19]}. Nothing was added.")
            named = mentions(said, (*known_people(write.conn), actor.name))
            number = write.insert(
                "comment",
                {
                    "rule_id": rule.id,
                    "revision_hash": rule.head,
                    "example_hash": example_hash,
                    "parent": parent,
                    "text": said,
                    "mentions": canonical_json(list(named)),
                    "by": actor.name,
                    "at": write.now,
                },
            )
            write.event(
                actor,
                "comment.added",
                rule.id,
                {
                    "comment": number,
                    "revision": rule.head,
                    "example": example_hash,
                    "parent": parent,
                    "text": said,
                    "mentions": list(named),
                },
            )
            return _load(write.conn, number)

    def of_rule(self, rule_id: str, actor: Actor = ANYBODY) -> tuple[Comment, ...]:
        """Return the comments of a rule that the actor may see now, thread by thread, oldest first."""
        with self._database.read() as conn:
            return comments_of(conn, rule_id, veil_of(conn, actor, rule_id))

    def mentioning(self, actor: Actor, task: str = "") -> tuple[Comment, ...]:
        """Return the comments that name the actor and that he has not answered, newest first; of open threads only.

        Without a task those of all tasks. What is kept from the actor until the own decision is not among them.
        """
        sql = f"""{_COMMENT} WHERE coalesce(s.resolved, 0) = 0 AND c.by <> ?
                AND EXISTS (SELECT 1 FROM json_each(c.mentions) AS m WHERE m.value = ?)
                AND NOT EXISTS (SELECT 1 FROM comment AS a
                    WHERE a.parent = coalesce(c.parent, c.id) AND a.id > c.id AND a.by = ?)
                AND (? = '' OR EXISTS (SELECT 1 FROM rule AS r WHERE r.id = c.rule_id AND r.task = ?))
            ORDER BY c.id DESC"""  # noqa: S608 - a constant
        with self._database.read() as conn:
            found = [_comment(row) for row in conn.execute(sql, (*[actor.name] * 3, task, task))]
            kept = {c.rule_id: veil_of(conn, actor, c.rule_id) for c in found}
            return tuple(c for c in found if not ((veil := kept[c.rule_id]) and veil.hides(c.by, c.at)))

    def get(self, comment_id: int, actor: Actor = ANYBODY) -> Comment:
        with self._database.read() as conn:
            found = _load(conn, comment_id)
            refuse_kept_comment(conn, actor, found.rule_id, found.by, found.at)
            return found

    @guarded(Step.COMMENT)
    def resolve(self, comment_id: int, actor: Actor) -> Comment:
        """Settle a comment's thread."""
        with self._database.write() as write:
            return _settle(write, comment_id, 1, actor)

    @guarded(Step.COMMENT)
    def reopen(self, comment_id: int, actor: Actor) -> Comment:
        """Open a settled thread again."""
        with self._database.write() as write:
            return _settle(write, comment_id, 0, actor)


def comments_of(conn: sqlite3.Connection, rule_id: str, veil: Veil | None) -> tuple[Comment, ...]:
    """Return the comments of a rule without what is behind the veil, thread by thread, oldest first."""
    sql = f"{_COMMENT} WHERE c.rule_id = ? ORDER BY thread, c.id"
    return veiled_comments((_comment(row) for row in conn.execute(sql, (rule_id.upper(),))), veil)


def _settle(write: Write, comment_id: int, resolved: int, actor: Actor) -> Comment:
    comment = _load(write.conn, comment_id)
    refuse_kept_comment(write.conn, actor, comment.rule_id, comment.by, comment.at)
    thread = comment.parent or comment.id
    if comment.resolved is not bool(resolved):
        write.insert("comment_state", {"comment_id": thread, "resolved": resolved, "by": actor.name, "at": write.now})
        write.event(actor, "comment.resolved" if resolved else "comment.reopened", comment.rule_id, {"comment": thread})
    return _load(write.conn, thread)


def _load(conn: sqlite3.Connection, comment_id: int) -> Comment:
    row = conn.execute(f"{_COMMENT} WHERE c.id = ?", (comment_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no comment {comment_id} in this workspace. Nothing was changed.")
    return _comment(row)


def _comment(row: sqlite3.Row) -> Comment:
    resolved = bool(row["resolved"])
    return Comment(
        id=row["id"],
        rule_id=row["rule_id"],
        revision=row["number"],
        example_hash=row["example_hash"],
        parent=row["parent"],
        text=row["text"],
        mentions=tuple(json.loads(row["mentions"])),
        by=row["by"],
        at=row["at"],
        resolved=resolved,
        resolved_by=str(row["settled_by"]) if resolved else "",
    )
