"""What rules rest on, how that changes, and which rules overlap."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pld_core.canonical import canonical_json
from pld_core.lineage import EvidenceUpdate, Lineage, RuleTrace, StandingRule, UpdateCount, origin_of
from pld_core.models import ANYBODY, Actor, Evidence, RevisionState
from pld_core.overlaps import Overlap, OverlapPair
from pld_core.permissions import Step, guarded
from pld_core.records import NewRule
from storage import rows
from storage.check_writes import enter_review
from storage.checks import NO_CHECK
from storage.connection import Database, Write
from storage.evidence_writes import change_evidence
from storage.overlap_writes import settle_found
from storage.rule_queries import LIVE, VERSION, load_summary
from storage.rule_writes import add_lineage, add_rule, proposal, rule_of
from storage.staleness import load_setbacks
from storage.task_queries import load_task
from storage.veils import veil_of


class SqliteLineage:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.SYNTHESISE)
    def enter(self, task: str, rules: Sequence[NewRule], actor: Actor) -> tuple[str, ...]:
        """Store the rules of one reply and bring them into review, all or none; return their ids."""
        entered = []
        with self._database.write() as write:
            for rule in rules:
                if rule_of(write.conn, task, rule.origin):
                    continue
                revision = add_rule(write, task, rule)
                write.event(actor, "rule.proposed", revision.rule_id, proposal(task, revision, rule))
                enter_review(write, revision.rule_id, actor)
                entered.append(revision.rule_id)
        return tuple(entered)

    def standing(self, task: str) -> tuple[StandingRule, ...]:
        """Return all rules of a task as they stand, in the order of their numbers; seeded checks are none."""
        with self._database.read() as conn:
            load_task(conn, task)
            found = conn.execute(
                f"""SELECT r.*, v.condition FROM rule AS r JOIN revision AS v ON v.hash = r.head
                   WHERE r.task = ? AND r.id {NO_CHECK} ORDER BY r.number""",  # noqa: S608 - a constant
                (task,),
            ).fetchall()
            traced = conn.execute(
                """SELECT * FROM lineage WHERE id IN (
                       SELECT max(l.id) FROM lineage AS l JOIN rule AS r ON r.id = l.rule_id
                       WHERE r.task = ? GROUP BY l.rule_id)""",
                (task,),
            )
            lineages = {str(row["rule_id"]): rows.lineage_from(row) for row in traced}
            evidence: dict[str, dict[str, Evidence]] = {}
            linked = conn.execute(
                f"""SELECT evidence.* FROM rule AS r JOIN evidence ON evidence.revision_hash = r.head
                    WHERE r.task = ? AND evidence.version = {VERSION} ORDER BY evidence.id""",  # noqa: S608 - a constant
                (task,),
            )
            for row in linked:
                links = evidence.setdefault(str(row["revision_hash"]), {})
                links[str(row["example_hash"])] = rows.evidence_from(row)
        return tuple(
            StandingRule(
                id=row["id"],
                number=row["number"],
                head=row["head"],
                labels=tuple(json.loads(row["labels"])),
                state=RevisionState(row["state"]),
                condition=row["condition"],
                lineage=lineages[str(row["id"])],
                evidence=tuple(evidence.get(str(row["head"]), {}).values()),
            )
            for row in found
        )

    @guarded(Step.SYNTHESISE)
    def update(self, task: str, updates: Sequence[EvidenceUpdate], active: frozenset[str], actor: Actor) -> UpdateCount:
        """Give rules their new evidence, and note what they go on as; a rule whose labels changed is left alone."""
        changed = stale = 0
        with self._database.write() as write:
            load_task(write.conn, task)
            fresh = [u for u in updates if load_summary(write.conn, u.rule_id).labels == u.labels]
            _trace(write, fresh, actor)
            for update in fresh:
                rule = load_summary(write.conn, update.rule_id)
                count = change_evidence(write, rule, update.evidence, active, update.reason, actor)
                changed, stale = changed + count.changed, stale + count.stale
        return UpdateCount(changed, stale)

    def trace(self, rule_id: str, actor: Actor = ANYBODY) -> RuleTrace:
        """Return where a rule comes from and how the evidence of its newest revision changed, oldest change first."""
        with self._database.read() as conn:
            rule = load_summary(conn, rule_id)
            found = conn.execute("SELECT * FROM lineage WHERE rule_id = ? ORDER BY id", (rule.id,))
            lineages = [rows.lineage_from(row) for row in found]
            changes = conn.execute("SELECT * FROM evidence_version WHERE revision_hash = ? ORDER BY id", (rule.head,))
            veil = veil_of(conn, actor, rule.id)
            shown = (row for row in changes if not (veil and row["ticked"] and veil.hides(row["by"], row["at"])))
            evidence = tuple(rows.evidence_change_from(row) for row in shown)
            return RuleTrace(lineages[0], lineages[-1], evidence, load_setbacks(conn, rule.id))

    # --- overlaps -----------------------------------------------------------------------------------------------------

    def note_overlaps(self, task: str, compared: Sequence[str], overlaps: Sequence[Overlap]) -> None:
        """Replace the overlaps of a task: they follow from the rules, so they are no record of what somebody did.

        An approved rule goes stale by one that is new, if its decision did not know the other rule.
        """
        with self._database.write() as write:
            load_task(write.conn, task)
            found = write.conn.execute("SELECT low, high FROM overlap WHERE task = ?", (task,))
            before = {(str(row["low"]), str(row["high"])) for row in found}
            write.conn.execute("DELETE FROM overlap WHERE task = ?", (task,))
            write.conn.executemany(
                "INSERT INTO overlap (task, low, high, closeness) VALUES (?, ?, ?, ?)",
                [(task, o.low, o.high, o.closeness) for o in overlaps],
            )
            # Seeded checks are compared with nothing; left waiting for it they would show.
            write.conn.execute(
                f"""UPDATE rule SET compared = head
                    WHERE task = ? AND (head IN (SELECT value FROM json_each(?)) OR NOT id {NO_CHECK})""",  # noqa: S608 - a constant
                (task, canonical_json(list(compared))),
            )
            settle_found(write, task, [o for o in overlaps if (o.low, o.high) not in before])

    def overlaps(self, task: str, rule_id: str = "") -> tuple[OverlapPair, ...]:
        """Return the overlaps of live rules whose newest revisions were compared, closest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            head = load_summary(conn, rule_id).head if rule_id else ""
            found = conn.execute(
                f"""SELECT lo.id AS low, hi.id AS high, o.closeness FROM overlap AS o
                    JOIN rule AS lo ON lo.head = o.low JOIN rule AS hi ON hi.head = o.high
                    WHERE o.task = :task AND lo.state {LIVE} AND hi.state {LIVE}
                        AND (:head = '' OR o.low = :head OR o.high = :head)
                    ORDER BY o.closeness DESC, lo.number, hi.number""",  # noqa: S608 - a constant of this package
                {"task": task, "head": head},
            )
            return tuple(OverlapPair(row["low"], row["high"], row["closeness"]) for row in found)

    def uncompared(self, task: str) -> tuple[str, ...]:
        """Return the ids of live rules whose newest revision was not compared with the others yet."""
        sql = f"SELECT id FROM rule WHERE task = ? AND state {LIVE} AND compared <> head ORDER BY number"  # noqa: S608 - a constant
        with self._database.read() as conn:
            return tuple(str(row["id"]) for row in conn.execute(sql, (task,)))


def _trace(write: Write, updates: Sequence[EvidenceUpdate], actor: Actor) -> None:
    """Note what rules go on as, where that is something else than before."""
    moved: list[tuple[str, Lineage]] = []
    for update in updates:
        row = write.conn.execute(
            "SELECT * FROM lineage WHERE rule_id = ? ORDER BY id DESC LIMIT 1", (update.rule_id,)
        ).fetchone()
        old = rows.lineage_from(row)
        if (old.members, old.uncovered) != (update.lineage.members, update.lineage.uncovered):
            moved.append((update.rule_id, update.lineage))
    # Two rules may change places; the origins of all of them are free before the first gets its new one.
    for rule_id, _ in moved:
        write.conn.execute("UPDATE rule SET origin = 'moving ' || id WHERE id = ?", (rule_id,))
    for rule_id, lineage in moved:
        add_lineage(write, rule_id, lineage)
        origin = origin_of(lineage.members)
        write.conn.execute(
            "UPDATE rule SET origin = ?, uncovered = ? WHERE id = ?",
            (origin, canonical_json(list(lineage.uncovered)), rule_id),
        )
        write.event(
            actor,
            "rule.lineage_changed",
            rule_id,
            {
                "clustering": lineage.clustering_id,
                "cluster": lineage.cluster,
                "members": origin,
                "examples": len(lineage.members),
                "uncovered": list(lineage.uncovered),
            },
        )
