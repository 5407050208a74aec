"""`pld import`: check a file and import it, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pld_app import importing, wiring
from pld_app.cli_format import Output, SectionedCommand, options, progress_line
from pld_app.cli_report import counted, report_lines
from pld_app.importing import Checked, ImportOrder
from pld_app.settings import load_settings
from pld_core.errors import InvalidInput
from pld_core.importers import FORMATS
from pld_core.importers.rows import ColumnMap, Context, ReadOptions, SentenceKind
from pld_core.records import Dataset
from pld_core.validation.facts import ImportChoices
from pld_core.validation.plan import ImportPlan, TaskWords

TASK_OPTIONS = (
    click.option("--task", "task_name", required=True, help="Task to import into; made if there is none."),
    click.option("--title", default="", help="Title of a new task."),
    click.option("--guideline", type=click.Path(path_type=Path), help="Text file with the guideline of a new task."),
    click.option(
        "--describe", "descriptions", multiple=True, metavar="LABEL=TEXT", help="What a label means (repeatable)."
    ),
)
COLUMN_OPTIONS = (
    click.option(
        "--input", "inputs", multiple=True, metavar="COLUMN", help="Column of text (repeatable, in their order)."
    ),
    click.option("--label", default="", metavar="COLUMN", help="Column with the gold label."),
    click.option("--split", default="", metavar="COLUMN", help="Column with train, validation or test."),
    click.option("--id", "ref", default="", metavar="COLUMN", help="Column with the id that the data gives."),
    click.option("--source", default="", metavar="COLUMN", help="Column that says where a row came from."),
    click.option("--group", default="", metavar="COLUMN", help="Column of what has to stay in one split together."),
    click.option(
        "--keep",
        multiple=True,
        metavar="COLUMN",
        help="Column to keep beside the examples, to cut figures by; no model is shown it (repeatable).",
    ),
    click.option(
        "--map", "names", multiple=True, metavar="COLUMN=FIELD", help="Field of the task for a column (repeatable)."
    ),
)
FILE_OPTIONS = (
    click.option("--format", "file_format", type=click.Choice(list(FORMATS)), help="Format of the file."),
    click.option("--encoding", default="", help="Encoding of a text file, such as utf-8 or cp1252."),
    click.option("--delimiter", default="", help="What stands between the cells of a CSV; for a tab the word tab."),
    click.option("--sheet", default="", help="Sheet of an XLSX file; without it the first one with rows."),
    click.option(
        "--context",
        type=click.Choice([c.value for c in Context]),
        default=Context.FULL.value,
        show_default=True,
        help="contract-nli: how much of the contract is kept.",
    ),
    click.option(
        "--sentence",
        type=click.Choice([k.value for k in SentenceKind]),
        default=SentenceKind.STEREOTYPE.value,
        show_default=True,
        help="stereoset: which sentence of an item is kept.",
    ),
)
FINDING_OPTIONS = (
    click.option(
        "--merge", "merges", multiple=True, metavar="WRITTEN=LABEL", help="Take a label for another (repeatable)."
    ),
    click.option("--accept-merges", is_flag=True, help="Take all merges of labels that the report proposes."),
    click.option("--resplit", is_flag=True, help="Divide anew; what is alike and what is one group stays together."),
    click.option("--seed", default=0, show_default=True, help="Seed of the division."),
    click.option("--mask", is_flag=True, help="Show a teacher placeholders in place of personal data."),
    click.option("--strict", is_flag=True, help="Import nothing if any row is refused."),
    click.option("--check", "only_check", is_flag=True, help="Print the report and import nothing."),
)
SECTIONS = {
    "The task": TASK_OPTIONS,
    "Columns (told by their names, or as chosen before for such a file)": COLUMN_OPTIONS,
    "The file (found out where left open)": FILE_OPTIONS,
    "What is done about findings": FINDING_OPTIONS,
}


def import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options but --workspace and --json, so that they are listed in the order in which they stand here."""
    for option in reversed([option for section in SECTIONS.values() for option in section]):
        command = option(command)
    return command


@click.command(name="import", cls=SectionedCommand, sections={title: len(found) for title, found in SECTIONS.items()})
@click.argument("file", type=click.Path(path_type=Path))
@import_options
@options
def import_(
    workspace: Path,
    out: Output,
    file: Path,
    task_name: str,
    guideline: Path | None,
    title: str,
    only_check: bool,
    **given: Any,
) -> None:
    """Import labelled examples from a file: CSV, TSV, JSONL, JSON, Parquet, XLSX, or ContractNLI, StereoSet and LogiQA
    as published.

    Rows that cannot be taken are refused, listed with their numbers, and left out. All the others are imported in one
    step or, if something has to be settled first, none: then the report says what, and the exit code is 1.
    """
    words = TaskWords(task_name, title, _text_of(guideline) if guideline else "")
    order = ImportOrder(file.name, words, _read_options(given), _choices(given))
    app = wiring.open_app(workspace) if wiring.workspace_exists(load_settings(workspace)) else None
    with progress_line() as progress:
        order, checked = importing.check(app, file, order, progress)
    planned = importing.plan(checked, order)
    if only_check or planned.report.problems:
        _print(out, order, checked, planned, None, 0)
        importing.require_no_problem(planned.report)
        return
    with progress_line() as progress:
        # Made only now, so that a refused import leaves nothing behind.
        done = importing.import_file(app or wiring.create_app(workspace), checked, order, planned, progress)
    _print(out, order, checked, planned, done.dataset, done.added)


def _print(
    out: Output, order: ImportOrder, checked: Checked, planned: ImportPlan, dataset: Dataset | None, added: int
) -> None:
    """Print the report; the same fields whether something was imported or not."""
    name, lines = order.words.name, report_lines(planned.report, checked.columns_from)
    if dataset is not None:
        lines.insert(0, _done(name, dataset, added))
    if checked.there is not None and (order.words.title or order.words.guideline):
        lines.append(f"The title and the guideline were not used: task {name} is there and keeps its own.")
    value = {"task": name, "dataset": dataset.id if dataset else None, "added": added}
    columns = {**asdict(order.choices.columns), "names": dict(order.choices.field_names)}
    out.emit({**value, "columns": columns, **planned.report.model_dump(mode="json")}, "\n".join(lines))


def _done(name: str, dataset: Dataset, added: int) -> str:
    if not added and (kept := dataset.about.kept_columns):
        return (
            f"No new example: task {name} has all of them already. Kept beside them now: {', '.join(kept)} "
            f"(data set {dataset.id})."
        )
    if not added:
        return f"Nothing new: task {name} has all these examples already (data set {dataset.id})."
    return f"{counted(added, 'example')} added to {name} as data set {dataset.id}."


def _read_options(given: dict[str, Any]) -> ReadOptions:
    return ReadOptions(
        file_format=given["file_format"] or "",
        encoding=given["encoding"],
        delimiter=given["delimiter"],
        sheet=given["sheet"],
        context=Context(given["context"]),
        sentence=SentenceKind(given["sentence"]),
    )


def _choices(given: dict[str, Any]) -> ImportChoices:
    return ImportChoices(
        columns=ColumnMap(
            label=given["label"],
            inputs=given["inputs"],
            split=given["split"],
            ref=given["ref"],
            source=given["source"],
            group=given["group"],
            keep=tuple(dict.fromkeys(given["keep"])),
        ),
        field_names=pairs("--map", given["names"]),
        merges=pairs("--merge", given["merges"]),
        accept_merges=given["accept_merges"],
        descriptions=pairs("--describe", given["descriptions"]),
        resplit=given["resplit"],
        seed=given["seed"],
        mask=given["mask"],
        strict=given["strict"],
    )


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """Read repeated NAME=VALUE arguments.

    The first `=` divides where the value is a text, the last one where it is the name of a label or field.

    Raises:
        click.UsageError: one of both is missing, or a name stands twice.
    """
    found: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=") if option == "--describe" else item.rpartition("=")
        if not equals or not name or (option != "--describe" and not value.strip()):
            raise click.UsageError(f"{option} reads {item!r}; it has to be two names with = between them.")
        if name in found:
            raise click.UsageError(f"{option} gives {name!r} two meanings; give it one.")
        found[name] = value
    return found


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"The file {file} cannot be read: {error.strerror}. Nothing was imported.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The guideline {file} is not UTF-8 text (byte {error.start:,} does not fit). Nothing was imported. "
            "Save it as UTF-8."
        ) from error
