"""Importing data sets: open, check, plan, import. Data page, command line and worker call the same functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from pld_app.wiring import App
from pld_core.canonical import Json, hash_json
from pld_core.errors import ImportStopped, InvalidInput
from pld_core.importers import check_columns, open_source
from pld_core.importers.columns import unused_columns
from pld_core.importers.rows import ColumnMap, ReadOptions, Source, SourceRow
from pld_core.models import Example, Split, Task
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.records import Dataset, ExampleFilter, ImportRow, NewDataset, Page
from pld_core.validation.divider import Divider
from pld_core.validation.facts import (
    REPORT_EVERY,
    Facts,
    ImportChoices,
    choices_as_json,
    read_facts,
    rows_to_import,
)
from pld_core.validation.kept import proposed_to_keep
from pld_core.validation.near_duplicates import NearPair
from pld_core.validation.plan import ImportPlan, TaskWords, check_task_name, find_pairs, plan_import
from pld_core.validation.report import ValidationReport

PREVIEW_ROWS = 20
SAMPLE_ROWS = 500
KNOWN_AT_ONCE = 5_000


@dataclass(frozen=True)
class ImportOrder:
    """Everything that an import is asked to do, apart from where the file lies; goes into a job as JSON.

    Attributes:
        name: the file's name as people know it.
        words: what a new task is called and about.
        options: how the file is read.
        choices: which columns mean what, and what was settled.
    """

    name: str
    words: TaskWords
    options: ReadOptions = field(default_factory=ReadOptions)
    choices: ImportChoices = field(default_factory=lambda: ImportChoices(ColumnMap()))

    def as_json(self) -> dict[str, Json]:
        found: dict[str, Json] = _ORDER.dump_python(self, mode="json")
        return found

    @staticmethod
    def from_json(value: Json) -> ImportOrder:
        return _ORDER.validate_python(value)


_ORDER: TypeAdapter[ImportOrder] = TypeAdapter(ImportOrder)


@dataclass(frozen=True)
class Checked:
    """A file that was gone through: planning from it costs no second reading.

    Attributes:
        columns_from: a sentence on where the columns come from; empty if they were all given.
    """

    source: Source
    facts: Facts
    pairs: tuple[NearPair, ...]
    there: Task | None
    columns_from: str = ""


@dataclass(frozen=True)
class Imported:
    """How an import ended: its data set, how many examples were new, and the validation report."""

    dataset: Dataset
    added: int
    report: ValidationReport

    @property
    def words(self) -> str:
        return f"{self.added:,} examples added to {self.dataset.task}. {summary(self.report)}"


def summary(report: ValidationReport) -> str:
    """Return the counts of a report in one sentence."""
    rows = f"{report.read:,} {report.unit}{'' if report.read == 1 else 's'}"
    return f"{rows} of {report.file} read: {report.kept:,} kept, {report.merged:,} merged, {report.refused:,} refused."


# --- columns ----------------------------------------------------------------------------------------------------------


def shape_of(source: Source) -> str:
    """Return what files of one shape have in common: format and columns, in whatever order."""
    return hash_json({"format": source.options.file_format, "columns": sorted(source.columns)})


def columns_for(app: App | None, source: Source, choices: ImportChoices) -> tuple[ImportChoices, str]:
    """Fill in the columns that were left open, from what was chosen for files of this shape, else from their names.

    Returns the choices, and a sentence on where the columns come from; empty if they were all given.
    """
    wanted = choices.columns
    remembered = app.store.data.remembered_columns(shape_of(source)) if app and wanted == ColumnMap() else None
    if remembered is not None:
        kept = _COLUMNS.validate_python(remembered.choice)
        names = choices.field_names or kept.names
        words = f"Columns as {remembered.by} chose them for a file of this shape."
        return replace(choices, columns=check_columns(source.columns, kept.columns), field_names=names), words
    suggested = source.suggested
    filled = ColumnMap(
        label=wanted.label or suggested.label,
        inputs=wanted.inputs or _suggested_inputs(suggested, wanted),
        split=wanted.split or _free(suggested.split, wanted),
        ref=wanted.ref or _free(suggested.ref, wanted),
        source=wanted.source or _free(suggested.source, wanted),
        group=wanted.group or _free(suggested.group, wanted),
        keep=wanted.keep,
    )
    words = "" if filled == wanted else f"Columns by their names: {_column_words(filled)}."
    return replace(choices, columns=check_columns(source.columns, filled)), words


def _taken(wanted: ColumnMap) -> set[str]:
    return {wanted.label, *wanted.inputs, wanted.split, wanted.ref, wanted.source, wanted.group, *wanted.keep}


def _free(column: str, wanted: ColumnMap) -> str:
    """Return a suggested column unless somebody gave it another meaning."""
    return "" if column in _taken(wanted) else column


def _suggested_inputs(suggested: ColumnMap, wanted: ColumnMap) -> tuple[str, ...]:
    return tuple(column for column in suggested.inputs if column not in _taken(wanted))


def _column_words(columns: ColumnMap) -> str:
    meanings = [("label", columns.label), ("text", ", ".join(columns.inputs)), ("split", columns.split)]
    meanings += [("id", columns.ref), ("source", columns.source), ("group", columns.group)]
    meanings += [("kept", ", ".join(columns.keep))]
    return "; ".join(f"{meaning} from {column}" for meaning, column in meanings if column)


def complete(source: Source, choices: ImportChoices, there: Task | None) -> ImportChoices:
    """Check the columns and fit them to the task.

    Raises:
        InvalidInput: a column is not there or has two meanings, or the task lacks a field.
    """
    return fit_to_task(replace(choices, columns=check_columns(source.columns, choices.columns)), there)


@dataclass(frozen=True)
class _ColumnsKept:
    columns: ColumnMap
    names: dict[str, str]


_COLUMNS: TypeAdapter[_ColumnsKept] = TypeAdapter(_ColumnsKept)


def preview(source: Source, rows: int = PREVIEW_ROWS) -> tuple[SourceRow, ...]:
    """Return the first rows of a file; no more than these are read."""
    found = []
    for row in source.rows():
        found.append(row)
        if len(found) == rows:
            break
    return tuple(found)


def propose_kept(source: Source, choices: ImportChoices, there: Task | None) -> ImportChoices:
    """Propose to keep columns with few values that repeat, in place of taking them for text.

    For a page, where a person sees it before anything is read. Looks at the first `SAMPLE_ROWS` rows. What the task or
    a published format reads stays text, and so does at least one column.
    """
    columns, fields = choices.columns, there.input_fields if there else ()
    fixed = columns.inputs if source.title else tuple(column for column, name in choices.inputs if name in fields)
    free = unused_columns(source.columns, replace(columns, inputs=fixed))
    found = proposed_to_keep(free, preview(source, SAMPLE_ROWS))
    inputs = tuple(column for column in columns.inputs if column not in found) or columns.inputs
    keep = tuple(column for column in found if column not in inputs)
    return replace(choices, columns=replace(columns, inputs=inputs, keep=keep))


# --- check and import -------------------------------------------------------------------------------------------------


def task_there(app: App | None, name: str) -> Task | None:
    """Return the task if the workspace has it."""
    if app is None:
        return None
    return next((task for task in app.store.tasks.all() if task.name == name), None)


def fit_to_task(choices: ImportChoices, there: Task | None) -> ImportChoices:
    """Order the input columns as the task orders its fields, and leave out what it has no field for.

    Raises:
        InvalidInput: the task needs a field that no column stands for, or two columns stand for one field.
    """
    fields = [name for _, name in choices.inputs]
    if twice := [name for name in fields if fields.count(name) > 1]:
        columns = ", ".join(column for column, name in choices.inputs if name == twice[0])
        raise InvalidInput(
            f"The field {twice[0]!r} has more than one column: {columns}. Nothing was imported. "
            "Give each column a field of its own."
        )
    if there is None:
        return choices
    column_of = {name: column for column, name in choices.inputs}
    for needed in there.input_fields:
        if needed not in column_of:
            raise InvalidInput(
                f"The field {needed!r} is missing: task {there.name} needs {', '.join(there.input_fields)}, and the "
                f"text columns are {', '.join(choices.columns.inputs)}. Nothing was imported. "
                f"Say which column it is with --map COLUMN={needed}."
            )
    inputs = tuple(column_of[name] for name in there.input_fields)
    names = {column: name for column, name in choices.inputs if column in inputs and column != name}
    return replace(choices, columns=replace(choices.columns, inputs=inputs), field_names=names)


def check(app: App | None, path: Path, order: ImportOrder, report: Progress) -> tuple[ImportOrder, Checked]:
    """Open a file and go through its rows; nothing is written. Columns that the order leaves open are filled in.

    Args:
        app: the workspace; None if there is none yet.

    Returns the order with every choice filled in, and what was found.

    Raises:
        InvalidInput: the file, a column, the task's name or a field cannot be used.
    """
    source, there = _opened(app, path, order)
    _check_names(source, order.choices)
    choices, words = columns_for(app, source, order.choices)
    choices = fit_to_task(choices, there)
    return replace(order, choices=choices), _gone_through(app, source, choices, there, words, report)


def check_chosen(app: App, path: Path, order: ImportOrder, report: Progress) -> tuple[ImportOrder, Checked]:
    """Like `check`, for an order in which somebody chose every column: one that is empty means that there is none."""
    source, there = _opened(app, path, order)
    choices = complete(source, order.choices, there)
    return replace(order, choices=choices), _gone_through(app, source, choices, there, "", report)


def _opened(app: App | None, path: Path, order: ImportOrder) -> tuple[Source, Task | None]:
    check_task_name(order.words.name)
    return open_source(path, order.options, order.name), task_there(app, order.words.name)


def _gone_through(
    app: App | None, source: Source, choices: ImportChoices, there: Task | None, words: str, report: Progress
) -> Checked:
    facts = read_facts(source, choices, _examples_of(app, there), report)
    return Checked(source, facts, find_pairs(facts), there, words)


def _check_names(source: Source, choices: ImportChoices) -> None:
    if unknown := [column for column in choices.field_names if column not in source.columns]:
        raise InvalidInput(
            f"The file has no column {unknown[0]!r} to map. Nothing was imported. "
            f"Its columns are: {', '.join(source.columns)}."
        )


def _examples_of(app: App | None, there: Task | None) -> Iterator[Example]:
    """Yield the examples of a task in pages, so that a large task is never in memory as a whole."""
    if app is None or there is None:
        return
    yield from _pages(app, there.name)


def _pages(app: App, task_name: str) -> Iterator[Example]:
    where, offset = ExampleFilter(states=()), 0
    while found := app.store.tasks.examples(task_name, where, Page(offset, KNOWN_AT_ONCE)):
        yield from found
        offset += len(found)


def plan(checked: Checked, order: ImportOrder) -> ImportPlan:
    """Decide what becomes of each row; quick, so that a page can do it after every click.

    Raises:
        InvalidInput: no row can be taken, or a label is described or merged with that the task does not declare.
    """
    return plan_import(checked.source, checked.facts, checked.pairs, checked.there, order.words, order.choices)


def _silent(done: int, total: int, message: str) -> None:
    """Tell nobody."""


@guarded_app(Step.IMPORT_DATA)
def import_file(
    app: App, checked: Checked, order: ImportOrder, planned: ImportPlan, report: Progress = _silent
) -> Imported:
    """Import what was planned, all of it or nothing, and remember the columns for files of this shape.

    Args:
        report: told how many rows were written; all of them still vanish if the process ends before the last.

    Raises:
        ImportStopped: a person has to settle something first.
        InvalidInput: the file changed meanwhile.
    """
    require_no_problem(planned.report)
    source, choices = checked.source, order.choices
    dataset = NewDataset(
        file=source.name,
        sha256=source.sha256,
        unit=source.unit,
        importer=source.importer,
        params={**choices_as_json(choices), "read": _read_params(source.options)},
        report=planned.report.model_dump(mode="json"),
    )
    rows = _told(rows_to_import(source, choices, planned.placements), len(planned.placements), report)
    stored, added = app.store.data.add(planned.task, dataset, rows, app.actor)
    if checked.there is not None and choices.descriptions:
        _describe(app, planned.task.name, choices.descriptions, source.name)
    kept: dict[str, Json] = {"columns": asdict(choices.columns), "names": dict(choices.field_names)}
    app.store.data.remember_columns(shape_of(source), kept, app.actor)
    return Imported(stored, added, planned.report)


def _describe(app: App, task: str, descriptions: Mapping[str, str], file: str) -> None:
    """Give labels of a task that is there another description, where it is another."""
    seen = app.store.tasks.get(task).labels
    labels = tuple(replace(label, description=descriptions.get(label.name, label.description)) for label in seen)
    if labels != seen:
        app.store.labels.change(task, seen, labels, f"Given with the import of {file}", app.actor)


def _told(rows: Iterable[ImportRow], total: int, report: Progress) -> Iterator[ImportRow]:
    for number, row in enumerate(rows, start=1):
        yield row
        if number % REPORT_EVERY == 0:
            report(number, total, "rows written")


def require_no_problem(report: ValidationReport) -> None:
    """Raise `ImportStopped` if a person has to settle something first."""
    if report.problems:
        raise ImportStopped(f"{' '.join(report.problems)} Nothing was imported.", report.model_dump(mode="json"))


def _read_params(options: ReadOptions) -> dict[str, Json]:
    return {name: str(value) for name, value in asdict(options).items() if value}


@guarded_app(Step.RESPLIT)
def resplit_task(app: App, task_name: str, seed: int) -> int:
    """Divide all examples of a task anew and return how many moved.

    What is alike or of one group stays together; examples that an instruction was made from stay in train, with all
    that belongs to them.
    """
    task = app.store.tasks.get(task_name)
    instructed = app.store.data.instructed(task_name)
    divider = Divider()
    for example in _pages(app, task.name):
        divider.add(example, Split.TRAIN if example.hash in instructed else None)
    return app.store.data.resplit(task_name, divider.splits(seed), seed, app.actor)
