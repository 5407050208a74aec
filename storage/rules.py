"""Rules, revisions, evidence and decisions. Each change asks the guard inside its own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.blind import veiled_dossier, veiled_summary
from pld_core.canonical import canonical_json
from pld_core.checks import Ending
from pld_core.errors import InvalidInput
from pld_core.lineage import for_labels
from pld_core.models import (
    ANYBODY,
    Actor,
    AuthorKind,
    CompiledRule,
    Decision,
    Judgement,
    Revision,
    RevisionState,
    RuleDossier,
    RuleSummary,
    RuleText,
)
from pld_core.permissions import Step, guarded
from pld_core.records import EVERY_RULE, NewRule, Page, RuleFilter
from pld_core.review import (
    Action,
    Standing,
    check_judgement,
    edited_revision,
    next_state,
)
from pld_core.rule_size import TextSize
from pld_core.rule_source import RuleSource
from pld_core.signing import Signature
from storage import rows
from storage.check_writes import close_check, enter_review, refuse_closed_check
from storage.checks import NO_CHECK
from storage.connection import Database, Write
from storage.example_queries import EXAMPLE
from storage.example_rows import example_from
from storage.judging import admit, record
from storage.rule_queries import (
    ORDER,
    effective_evidence,
    gold_labels,
    load_revision,
    load_revisions,
    load_standing,
    load_summary,
    refuse_moved_on,
    support_in_force,
    text_size_in_force,
    where_clause,
)
from storage.rule_writes import (
    add_rule,
    bring_into_review,
    enter_revision,
    proposal,
    refuse_no_noise,
    rule_of,
    settle,
)
from storage.signatures import load_signatures
from storage.task_queries import load_task
from storage.veils import veil_of, veils


class SqliteRules:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- changes ------------------------------------------------------------------------------------------------------

    @guarded(Step.SYNTHESISE)
    def propose(self, task: str, rule: NewRule, actor: Actor) -> str | None:
        """Store a proposed rule and return its id, or None if its origin already has one."""
        with self._database.write() as write:
            if rule_of(write.conn, task, rule.origin):
                return None
            revision = add_rule(write, task, rule)
            write.event(actor, "rule.proposed", revision.rule_id, proposal(task, revision, rule))
            return revision.rule_id

    @guarded(Step.SUBMIT)
    def submit(self, rule_id: str, actor: Actor) -> None:
        """Bring a proposed revision into review."""
        with self._database.write() as write:
            enter_review(write, rule_id, actor)

    @guarded(Step.PROMOTE)
    def promote(self, task: str, rule: NewRule, actor: Actor) -> str:
        """Store a rule that a person made of one noise point, and bring it into review, in one transaction."""
        if rule.author != actor.name or rule.author_kind is not AuthorKind.PERSON:
            raise InvalidInput("A rule made of a noise point is written by the person who acts. Nothing was changed.")
        with self._database.write() as write:
            if there := rule_of(write.conn, task, rule.origin):
                raise InvalidInput(f"{there} rests on this example alone already. Nothing was changed; open that rule.")
            refuse_no_noise(write.conn, task, rule)
            revision = add_rule(write, task, rule)
            bring_into_review(write, revision.rule_id, actor)
            write.event(actor, "rule.promoted", revision.rule_id, proposal(task, revision, rule))
            return revision.rule_id

    @guarded(Step.JUDGE)
    def judge(self, judgement: Judgement, actor: Actor, within: Write | None = None) -> Decision:
        """Record a verdict on the revision that the reviewer saw, in a transaction of its own or `within` another.

        Raises:
            RevisionMovedOn: it is no longer the newest, or its state or its evidence changed meanwhile.
            GuidelineMovedOn: another guideline came into force meanwhile.
            NotAllowed: the guard refused.
            StaleSignIn: the policy asks for a fresher sign-in.
        """
        check_judgement(judgement)
        with self._database.joined(within) as write:
            return record(write, judgement, admit(write, judgement, actor), actor)

    @guarded(Step.EDIT)
    def edit(
        self, rule_id: str, seen_revision: str, seen_state: RevisionState, text: RuleText, note: str, actor: Actor
    ) -> Revision:
        """Append an edited revision, which goes into review; the approved one, if any, stays in force until then."""
        with self._database.write() as write:
            head = load_summary(write.conn, rule_id)
            refuse_moved_on(write.conn, head, seen_revision, seen_state, actor)
            refuse_closed_check(write, head.id)
            settled = next_state(load_standing(write.conn, head), Action.EDIT, actor)
            parent = load_revision(write.conn, head.head)
            revision = edited_revision(parent, text, note, actor, load_task(write.conn, head.task).label_names)
            if settled is not head.state:
                settle(write, head, settled, Action.EDIT, actor, note)
            evidence = effective_evidence(write.conn, head.head)
            if revision.text.labels != parent.text.labels:
                label_of = gold_labels(write.conn, head.task, [e.example_hash for e in evidence])
                evidence = for_labels(evidence, revision.text.labels, label_of)
            enter_revision(write, head, revision, evidence, actor)
            write.event(
                actor,
                "rule.edited",
                head.id,
                {
                    "revision": revision.hash,
                    "parent": parent.hash,
                    "number": revision.number,
                    "reason": revision.note,
                    "text": revision.text.as_json(),
                },
            )
            close_check(write, head.id, Ending.EDITED, actor)
            return revision

    # --- reading ------------------------------------------------------------------------------------------------------

    def queue(
        self, task: str, where: RuleFilter = EVERY_RULE, page: Page | None = None, actor: Actor = ANYBODY
    ) -> tuple[RuleSummary, ...]:
        """Return rules in the order of the queue, each as the actor may see it now."""
        clause, values = where_clause(task, where)
        limit = (page.limit, page.offset) if page else (-1, 0)
        with self._database.read() as conn:
            load_task(conn, task)
            sql = f"SELECT * FROM rule WHERE {clause} ORDER BY {ORDER} LIMIT ? OFFSET ?"  # noqa: S608 - literals
            kept = veils(conn, actor)
            found = (rows.summary_from(row) for row in conn.execute(sql, (*values, *limit)))
            return tuple(veiled_summary(rule, kept.get(rule.id)) for rule in found)

    def count(self, task: str, where: RuleFilter = EVERY_RULE) -> int:
        clause, values = where_clause(task, where)
        with self._database.read() as conn:
            sql = f"SELECT count(*) FROM rule WHERE {clause}"  # noqa: S608 - literals
            return int(conn.execute(sql, values).fetchone()[0])

    def summary(self, rule_id: str, actor: Actor = ANYBODY) -> RuleSummary:
        with self._database.read() as conn:
            return veiled_summary(load_summary(conn, rule_id), veil_of(conn, actor, rule_id))

    def titles(self, rule_ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of rules as they are now, in the order given; those that are not there are left out."""
        with self._database.read() as conn:
            sql = "SELECT id, title FROM rule WHERE id IN (SELECT value FROM json_each(?))"
            found = {row["id"]: row["title"] for row in conn.execute(sql, (canonical_json(list(rule_ids)),))}
            return {rule_id: found[rule_id] for rule_id in rule_ids if rule_id in found}

    def revisions(self, hashes: Sequence[str]) -> dict[str, Revision]:
        """Return revisions by hash; those that are not there are left out."""
        with self._database.read() as conn:
            sql = "SELECT * FROM revision WHERE hash IN (SELECT value FROM json_each(?))"
            found = conn.execute(sql, (canonical_json(list(hashes)),))
            return {str(row["hash"]): rows.revision_from(row) for row in found}

    def sources(self, rules: Sequence[CompiledRule]) -> tuple[RuleSource, ...]:
        """Return what each of these rules of a prompt was compiled from, in their order."""
        asked = canonical_json([[rule.revision_hash, rule.decision_id] for rule in rules])
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT v.*, d.reviewer, d.decided_at, r.in_force = v.hash AS is_in_force FROM json_each(?) AS asked
                   CROSS JOIN revision AS v ON v.hash = asked.value ->> 0 JOIN rule AS r ON r.id = v.rule_id
                   JOIN decision AS d ON d.id = asked.value ->> 1 ORDER BY asked.key""",
                (asked,),
            )
            return tuple(
                RuleSource(rows.revision_from(row), row["reviewer"], row["decided_at"], bool(row["is_in_force"]))
                for row in found
            )

    def neighbours(self, rule_id: str, where: RuleFilter = EVERY_RULE) -> tuple[str | None, str | None]:
        """Return the ids before and after the rule in the filtered queue; of one outside it, (None, the first)."""
        with self._database.read() as conn:
            this = load_summary(conn, rule_id)
            clause, values = where_clause(this.task, where)
            sql = f"SELECT id FROM rule WHERE {clause} ORDER BY {ORDER}"  # noqa: S608 - literals
            ids = [str(row["id"]) for row in conn.execute(sql, values)]
        if this.id not in ids:
            return None, ids[0] if ids else None
        at = ids.index(this.id)
        return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)

    def dossier(self, rule_id: str, actor: Actor) -> RuleDossier:
        """Return everything about a rule that the actor may see of it now."""
        with self._database.read() as conn:
            summary = load_summary(conn, rule_id)
            stored = load_revisions(conn, summary.id)
            moves = conn.execute(
                """SELECT t.revision_hash, t.state FROM transition AS t JOIN revision AS r ON r.hash = t.revision_hash
                   WHERE r.rule_id = ? ORDER BY t.id""",
                (summary.id,),
            ).fetchall()
            evidence = effective_evidence(conn, summary.head)
            found = conn.execute(
                f"""{EXAMPLE} WHERE e.id IN (
                    SELECT x.id FROM evidence AS v JOIN example AS x ON x.task = v.task AND x.hash = v.example_hash
                    WHERE v.revision_hash = ?)""",  # noqa: S608 - a constant of this package
                (summary.head,),
            )
            decisions = conn.execute("SELECT * FROM decision WHERE rule_id = ? ORDER BY id", (summary.id,))
            dossier = RuleDossier(
                summary=summary,
                revisions=tuple(revision for revision, _ in stored),
                states={str(row["revision_hash"]): RevisionState(row["state"]) for row in moves},
                created={revision.hash: at for revision, at in stored},
                evidence=evidence,
                examples={str(row["hash"]): example_from(row) for row in found},
                decisions=tuple(rows.decision_from(row) for row in decisions),
                guideline_version=load_task(conn, summary.task).guideline_version,
            )
            return veiled_dossier(dossier, veil_of(conn, actor, summary.id))

    def signatures(self, decisions: Sequence[Decision]) -> dict[int, Signature]:
        """Return what was recorded with the signature of each of these decisions, by its number."""
        with self._database.read() as conn:
            return load_signatures(conn, decisions)

    def standing(self, rule_id: str) -> Standing:
        """Return what the guard knows of the newest revision."""
        with self._database.read() as conn:
            return load_standing(conn, load_summary(conn, rule_id))

    def origins(self, task: str) -> frozenset[str]:
        """Return the example sets that already have a rule."""
        with self._database.read() as conn:
            return frozenset(str(r["origin"]) for r in conn.execute("SELECT origin FROM rule WHERE task = ?", (task,)))

    def in_force(self, task: str) -> tuple[tuple[Revision, CompiledRule, int], ...]:
        """Return what a prompt may be compiled from; a seeded check never is, whatever its row says."""
        with self._database.read() as conn:
            load_task(conn, task)
            found = conn.execute(
                f"""SELECT v.*, (SELECT max(d.id) FROM decision AS d
                                WHERE d.revision_hash = v.hash AND d.verdict = 'approve') AS decision_id
                   FROM rule AS r JOIN revision AS v ON v.hash = r.in_force
                   WHERE r.task = ? AND r.id {NO_CHECK} ORDER BY r.number""",  # noqa: S608 - a constant
                (task,),
            )
            support = support_in_force(conn, task)
            return tuple(
                (
                    rows.revision_from(row),
                    CompiledRule(0, row["rule_id"], row["hash"], row["decision_id"]),
                    support.get(row["hash"], 0),
                )
                for row in found
            )

    def ids_in_force(self, task: str) -> tuple[str, ...]:
        """Return the ids of the rules that `in_force` tells of, in the same order."""
        with self._database.read() as conn:
            sql = f"SELECT id FROM rule WHERE task = ? AND in_force != '' AND id {NO_CHECK} ORDER BY number"  # noqa: S608 - a constant
            return tuple(str(row["id"]) for row in conn.execute(sql, (task,)))

    def size_in_force(self, task: str) -> TextSize:
        """Return how much text the rules have that `in_force` tells of."""
        with self._database.read() as conn:
            return text_size_in_force(conn, task)
