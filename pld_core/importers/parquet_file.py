"""Parquet, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from pld_core.errors import InvalidInput
from pld_core.importers.cell_text import as_text
from pld_core.importers.columns import check_header, suggest_columns
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.rows import ReadOptions, SourceRow, checked

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 512


def open_parquet(file: InputFile, options: ReadOptions) -> FileSource:
    """Open Parquet; rows count from 1, as there is no header row.

    Missing values are empty, whole numbers have no decimal point, dates and times are ISO 8601.

    Raises:
        InvalidInput: damaged, without rows, or with columns that are no text, number, truth value, date or time.
    """
    with _opened(file) as parquet:
        schema, count = parquet.schema_arrow, parquet.metadata.num_rows
    header = check_header(schema.names, f"The schema of {file.name}")
    unreadable = [field.name for field in schema if not _is_readable(field.type)]
    if unreadable:
        raise InvalidInput(
            f"{file.name} has columns that hold lists, structures or bytes: {', '.join(unreadable)}. "
            "Nothing was imported. Flatten them to text, or leave them out."
        )
    if not count:
        raise InvalidInput(f"{file.name} holds columns but no row. Nothing was imported. Add at least one example.")
    return FileSource(
        file=file,
        options=options,
        unit="row",
        columns=header,
        suggested=suggest_columns(header),
        expected=count,
        read=partial(_rows, file, header),
    )


def _opened(file: InputFile) -> pq.ParquetFile:
    # Loaded here: it takes longer than everything else the command line loads at its start.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file.path)
    # Names of columns are decoded strictly, which raises a ValueError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(file) from error


def _damaged(file: InputFile) -> InvalidInput:
    return InvalidInput(
        f"{file.name} begins like Parquet, but is damaged, cut off or encrypted. Nothing was imported. "
        "Save or download it again."
    )


def _rows(file: InputFile, header: tuple[str, ...]) -> Iterator[SourceRow]:
    import pyarrow as pa

    number = 0
    with _opened(file) as parquet:
        batches = parquet.iter_batches(batch_size=_BATCH_ROWS)
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                columns = [[as_text(cell) for cell in column.to_pylist()] for column in batch.columns]
            except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
                raise _damaged(file) from error
            for cells in zip(*columns, strict=True):
                number += 1
                yield checked(number, dict(zip(header, cells, strict=True)))


def _is_readable(kind: pa.DataType) -> bool:
    import pyarrow as pa

    t = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return False
    if t.is_dictionary(kind):
        return _is_readable(kind.value_type)
    tests = (
        t.is_string, t.is_large_string, t.is_string_view, t.is_integer, t.is_floating, t.is_decimal, t.is_boolean,
        t.is_date, t.is_time, t.is_timestamp, t.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests)
