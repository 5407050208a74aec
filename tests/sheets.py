"""Filling in a decision sheet as a person does, and tampering with one as a person should not."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from openpyxl import Workbook, load_workbook

from pld_core.decision_layout import COLUMNS, RULES_SHEET

Typed = tuple[str, str, str]
"""Decision, category, reason."""
APPROVED: Typed = ("approve", "", "I read the evidence.")
REJECTED: Typed = ("reject", "over broad", "It takes too much.")


def changed(content: bytes, change: Callable[[Workbook], None]) -> bytes:
    """Return the workbook after a change, as a spreadsheet program would save it."""
    book = load_workbook(io.BytesIO(content))
    change(book)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def row_of(book: Workbook, rule_id: str) -> int:
    """Return the number of a rule's row."""
    page: Any = book[RULES_SHEET]
    return next(int(row[0].row) for row in page.iter_rows(min_row=2) if row[0].value == rule_id)


def put(book: Workbook, rule_id: str, column: str, text: str) -> None:
    """Write into a cell of a rule's row; a text is a text."""
    cell: Any = book[RULES_SHEET].cell(row_of(book, rule_id), COLUMNS.index(column) + 1)
    cell.value = text
    cell.data_type = "s"


def fill_in(content: bytes, typed: Mapping[str, Typed]) -> bytes:
    """Return the sheet with what was typed for rules, by their ids."""

    def type_all(book: Workbook) -> None:
        for rule_id, texts in typed.items():
            for column, text in zip(("Decision", "Category", "Reason"), texts, strict=True):
                if text:
                    put(book, rule_id, column, text)

    return changed(content, type_all)
