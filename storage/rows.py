"""Models to rows and back; `example_rows` has those of examples and data sets. Pure."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from pld_core.canonical import Json, canonical_json
from pld_core.errors import Failure
from pld_core.lineage import EvidenceChange, Lineage
from pld_core.models import (
    Answer,
    AnswerStatus,
    AuthorKind,
    ClusterParams,
    ClusterPoint,
    CompiledPrompt,
    CompiledRule,
    Decision,
    Event,
    Evidence,
    EvidenceRole,
    Job,
    JobState,
    Label,
    ListedPrompt,
    MicroInstruction,
    Prediction,
    PromptVersion,
    RejectCategory,
    Revision,
    RevisionState,
    RuleSummary,
    RuleText,
    Run,
    Split,
    Task,
    Verdict,
)
from pld_core.prompt_manifest import Build, CountMethod, PromptKind, TokenCount
from pld_core.prompt_style import Style
from pld_core.records import StoredClustering, TeacherCall
from pld_core.run_setup import RunSetup

Row = sqlite3.Row
Value = None | int | float | str
VERSIONS = """SELECT v.task, v.number, v.sha256, v.manifest_hash, v.text, v.manifest, v.at, v.by,
        c.tokens, c.method, c.counter, c.note
    FROM prompt_version AS v
    LEFT JOIN prompt_count AS c ON c.id = (
        SELECT max(id) FROM prompt_count WHERE task = v.task AND number = v.number)"""
"""Prompt versions as `prompt_from` reads them, each with the newest count of its tokens."""


def task_row(task: Task, at: str) -> dict[str, Value]:
    return {
        "name": task.name,
        "title": task.title,
        "input_fields": canonical_json(list(task.input_fields)),
        "labels": canonical_json([[label.name, label.description] for label in task.labels]),
        "guideline_version": task.guideline_version,
        "teacher": task.teacher,
        "created_at": at,
    }


def task_from(row: Row) -> Task:
    """Read a row of `task` joined with its guideline's text."""
    return Task(
        name=row["name"],
        title=row["title"],
        input_fields=tuple(json.loads(row["input_fields"])),
        labels=tuple(Label(name, text) for name, text in json.loads(row["labels"])),
        guideline=row["guideline"],
        guideline_version=row["guideline_version"],
        teacher=row["teacher"],
    )


def instruction_row(task: str, instruction: MicroInstruction, at: str) -> dict[str, Value]:
    return {
        "task": task,
        "example_hash": instruction.example_hash,
        "condition": instruction.condition,
        "label": instruction.label,
        "reasoning": instruction.reasoning,
        "exceptions": canonical_json(list(instruction.exceptions)),
        "cues": canonical_json(list(instruction.cues)),
        "teacher": instruction.teacher,
        "template_hash": instruction.template_hash,
        "at": at,
    }


def instruction_from(row: Row) -> MicroInstruction:
    return MicroInstruction(
        example_hash=row["example_hash"],
        condition=row["condition"],
        label=row["label"],
        reasoning=row["reasoning"],
        exceptions=tuple(json.loads(row["exceptions"])),
        cues=tuple(json.loads(row["cues"])),
        teacher=row["teacher"],
        template_hash=row["template_hash"],
    )


def call_row(task: str, call: TeacherCall, at: str) -> dict[str, Value]:
    return {
        "task": task,
        "request_hash": call.request_hash,
        "purpose": call.purpose,
        "subjects": canonical_json(list(call.subjects)),
        "teacher": call.teacher,
        "template_hash": call.template_hash,
        "reply": call.reply,
        "problem": call.problem,
        "prompt_tokens": call.prompt_tokens,
        "output_tokens": call.output_tokens,
        "latency_ms": call.latency_ms,
        "at": at,
        "model": call.model,
        "finish": call.finish,
        "failure": call.failure.value if call.failure else "",
        "attempts": call.attempts,
        "cost": call.cost,
        "run": call.run,
    }


def call_from(row: Row) -> TeacherCall:
    return TeacherCall(
        request_hash=row["request_hash"],
        purpose=row["purpose"],
        subjects=tuple(json.loads(row["subjects"])),
        teacher=row["teacher"],
        template_hash=row["template_hash"],
        reply=row["reply"],
        problem=row["problem"],
        prompt_tokens=row["prompt_tokens"],
        output_tokens=row["output_tokens"],
        latency_ms=row["latency_ms"],
        model=row["model"],
        finish=row["finish"],
        failure=_failure_from(row),
        attempts=row["attempts"],
        cost=row["cost"],
        run=row["run"],
    )


def _failure_from(row: Row) -> Failure | None:
    """Calls of older versions have a problem and no kind."""
    if row["failure"]:
        return Failure(row["failure"])
    return Failure.UNUSABLE if row["problem"] else None


def clustering_from(row: Row, points: tuple[ClusterPoint, ...] = ()) -> StoredClustering:
    return StoredClustering(
        id=row["id"],
        task=row["task"],
        params=ClusterParams.from_json(json.loads(row["params"])),
        clusters=row["clusters"],
        noise=row["noise"],
        created_at=row["at"],
        created_by=row["by"],
        points=points,
    )


def point_from(row: Row) -> ClusterPoint:
    return ClusterPoint(row["example_hash"], row["label"], row["cluster"], row["x"], row["y"])


def revision_row(revision: Revision, at: str) -> dict[str, Value]:
    return {
        "hash": revision.hash,
        "rule_id": revision.rule_id,
        "number": revision.number,
        "title": revision.text.title,
        "condition": revision.text.condition,
        "labels": canonical_json(list(revision.text.labels)),
        "exceptions": canonical_json(list(revision.text.exceptions)),
        "rationale": revision.text.rationale,
        "priority": revision.text.priority,
        "author": revision.author,
        "author_kind": revision.author_kind.value,
        "parent": revision.parent,
        "note": revision.note,
        "at": at,
    }


def text_from(row: Row) -> RuleText:
    return RuleText(
        title=row["title"],
        condition=row["condition"],
        labels=tuple(json.loads(row["labels"])),
        exceptions=tuple(json.loads(row["exceptions"])),
        rationale=row["rationale"],
        priority=row["priority"],
    )


def revision_from(row: Row) -> Revision:
    return Revision(
        rule_id=row["rule_id"],
        number=row["number"],
        text=text_from(row),
        author=row["author"],
        author_kind=AuthorKind(row["author_kind"]),
        parent=row["parent"],
        note=row["note"],
    )


def search_text(rule_id: str, text: RuleText) -> str:
    """What the queue's search looks into."""
    return "\n".join([rule_id, text.title, text.condition, *text.exceptions])


def summary_from(row: Row) -> RuleSummary:
    return RuleSummary(
        id=row["id"],
        task=row["task"],
        title=row["title"],
        labels=tuple(json.loads(row["labels"])),
        state=RevisionState(row["state"]),
        revision=row["revision"],
        head=row["head"],
        in_force=row["in_force"],
        support=row["support"],
        contradictions=row["contradictions"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
        priority=row["priority"],
        uncovered=tuple(json.loads(row["uncovered"])),
    )


def evidence_from(row: Row) -> Evidence:
    return Evidence(row["example_hash"], EvidenceRole(row["role"]), row["closeness"], row["note"], row["ticked_by"])


def lineage_from(row: Row) -> Lineage:
    return Lineage(
        clustering_id=row["clustering_id"],
        cluster=row["cluster"],
        members=tuple(json.loads(row["members"])),
        uncovered=tuple(json.loads(row["uncovered"])),
        shown=tuple(json.loads(row["shown"])),
        ignored=tuple(json.loads(row["ignored"])),
    )


def evidence_change_from(row: Row) -> EvidenceChange:
    return EvidenceChange(
        number=row["number"],
        evidence_hash=row["evidence_hash"],
        added=tuple(json.loads(row["added"])),
        removed=tuple(json.loads(row["removed"])),
        reason=row["reason"],
        state=RevisionState(row["state"]),
        at=row["at"],
        ticked=row["ticked"],
    )


def decision_from(row: Row) -> Decision:
    return Decision(
        id=row["id"],
        rule_id=row["rule_id"],
        revision_hash=row["revision_hash"],
        evidence_hash=row["evidence_hash"],
        verdict=Verdict(row["verdict"]),
        category=RejectCategory(row["category"]) if row["category"] else None,
        reason=row["reason"],
        reviewer=row["reviewer"],
        opened_at=row["opened_at"],
        decided_at=row["decided_at"],
        guideline_version=row["guideline_version"],
        overlaps=tuple(json.loads(row["overlaps"])),
    )


def prompt_from(row: Row) -> PromptVersion:
    """Read a row of the prompt versions, joined with its newest token count."""
    return PromptVersion(
        number=row["number"],
        prompt=compiled_from(row["task"], row),
        created_at=row["at"],
        created_by=row["by"],
        tokens=None if row["method"] is None else _token_count(row),
    )


def listed_from(row: Row) -> ListedPrompt:
    return ListedPrompt(
        number=row["number"],
        kind=PromptKind(row["kind"]),
        style=Style(row["style"]),
        rules=row["rules"],
        size=row["size"],
        sha256=row["sha256"],
        created_at=row["at"],
        created_by=row["by"],
    )


def compiled_from(task: str, row: Row) -> CompiledPrompt:
    """Read the text, the hash and the manifest of a prompt of the task."""
    return _compiled(task, row["text"], row["sha256"], row["manifest"])


@lru_cache(maxsize=16)
def _compiled(task: str, text: str, sha256: str, manifest_text: str) -> CompiledPrompt:
    """A prompt of 10,000 rules takes 35 ms to read, and a page asks for the same one several times."""
    manifest = json.loads(manifest_text)
    return CompiledPrompt(
        task=task,
        text=text,
        sha256=sha256,
        rules=tuple(CompiledRule(r["number"], r["rule"], r["revision"], r["decision"]) for r in manifest["rules"]),
        template_hash=manifest["template"],
        guideline_version=manifest["guideline_version"],
        labels=tuple(manifest["labels"]),
        style=Style(manifest.get("style", Style.LABEL)),
        build=Build.from_json(manifest),
    )


def _token_count(row: Row) -> TokenCount:
    return TokenCount(row["tokens"], CountMethod(row["method"]), row["counter"], row["note"])


def run_from(row: Row) -> Run:
    return Run(
        id=row["id"],
        task=row["task"],
        prompt_number=row["prompt_number"],
        prompt_sha256=row["prompt_sha256"],
        student=row["student"],
        digest=row["digest"],
        split=Split(row["split"]),
        created_at=row["at"],
        created_by=row["by"],
        total=row["total"],
        job_id=row["job_id"],
        setup=RunSetup(
            row["temperature"],
            row["seed"],
            bool(row["shuffled"]),
            row["repeat_group"],
            row["options"],
            row["reason"],
        ),
    )


def answer_json(answer: Answer) -> dict[str, Json]:
    return {**asdict(answer), "status": answer.status.value}


def answer_from(value: dict[str, Any]) -> Answer:
    """Read what `answer_json` wrote; answers from before rules were cited cite none."""
    return Answer(**{**value, "status": AnswerStatus(value["status"]), "cited": tuple(value.get("cited", ()))})


def prediction_from(row: Row) -> Prediction:
    return Prediction(row["example_hash"], row["gold"], answer_from(json.loads(row["answer"])))


def job_from(row: Row) -> Job:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118 - sqlite3.Row iterates values, not names
    values["params"] = json.loads(values["params"])
    values["state"] = JobState(values["state"])
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Job(**values)


def event_from(row: Row) -> Event:
    return Event(
        seq=row["seq"],
        at=row["at"],
        actor=row["actor"],
        kind=row["kind"],
        subject=row["subject"],
        payload=json.loads(row["payload"]),
        prev=row["prev"],
        hash=row["hash"],
    )


def like(text: str) -> str:
    """Return a LIKE pattern that finds `text` anywhere, its own wildcards taken literally (ESCAPE is a backslash)."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
