"""Taking rows in: one pass, in chunks, inside one write transaction, with memory for one chunk only.

Three things make it fast: canonical JSON is made once an example for both hashes, one look-up a chunk tells what is
there and which texts have another label, and the full-text index is fed with one statement at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pld_core.canonical import canonical_json, hash_text
from pld_core.errors import InvalidInput
from pld_core.models import Actor, Example, ExampleState, Origin, Task
from pld_core.records import DatasetState, ImportRow, NewDataset
from storage.connection import Value, Write
from storage.dataset_queries import find_active
from storage.example_rows import EXAMPLE_COLUMNS, addresses, dataset_row, example_values, kept_json
from storage.standing import enter_state, mark_conflicts

BUILT_IN = "built in"
"""The importer of examples that were handed over in memory, such as a demo's."""

CHUNK = 1000
CACHE_KIB = 64 * 1024

_INSERT = f"INSERT INTO example ({', '.join(EXAMPLE_COLUMNS)}) VALUES ({', '.join('?' for _ in EXAMPLE_COLUMNS)})"  # noqa: S608 - names of this package
_INSERT_ROW = "INSERT INTO dataset_row (dataset_id, number, example_id, kept) VALUES (?, ?, ?, ?)"
_THERE = """SELECT id, hash, text_hash, state, masked FROM example
    WHERE task = ? AND text_hash IN (SELECT value FROM json_each(?))"""


@dataclass(frozen=True)
class Imported:
    """What became of an import.

    Attributes:
        dataset_id: the new data set, or the one that was there.
        rows: its rows.
        added: examples that were new.
        conflicts: texts of the import that now stand there with two labels.
        was_there: the same file was imported the same way before; nothing was written.
    """

    dataset_id: int
    rows: int
    added: int
    conflicts: int
    was_there: bool


def import_dataset(write: Write, task: Task, about: NewDataset, given: Iterable[ImportRow], actor: Actor) -> Imported:
    """Store a data set and its examples; the caller appends the event.

    Raises:
        InvalidInput: a row that the task cannot take. The caller's transaction has to be rolled back.
    """
    params_hash = hash_text(canonical_json(dict(about.params)))
    same = find_active(write.conn, task.name, about.sha256, params_hash)
    if same is not None:
        return Imported(same.id, same.rows, 0, 0, was_there=True)
    # Room for the upper pages of all indexes: without it they are written and read again many times.
    write.conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    intake = _Intake(write, task, about, _next_id(write, "dataset"), _next_id(write, "example"))
    first_new = intake.next_id
    readable = _readable(about, given)
    while chunk := list(islice(readable, CHUNK)):
        intake.take(chunk)
    added = intake.next_id - first_new
    if added:
        write.conn.execute(
            "INSERT INTO example_fts (rowid, text) SELECT id, text FROM example WHERE id >= ?", (first_new,)
        )
    conflicts = mark_conflicts(write, task.name, intake.disputed)
    row = dataset_row(intake.dataset_id, task.name, about, intake.rows, write.now, actor.name)
    write.insert("dataset", row)
    enter_state(write, intake.dataset_id, DatasetState.ACTIVE, "", actor.name)
    return Imported(intake.dataset_id, intake.rows, added, conflicts, was_there=False)


@dataclass
class _Intake:
    """The state of one import between two chunks.

    Attributes:
        next_id: id of the next new example; ids count up, so everything from the first on is new.
        disputed: texts that have more than one label, whatever the states.
    """

    write: Write
    task: Task
    about: NewDataset
    dataset_id: int
    next_id: int
    rows: int = 0
    disputed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._labels = frozenset(self.task.label_names)
        self._kept = len(self.about.kept_columns)

    def take(self, chunk: Sequence[ImportRow]) -> None:
        addressed = [(row, *self._checked(row)) for row in chunk]
        texts = canonical_json([text_hash for _, _, text_hash, _ in addressed])
        there = {str(r["hash"]): r for r in self.write.conn.execute(_THERE, (self.task.name, texts))}
        ids = {content: int(row["id"]) for content, row in there.items()}
        label_of = {str(row["text_hash"]): content for content, row in there.items()}
        self.disputed.update(str(row["text_hash"]) for c, row in there.items() if label_of[row["text_hash"]] != c)
        new: list[tuple[Value, ...]] = []
        links: list[tuple[int, int, int, str]] = []
        again: list[tuple[Example, sqlite3.Row]] = []
        for row, content, text_hash, fields in addressed:
            if content in there:
                again.append((row.example, there[content]))
            elif content not in ids:
                ids[content] = self.next_id
                new.append(example_values(self.next_id, self.task.name, row.example, content, text_hash, fields))
                self.next_id += 1
            if label_of.setdefault(text_hash, content) != content:
                self.disputed.add(text_hash)
            links.append((self.dataset_id, row.number, ids[content], kept_json(row.kept)))
        self.write.conn.executemany(_INSERT, new)
        self.write.conn.executemany(_INSERT_ROW, links)
        self._refresh(again)
        self.rows += len(chunk)

    def _refresh(self, again: Sequence[tuple[Example, sqlite3.Row]]) -> None:
        """Bring archived examples back that came again, and mask those that came again to be masked."""
        back = [(row["id"],) for _, row in again if row["state"] == ExampleState.ARCHIVED]
        self.write.conn.executemany("UPDATE example SET state = 'active' WHERE id = ?", back)
        mask = [(canonical_json(e.personal), row["id"]) for e, row in again if e.masked and not row["masked"]]
        self.write.conn.executemany("UPDATE example SET masked = 1, personal = ? WHERE id = ?", mask)

    def _checked(self, row: ImportRow) -> tuple[str, str, str]:
        example, task = row.example, self.task
        if len(row.kept) != self._kept:
            raise InvalidInput(
                f"{self._place(row)} has {len(row.kept)} kept values, the data set {self._kept} kept columns. "
                "Nothing was imported. Give each row a value for each kept column, an empty one where there is none."
            )
        if example.label not in self._labels:
            raise InvalidInput(
                f"The label {example.label!r} ({self._place(row)}) is not declared for {task.name}: "
                f"{', '.join(task.label_names)}. Nothing was imported. Correct the file, or import into a new task."
            )
        names = tuple([name for name, _ in example.fields])
        if names != task.input_fields and (missing := [name for name in task.input_fields if name not in names]):
            raise InvalidInput(
                f"The field {missing[0]!r} is missing ({self._place(row)}). Nothing was imported. "
                f"Task {task.name} needs: {', '.join(task.input_fields)}."
            )
        try:
            return addresses(example)
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"The text of {self._place(row)} holds half a character (a lone surrogate), which has no bytes. "
                "Nothing was imported. Correct the row, or save the file as UTF-8 and import it again."
            ) from error

    def _place(self, row: ImportRow) -> str:
        if self.about.importer == BUILT_IN and row.example.source:
            return row.example.source
        about = self.about
        return Origin(about.file, about.sha256, about.unit, row.number, about.importer).words


def _readable(about: NewDataset, given: Iterable[ImportRow]) -> Iterator[ImportRow]:
    """Yield the rows; a file that cannot be read further is not a workspace that cannot be used."""
    try:
        yield from given
    except OSError as error:
        raise InvalidInput(
            f"{about.file} cannot be read further: {error.strerror or error}. Nothing was imported. "
            "Check the file and import it again."
        ) from error


def _next_id(write: Write, table: str) -> int:
    sql = f"SELECT coalesce(max(id), 0) + 1 FROM {table}"  # noqa: S608 - a literal of this module
    return int(write.conn.execute(sql).fetchone()[0])
