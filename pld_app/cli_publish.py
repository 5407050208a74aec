"""`pld prompt publish`: make a model on Ollama of a student and a prompt version."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import students, wiring
from pld_app.cli_format import Output, options
from pld_core.publishing import model_name


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose prompt is published.")
@click.option("--prompt", "number", type=int, help="Prompt version; the newest if left out.")
@click.option("--student", "chosen", help="Student on Ollama that it is made of; from the settings if left out.")
@click.option("--name", default="", help="Name of the model; pld-TASK:vVERSION if left out.")
@click.option("--reason", required=True, help="Why; it goes on the record.")
def publish(
    workspace: Path,
    out: Output,
    task_name: str,
    number: int | None,
    chosen: str | None,
    name: str,
    reason: str,
) -> None:
    """Make a model of a student and a prompt version on Ollama, read it back, and record its digest."""
    app = wiring.open_app(workspace)
    version = wiring.prompt_version(app, task_name, number)
    name = name or model_name(version, students.exception_of(app, version))
    made = students.publish(app, version, chosen or app.settings.student, name, reason)
    words = f"Prompt version {version.number} of {task_name} is {made.model} on {', '.join(made.hosts)}, {made.digest}"
    words = f"{words}\nIt states: {made.notice}" if made.notice else words
    out.emit({"prompt": version.number, **made.as_json()}, words)
