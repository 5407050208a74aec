"""`pld teacher`: whether it can be asked, which replies could not be used, which batches are under way."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import batching, extracting, wiring
from pld_app.cli_extract import batch_json
from pld_app.cli_format import Output, options
from pld_app.settings import load_settings
from pld_core.batches import StoredBatch
from pld_core.errors import PldError

EVERY_BATCH = "all"


@click.group()
def teacher() -> None:
    """The teacher: whether it can be asked, which replies could not be used, which batches are under way."""


@teacher.command(name="test")
@options
@click.option("--teacher", "name", default="", help="Such as openai:gpt-4.1-mini; from the settings if left out.")
def test_(workspace: Path, out: Output, name: str) -> None:
    """Look whether the teacher can be asked; sends no text and costs nothing."""
    settings = load_settings(workspace)
    wanted = name or settings.teacher.extraction
    if not wanted:
        raise PldError("No teacher is set. Set `extraction` under [teacher] in settings.toml, or PLD_TEACHER.")
    status = extracting.teacher_status(settings, wanted)
    value = {"name": status.name, "ready": status.ready, "problem": status.problem, "fix": status.fix}
    if not status.ready:
        if out.as_json:
            out.emit(value, "")
        raise PldError(f"{status.problem} {f'Run: {status.fix}' if status.fix else ''}".strip())
    out.emit(value, f"{status.name}: ready.")


@teacher.command()
@options
@click.option("--task", "task_name", required=True)
def failures(workspace: Path, out: Output, task_name: str) -> None:
    """List the calls without a usable reply, with the raw reply."""
    app = wiring.open_app(workspace)
    app.store.tasks.get(task_name)
    found = extracting.failures(app, task_name)
    value = [
        {"kind": str(c.failure), "problem": c.problem, "example": c.subjects[0], "model": c.model, "reply": c.reply}
        for c in found
    ]
    lines = [f"{c.failure}  {c.subjects[0][7:15]}  {c.problem}\n    {' '.join(c.reply.split())[:200]}" for c in found]
    out.emit(value, "\n".join(lines) or "No call failed.")


@teacher.command()
@options
@click.option("--task", "task_name", required=True)
@click.option("--cancel", default="", help="Number of an open batch that is to be cancelled, or all.")
def batches(workspace: Path, out: Output, task_name: str, cancel: str) -> None:
    """List the batches of a task, newest first, or cancel open ones; what was answered is kept and still collected."""
    app = wiring.open_app(workspace)
    if cancel:
        batching.cancel(app, task_name, _chosen(app, task_name, cancel))
    found = batching.batches(app, task_name)
    out.emit([batch_json(batch) for batch in found], "\n".join(_line(batch) for batch in found) or "No batch yet.")


def _chosen(app: wiring.App, task: str, cancel: str) -> tuple[StoredBatch, ...]:
    if cancel == EVERY_BATCH:
        return batching.open_batches(app, task)
    if not cancel.isdecimal():
        raise click.UsageError(f"--cancel reads {cancel!r}; it has to be the number of a batch, or {EVERY_BATCH}.")
    return (batching.batch_named(app, task, int(cancel)),)


def _line(batch: StoredBatch) -> str:
    note = batch.note
    words = note.message or f"{note.done + note.failed:,} of {batch.size:,} answered at the provider"
    return f"{batch.id}  {batch.state}  {batch.created_at[:16]}  {note.remote_id or 'not submitted'}  {words}"
