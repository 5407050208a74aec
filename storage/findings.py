"""Marking answers, and settling what was marked at the rules: a tick's consequences, in one transaction."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.errors import InvalidInput, MissingReason, NotFound
from pld_core.finding import (
    AnswerPlace,
    Finding,
    Mark,
    Marking,
    Settlement,
    checked,
    example_of,
    refuse_as_evidence,
)
from pld_core.models import Actor, Answer, Evidence, EvidenceRole, evidence_set_hash
from pld_core.permissions import Step, guarded
from pld_core.records import ImportRow, NewDataset
from pld_core.review import Action, next_state
from storage import rows
from storage.connection import Database, Write
from storage.evidence_writes import NextVersion, append_version
from storage.example_queries import EXAMPLE
from storage.example_rows import example_from
from storage.finding_queries import count_open_findings, findings_of_rule, load_finding, load_findings
from storage.importing import BUILT_IN, import_dataset
from storage.rule_queries import effective_evidence, load_standing, load_summary, refuse_moved_on
from storage.task_queries import load_task


@dataclass(frozen=True)
class _Marked:
    """The answer that a marking is about, as the store holds it."""

    task: str
    prompt_sha256: str
    student: str
    digest: str
    answer: Answer
    fields: tuple[tuple[str, str], ...]


class SqliteFindings:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.MARK)
    def mark(self, marking: Marking, actor: Actor) -> Finding:
        """Record what a person says of an answer; what was answered is read from the store, not from the caller."""
        with self._database.write() as write:
            task, place = load_task(write.conn, marking.task), marking.place
            marked = _marked(write.conn, place)
            if marked.task != task.name:
                raise InvalidInput(f"{place.words} belongs to the task {marked.task}. Nothing was recorded.")
            done = checked(task, marking, marked.answer.label)
            about = [_rule_of(write.conn, rule_id, task.name) for rule_id in done.rules]
            number = write.insert(
                "finding",
                {
                    "task": task.name,
                    "live_test_id": place.live_test or None,
                    "run_id": place.run or None,
                    "example_hash": place.example_hash,
                    "fields": canonical_json([list(pair) for pair in marked.fields]),
                    "prompt_sha256": marked.prompt_sha256,
                    "prompt_number": _version(write.conn, task.name, marked.prompt_sha256),
                    "student": marked.student,
                    "digest": marked.digest,
                    "answer": canonical_json(rows.answer_json(marked.answer)),
                    "mark": done.mark.value,
                    "label": done.label,
                    "note": done.note,
                    "at": write.now,
                    "by": actor.name,
                },
            )
            for rule_id in about:
                _attach(write, number, rule_id, actor)
            payload: dict[str, Json] = {
                "finding": number,
                "place": place.words,
                "example": place.example_hash,
                "input": hash_json([list(pair) for pair in marked.fields]),
                "mark": done.mark.value,
                "label": done.label,
                "said": marked.answer.label or "",
                "rules": list(about),
                "reason": done.note,
            }
            write.event(actor, "finding.marked", f"{task.name} finding {number}", payload)
            return load_finding(write.conn, number)

    @guarded(Step.MARK)
    def attach(self, number: int, rule_id: str, actor: Actor) -> Finding:
        """Say that a finding is about a rule of its task, too."""
        with self._database.write() as write:
            finding = load_finding(write.conn, number)
            about = _rule_of(write.conn, rule_id, finding.marking.task)
            if about in finding.rules:
                return finding
            if finding.replaced or finding.marking.mark is Mark.RIGHT:
                raise InvalidInput(f"Finding {number} waits for nothing, so no rule is added. Nothing was changed.")
            _attach(write, number, about, actor)
            subject = f"{finding.marking.task} finding {number}"
            write.event(actor, "finding.attached", subject, {"finding": number, "rule": about})
            return load_finding(write.conn, number)

    @guarded(Step.TICK)
    def settle(self, settlement: Settlement, actor: Actor) -> Finding:
        """Take a finding as evidence of a rule, or dismiss it there."""
        with self._database.write() as write:
            finding = load_finding(write.conn, settlement.finding)
            rule_id, role = settlement.rule_id.upper(), settlement.role
            _refuse_settled(finding, rule_id)
            reason = settlement.reason.strip()
            if role is None and not reason:
                raise MissingReason("Dismissing a finding needs a reason. Nothing was changed; add one.")
            payload: dict[str, Json] = {
                "finding": finding.id,
                "rule": rule_id,
                "role": role.value if role else "",
                "outcome": f"taken as {role.value.replace('_', ' ')}" if role else "dismissed",
                "reason": reason,
                "signed_as": actor.signed_as,
            }
            example_hash = ""
            if role is not None:
                taken = _take(write, finding, replace(settlement, rule_id=rule_id), role, actor)
                example_hash, payload = str(taken["example"]), payload | taken
            write.insert(
                "finding_outcome",
                {
                    "finding_id": finding.id,
                    "rule_id": rule_id,
                    "role": role.value if role else "",
                    "reason": reason,
                    "example_hash": example_hash,
                    "at": write.now,
                    "by": actor.name,
                },
            )
            subject = rule_id or f"{finding.marking.task} finding {finding.id}"
            write.event(actor, "finding.settled", subject, payload)
            return load_finding(write.conn, finding.id)

    def get(self, number: int) -> Finding:
        with self._database.read() as conn:
            return load_finding(conn, number)

    def all(self, task: str) -> tuple[Finding, ...]:
        """Return the findings of a task, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            return load_findings(conn, task)

    def of_rule(self, rule_id: str) -> tuple[Finding, ...]:
        """Return the findings about a rule, newest first, replaced ones left out."""
        with self._database.read() as conn:
            return findings_of_rule(conn, load_summary(conn, rule_id).id)

    def count_open(self, task: str) -> int:
        """Return how many findings of a task still need somebody."""
        with self._database.read() as conn:
            return count_open_findings(conn, task)


# --- marking ----------------------------------------------------------------------------------------------------------


def _marked(conn: sqlite3.Connection, place: AnswerPlace) -> _Marked:
    if place.live_test:
        row = conn.execute("SELECT * FROM live_test WHERE id = ?", (place.live_test,)).fetchone()
        if row is None:
            raise NotFound(f"There is no live test {place.live_test}. Nothing was recorded.")
        sent = json.loads(row["sent"])
        answer = rows.answer_from(json.loads(row["answer"]))
        digest = str(sent.get("digest", ""))
        fields = tuple((str(name), str(text)) for name, text in sent["fields"])
        return _Marked(row["task"], row["prompt_sha256"], row["student"], digest, answer, fields)
    row = conn.execute(
        """SELECT r.task, r.prompt_sha256, r.student, r.digest, p.answer FROM prediction AS p
           JOIN run AS r ON r.id = p.run_id WHERE p.run_id = ? AND p.example_hash = ?""",
        (place.run, place.example_hash),
    ).fetchone()
    if row is None:
        raise NotFound(f"Run {place.run} has no answer to {place.example_hash[:19]}. Nothing was recorded.")
    example = conn.execute(f"{EXAMPLE} WHERE e.task = ? AND e.hash = ?", (row["task"], place.example_hash)).fetchone()
    if example is None:
        raise NotFound(f"The example {place.example_hash[:19]} is not there any more. Nothing was recorded.")
    answer, fields = rows.answer_from(json.loads(row["answer"])), example_from(example).fields
    return _Marked(row["task"], row["prompt_sha256"], row["student"], row["digest"], answer, fields)


def _version(conn: sqlite3.Connection, task: str, sha256: str) -> int:
    """Return the newest version with this text, 0 for a trial that is none."""
    sql = "SELECT coalesce(max(number), 0) FROM prompt_version WHERE task = ? AND sha256 = ?"
    return int(conn.execute(sql, (task, sha256)).fetchone()[0])


def _rule_of(conn: sqlite3.Connection, rule_id: str, task: str) -> str:
    rule = load_summary(conn, rule_id)
    if rule.task != task:
        raise InvalidInput(f"{rule.id} is a rule of the task {rule.task}, not of {task}. Nothing was recorded.")
    return rule.id


def _attach(write: Write, number: int, rule_id: str, actor: Actor) -> None:
    write.insert("finding_rule", {"finding_id": number, "rule_id": rule_id, "at": write.now, "by": actor.name})


# --- settling ---------------------------------------------------------------------------------------------------------


def _refuse_settled(finding: Finding, rule_id: str) -> None:
    kept = "Nothing was changed."
    if not finding.is_open:
        raise InvalidInput(f"Finding {finding.id} waits for nothing any more. {kept}")
    if not rule_id and finding.rules:
        raise InvalidInput(f"Finding {finding.id} is about {', '.join(finding.rules)}. {kept} Settle it there.")
    if rule_id and rule_id not in finding.waits_at:
        raise InvalidInput(f"Finding {finding.id} does not wait at {rule_id}. {kept} Say that it is about it first.")


def _take(write: Write, finding: Finding, settlement: Settlement, role: EvidenceRole, actor: Actor) -> dict[str, Json]:
    """Give the rule's newest revision the input as evidence, and return what the event tells of it."""
    if not settlement.rule_id:
        raise InvalidInput("A finding is evidence of a rule. Nothing was changed. Say which rule it is about.")
    head = load_summary(write.conn, settlement.rule_id)
    refuse_moved_on(write.conn, head, settlement.seen_revision, head.state, actor)
    state = next_state(load_standing(write.conn, head), Action.TICK, actor)
    example_hash = _as_example(write, finding, actor)
    old = effective_evidence(write.conn, head.head)
    link = Evidence(example_hash, role, note=finding.marking.note, ticked_by=actor.name)
    new = (*(e for e in old if e.example_hash != example_hash), link)
    reason = f"{actor.name} took finding {finding.id} as {role.value.replace('_', ' ')}"
    version = NextVersion(head, head.head, old, new, head.state, state, Action.TICK, reason, actor, example_hash)
    number = append_version(write, version, actor)
    return {
        "revision": head.head,
        "version": number,
        "example": example_hash,
        "evidence": evidence_set_hash(new),
        "from": head.state.value,
        "to": state.value,
    }


def _as_example(write: Write, finding: Finding, actor: Actor) -> str:
    """Return the hash of the training example that holds the input; it is added if it is not there."""
    task, example = load_task(write.conn, finding.marking.task), example_of(finding)
    found = write.conn.execute(f"{EXAMPLE} WHERE e.task = ? AND e.text_hash = ?", (task.name, example.text_hash))
    there = [example_from(row) for row in found]
    refuse_as_evidence(example, there)
    if there:
        return example.hash
    name = f"finding {finding.id}"
    import_dataset(
        write, task, NewDataset(name, example.hash, "item", BUILT_IN, {}, {}), [ImportRow(1, example)], actor
    )
    told: dict[str, Json] = {"source": name, "added": 1, "already_there": 0}
    write.event(actor, "examples.imported", task.name, told)
    return example.hash
