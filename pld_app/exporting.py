"""Examples as a file: CSV for spreadsheets, with formulas defused, or JSONL, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pld_app.whole_file import whole_file
from pld_app.wiring import App
from pld_core.errors import InvalidInput
from pld_core.models import Example, Task
from pld_core.records import ExampleFilter, Page
from pld_core.spreadsheet import csv_line

FORMATS = ("csv", "jsonl")
AT_ONCE = 1_000
EXTRA = ("label", "split", "group", "id", "source", "copies", "state", "origin", "hash")


def export_chunks(app: App, task_name: str, where: ExampleFilter, file_format: str) -> Iterator[tuple[str, int]]:
    """Yield pieces of the file with the number of examples in each; the first holds the header.

    Raises:
        InvalidInput: the format is not known.
    """
    if file_format not in FORMATS:
        raise InvalidInput(f"{file_format!r} cannot be written. Nothing was written. Choose {' or '.join(FORMATS)}.")
    task, columns = app.store.tasks.get(task_name), app.store.kept.columns(task_name)
    names = _names(task, columns)
    if file_format == "csv":
        yield csv_line(names), 0
    offset = 0
    while found := app.store.tasks.examples(task_name, where, Page(offset, AT_ONCE)):
        kept = app.store.kept.values(task_name, [example.hash for example in found]) if columns else {}
        lines = []
        for example in found:
            beside = kept.get(example.hash, {})
            cells = [*_cells(task, example), *(beside.get(column, "") for column in columns)]
            lines.append(csv_line(cells) if file_format == "csv" else _json_line(names, cells))
        yield "".join(lines), len(found)
        offset += len(found)


@dataclass(frozen=True)
class Exported:
    """An export that is made when somebody asks for it: calling it returns the file's bytes."""

    app: App
    task_name: str
    where: ExampleFilter
    file_format: str

    def __call__(self) -> bytes:
        chunks = export_chunks(self.app, self.task_name, self.where, self.file_format)
        return "".join(text for text, _ in chunks).encode("utf-8")


def export_file(app: App, task_name: str, where: ExampleFilter, target: Path) -> int:
    """Write the examples to a file and return how many there are; the file appears only when it is whole.

    Raises:
        InvalidInput: the ending is neither .csv nor .jsonl, or the file cannot be written.
    """
    file_format = target.suffix.removeprefix(".").lower()
    if file_format not in FORMATS:
        raise InvalidInput(
            f"{target.name!r} ends neither in .csv nor in .jsonl. Nothing was written. Name a file with such an ending."
        )
    written = 0
    with whole_file(target) as scratch, scratch.open("x", encoding="utf-8", newline="") as file:
        for text, examples in export_chunks(app, task_name, where, file_format):
            file.write(text)
            written += examples
    return written


def _names(task: Task, kept: Sequence[str]) -> list[str]:
    """Return the names of all columns; a field keeps its name, then `EXTRA`, then the kept columns."""
    names = list(task.input_fields)
    for prefix, given in (("example_", EXTRA), ("kept_", kept)):
        for name in given:
            own = name
            while own in names:
                own = f"{prefix}{own}"
            names.append(own)
    return names


def _cells(task: Task, example: Example) -> tuple[str, ...]:
    values = dict(example.fields)
    return (
        *(values.get(name, "") for name in task.input_fields),
        example.label,
        example.split.value,
        example.group,
        example.ref,
        example.source,
        str(example.copies),
        example.state.value,
        example.place,
        example.hash,
    )


def _json_line(names: Sequence[str], cells: Sequence[str]) -> str:
    return json.dumps(dict(zip(names, cells, strict=True)), ensure_ascii=False) + "\n"
