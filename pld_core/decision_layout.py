"""How a decision sheet looks in a spreadsheet program: columns, widths, protection, drop-downs, instructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple
from math import ceil
from typing import TYPE_CHECKING

from pld_core.decision_sheet import CATEGORIES, DECISIONS, DecisionSheet, SheetOrigin
from pld_core.spreadsheet import escaped

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

HELP_SHEET, RULES_SHEET, ORIGIN_SHEET = "How to decide", "Rules", "origin"
HEADER_ROW = 1
TYPED = ("Decision", "Category", "Reason")
"""The only cells that can be typed in."""
_HIDDEN = ("Revision", "State seen", "Evidence set", "Seal")
_WIDTHS = {
    "Rule": 7,
    "Title": 24,
    "What it says": 44,
    "Labels": 14,
    "State": 12,
    "Evidence": 76,
    "Decision": 17,
    "Category": 19,
    "Reason": 44,
    **dict.fromkeys(_HIDDEN, 12),
}
COLUMNS = tuple(_WIDTHS)
_LINE_POINTS, _TALLEST_POINTS = 15, 409
_YELLOW, _GREY = "FFF8D6", "E4E7EB"

INSTRUCTIONS = """
The sheet “Rules” holds one rule a row: what it says, and the examples that it rests on, contradicting ones first.

Read each rule beside its evidence, then fill in the yellow cells of its row. Nothing else can be typed in. A text
that is too long for its row can be read in full in the line above the sheet: choose its cell.

Decision: choose approve, reject or request changes. Leave it empty for a rule that you do not decide now.

By approving you state that you have read this revision of the rule beside its evidence and find it right.

Category: for rejections only. Choose what is wrong with the rule.

Reason: in your own words, in every row that you decide, approvals too. Nothing is approved in bulk: a decision without
a reason is refused.

Save the file as .xlsx and hand it in on the Review page under “Decide in Excel”, or with `pld review import`. Before
anything is recorded, you see which rows would be recorded and which would be refused, and why.

Decisions are recorded in the name of whoever hands the file in, each bound to the revision and the evidence that stand
in this file.

A rule that was changed or decided since the file was made is left as it is, and you are told. All other rows are
recorded together. Handing the same file in twice decides nothing twice.

A ' in front of a text is not part of it: it keeps a spreadsheet program from running the text as a formula.
"""
"""A paragraph a line of the sheet."""


def make_workbook(sheet: DecisionSheet) -> Workbook:
    """Return the workbook: instructions, the rules, and a hidden sheet on where they come from."""
    # Loaded here: most commands write no workbook.
    from openpyxl import Workbook
    from openpyxl.workbook.protection import WorkbookProtection

    book = Workbook()
    book.properties.creator = "pld-review"
    book.properties.title = f"Rules of the task {sheet.origin.task}"
    book.remove(book.worksheets[0])
    _draw_help(book.create_sheet(HELP_SHEET), sheet)
    _draw_rules(book.create_sheet(RULES_SHEET), sheet)
    _draw_origin(book.create_sheet(ORIGIN_SHEET), sheet.origin)
    book.security = WorkbookProtection(lockStructure=True)
    return book


def _draw_help(page: Worksheet, sheet: DecisionSheet) -> None:
    from openpyxl.styles import Alignment, Font

    origin = sheet.origin
    about = f"Task {origin.task}. Rules: {len(sheet.rows)}. Exported by {origin.exported_by} at {origin.exported_at}."
    page.column_dimensions["A"].width = 110
    told = [" ".join(paragraph.split()) for paragraph in INSTRUCTIONS.split("\n\n")]
    for number, text in enumerate(("How to decide on rules in this file", about, *told), start=1):
        _put(page, number, 1, text)
        cell = page.cell(number, 1)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        page.row_dimensions[number].height = _LINE_POINTS * ceil(len(text) / 100) + 6
    page["A1"].font = Font(bold=True, size=14)
    page.row_dimensions[1].height = 24
    page.protection.sheet = True


def _draw_rules(page: Worksheet, sheet: DecisionSheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    for place, (name, width) in enumerate(_WIDTHS.items(), start=1):
        _put(page, HEADER_ROW, place, name)
        head = page.cell(HEADER_ROW, place)
        head.font, head.fill = Font(bold=True), PatternFill("solid", fgColor=_GREY)
        column = page.column_dimensions[get_column_letter(place)]
        column.width, column.hidden = width, name in _HIDDEN
    top = Alignment(wrap_text=True, vertical="top")
    open_cell, yellow = Protection(locked=False), PatternFill("solid", fgColor=_YELLOW)
    for number, row in enumerate(sheet.rows, start=HEADER_ROW + 1):
        shown = astuple(row)
        hidden = (*shown[-3:], row.seal(sheet.origin))
        for place, text in enumerate((*shown[:-3], *[""] * len(TYPED), *hidden), start=1):
            cell = page.cell(number, place)
            cell.alignment = top
            if COLUMNS[place - 1] in TYPED:
                # As text: what somebody types with = in front stays what it is.
                cell.protection, cell.fill, cell.number_format = open_cell, yellow, "@"
            else:
                _put(page, number, place, text)
        page.row_dimensions[number].height = _height(shown)
    _lay_out(page, HEADER_ROW + len(sheet.rows))


def _lay_out(page: Worksheet, last: int) -> None:
    """Freeze, protect, and give the cells that are typed in their drop-downs."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    letters = {name: get_column_letter(place) for place, name in enumerate(COLUMNS, start=1)}
    page.freeze_panes = f"B{HEADER_ROW + 1}"
    page.auto_filter.ref = f"A{HEADER_ROW}:{letters['Reason']}{last}"
    page.protection.sheet = True
    # False stands for allowed: filtering and taller rows change nothing; wider columns would bring hidden ones out.
    page.protection.autoFilter = page.protection.formatRows = False
    page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    _offer(page, f"{letters['Decision']}{HEADER_ROW + 1}:{letters['Decision']}{last}", list(DECISIONS))
    _offer(page, f"{letters['Category']}{HEADER_ROW + 1}:{letters['Category']}{last}", list(CATEGORIES))


def _offer(page: Worksheet, cells: str, choices: Sequence[str]) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    offered = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=True, showErrorMessage=True)
    offered.errorTitle, offered.error = "Not in the list", f"Choose one of: {', '.join(choices)}; or leave it empty."
    page.add_data_validation(offered)
    offered.add(cells)


def _draw_origin(page: Worksheet, origin: SheetOrigin) -> None:
    told = {**asdict(origin), "checksum": origin.checksum}
    for number, (name, value) in enumerate(told.items(), start=1):
        _put(page, number, 1, name)
        _put(page, number, 2, str(value))
    page.sheet_state = "veryHidden"
    page.protection.sheet = True


def _put(page: Worksheet, row: int, column: int, text: str) -> None:
    """Write a text as a text, whatever it looks like."""
    cell = page.cell(row, column)
    cell.value = escaped(text)
    cell.data_type = "s"


def _height(texts: Sequence[str]) -> float:
    """Return a height in points at which the row's texts are seen, up to the tallest that Excel draws."""
    lines = max(
        sum(ceil(max(len(line), 1) / (_WIDTHS[name] * 1.05)) for line in text.split("\n"))
        for name, text in zip(COLUMNS, texts[:-3], strict=False)
    )
    return min(_TALLEST_POINTS, _LINE_POINTS * max(lines, 3) + 4)
