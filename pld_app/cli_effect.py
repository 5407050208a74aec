"""`pld rules effect`: what a rule does to the student, as it was measured last, or measured now."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import effects, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.effects import ShownEffect
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.effect import Case, Outcome
from pld_core.errors import BackendError, PldError
from pld_core.models import Answer, RuleDossier


@click.command()
@options
@click.argument("rule_id")
@click.option("--student", default="", help="Student; the one in the settings is measured if left out.")
@click.option("--measure", is_flag=True, help="Measure now: ask the student what it was not asked before.")
def effect(workspace: Path, out: Output, rule_id: str, student: str, measure: bool) -> None:
    """Show what a rule does to the student: answers to affected validation examples with and without it."""
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper(), app.actor)
    if measure:
        student = student or app.settings.student
        _measure(app, dossier, student)
    found = [one for one in effects.shown(app, dossier) if student in ("", one.stored.effect.student.name)]
    if found:
        out.emit([effect_json(one) for one in found], "\n".join(effect_text(one) for one in found))
        return
    name, trial = student or app.settings.student, effects.trial_of(app, dossier)
    out.emit(
        [],
        f"{dossier.summary.id}: not measured yet. --measure asks {name} at most {trial.questions} questions: "
        f"{len(trial.examples)} of {trial.basis.validation:,} validation examples, with and without the rule.",
    )


def _measure(app: App, dossier: RuleDossier, student: str) -> None:
    try:
        with progress_line() as progress:
            effects.measure(app, dossier.summary.id, student, progress)
    except (BackendError, KeyboardInterrupt) as error:
        raise PldError(
            f"{str(error) or 'Stopped.'} The answers so far are kept; the same command goes on from there."
        ) from error


def effect_json(one: ShownEffect) -> dict[str, Json]:
    """Return an effect for machines; `changes` is empty if it still holds."""
    stored, measured = one.stored, one.stored.effect
    return {
        "rule": measured.basis.rule_id,
        "revision": measured.basis.revision_hash,
        "student": measured.student.name,
        "digest": measured.student.digest,
        "at": stored.at,
        "by": stored.by,
        "changes": list(one.changes),
        "n": len(measured.cases),
        "fixed": measured.fixed,
        "broken": measured.broken,
        "right_without": measured.right_without.k,
        "right_with": measured.right_with.k,
        "mcnemar_p": measured.p_value,
        "unusable": {status.value: number for status, number in measured.unusable.items()},
        "examples": [_case_json(case) for case in measured.cases],
    }


def _case_json(case: Case) -> dict[str, Json]:
    return {
        "example": case.example_hash,
        "gold": case.gold,
        "outcome": case.outcome.name.lower(),
        "without": _answer_json(case.without),
        "with": _answer_json(case.with_rule),
    }


def _answer_json(answer: Answer) -> dict[str, Json]:
    return {"label": answer.label, "status": answer.status.value, "raw": answer.raw, "problem": answer.problem}


def effect_text(one: ShownEffect) -> str:
    """Return an effect for people: the counts, what they are worth, and the answers that changed."""
    stored, measured = one.stored, one.stored.effect
    lines = [
        f"{measured.basis.rule_id}: {measured.words}.",
        f"  measured on {measured.student.name}, {stored.at}, by {stored.by}",
        *([f"  {one.warning}"] if one.warning else []),
        f"  right without the rule: {measured.right_without.words}",
        f"  right with the rule: {measured.right_with.words}",
        f"  {effects.chance_words(measured)}",
        *([f"  {effects.unusable_words(measured)}"] if measured.unusable else []),
    ]
    for outcome in (Outcome.FIXED, Outcome.BROKEN):
        lines += [
            f"  {outcome.value}: {case.example_hash[7:19]}, gold {case.gold}, without {said(case.without)}, "
            f"with {said(case.with_rule)}"
            for case in measured.having(outcome)
        ]
    return "\n".join(lines)


def said(answer: Answer) -> str:
    return answer.label or f"no label ({answer.status.value})"
