"""`pld rules`: list, show, approve, edit, reject."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.canonical import Json
from pld_core.errors import NotFound
from pld_core.models import (
    Decision,
    Judgement,
    RejectCategory,
    Revision,
    RevisionState,
    RuleDossier,
    RuleSummary,
    Verdict,
)
from pld_core.ports import RuleFilter
from pld_core.review import rule_sentences


@click.group()
def rules() -> None:
    """Rules: list, show, approve, edit, reject."""


@rules.command(name="list")
@options
@click.option("--task", "task_name", default="", help="Only this task; all of them if left out.")
@click.option("--state", "states", type=click.Choice([s.value for s in RevisionState]), multiple=True)
@click.option("--label", default="", help="Only rules that conclude this label.")
@click.option("--search", default="", help="Only rules with this text in them.")
def list_(workspace: Path, out: Output, task_name: str, states: tuple[str, ...], label: str, search: str) -> None:
    """List rules in the order of the queue."""
    store = wiring.open_app(workspace).store
    where = RuleFilter(tuple(RevisionState(state) for state in states), label, search)
    names = [task_name] if task_name else [task.name for task in store.tasks.all()]
    found = [summary for name in names for summary in store.rules.queue(name, where)]
    lines = [
        f"{s.id:>5}  {s.task:<12} {s.state.label:<18} {'/'.join(s.labels):<14} {s.support:>3} examples  {s.title}"
        for s in found
    ]
    out.emit([summary_json(summary) for summary in found], "\n".join(lines) or "No rule matches.")


@rules.command()
@options
@click.argument("rule_id")
def show(workspace: Path, out: Output, rule_id: str) -> None:
    """Show a rule with its evidence, revisions and decisions."""
    dossier = wiring.open_app(workspace).store.rules.dossier(rule_id.upper())
    out.emit(dossier_json(dossier), dossier_text(dossier))


_reason = click.option("--reason", default="", help="Why, in your own words.")
_revision = click.option("--revision", type=int, help="The revision you looked at; refused if the rule moved on.")


@rules.command()
@options
@click.argument("rule_id")
@_reason
@_revision
def approve(workspace: Path, out: Output, rule_id: str, reason: str, revision: int | None) -> None:
    """Approve a rule's newest revision."""
    _judge(workspace, out, rule_id, Verdict.APPROVE, reason, None, revision)


@rules.command()
@options
@click.argument("rule_id")
@_reason
@click.option("--category", type=click.Choice([c.value for c in RejectCategory]), help="What is wrong with it.")
@_revision
def reject(workspace: Path, out: Output, rule_id: str, reason: str, category: str | None, revision: int | None) -> None:
    """Reject a rule's newest revision, with a category and a reason."""
    chosen = RejectCategory(category) if category else None
    _judge(workspace, out, rule_id, Verdict.REJECT, reason, chosen, revision)


@rules.command()
@options
@click.argument("rule_id")
@click.option("--if", "condition", help="The condition after IF.")
@click.option("--then", "labels", multiple=True, help="Label after THEN (repeatable).")
@click.option("--except", "exceptions", multiple=True, help="Exception (repeatable); replaces all that are there.")
@click.option("--no-exceptions", is_flag=True, help="Remove all exceptions.")
@click.option("--title", help="A few words for lists.")
@_reason
@_revision
def edit(
    workspace: Path,
    out: Output,
    rule_id: str,
    condition: str | None,
    labels: tuple[str, ...],
    exceptions: tuple[str, ...],
    no_exceptions: bool,
    title: str | None,
    reason: str,
    revision: int | None,
) -> None:
    """Change a rule; the new revision goes into review. What is not given stays as it is."""
    if exceptions and no_exceptions:
        raise click.UsageError("--except and --no-exceptions contradict each other; give one of them.")
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper())
    seen = _seen(dossier, revision)
    text = seen.text
    if condition is not None:
        text = replace(text, condition=condition)
    if labels:
        text = replace(text, labels=labels)
    if exceptions or no_exceptions:
        text = replace(text, exceptions=exceptions)
    if title is not None:
        text = replace(text, title=title)
    made = app.store.rules.edit(dossier.summary.id, seen.hash, _seen_state(dossier, seen), text, reason, app.actor)
    out.emit(revision_json(made), f"{made.rule_id} revision {made.number} is in review ({made.hash[:19]}).")


def _judge(
    workspace: Path,
    out: Output,
    rule_id: str,
    verdict: Verdict,
    reason: str,
    category: RejectCategory | None,
    number: int | None,
) -> None:
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper())
    seen = _seen(dossier, number)
    judgement = Judgement(dossier.summary.id, seen.hash, _seen_state(dossier, seen), verdict, reason, category)
    decision = app.store.rules.judge(judgement, app.actor)
    state = app.store.rules.summary(decision.rule_id).state
    out.emit(
        {**decision_json(decision), "state": state.value},
        f"{decision.rule_id} revision {seen.number} is {state.label} (decision {decision.id} by {decision.reviewer}).",
    )


def _seen(dossier: RuleDossier, number: int | None) -> Revision:
    if number is None:
        return dossier.head
    for revision in dossier.revisions:
        if revision.number == number:
            return revision
    raise NotFound(f"{dossier.summary.id} has no revision {number}; its newest is {dossier.head.number}.")


def _seen_state(dossier: RuleDossier, seen: Revision) -> RevisionState:
    return dossier.states[seen.hash]


def summary_json(summary: RuleSummary) -> dict[str, Json]:
    return {
        "id": summary.id,
        "task": summary.task,
        "title": summary.title,
        "labels": list(summary.labels),
        "state": summary.state.value,
        "revision": summary.revision,
        "revision_hash": summary.head,
        "in_force": summary.in_force or None,
        "support": summary.support,
        "contradictions": summary.contradictions,
        "changed_at": summary.changed_at,
        "changed_by": summary.changed_by,
    }


def revision_json(revision: Revision) -> dict[str, Json]:
    return {
        "id": revision.rule_id,
        "revision": revision.number,
        "hash": revision.hash,
        "parent": revision.parent or None,
        "author": revision.author,
        "author_kind": revision.author_kind.value,
        "note": revision.note,
        **revision.text.as_json(),
    }


def decision_json(decision: Decision) -> dict[str, Json]:
    return {
        "decision": decision.id,
        "rule": decision.rule_id,
        "revision_hash": decision.revision_hash,
        "evidence_hash": decision.evidence_hash,
        "verdict": decision.verdict.value,
        "category": decision.category.value if decision.category else None,
        "reason": decision.reason,
        "reviewer": decision.reviewer,
        "decided_at": decision.decided_at,
    }


def dossier_json(dossier: RuleDossier) -> dict[str, Json]:
    return {
        **summary_json(dossier.summary),
        "revisions": [
            {**revision_json(revision), "state": dossier.states[revision.hash].value} for revision in dossier.revisions
        ],
        "evidence": [
            {
                "example": e.example_hash,
                "role": e.role.value,
                "label": dossier.examples[e.example_hash].label,
                "split": dossier.examples[e.example_hash].split.value,
                "fields": dict(dossier.examples[e.example_hash].fields),
            }
            for e in dossier.evidence
        ],
        "decisions": [decision_json(decision) for decision in dossier.decisions],
    }


def dossier_text(dossier: RuleDossier) -> str:
    """Return the rule as a person reads it in a terminal."""
    condition, then, exceptions = rule_sentences(dossier.head.text)
    lines = [
        f"{dossier.summary.id}  {dossier.head.text.title}",
        f"{dossier.summary.state.label}, revision {dossier.head.number} by {dossier.head.author}, {dossier.head.hash}",
        "",
        f"IF      {condition}",
        f"THEN    {then}",
        *(f"EXCEPT  {exception}" for exception in exceptions),
        "",
    ]
    for e in dossier.evidence:
        example = dossier.examples[e.example_hash]
        lines.append(f"{e.role.value.replace('_', ' ')}: {example.label} ({example.split.value}) {e.example_hash[:19]}")
        lines += [f"    {name}: {value}" for name, value in example.fields]
    for d in dossier.decisions:
        lines.append(f"decision {d.id}: {d.verdict.value} by {d.reviewer} at {d.decided_at}. {d.reason}")
    return "\n".join(lines)
