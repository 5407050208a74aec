"""`pld ask-batch`: up to 200 inputs of a file or of standard input, with a table of the answers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pld_app import live_batches, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.wiring import App
from pld_core.errors import BackendError, PldError
from pld_core.live_batch import BatchLine, LiveBatch, ReadInputs, read_lines, right_of
from pld_core.models import Task

STDIN = "standard input"


@click.command("ask-batch")
@options
@click.option("--task", "task_name", required=True, help="Task to ask about.")
@click.option("--file", "given", help="File with the inputs: one on each line, or a table; - for standard input.")
@click.option("--prompt", "number", type=int, help="Prompt version; the newest if left out.")
@click.option("--student", help="Student; from the settings if left out.")
@click.option("--out", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the table: .csv, .jsonl.")
@click.option("--resume", type=int, metavar="BATCH", help="Go on with this batch: ask only what has no answer yet.")
@click.option("--list", "listing", is_flag=True, help="List the batches of the task.")
def ask_batch(
    workspace: Path,
    out: Output,
    task_name: str,
    given: str | None,
    number: int | None,
    student: str | None,
    target: Path | None,
    resume: int | None,
    listing: bool,
) -> None:
    """Ask the student about many inputs, at most 200. Stop as you like: --resume asks nothing twice."""
    if sum((given is not None, resume is not None, listing)) != 1:
        raise click.UsageError("Give one of --file, --resume and --list.")
    if target is not None:
        live_batches.table_format(target)
    app = wiring.open_app(workspace)
    task = app.store.tasks.get(task_name)
    if listing:
        _list(app, task, out)
        return
    if resume is None:
        version = wiring.prompt_version(app, task_name, number)
        batch = live_batches.order(app, version, student or app.settings.student, _read(task, str(given)))
    else:
        if number is not None or student:
            raise click.UsageError("--resume goes on with a batch as it was ordered: without --prompt and --student.")
        batch = live_batches.begun(app, task_name, resume)
    _answer(app, batch)
    found = live_batches.lines(app, batch)
    if target is not None:
        live_batches.write_table(task, found, target)
    written = f"\nThe table is in {target}." if target else ""
    text = "\n".join([*(_line(line) for line in found), f"Batch {batch.id}: {live_batches.result_words(app, batch)}"])
    out.emit(_json(batch, found), f"{text}{written}")


def _read(task: Task, given: str) -> ReadInputs:
    if given == "-":
        return read_lines(task, sys.stdin.read(live_batches.MOST_BYTES), STDIN)
    return live_batches.read_file(task, Path(given))


def _answer(app: App, batch: LiveBatch) -> None:
    try:
        with progress_line() as progress:
            live_batches.answer(app, batch.id, progress)
    except (BackendError, KeyboardInterrupt) as error:
        way_on = f"Batch {batch.id} keeps its answers: pld ask-batch --task {batch.order.task} --resume {batch.id}"
        raise PldError(f"{str(error) or 'Stopped.'} {way_on}") from error


def _line(line: BatchLine) -> str:
    said = "not asked" if line.answer is None else line.answer.label or f"no label ({line.answer.status.value})"
    gold = f" (gold: {line.given.gold})" if line.given.gold else ""
    text = " · ".join(" ".join(value.split()) for _, value in line.given.fields if value.strip())
    return f"{line.number:>3}  {said}{gold}  {text[:80]}"


def _json(batch: LiveBatch, found: tuple[BatchLine, ...]) -> dict[str, object]:
    order = batch.order
    return {
        "batch": batch.id,
        "prompt": order.prompt_number,
        "sha256": order.prompt_sha256,
        "student": order.student,
        "digest": order.digest,
        "right": right_of(found).as_json(),
        "lines": live_batches.table(found),
    }


def _list(app: App, task: Task, out: Output) -> None:
    batches = app.store.live_batches.all(task.name)
    words = {batch.id: live_batches.result_words(app, batch) for batch in batches}
    lines = [
        f"{batch.id:>3}  {batch.at}  {batch.by}  version {batch.order.prompt_number}, {batch.order.student}, "
        f"{batch.order.read.source}: {words[batch.id]}"
        for batch in batches
    ]
    value = [
        {
            "batch": batch.id,
            "prompt": batch.order.prompt_number,
            "student": batch.order.student,
            "source": batch.order.read.source,
            "at": batch.at,
            "by": batch.by,
            "result": words[batch.id],
        }
        for batch in batches
    ]
    out.emit(value, "\n".join(lines) or "No batch yet. `pld ask-batch --file` begins one.")
