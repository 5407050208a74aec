"""From a file to examples. One module a format reads rows of text; the mapping to a task is the same for all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pld_core.errors import InvalidInput
from pld_core.importers.csv_file import read_csv
from pld_core.importers.jsonl_file import read_jsonl
from pld_core.importers.rows import SourceRow, decode
from pld_core.models import Example, Label, Split, Task
from pld_core.splitting import assign_splits

FORMATS: Mapping[str, Callable[[str], tuple[SourceRow, ...]]] = {"csv": read_csv, "jsonl": read_jsonl}
MAX_BYTES = 200 * 1024 * 1024
_TASK_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class ColumnMap:
    """Which columns mean what.

    Attributes:
        label: the column with the gold label.
        inputs: the columns of text, in order; empty means every column that has no other meaning.
        split: the column with train, validation or test; without it the examples are divided by seed.
    """

    label: str = "label"
    inputs: tuple[str, ...] = ()
    split: str = ""


def read_file(name: str, data: bytes, file_format: str = "") -> tuple[SourceRow, ...]:
    """Read the rows of a file, its format told by name or by its ending.

    Raises:
        InvalidInput: too large, unknown format, empty, or not readable as that format.
    """
    chosen = file_format or PurePath(name).suffix.removeprefix(".").lower()
    if chosen not in FORMATS:
        raise InvalidInput(
            f"The format of {PurePath(name).name!r} is not known. Nothing was imported. "
            f"Known are: {', '.join(FORMATS)}."
        )
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"The file is larger than {MAX_BYTES // 2**20} MiB. Nothing was imported. Divide it first.")
    rows = FORMATS[chosen](decode(data))
    if not rows:
        raise InvalidInput("The file holds no example. Nothing was imported. Choose a file with at least one.")
    return rows


def resolve_columns(rows: Sequence[SourceRow], wanted: ColumnMap) -> ColumnMap:
    """Fill in what was left open, from the columns that are there.

    Raises:
        InvalidInput: a named column is not in the file, or no text column is left.
    """
    columns = list(rows[0].values)
    split = wanted.split or ("split" if "split" in columns else "")
    inputs = wanted.inputs or tuple(c for c in columns if c not in (wanted.label, split))
    for name in (wanted.label, *inputs, *((split,) if split else ())):
        if name not in columns:
            raise InvalidInput(
                f"The file has no column {name!r}. Nothing was imported. Its columns are: {', '.join(columns)}."
            )
    if not inputs:
        raise InvalidInput("The file has a label column only. Nothing was imported. Add a column with the text.")
    return ColumnMap(wanted.label, inputs, split)


def examples_from(rows: Sequence[SourceRow], columns: ColumnMap, source: str, seed: int = 0) -> tuple[Example, ...]:
    """Map rows to examples.

    Raises:
        InvalidInput: a row without label or text, or with an unknown split; the message names its line.
    """
    examples = tuple(_example(row, columns, source) for row in rows)
    return examples if columns.split else assign_splits(examples, seed)


def _example(row: SourceRow, columns: ColumnMap, source: str) -> Example:
    label = row.values.get(columns.label, "").strip()
    if not label:
        raise InvalidInput(f"The label is missing in {row.place}. Nothing was imported. Add it, or remove the row.")
    fields = tuple((name, row.values.get(name, "")) for name in columns.inputs)
    if not any(value.strip() for _, value in fields):
        raise InvalidInput(f"The text is missing in {row.place}. Nothing was imported. Add it, or remove the row.")
    split = Split.TRAIN
    if columns.split:
        named = row.values.get(columns.split, "").strip().lower()
        if named not in set(Split):
            raise InvalidInput(
                f"The split in {row.place} reads {named!r}. Nothing was imported. "
                f"It has to be one of: {', '.join(Split)}."
            )
        split = Split(named)
    return Example(fields, label, split, source=f"{source} {row.place}")


def propose_task(name: str, title: str, examples: Sequence[Example], guideline: str) -> Task:
    """Return a task for the examples: its labels are those found, most frequent first, still without descriptions.

    Raises:
        InvalidInput: the name is not usable in commands and addresses, or there is only one label.
    """
    if not _TASK_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be a task name. Use lower-case letters, digits and hyphens, at most 40 characters."
        )
    counts = Counter(example.label for example in examples)
    if len(counts) < 2:
        raise InvalidInput(
            f"All examples have the label {next(iter(counts))!r}. Nothing was imported: there is nothing to tell apart."
        )
    labels = tuple(Label(label, "") for label, _ in counts.most_common())
    return Task(name, title or name, tuple(field for field, _ in examples[0].fields), labels, guideline)
