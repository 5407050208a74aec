"""JSON: a list of flat objects, or one object that holds such a list; read as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pld_core.errors import InvalidInput
from pld_core.importers.columns import check_header, suggest_columns
from pld_core.importers.encodings import Encoding, find_encoding, open_text
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.json_values import Fields, NotFlat, Value, as_cells, parse
from pld_core.importers.rows import ReadOptions, SourceRow, checked


def read_document(file: InputFile, options: ReadOptions) -> tuple[Value, Encoding]:
    """Return what a JSON file holds, and how it is encoded.

    Raises:
        InvalidInput: larger than is read as a whole, not text, or not valid JSON.
    """
    file.check_fits_memory()
    encoding = find_encoding(file, options.encoding)
    try:
        with open_text(file, encoding) as stream:
            return parse(stream.read()), encoding
    except ValueError as error:
        raise InvalidInput(
            f"{file.name} is not valid JSON: {error}. Nothing was imported. Correct it, or save it again; "
            "if each line is an object of its own, name the format jsonl."
        ) from error


def open_json(file: InputFile, options: ReadOptions, document: Value, encoding: Encoding) -> FileSource:
    """Open a list of flat objects; items count from 1.

    Raises:
        InvalidInput: no such list, more than one, or no usable item in it.
    """
    where, items = _list_in(document, file.name)
    names: dict[str, None] = {}
    problems = []
    for row in _raw_rows(items):
        names.update(dict.fromkeys(row.values))
        if row.problem:
            problems.append(f"Item {row.number:,}: {row.problem}")
    if len(problems) == len(items):
        raise InvalidInput(f"No item of {file.name} is an object with named texts. Nothing was imported. {problems[0]}")
    header = check_header(list(names), f"The fields of {file.name}:")
    notes = (encoding.note, f"Read the list {where!r}." if where else "")
    return FileSource(
        file=file,
        options=replace(options, encoding=encoding.name),
        unit="item",
        columns=header,
        suggested=suggest_columns(header),
        expected=len(items),
        read=partial(_rows, items, dict(zip(names, header, strict=True))),
        notes=tuple(note for note in notes if note),
    )


def _list_in(document: Value, name: str) -> tuple[str, list[Value]]:
    """Return the list of items, and the name of the field that holds it, if one does."""
    wanted = "a list of objects, or one object that holds one list of objects"
    if isinstance(document, list):
        if document:
            return "", document
        raise InvalidInput(f"The list in {name} is empty. Nothing was imported. Add at least one example.")
    if isinstance(document, Fields):
        lists = [(key, value) for key, value in document.items() if isinstance(value, list) and _has_objects(value)]
        if len(lists) == 1:
            return lists[0]
        if lists:
            found = ", ".join(key for key, _ in lists)
            raise InvalidInput(
                f"{name} holds more than one list of objects: {found}. Nothing was imported. "
                "Save the list that is meant to a file of its own."
            )
        if document and all(isinstance(value, list | dict) for value in document.values()):
            raise InvalidInput(
                f"{name} holds columns, not items. Nothing was imported. Save it as {wanted} "
                "(pandas: to_json(orient='records'))."
            )
    raise InvalidInput(f"{name} holds no list of items. Nothing was imported. Save it as {wanted}.")


def _has_objects(values: list[Value]) -> bool:
    return any(isinstance(value, dict) for value in values)


def _rows(items: list[Value], columns: dict[str, str]) -> Iterator[SourceRow]:
    for row in _raw_rows(items):
        if row.problem:
            yield row
        else:
            yield SourceRow(row.number, {shown: row.values.get(name, "") for name, shown in columns.items()})


def _raw_rows(items: list[Value]) -> Iterator[SourceRow]:
    return (item_row(number, item) for number, item in enumerate(items, start=1))


def item_row(number: int, item: Value) -> SourceRow:
    """Return a row with the fields of a flat object, or a problem row."""
    if not isinstance(item, Fields):
        return SourceRow(number, {}, problem="It is not a JSON object with named fields. Write it as one.")
    if not item:
        return SourceRow(number, {}, problem="It is an object without fields. Fill it, or remove it.")
    try:
        return checked(number, as_cells(item))
    except NotFlat as error:
        return SourceRow(number, {}, problem=str(error))
