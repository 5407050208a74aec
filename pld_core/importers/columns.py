"""Which columns mean what: guessed from their names, and checked against what somebody wants."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pld_core.errors import InvalidInput
from pld_core.importers.rows import ColumnMap

MAX_COLUMNS = 1_000

# Most telling first. Compared in lower case, with anything but letters and digits as `_`.
LABEL_NAMES = (
    "label", "labels", "gold_label", "gold", "gold_answer", "true_label", "target", "class", "category", "decision",
    "verdict", "outcome", "intent", "sentiment", "rating", "y",
)  # fmt: skip
SPLIT_NAMES = ("split", "part", "partition", "fold", "subset")
REF_NAMES = (
    "id", "ref", "key", "uuid", "guid", "uid", "reference", "example_id", "item_id", "row_id", "record_id", "case_id",
)  # fmt: skip
SOURCE_NAMES = ("source", "url", "origin", "uri", "link", "source_url", "website")
GROUP_NAMES = (
    "group", "group_id", "document_id", "doc_id", "contract_id", "author_id", "thread_id", "user_id", "customer_id",
    "conversation_id", "document", "doc", "contract", "author", "thread", "conversation", "user", "customer",
)  # fmt: skip


def suggest_columns(columns: Sequence[str]) -> ColumnMap:
    """Return what the columns probably mean by their names; the label stays open if none is named like a label.

    >>> suggest_columns(["id", "post", "label"])
    ColumnMap(label='label', inputs=('post',), split='', ref='id', source='', group='', keep=())
    """
    if not columns:
        return ColumnMap()
    taken: set[str] = set()
    label = _named(columns, LABEL_NAMES, taken)
    meanings = {
        "split": _named(columns, SPLIT_NAMES, taken),
        "ref": _named(columns, REF_NAMES, taken),
        "source": _named(columns, SOURCE_NAMES, taken),
        "group": _named(columns, GROUP_NAMES, taken),
    }
    inputs = tuple(name for name in columns if name not in taken)
    # A lone column besides the label is the text, whatever it is called: `document, label` is a usual pair.
    for meaning in ("group", "source", "ref"):
        if not inputs and meanings[meaning]:
            inputs, meanings[meaning] = (meanings[meaning],), ""
    return ColumnMap(
        label, inputs, meanings["split"], ref=meanings["ref"], source=meanings["source"], group=meanings["group"]
    )


def _named(columns: Sequence[str], names: Iterable[str], taken: set[str]) -> str:
    by_name = {re.sub(r"[\W_]+", "_", column.lower()).strip("_"): column for column in reversed(columns)}
    for name in names:
        column = by_name.get(name, "")
        if column and column not in taken:
            taken.add(column)
            return column
    return ""


def check_columns(columns: Sequence[str], wanted: ColumnMap) -> ColumnMap:
    """Fill in what has to be there and was left open: the label by its name, the inputs by what is left.

    Split, ref, source, group and kept columns stay empty if they are: empty means that no column has that meaning.

    Raises:
        InvalidInput: a named column is not in the file, has two meanings, no column is named like a label, or no text
            column is left.
    """
    label = wanted.label or suggest_columns(columns).label
    if not label:
        raise InvalidInput(
            "No column is named like a gold label. Nothing was imported. Say which one it is (--label); "
            f"the columns are: {', '.join(columns)}."
        )
    others = (label, wanted.split, wanted.ref, wanted.source, wanted.group)
    named = [name for name in (*others, *wanted.inputs, *wanted.keep) if name]
    for name in named:
        if name not in columns:
            raise InvalidInput(
                f"The file has no column {name!r}. Nothing was imported. Its columns are: {', '.join(columns)}."
            )
        if named.count(name) > 1:
            raise InvalidInput(
                f"The column {name!r} was given two meanings. Nothing was imported. Give it one; "
                f"the columns are: {', '.join(columns)}."
            )
    inputs = wanted.inputs or tuple(name for name in columns if name not in named)
    if not inputs:
        raise InvalidInput(
            "No column is left that holds the text. Nothing was imported. Add one, or give one of these columns "
            f"no other meaning: {', '.join(columns)}."
        )
    return replace(wanted, label=label, inputs=inputs)


def unused_columns(columns: Sequence[str], wanted: ColumnMap) -> tuple[str, ...]:
    """Return the columns that mean nothing and are not kept, in the order of the file."""
    used = {wanted.label, wanted.split, wanted.ref, wanted.source, wanted.group, *wanted.inputs, *wanted.keep}
    return tuple(name for name in columns if name not in used)


def check_header(names: Sequence[str], place: str) -> tuple[str, ...]:
    """Return the names of the columns; each run of blanks and line breaks in a name becomes one blank.

    Args:
        names: as they stand in the file.
        place: where they stand, such as `Row 1`; begins a sentence.

    Raises:
        InvalidInput: a name is empty, stands twice or holds what no text has, or there are too many.
    """
    header = tuple(" ".join(name.split()) for name in names)
    if len(header) > MAX_COLUMNS:
        raise InvalidInput(
            f"{place} names {len(header):,} columns; at most {MAX_COLUMNS:,} can be read. Nothing was imported. "
            "Leave out those that are not needed."
        )
    strange = next((name for name in header if _has_controls(name)), "")
    if strange:
        raise InvalidInput(
            f"{place} should name the columns, but {strange[:40]!r} holds characters that cannot be shown. "
            "Nothing was imported. Check that the file is what its name says, and that the names are text."
        )
    if not all(header):
        raise InvalidInput(
            f"{place} has to name every column; number {header.index('') + 1} has no name. Nothing was imported. "
            "Name it, or remove it (pandas: to_csv(index=False))."
        )
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InvalidInput(
            f"{place} names the column {twice[0]!r} twice. Nothing was imported. Give each column a name of its own."
        )
    return header


def _has_controls(name: str) -> bool:
    return any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)
