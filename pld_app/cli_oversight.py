"""`pld oversight`: figures on how the deciding itself went, never by person."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.oversight import oversight as figures_of
from pld_core.oversight_words import NOBODY, Told, told


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose decisions are looked at.")
def oversight(workspace: Path, out: Output, task_name: str) -> None:
    """Show decisions, overrides, agreement, time at work beside length of text, evidence before approval, checks."""
    store = wiring.open_app(workspace).store
    figures, checks = figures_of(store.oversight.facts(task_name)), store.checks.figures(task_name)
    lines = "\n\n".join(_lines(subject) for subject in told(figures)) if figures.decisions else NOBODY
    out.emit(
        {"task": task_name, **figures.as_json(), "seeded_checks": checks.as_json()},
        f"{lines}\n\nSeeded checks caught\n  {checks.words}",
    )


def _lines(subject: Told) -> str:
    return "\n".join([subject.title, *(f"  {sentence}" for sentence in subject.says), f"  ({subject.limits})"])
