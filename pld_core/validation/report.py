"""What was found in a data set before it is imported: shown on the Data page, printed by `--json`, stored with it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

LISTED = 1_000
"""How many entries a list of the report holds at the most; its count says how many there are."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MergedRow(_Part):
    """A row with the text and label of another: `same_as` is that row's number, None for one already in the task."""

    row: int
    same_as: int | None


class RefusedRow(_Part):
    row: int
    reason: str


class LabelCount(_Part):
    label: str
    description: str
    rows: int


class LabelVariant(_Part):
    """A label as the file writes it that is not a declared one.

    Attributes:
        proposed: the declared label that it seems to mean; empty if none comes near.
        merged: whether somebody accepted that; if not, its rows are refused.
        numbers: the first rows that have it.
    """

    written: str
    rows: int
    proposed: str
    merged: bool
    numbers: tuple[int, ...]


class RowLabel(_Part):
    """A row and its label; `row` is None for an example that is in the task already."""

    row: int | None
    label: str


class ConflictFound(_Part):
    """One text with several labels; its examples are kept aside until a person settles which label is right."""

    rows: tuple[RowLabel, ...]


class NearDuplicate(_Part):
    """Two rows whose texts are nearly the same; None stands for an example of the task."""

    row: int | None
    other: int | None
    similarity: float
    same_label: bool


class Leak(_Part):
    """The same text, nearly the same text or the same group in two splits.

    Attributes:
        kind: what is shared.
        group: the group's name; empty for texts.
        rows: the first rows concerned; None for examples of the task.
        splits: the splits concerned.
    """

    kind: Literal["same text", "nearly the same text", "same group"]
    group: str
    rows: tuple[int | None, ...]
    splits: tuple[str, ...]


class PersonalData(_Part):
    """A kind of personal data that the texts seem to hold, and the first rows in which it was seen."""

    kind: str
    rows: int
    numbers: tuple[int, ...]


class ValidationReport(_Part):
    """The whole report; `read` = `kept` + `merged` + `refused`.

    Attributes:
        unit: what rows are counted in: `row`, `line` or `item`.
        notes: what was found out about the file.
        kept_rows: first and last number of each run of rows that are kept.
        problems: what a person has to settle before anything is imported; empty if nothing.
        warnings: what a person should know.
        split_counts: examples that are kept, by split and label.
        kept_columns: how many different values each kept column holds.
        unused_columns: columns that mean nothing and are not kept.
        conflict_count, near_duplicate_count, leak_count: how many there are; the lists hold the first ones.
    """

    file: str
    sha256: str
    importer: str
    unit: str
    notes: tuple[str, ...]
    read: int
    kept: int
    merged: int
    refused: int
    kept_rows: tuple[tuple[int, int], ...]
    merged_rows: tuple[MergedRow, ...]
    refused_rows: tuple[RefusedRow, ...]
    labels: tuple[LabelCount, ...]
    label_variants: tuple[LabelVariant, ...]
    label_conflicts: tuple[ConflictFound, ...]
    conflict_count: int
    near_duplicates: tuple[NearDuplicate, ...]
    near_duplicate_count: int
    leaks: tuple[Leak, ...]
    leak_count: int
    split_counts: dict[str, dict[str, int]]
    personal: tuple[PersonalData, ...]
    masked: bool
    kept_columns: dict[str, int] = {}
    unused_columns: tuple[str, ...] = ()
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def runs_of(numbers: list[int]) -> tuple[tuple[int, int], ...]:
    """Return the first and last number of each run of consecutive ones.

    >>> runs_of([2, 3, 4, 7])
    ((2, 4), (7, 7))
    """
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)
