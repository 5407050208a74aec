"""`pld rules`: list, show, approve, edit, reject."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from pld_app import synthesis_work, wiring
from pld_app.checking import closed_check_json, told_after_check
from pld_app.cli_format import Output, options
from pld_app.cli_overlaps import overlap_lines, pair_json
from pld_app.cli_second_look import look_json, look_line
from pld_app.deciding import decide, voices_words
from pld_core.canonical import Json
from pld_core.errors import NotFound
from pld_core.lineage import EvidenceChange, Lineage, RuleTrace
from pld_core.models import (
    ATTESTATION,
    PRIORITIES,
    Decision,
    Judgement,
    RejectCategory,
    Revision,
    RevisionState,
    RuleDossier,
    RuleSummary,
    Verdict,
    evidence_set_hash,
)
from pld_core.pair_judging import judged_pairs
from pld_core.records import RuleFilter
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
@click.option("--overlapping", is_flag=True, help="Only rules that another rule overlaps.")
def list_(
    workspace: Path, out: Output, task_name: str, states: tuple[str, ...], label: str, search: str, overlapping: bool
) -> None:
    """List rules in the order of the queue."""
    app = wiring.open_app(workspace)
    store = app.store
    where = RuleFilter(tuple(RevisionState(state) for state in states), label, search, overlapping)
    names = [task_name] if task_name else [task.name for task in store.tasks.all()]
    for name in names if overlapping else ():
        synthesis_work.bring_up_to_date(app, name)
    found = [summary for name in names for summary in store.rules.queue(name, where, actor=app.actor)]
    lines = [
        f"{s.id:>5}  {s.task:<12} {s.state.label:<18} {'/'.join(s.labels):<14} {s.support:>3} examples  {s.title}"
        + (f"  (its cluster also holds {', '.join(s.uncovered)})" if s.uncovered else "")
        for s in found
    ]
    out.emit([summary_json(summary) for summary in found], "\n".join(lines) or "No rule matches.")


@rules.command()
@options
@click.argument("rule_id")
def show(workspace: Path, out: Output, rule_id: str) -> None:
    """Show a rule with its evidence, revisions and decisions."""
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper(), app.actor)
    trace = app.store.lineage.trace(dossier.summary.id, app.actor)
    looks = app.store.desk.second_looks.of_rule(dossier.summary.id)
    pairs = judged_pairs(app.store, dossier.summary.task, dossier.summary.id)
    compared = dossier.summary.id not in app.store.lineage.uncompared(dossier.summary.task)
    value = {
        **dossier_json(dossier),
        **trace_json(trace),
        "second_looks": [look_json(look) for look in looks],
        "compared": compared,
        "overlaps": [pair_json(pair) for pair in pairs],
        "seeded_check": closed_check_json(app, dossier.summary.id),
    }
    voices = voices_words(dossier, app.actor)
    lines = [dossier_text(dossier), *([voices] if voices else []), *map(look_line, looks), *trace_lines(trace)]
    lines += overlap_lines(app, dossier.summary.task, pairs)
    hint = f"not compared with the other rules yet: `pld rules overlaps --task {dossier.summary.task}`"
    told = told_after_check(app, dossier.summary.id)
    out.emit(value, "\n".join([*lines, *([] if compared else [hint]), *([told] if told else [])]))


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
@_reason
@_revision
def request_changes(workspace: Path, out: Output, rule_id: str, reason: str, revision: int | None) -> None:
    """Ask for changes to a rule's newest revision, with a reason."""
    _judge(workspace, out, rule_id, Verdict.REQUEST_CHANGES, reason, None, revision)


@rules.command()
@options
@click.argument("rule_id")
@click.option("--if", "condition", help="The condition after IF.")
@click.option("--then", "labels", multiple=True, help="Label after THEN (repeatable).")
@click.option("--except", "exceptions", multiple=True, help="Exception (repeatable); replaces all that are there.")
@click.option("--no-exceptions", is_flag=True, help="Remove all exceptions.")
@click.option("--title", help="A few words for lists.")
@click.option(
    "--priority",
    type=click.IntRange(min(PRIORITIES), max(PRIORITIES)),
    help="1 overrides other rules, 2 is ordinary, 3 is a fallback.",
)
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
    priority: int | None,
    reason: str,
    revision: int | None,
) -> None:
    """Change a rule; the new revision goes into review. What is not given stays as it is."""
    if exceptions and no_exceptions:
        raise click.UsageError("--except and --no-exceptions contradict each other; give one of them.")
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper(), app.actor)
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
    if priority is not None:
        text = replace(text, priority=priority)
    state = _seen_state(dossier, seen)
    made, problem = synthesis_work.edit(app, dossier.summary.id, seen.hash, state, text, reason)
    state = app.store.rules.summary(made.rule_id).state
    told = f"{made.rule_id} revision {made.number} is {state.label} ({made.hash[:19]})."
    check = closed_check_json(app, made.rule_id)
    value = {**revision_json(made), "not_compared": problem, "seeded_check": check}
    out.emit(value, " ".join(filter(None, [told, problem, told_after_check(app, made.rule_id)])))


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
    dossier = app.store.rules.dossier(rule_id.upper(), app.actor)
    seen = _seen(dossier, number)
    judgement = Judgement(
        dossier.summary.id,
        seen.hash,
        _seen_state(dossier, seen),
        verdict,
        reason,
        category,
        seen_evidence=evidence_set_hash(dossier.evidence),
    )
    done = decide(app, judgement)
    signature = app.store.rules.signatures([done.decision])[done.decision.id]
    told = [
        (
            f"{done.decision.rule_id} revision {seen.number} is {done.state.label} (decision {done.decision.id} by "
            f"{done.decision.reviewer})."
        ),
        f"Signed, as an {ATTESTATION}: {signature.meaning}",
        done.told,
        told_after_check(app, done.decision.rule_id),
    ]
    out.emit(
        {
            **decision_json(done.decision),
            "state": done.state.value,
            "meaning": signature.meaning,
            "signed_as": signature.kind,
            "first_decision": done.told or None,
            "seeded_check": closed_check_json(app, done.decision.rule_id),
        },
        "\n".join(line for line in told if line),
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
        "priority": summary.priority,
        "uncovered_labels": list(summary.uncovered),
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
        "guideline_version": decision.guideline_version or None,
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
                "closeness": e.closeness,
                "note": e.note,
                "fields": dict(dossier.examples[e.example_hash].fields),
            }
            for e in dossier.evidence
        ],
        "decisions": [decision_json(decision) for decision in dossier.decisions],
        "first_decision_withheld": dossier.withheld,
    }


def dossier_text(dossier: RuleDossier) -> str:
    """Return the rule as a person reads it in a terminal."""
    condition, then, exceptions = rule_sentences(dossier.head.text)
    lines = [
        f"{dossier.summary.id}  {dossier.head.text.title}",
        f"{dossier.summary.state.label}, revision {dossier.head.number} by {dossier.head.author}, {dossier.head.hash}",
        f"priority {dossier.head.text.priority} ({PRIORITIES[dossier.head.text.priority]})",
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
        lines += [f"    {e.note}"] if e.note else []
    for d in dossier.decisions:
        lines.append(f"decision {d.id}: {d.verdict.value} by {d.reviewer} at {d.decided_at}. {d.reason}")
    return "\n".join(lines)


def trace_json(trace: RuleTrace) -> dict[str, Json]:
    """Return where a rule comes from, what it goes on as, how its evidence changed, and what set decisions back."""
    return {
        "merged_from": {**_lineage_json(trace.first), "shown": list(trace.first.shown)},
        "goes_on_as": _lineage_json(trace.now),
        "ignored_ids": list(trace.first.ignored),
        "evidence_changes": [_change_json(change) for change in trace.changes],
        "setbacks": [
            {"revision": s.revision, "state": s.state.value, "reason": s.reason, "at": s.at} for s in trace.setbacks
        ],
    }


def _lineage_json(lineage: Lineage) -> dict[str, Json]:
    return {
        "clustering": lineage.clustering_id,
        "cluster": lineage.cluster,
        "members": list(lineage.members),
        "uncovered_labels": list(lineage.uncovered),
    }


def _change_json(change: EvidenceChange) -> dict[str, Json]:
    return {
        "version": change.number,
        "evidence_hash": change.evidence_hash,
        "added": list(change.added),
        "removed": list(change.removed),
        "reason": change.reason,
        "state": change.state.value,
        "at": change.at,
    }


def trace_lines(trace: RuleTrace) -> list[str]:
    """Return what a person should know of where the rule comes from."""
    first = trace.first
    lines = [f"merged from {len(first.members)} examples of cluster {first.cluster}, clustering {first.clustering_id}"]
    if first.shown and not set(first.members) <= set(first.shown):
        lines[0] += f"; the teacher was shown {len(first.shown)} examples of the cluster, a drawn sample"
    if trace.now.uncovered:
        lines.append(f"its cluster also holds {', '.join(trace.now.uncovered)}; no rule of it concludes that")
    lines += [f"{change.at}: {change.reason} (then {change.state.label})" for change in trace.changes]
    return [*lines, *(f"{s.at}: {s.reason} (revision {s.revision} was then {s.state.label})" for s in trace.setbacks)]
