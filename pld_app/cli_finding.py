"""`pld finding`: mark the student's answers, list what was marked, settle it at the rules."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import findings, wiring
from pld_app.cli_format import Output, options
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.finding import AnswerPlace, Finding, Mark, Marking
from pld_core.models import EvidenceRole

ROLES = [role.value for role in EvidenceRole]


@click.group()
def finding() -> None:
    """Answers of the student that people marked; they wait at rules until a reviewer settles them."""


@finding.command("mark")
@options
@click.option("--task", "task_name", required=True, help="Task of the answer.")
@click.option("--live-test", "live_test", type=int, help="Number of the live test, as `pld ask` printed it.")
@click.option("--run", "run_id", type=int, help="Run that holds the answer, with --example.")
@click.option("--example", "prefix", default="", help="First digits of the example's hash, with --run.")
@click.option("--right/--wrong", "is_right", default=None, help="What the answer is.")
@click.option("--label", default="", help="The right label; of a run's answer the gold label if left out.")
@click.option("--note", default="", help="Why it is wrong.")
@click.option("--rule", "rules", multiple=True, help="Rule that it is about; several times.")
def mark_answer(
    workspace: Path,
    out: Output,
    task_name: str,
    live_test: int | None,
    run_id: int | None,
    prefix: str,
    is_right: bool | None,
    label: str,
    note: str,
    rules: tuple[str, ...],
) -> None:
    """Mark an answer of the student as right or wrong. No rule changes by it."""
    if (live_test is None) is (run_id is None) or bool(prefix) is not (run_id is not None):
        raise click.UsageError("Name the answer: --live-test N, or --run N --example HASH.")
    if is_right is None:
        raise click.UsageError("Say --right or --wrong.")
    app = wiring.open_app(workspace)
    place, gold = AnswerPlace(live_test=live_test or 0), ""
    if run_id is not None:
        place, gold = _run_answer(app, run_id, prefix)
    mark = Mark.RIGHT if is_right else Mark.WRONG
    about = tuple(rule_id.upper() for rule_id in rules)
    _tell(out, app.store.findings.mark(Marking(task_name, place, mark, label or gold, note, about), app.actor))


def _run_answer(app: App, run_id: int, prefix: str) -> tuple[AnswerPlace, str]:
    """Return the place of the one answer of the run to an example that begins with these digits, and its gold label."""
    run, wanted = app.store.runs.get(run_id), prefix.removeprefix("sha256:")
    found = [p for p in app.store.runs.predictions(run.id) if p.example_hash.removeprefix("sha256:").startswith(wanted)]
    if len(found) != 1:
        raise InvalidInput(
            f"{len(found)} answers of run {run.id} are to examples that begin with {prefix!r}. Nothing was recorded. "
            "Give digits that name just one."
        )
    return AnswerPlace(run=run.id, example_hash=found[0].example_hash), found[0].gold


@finding.command("list")
@options
@click.option("--task", "task_name", required=True, help="Task whose findings are listed.")
@click.option("--rule", default="", help="Only those about this rule.")
@click.option("--open", "open_only", is_flag=True, help="Only those that somebody still has to look at.")
def list_findings(workspace: Path, out: Output, task_name: str, rule: str, open_only: bool) -> None:
    """List the marked answers of a task, newest first."""
    app = wiring.open_app(workspace)
    found = [
        one
        for one in app.store.findings.all(task_name)
        if (not rule or rule.upper() in one.rules) and (one.is_open or not open_only)
    ]
    out.emit([_json(one) for one in found], "\n".join(_line(one) for one in found) or "No finding.")


@finding.command()
@options
@click.argument("number", type=int)
@click.argument("rule")
def attach(workspace: Path, out: Output, number: int, rule: str) -> None:
    """Say that a finding is about a rule."""
    app = wiring.open_app(workspace)
    _tell(out, app.store.findings.attach(number, rule.upper(), app.actor))


@finding.command()
@options
@click.argument("number", type=int)
@click.option("--rule", default="", help="Rule at which it is settled; may be left out where it waits at one only.")
@click.option("--as", "role", type=click.Choice(ROLES), help="Take it as evidence: what the input says of the rule.")
@click.option("--dismiss", is_flag=True, help="Dismiss it there, with --reason.")
@click.option("--reason", default="", help="Why.")
def settle(workspace: Path, out: Output, number: int, rule: str, role: str | None, dismiss: bool, reason: str) -> None:
    """Take a finding as evidence of a rule, or dismiss it. An approved rule goes stale by new evidence."""
    if (role is None) is not dismiss:
        raise click.UsageError("Say --as ROLE or --dismiss.")
    app = wiring.open_app(workspace)
    _tell(out, findings.settle(app, number, rule, EvidenceRole(role) if role else None, reason))


def _tell(out: Output, one: Finding) -> None:
    out.emit(_json(one), _line(one))


def _line(one: Finding) -> str:
    marking = one.marking
    text = " · ".join(" ".join(value.split()) for _, value in one.fields if value.strip())
    note = f" {marking.note}" if marking.note else ""
    return (
        f"{one.id:>4}  {marking.mark.value}: said {one.said}, right is {marking.label} "
        f"({marking.place.words}, {one.student}, {one.by}); {findings.state_words(one)}.{note}  [{text[:80]}]"
    )


def _json(one: Finding) -> dict[str, Json]:
    marking = one.marking
    return {
        "finding": one.id,
        "task": marking.task,
        "live_test": marking.place.live_test or None,
        "run": marking.place.run or None,
        "example": marking.place.example_hash or None,
        "fields": dict(one.fields),
        "mark": marking.mark.value,
        "said": one.answer.label,
        "right": marking.label,
        "note": marking.note,
        "rules": list(one.rules),
        "open": one.is_open,
        "replaced": one.replaced,
        "prompt": one.prompt_number or None,
        "prompt_sha256": one.prompt_sha256,
        "student": one.student,
        "at": one.at,
        "by": one.by,
        "outcomes": [
            {"rule": o.rule_id or None, "role": o.role.value if o.role else None, "reason": o.reason, "by": o.by}
            for o in one.outcomes
        ],
    }
