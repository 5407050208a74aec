"""Tasks, their guideline versions and their examples."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from pld_core.canonical import hash_json
from pld_core.errors import NotFound
from pld_core.models import Actor, Example, RevisionState, Split, Task
from pld_core.permissions import Step, guarded
from pld_core.records import EVERY_EXAMPLE, ExampleFilter, ImportOutcome, ImportRow, NewDataset, Page, TaskCounts
from storage import rows
from storage.checks import NO_CLOSED_CHECK
from storage.connection import Database, Write
from storage.dataset_queries import count_conflicts
from storage.evidence_writes import drop_inactive
from storage.example_queries import EXAMPLE, example_clause, load_examples
from storage.example_rows import example_from
from storage.importing import BUILT_IN, import_dataset
from storage.task_queries import TASK, add_task, load_task


class SqliteTasks:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.IMPORT_DATA)
    def add(self, task: Task, actor: Actor) -> None:
        with self._database.write() as write:
            add_task(write, task, actor)

    def get(self, name: str) -> Task:
        with self._database.read() as conn:
            return load_task(conn, name)

    def all(self) -> tuple[Task, ...]:
        with self._database.read() as conn:
            return tuple(rows.task_from(row) for row in conn.execute(f"{TASK} ORDER BY task.name"))

    def counts(self, name: str) -> TaskCounts:
        """Return the figures of a task; only active examples count."""
        with self._database.read() as conn:
            load_task(conn, name)
            splits, labels = Counter[Split](), Counter[str]()
            for (split, label), n in _split_table(conn, name).items():
                splits[split] += n
                labels[label] += n
            counted = f"FROM rule WHERE task = ? AND id {NO_CLOSED_CHECK} GROUP BY state"
            states = conn.execute(f"SELECT state, count(*) AS n {counted}", (name,))
            prompts = conn.execute("SELECT count(*) AS n FROM prompt_version WHERE task = ?", (name,))
            return TaskCounts(
                examples=dict(splits),
                labels=dict(labels),
                rules={RevisionState(row["state"]): row["n"] for row in states},
                prompts=prompts.fetchone()["n"],
                conflicts=count_conflicts(conn, name),
            )

    @guarded(Step.IMPORT_DATA)
    def import_examples(self, task: str, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome:
        """Add examples as a data set; those already there (same text and label) are counted, not added again."""
        with self._database.write() as write:
            return _import(write, load_task(write.conn, task), examples, source, actor)

    @guarded(Step.IMPORT_DATA)
    def create_with_examples(self, task: Task, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome:
        """Add a task and its first examples in one transaction: both or neither."""
        with self._database.write() as write:
            add_task(write, task, actor)
            return _import(write, task, examples, source, actor)

    def example(self, task: str, example_hash: str) -> Example:
        """Return one example, whatever its state.

        Raises:
            NotFound: the task has none of this hash.
        """
        with self._database.read() as conn:
            row = conn.execute(f"{EXAMPLE} WHERE e.task = ? AND e.hash = ?", (task, example_hash)).fetchone()
        if row is None:
            raise NotFound(f"Task {task} has no example {example_hash[:19]}. The Data page lists what is there.")
        return example_from(row)

    def examples(
        self, task: str, where: ExampleFilter = EVERY_EXAMPLE, page: Page | None = None
    ) -> tuple[Example, ...]:
        with self._database.read() as conn:
            load_task(conn, task)
            return load_examples(conn, task, where, page)

    def count_examples(self, task: str, where: ExampleFilter = EVERY_EXAMPLE) -> int:
        with self._database.read() as conn:
            clause, values = example_clause(conn, task, where)
            sql = f"SELECT count(*) FROM example AS e WHERE {clause}"  # noqa: S608 - clause of literals
            return int(conn.execute(sql, values).fetchone()[0])

    def longest_input(self, task: str) -> int:
        """Return the size of the task's largest active example, its fields' names included, in bytes of UTF-8."""
        with self._database.read() as conn:
            found = conn.execute(
                """SELECT coalesce(max(length(CAST(fields AS BLOB))), 0) FROM example
                   WHERE task = ? AND state = 'active'""",
                (task,),
            )
            return int(found.fetchone()[0])

    def split_table(self, task: str) -> dict[tuple[Split, str], int]:
        """Return the number of active examples by (split, label)."""
        with self._database.read() as conn:
            return _split_table(conn, task)


def _split_table(conn: sqlite3.Connection, task: str) -> dict[tuple[Split, str], int]:
    found = conn.execute(
        """SELECT split, label, count(*) AS n FROM example WHERE task = ? AND state = 'active'
           GROUP BY split, label""",
        (task,),
    )
    return {(Split(row["split"]), row["label"]): row["n"] for row in found}


def _import(write: Write, task: Task, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome:
    outcome = ImportOutcome(0, 0)
    if examples:
        content = hash_json([example.hash for example in examples])
        about = NewDataset(source, content, "item", BUILT_IN, {}, {})
        numbered = (ImportRow(number, example) for number, example in enumerate(examples, 1))
        imported = import_dataset(write, task, about, numbered, actor)
        outcome = ImportOutcome(imported.added, len(examples) - imported.added)
        if imported.was_there:
            return outcome
    write.event(
        actor,
        "examples.imported",
        task.name,
        {"source": source, "added": outcome.added, "already_there": outcome.already_there},
    )
    drop_inactive(write, task.name, "An import brought label conflicts", actor)
    return outcome
