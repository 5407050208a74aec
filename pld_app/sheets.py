"""Deciding in a spreadsheet program: rules go out on a sheet, and what is filled in comes back as decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pld_app.whole_file import whole_file
from pld_app.wiring import App
from pld_core.decision_book import MOST_BYTES, read_book, write_book
from pld_core.decision_check import SheetOutcome, SheetReading, check_origin, read_decisions
from pld_core.decision_sheet import MOST_ROWS, DecisionSheet, sheet_row
from pld_core.desk import DeskFilter, QueueRow
from pld_core.errors import InvalidInput
from pld_core.importers.files import in_units
from pld_core.permissions import Step, guarded_app
from pld_core.records import Page

MINE = DeskFilter()
_AT_ONCE = 200


@guarded_app(Step.EXPORT_SHEET)
def make_sheet(app: App, task_name: str, where: DeskFilter = MINE, assignee: str = "") -> DecisionSheet:
    """Return the rules of the filter as the person who acts may see them, in the order of the queue.

    Args:
        where: the queue's tab and filter; what this person can decide now, if none is given.
        assignee: only rules that were given to this person; empty for any.

    Raises:
        InvalidInput: there is no such rule, or there are more than `MOST_ROWS`.
    """
    origin = app.store.sheets.origin(task_name, app.actor.name)
    chosen = [row.summary.id for row in _each(app, task_name, where) if assignee in ("", row.assignee)]
    if not chosen:
        raise InvalidInput(
            "No rule matches, so there is nothing to decide. Nothing was written. `pld rules queue` shows what each "
            "tab holds."
        )
    if len(chosen) > MOST_ROWS:
        raise InvalidInput(
            f"{len(chosen):,} rules match; a sheet holds at most {MOST_ROWS:,}. Nothing was written. Choose a label, a "
            "tag, a state or a person."
        )
    return DecisionSheet(origin, tuple(sheet_row(app.store.rules.dossier(rule_id, app.actor)) for rule_id in chosen))


def _each(app: App, task_name: str, where: DeskFilter) -> Iterator[QueueRow]:
    offset = 0
    while found := app.store.desk.queue.rows(task_name, where, Page(offset, _AT_ONCE), app.actor):
        yield from found
        offset += len(found)


@dataclass(frozen=True)
class SheetContent:
    """A sheet that is made when somebody asks for it: calling it returns the workbook's bytes."""

    app: App
    task_name: str
    where: DeskFilter

    def __call__(self) -> bytes:
        return write_book(make_sheet(self.app, self.task_name, self.where))


@guarded_app(Step.EXPORT_SHEET)
def export_sheet(app: App, task_name: str, where: DeskFilter, assignee: str, target: Path) -> DecisionSheet:
    """Write a sheet to a file, which appears only when it is whole; return what it holds.

    Raises:
        InvalidInput: as `make_sheet`, or the ending is not .xlsx, or the file cannot be written.
    """
    if target.suffix.lower() != ".xlsx":
        raise InvalidInput(f"The file {target.name!r} has to end in .xlsx. Nothing was written.")
    sheet = make_sheet(app, task_name, where, assignee)
    with whole_file(target) as scratch, scratch.open("xb") as file:
        file.write(write_book(sheet))
    return sheet


def file_content(path: Path) -> bytes:
    """Return the bytes of a file that may be a sheet.

    Raises:
        InvalidInput: it is not there, cannot be read, or is larger than any sheet.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(
            f"The file {path} cannot be read: {error.strerror}. Nothing was recorded. Check its name and permissions."
        ) from error
    if len(content) > MOST_BYTES:
        raise InvalidInput(
            f"{path.name} is larger than {in_units(MOST_BYTES)}, as no decision sheet is. Nothing was recorded. Choose "
            "the file that was exported and filled in."
        )
    return content


@guarded_app(Step.JUDGE)
def check_sheet(app: App, name: str, content: bytes, task_name: str = "") -> SheetOutcome:
    """Return what `record_sheet` would do now; nothing is written.

    Raises:
        InvalidInput: the file as a whole cannot be taken.
    """
    return app.store.sheets.rehearse(_read(app, name, content, task_name), app.actor)


@guarded_app(Step.JUDGE)
def record_sheet(app: App, name: str, content: bytes, task_name: str = "") -> SheetOutcome:
    """Record the decisions of a sheet as those of the person who acts; return what became of each row.

    Args:
        name: the file's name.
        task_name: the task that the sheet has to be of; empty for whichever it is of.

    Raises:
        InvalidInput: the file as a whole cannot be taken; nothing was recorded.
    """
    return app.store.sheets.record(_read(app, name, content, task_name), app.actor)


def _read(app: App, name: str, content: bytes, task_name: str) -> SheetReading:
    sheet = read_book(content, name)
    check_origin(sheet, app.store.sheets.workspace(), task_name)
    return read_decisions(sheet)
