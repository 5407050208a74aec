"""`pld data`: data sets, label conflicts, divisions and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pld_app import exporting, wiring
from pld_app.cli_format import Output, options
from pld_app.cli_import import pairs
from pld_app.cli_report import counted, report_lines
from pld_app.importing import resplit_task
from pld_core.canonical import Json
from pld_core.errors import InvalidInput, MissingReason
from pld_core.label_set import edited_labels
from pld_core.models import Example, Split
from pld_core.records import Dataset, ExampleFilter, LabelConflict
from pld_core.validation.report import ValidationReport

DATASET_ID = click.argument("dataset_id", type=click.IntRange(1, 2**63 - 1), metavar="DATA_SET")
TASK = click.option("--task", "task_name", required=True, help="Task whose examples they are.")


@click.group()
def data() -> None:
    """Data sets: list, show, conflicts, settle, resplit, describe, archive, restore, delete, export."""


@data.command(name="list")
@options
@click.option("--task", "task_name", default="", help="Only this task; all of them if left out.")
def list_(workspace: Path, out: Output, task_name: str) -> None:
    """List the data sets, newest first."""
    store = wiring.open_app(workspace).store
    names = [store.tasks.get(task_name).name] if task_name else [task.name for task in store.tasks.all()]
    found = sorted((d for name in names for d in store.data.all(name)), key=lambda d: d.id, reverse=True)
    lines = [
        f"{d.id:>4}  {d.task:<16} {counted(d.rows, 'row'):>14}  {d.state.value:<9} {d.about.file}  "
        f"{d.created_by}, {d.created_at}"
        for d in found
    ]
    out.emit([dataset_json(d) for d in found], "\n".join(lines) or "No data set yet.")


@data.command()
@options
@DATASET_ID
def show(workspace: Path, out: Output, dataset_id: int) -> None:
    """Show a data set with its validation report."""
    store = wiring.open_app(workspace).store
    dataset = store.data.get(dataset_id)
    head = (
        f"Data set {dataset.id} of {dataset.task}: {dataset.about.file}, {dataset.about.sha256}, {dataset.state.value}"
    )
    lines = report_lines(ValidationReport.model_validate(dataset.about.report)) if dataset.about.report else []
    resting = list(store.data.resting(dataset_id))
    lines += [f"Rules that rest on it: {', '.join(resting)}"] if resting else []
    value = {**dataset_json(dataset), "rules": resting, "report": dict(dataset.about.report)}
    out.emit(value, "\n".join([head, *lines]))


@data.command()
@options
@TASK
def conflicts(workspace: Path, out: Output, task_name: str) -> None:
    """List texts that stand with more than one label."""
    store = wiring.open_app(workspace).store
    store.tasks.get(task_name)
    found = store.data.conflicts(task_name)
    lines = [line for conflict in found for line in _conflict_lines(conflict)]
    out.emit([conflict_json(c) for c in found], "\n".join(lines) or "No text has more than one label.")


@data.command()
@options
@click.argument("text_hash")
@TASK
@click.option("--label", required=True, help="The right label; `none` if no label of them is.")
@click.option("--reason", required=True, help="Why; kept with the decision.")
def settle(workspace: Path, out: Output, text_hash: str, task_name: str, label: str, reason: str) -> None:
    """Settle which label of a text is right; the other examples are withdrawn."""
    app = wiring.open_app(workspace)
    conflict = _find_conflict(app, task_name, text_hash)
    by_label = {example.label: example.hash for example in conflict.examples}
    if label not in by_label and label != "none":
        raise InvalidInput(f"The text has no label {label!r}. It has: {', '.join(by_label)}. Nothing was changed.")
    app.store.data.settle(task_name, conflict.text_hash, by_label.get(label, ""), reason, app.actor)
    out.emit({"task": task_name, "text": conflict.text_hash, "label": label}, f"Settled as {label}.")


@data.command()
@options
@TASK
@click.option("--seed", default=0, show_default=True, help="Seed of the division.")
def resplit(workspace: Path, out: Output, task_name: str, seed: int) -> None:
    """Divide a task's examples anew: what is alike or one group stays together, what rules rest on stays in train."""
    app = wiring.open_app(workspace)
    changed = resplit_task(app, task_name, seed)
    counts = {split.value: n for split, n in app.store.tasks.counts(task_name).examples.items()}
    told = ", ".join(f"{n:,} {split}" for split, n in counts.items())
    out.emit(
        {"task": task_name, "changed": changed, "splits": counts}, f"{counted(changed, 'example')} moved; now {told}."
    )


@data.command()
@options
@TASK
@click.argument("descriptions", nargs=-1, metavar="[LABEL=TEXT]...")
@click.option("--add", "added", multiple=True, metavar="LABEL=TEXT", help="A new label (repeatable).")
@click.option("--remove", "removed", multiple=True, metavar="LABEL", help="An unused label to remove (repeatable).")
@click.option("--reason", default="", help="Why; kept with the change.")
@click.option("--dry-run", is_flag=True, help="Say which rules go stale, and change nothing.")
def describe(
    workspace: Path,
    out: Output,
    task_name: str,
    descriptions: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    reason: str,
    dry_run: bool,
) -> None:
    """Say what labels mean, add labels, remove unused ones; they go into the prompts.

    Another description makes the rules stale that conclude the label; a label more or less makes every rule stale.
    """
    if not (descriptions or added or removed):
        raise click.UsageError("Give a description as LABEL=TEXT, a label to --add, or one to --remove.")
    app = wiring.open_app(workspace)
    seen = app.store.tasks.get(task_name).labels
    wanted = edited_labels(task_name, seen, pairs("--describe", descriptions), pairs("--describe", added), removed)
    if dry_run:
        effects = app.store.labels.effects(task_name, wanted)
        out.emit({"task": task_name, **effects.as_json()}, f"This {effects.words}.")
        return
    effects = app.store.labels.change(task_name, seen, wanted, reason, app.actor)
    labels = {label.name: label.description for label in app.store.tasks.get(task_name).labels}
    lines = [*(f"{name}: {text}" for name, text in labels.items()), f"This {effects.words}."]
    out.emit({"task": task_name, "labels": labels, **effects.as_json()}, "\n".join(lines))


@data.command()
@options
@DATASET_ID
@click.option("--reason", required=True, help="Why; kept with the change.")
def archive(workspace: Path, out: Output, dataset_id: int, reason: str) -> None:
    """Take a data set's examples out of use; they stay readable."""
    app = wiring.open_app(workspace)
    _require_reason("Archiving", reason)
    app.store.data.archive(dataset_id, reason, app.actor)
    out.emit(dataset_json(app.store.data.get(dataset_id)), f"Data set {dataset_id} is archived.")


@data.command()
@options
@DATASET_ID
def restore(workspace: Path, out: Output, dataset_id: int) -> None:
    """Take an archived data set's examples into use again."""
    app = wiring.open_app(workspace)
    app.store.data.restore(dataset_id, app.actor)
    out.emit(dataset_json(app.store.data.get(dataset_id)), f"Data set {dataset_id} is in use again.")


@data.command()
@options
@DATASET_ID
@click.option("--reason", required=True, help="Why; kept with the change.")
def delete(workspace: Path, out: Output, dataset_id: int, reason: str) -> None:
    """Delete a data set's examples; refused if rules rest on them."""
    app = wiring.open_app(workspace)
    _require_reason("Deleting", reason)
    app.store.data.delete(dataset_id, reason, app.actor)
    out.emit({"dataset": dataset_id, "state": "deleted"}, f"Data set {dataset_id} is deleted; its record is kept.")


@data.command()
@options
@TASK
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="File to write: .csv or .jsonl.")
@click.option("--split", type=click.Choice([s.value for s in Split]), help="Only this split.")
@click.option("--label", default="", help="Only this label.")
@click.option("--search", default="", help="Only examples with these words.")
def export(workspace: Path, out: Output, task_name: str, target: Path, **given: Any) -> None:
    """Write examples to a file: CSV for spreadsheets (formulas defused by a quote), or JSONL word for word."""
    where = ExampleFilter(Split(given["split"]) if given["split"] else None, given["label"], given["search"])
    written = exporting.export_file(wiring.open_app(workspace), task_name, where, target)
    out.emit(
        {"task": task_name, "file": str(target), "examples": written},
        f"{counted(written, 'example')} written to {target}.",
    )


def _require_reason(what: str, reason: str) -> None:
    if not reason.strip():
        raise MissingReason(f"{what} needs a reason. Nothing was changed. Say why; it is kept with the change.")


def _find_conflict(app: wiring.App, task_name: str, prefix: str) -> LabelConflict:
    app.store.tasks.get(task_name)
    wanted = prefix.removeprefix("sha256:")
    found = [c for c in app.store.data.conflicts(task_name) if c.text_hash[7:].startswith(wanted)]
    if len(found) != 1:
        raise InvalidInput(
            f"{len(found)} unsettled conflicts of {task_name} begin with {prefix!r}; `pld data conflicts` lists them."
        )
    return found[0]


def _conflict_lines(conflict: LabelConflict) -> list[str]:
    text = " ".join(conflict.examples[0].text.split())
    head = f"{conflict.text_hash.removeprefix('sha256:')[:12]}  {text[:100]}"
    return [head, *(f"    {example.label}: {example.place}" for example in conflict.examples)]


def conflict_json(conflict: LabelConflict) -> dict[str, Json]:
    return {
        "text": conflict.text_hash,
        "fields": dict(conflict.examples[0].fields),
        "examples": [_example_json(example) for example in conflict.examples],
    }


def _example_json(example: Example) -> dict[str, Json]:
    return {"hash": example.hash, "label": example.label, "split": example.split.value, "place": example.place}


def dataset_json(dataset: Dataset) -> dict[str, Json]:
    return {
        "id": dataset.id,
        "task": dataset.task,
        "file": dataset.about.file,
        "sha256": dataset.about.sha256,
        "importer": dataset.about.importer,
        "rows": dataset.rows,
        "state": dataset.state.value,
        "at": dataset.created_at,
        "by": dataset.created_by,
    }
