"""JSONL: one JSON object a line, read line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pld_core.errors import InvalidInput
from pld_core.importers.columns import MAX_COLUMNS, check_header, suggest_columns
from pld_core.importers.encodings import Encoding, find_encoding, open_text
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.json_file import item_row
from pld_core.importers.json_values import parse
from pld_core.importers.rows import ReadOptions, SourceRow


def open_jsonl(file: InputFile, options: ReadOptions) -> FileSource:
    """Open JSONL; its columns are the fields of all lines, and a field that a line lacks is empty there.

    So all lines are read once to find the columns. A line that is no flat object is a problem row.

    Raises:
        InvalidInput: not text, or no line is a flat JSON object.
    """
    encoding = find_encoding(file, options.encoding)
    names: dict[str, None] = {}
    count, usable, first_problem = 0, 0, ""
    for row in _rows(file, encoding):
        count += 1
        usable += not row.problem
        first_problem = first_problem or (f"Line {row.number:,}: {row.problem}" if row.problem else "")
        names.update(dict.fromkeys(row.values))
        if len(names) > MAX_COLUMNS:
            break
    if not usable:
        raise InvalidInput(
            f"No line of {file.name} is a JSON object with named texts. Nothing was imported. {first_problem}".strip()
        )
    header = check_header(list(names), f"The fields of {file.name}:")
    columns = dict(zip(names, header, strict=True))
    return FileSource(
        file=file,
        options=replace(options, encoding=encoding.name),
        unit="line",
        columns=header,
        suggested=suggest_columns(header),
        expected=count,
        read=partial(_filled, file, encoding, columns),
        notes=(encoding.note,) if encoding.note else (),
    )


def _filled(file: InputFile, encoding: Encoding, columns: dict[str, str]) -> Iterator[SourceRow]:
    for row in _rows(file, encoding):
        if row.problem:
            yield row
        else:
            yield SourceRow(row.number, {shown: row.values.get(name, "") for name, shown in columns.items()})


def _rows(file: InputFile, encoding: Encoding) -> Iterator[SourceRow]:
    # Only line feeds end a line here: texts may hold other separators.
    with open_text(file, encoding, newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _row(number, line)


def _row(number: int, line: str) -> SourceRow:
    try:
        value = parse(line)
    except ValueError as error:
        return SourceRow(number, {}, problem=f"It is not valid JSON: {error}. Correct the line.")
    return item_row(number, value)
