"""Checking a data set before it is imported: what each row is, what it would become, and what a person has to settle.

Two steps, so that a decision costs no second reading of the file: `read_facts` goes through the rows once and keeps a
few numbers of each; `plan_import` decides from them. `rows_to_import` then reads the file again and makes the examples,
so that no more than one text is held at a time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pld_core.canonical import Json, canonical_json
from pld_core.errors import InvalidInput
from pld_core.importers.rows import ColumnMap, Source, SourceRow
from pld_core.models import Example, ExampleState, Origin, Span, Split
from pld_core.personal import find_personal
from pld_core.ports import Progress
from pld_core.records import KEEP, ImportRow
from pld_core.validation.kept import KeptValues, kept_of
from pld_core.validation.near_duplicates import Signatures, Signer

SPLIT_WORDS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "validation": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "val": Split.VALIDATION,
    "dev": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
REPORT_EVERY = 2_000


@dataclass(frozen=True)
class ImportChoices:
    """What a person chose for an import.

    Attributes:
        columns: which columns mean what, complete.
        field_names: field of the task by column, where they are called differently.
        merges: declared label by label as written.
        accept_merges: take every proposed merge of labels.
        descriptions: what labels mean, by label.
        resplit: divide anew, whatever the split column says.
        seed: of the division.
        mask: show a teacher placeholders in place of personal data.
        strict: import nothing if any row is refused.
    """

    columns: ColumnMap
    field_names: Mapping[str, str] = field(default_factory=dict)
    merges: Mapping[str, str] = field(default_factory=dict)
    accept_merges: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)
    resplit: bool = False
    seed: int = 0
    mask: bool = False
    strict: bool = False

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """(column, field) pairs in the order of the columns."""
        return tuple((column, self.field_names.get(column, column)) for column in self.columns.inputs)


@dataclass
class Facts:
    """A few numbers of each row that can be taken, in the order of the file, then of each example of the task.

    Attributes:
        numbers: the row's number; None for an example of the task.
        labels: the label as written.
        splits: the split as the row says; None if it does not.
        bad_splits: what stands in the split column where that is no split, by index.
        groups: the group; empty if none.
        keys: digest of the canonical text.
        personal: kinds of personal data found; for rows only.
        archived: indices of examples of the task that take no part until a row brings them back.
        withdrawn: indices of examples of the task that a person decided against.
        signatures: see `near_duplicates`.
        kept: what the kept columns hold in rows that can be taken.
        refused: (number, reason) of rows that cannot be taken.
        read: how many rows there were.
    """

    numbers: list[int | None] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[Split | None] = field(default_factory=list)
    bad_splits: dict[int, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    personal: list[tuple[str, ...]] = field(default_factory=list)
    archived: set[int] = field(default_factory=set)
    withdrawn: set[int] = field(default_factory=set)
    refused: list[tuple[int, str]] = field(default_factory=list)
    read: int = 0
    signatures: Signatures = field(default_factory=lambda: Signer().signatures())
    kept: KeptValues = field(default_factory=lambda: KeptValues(ColumnMap()))

    @property
    def rows(self) -> int:
        """How many of the entries are rows of the file; the rest are examples of the task."""
        return self.read - len(self.refused)


def text_key(fields: Sequence[tuple[str, str]]) -> bytes:
    """Return the digest of a text; equal to that of `Example.text_hash`."""
    return hashlib.sha256(canonical_json(fields).encode()).digest()


def read_facts(source: Source, choices: ImportChoices, known: Iterable[Example], report: Progress) -> Facts:
    """Go through the rows of a file and the examples of the task once.

    Args:
        source: the opened file.
        choices: only its columns and field names are looked at; the rest can be chosen afterwards.
        known: the examples that the task has.
        report: told how many rows were read.

    Raises:
        InvalidInput: the file cannot be read further.
    """
    columns, inputs = choices.columns, choices.inputs
    facts, signer = Facts(kept=KeptValues(columns)), Signer()
    # Few different labels and groups stand in many rows; each is kept once.
    once: dict[str, str] = {}

    def add(number: int | None, fields: Sequence[tuple[str, str]], label: str, split: Split | None, group: str) -> str:
        text = "\n".join([value for _, value in fields])
        facts.numbers.append(number)
        facts.labels.append(once.setdefault(label, label))
        facts.splits.append(split)
        facts.groups.append(once.setdefault(group, group))
        facts.keys.append(text_key(fields))
        signer.add(text)
        return text

    for row in source.rows():
        facts.read += 1
        if problem := _problem(row, columns):
            facts.refused.append((row.number, problem))
        else:
            named = _value(row, columns.split).strip()
            split = SPLIT_WORDS.get(named.lower())
            if columns.split and split is None:
                facts.bad_splits[len(facts.numbers)] = named
            group = _value(row, columns.group).strip()
            text = add(row.number, _fields(row, inputs), _value(row, columns.label), split, group)
            facts.personal.append(find_personal(text))
            if columns.keep:
                facts.kept.add(row)
        if facts.read % REPORT_EVERY == 0:
            report(min(facts.read, source.expected), source.expected, "rows checked")
    for example in known:
        if example.state is ExampleState.ARCHIVED:
            facts.archived.add(len(facts.numbers))
        elif example.state is ExampleState.WITHDRAWN:
            facts.withdrawn.add(len(facts.numbers))
        add(None, example.fields, example.label, example.split, example.group)
    facts.signatures = signer.signatures()
    return facts


def _value(row: SourceRow, column: str) -> str:
    return row.values.get(column, "") if column else ""


def _fields(row: SourceRow, inputs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple([(name, row.values.get(column, "")) for column, name in inputs])


def _problem(row: SourceRow, columns: ColumnMap) -> str:
    """Return why a row cannot be taken, whatever is chosen; empty if it can."""
    if row.problem:
        return row.problem
    if not _value(row, columns.label).strip():
        return "the label is missing"
    if not any(row.values.get(column, "").strip() for column in columns.inputs):
        return "the text is missing"
    return ""


@dataclass(frozen=True)
class Placement:
    """What becomes of a row that is taken; equal ones are one object, so that a million rows cost little."""

    label: str
    split: Split
    personal: tuple[str, ...]


def rows_to_import(source: Source, choices: ImportChoices, placements: Mapping[int, Placement]) -> Iterator[ImportRow]:
    """Read the file again and yield the rows that have a placement, as examples.

    Raises:
        InvalidInput: the file changed since it was checked.
    """
    columns, inputs, names = choices.columns, choices.inputs, dict(choices.inputs)
    seen = 0
    for row in source.rows():
        placement = placements.get(row.number)
        if placement is None:
            continue
        seen += 1
        yield ImportRow(
            row.number,
            Example(
                fields=_fields(row, inputs),
                label=placement.label,
                split=placement.split,
                source=_value(row, columns.source),
                group=_value(row, columns.group).strip(),
                ref=_value(row, columns.ref),
                personal=placement.personal,
                masked=choices.mask,
                spans=tuple(Span(names[s.field], s.start, s.end) for s in row.spans if s.field in names),
                origin=Origin(source.name, source.sha256, source.unit, row.number, source.importer),
            ),
            kept_of(row, columns),
        )
    if seen != len(placements):
        raise InvalidInput(
            f"The file {source.name} changed while it was imported. Nothing was imported. Check it again."
        )


def label_counts(facts: Facts) -> Counter[str]:
    """Return the number of rows of the file by label as written."""
    return Counter(facts.labels[: facts.rows])


def choices_as_json(choices: ImportChoices) -> dict[str, Json]:
    """Return what decides the outcome of an import, for its record; `strict` decides only whether there is one."""
    columns = choices.columns
    # Left out where it is empty: a file that was imported before columns could be kept is the same import still.
    keep: dict[str, Json] = {KEEP: list(columns.keep)} if columns.keep else {}
    return {
        **keep,
        "label": columns.label,
        "inputs": list(columns.inputs),
        "split": columns.split,
        "ref": columns.ref,
        "source": columns.source,
        "group": columns.group,
        "field_names": dict(choices.field_names),
        "merges": dict(choices.merges),
        "accept_merges": choices.accept_merges,
        "resplit": choices.resplit,
        "seed": choices.seed,
        "mask": choices.mask,
    }
