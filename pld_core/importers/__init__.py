"""From a file to rows of text. One module a format; what the columns mean for a task is told separately."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pld_core.errors import InvalidInput
from pld_core.importers.columns import check_columns, suggest_columns
from pld_core.importers.contract_nli import is_contract_nli, open_contract_nli
from pld_core.importers.csv_file import open_csv
from pld_core.importers.detection import check_format, find_format
from pld_core.importers.encodings import Encoding
from pld_core.importers.files import MAX_BYTES, MAX_WHOLE_BYTES, FileSource, InputFile, look_at, unreadable
from pld_core.importers.json_file import open_json, read_document
from pld_core.importers.json_values import Value
from pld_core.importers.jsonl_file import open_jsonl
from pld_core.importers.logiqa import open_logiqa
from pld_core.importers.parquet_file import open_parquet
from pld_core.importers.rows import ColumnMap, Context, ReadOptions, SentenceKind, Source, SourceRow
from pld_core.importers.stereoset import is_stereoset, open_stereoset
from pld_core.importers.xlsx_file import open_xlsx

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_WHOLE_BYTES",
    "ColumnMap",
    "Context",
    "ReadOptions",
    "SentenceKind",
    "Source",
    "SourceRow",
    "check_columns",
    "open_source",
    "suggest_columns",
]

Opener = Callable[[InputFile, ReadOptions], FileSource]
_DocumentOpener = Callable[[InputFile, ReadOptions, Value, Encoding], FileSource]


def _of_document(opener: _DocumentOpener) -> Opener:
    return lambda file, options: opener(file, options, *read_document(file, options))


FORMATS: Mapping[str, Opener] = {
    "csv": open_csv,
    "tsv": open_csv,
    "jsonl": open_jsonl,
    "json": _of_document(open_json),
    "parquet": open_parquet,
    "xlsx": open_xlsx,
    "contract-nli": _of_document(open_contract_nli),
    "stereoset": _of_document(open_stereoset),
    "logiqa": open_logiqa,
}


def open_source(path: Path, options: ReadOptions = ReadOptions(), name: str = "") -> Source:  # noqa: B008 frozen
    """Open a file and find out how to read it, as far as the options leave that open.

    Args:
        path: where the file lies.
        options: what somebody chose.
        name: what to call the file where `path` is a temporary copy; its ending counts.

    Raises:
        InvalidInput: it cannot be read, or holds no example; one sentence says what happened and what to do.
    """
    file = look_at(path, name)
    try:
        return _open_named(file, options) if options.file_format else _open_found(file, options)
    except OSError as error:
        raise unreadable(file.name, error) from error


def _open_named(file: InputFile, options: ReadOptions) -> FileSource:
    if options.file_format not in FORMATS:
        raise InvalidInput(
            f"There is no format {options.file_format!r}. Nothing was imported. Known are: {', '.join(FORMATS)}."
        )
    check_format(file, options.file_format)
    source = FORMATS[options.file_format](file, options)
    return replace(source, notes=(*source.notes, *_unused(options, options.file_format)))


def _open_found(file: InputFile, options: ReadOptions) -> FileSource:
    found = find_format(file, options.encoding)
    chosen = replace(options, file_format=found.file_format)
    source = _open_by_shape(file, options) if found.file_format == "json" else FORMATS[found.file_format](file, chosen)
    return replace(source, notes=(*found.notes, *source.notes, *_unused(options, source.options.file_format)))


def _unused(options: ReadOptions, file_format: str) -> tuple[str, ...]:
    """Say which choices have no meaning for a format; they do no harm."""
    unused = {
        "delimiter": options.delimiter and file_format not in ("csv", "tsv"),
        "sheet": options.sheet and file_format != "xlsx",
        "encoding": options.encoding and file_format in ("xlsx", "parquet"),
    }
    return tuple(f"The {name} was not used: {file_format} has none." for name, given in unused.items() if given)


def _open_by_shape(file: InputFile, options: ReadOptions) -> FileSource:
    """Open a JSON file as the data set that its shape is the shape of."""
    document, encoding = read_document(file, options)
    if is_contract_nli(document):
        return open_contract_nli(file, replace(options, file_format="contract-nli"), document, encoding)
    if is_stereoset(document):
        return open_stereoset(file, replace(options, file_format="stereoset"), document, encoding)
    return open_json(file, replace(options, file_format="json"), document, encoding)
