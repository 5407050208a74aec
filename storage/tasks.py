"""Tasks, their guideline versions and their examples."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Actor, Example, RevisionState, Split, Task
from pld_core.ports import EVERY_EXAMPLE, ExampleFilter, ImportOutcome, Page, TaskCounts
from storage import rows
from storage.connection import Database, Write

_TASK = """SELECT task.*, guideline.text AS guideline FROM task
    JOIN guideline ON guideline.task = task.name AND guideline.version = task.guideline_version"""


class SqliteTasks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, task: Task, actor: Actor) -> None:
        with self._database.write() as write:
            _add_task(write, task, actor)

    def get(self, name: str) -> Task:
        with self._database.read() as conn:
            return load_task(conn, name)

    def all(self) -> tuple[Task, ...]:
        with self._database.read() as conn:
            return tuple(rows.task_from(row) for row in conn.execute(f"{_TASK} ORDER BY task.name"))

    def counts(self, name: str) -> TaskCounts:
        with self._database.read() as conn:
            load_task(conn, name)
            splits = conn.execute("SELECT split, count(*) AS n FROM example WHERE task = ? GROUP BY split", (name,))
            labels = conn.execute("SELECT label, count(*) AS n FROM example WHERE task = ? GROUP BY label", (name,))
            states = conn.execute("SELECT state, count(*) AS n FROM rule WHERE task = ? GROUP BY state", (name,))
            prompts = conn.execute("SELECT count(*) AS n FROM prompt_version WHERE task = ?", (name,))
            return TaskCounts(
                examples={Split(row["split"]): row["n"] for row in splits},
                labels={row["label"]: row["n"] for row in labels},
                rules={RevisionState(row["state"]): row["n"] for row in states},
                prompts=prompts.fetchone()["n"],
            )

    def import_examples(self, task: str, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome:
        """Add examples; those that are already there (same text and label) are counted, not added again."""
        with self._database.write() as write:
            return _import(write, load_task(write.conn, task), examples, source, actor)

    def create_with_examples(self, task: Task, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome:
        """Add a task and its first examples in one transaction: both or neither."""
        with self._database.write() as write:
            _add_task(write, task, actor)
            return _import(write, task, examples, source, actor)

    def example(self, task: str, example_hash: str) -> Example:
        with self._database.read() as conn:
            row = conn.execute("SELECT * FROM example WHERE task = ? AND hash = ?", (task, example_hash)).fetchone()
        if row is None:
            raise NotFound(f"Task {task} has no example {example_hash[:19]}. The Data page lists what is there.")
        return rows.example_from(row)

    def examples(
        self, task: str, where: ExampleFilter = EVERY_EXAMPLE, page: Page | None = None
    ) -> tuple[Example, ...]:
        clause, values = _where(task, where)
        limit = (page.limit, page.offset) if page else (-1, 0)
        with self._database.read() as conn:
            load_task(conn, task)
            sql = f"SELECT * FROM example WHERE {clause} ORDER BY id LIMIT ? OFFSET ?"  # noqa: S608 - clause of literals
            return tuple(rows.example_from(row) for row in conn.execute(sql, (*values, *limit)))

    def count_examples(self, task: str, where: ExampleFilter = EVERY_EXAMPLE) -> int:
        clause, values = _where(task, where)
        with self._database.read() as conn:
            sql = f"SELECT count(*) FROM example WHERE {clause}"  # noqa: S608 - clause of literals
            return int(conn.execute(sql, values).fetchone()[0])

    def split_table(self, task: str) -> dict[tuple[Split, str], int]:
        """Return the number of examples by (split, label)."""
        with self._database.read() as conn:
            found = conn.execute(
                "SELECT split, label, count(*) AS n FROM example WHERE task = ? GROUP BY split, label", (task,)
            )
            return {(Split(row["split"]), row["label"]): row["n"] for row in found}


def load_task(conn: sqlite3.Connection, name: str) -> Task:
    """Return the task with its current guideline.

    Raises:
        NotFound: no such task; the message names those there are.
    """
    row = conn.execute(f"{_TASK} WHERE task.name = ?", (name,)).fetchone()
    if row is None:
        known = [str(r[0]) for r in conn.execute("SELECT name FROM task ORDER BY name")]
        there = f"There are: {', '.join(known)}." if known else "The workspace has no task yet; import data first."
        raise NotFound(f"There is no task {name!r} in this workspace. {there}")
    return rows.task_from(row)


def _add_task(write: Write, task: Task, actor: Actor) -> None:
    if write.conn.execute("SELECT 1 FROM task WHERE name = ?", (task.name,)).fetchone():
        raise InvalidInput(f"There is already a task {task.name!r}. Nothing was changed. Choose another name.")
    write.insert("task", rows.task_row(task, write.now))
    write.insert(
        "guideline",
        {
            "task": task.name,
            "version": task.guideline_version,
            "text": task.guideline,
            "created_at": write.now,
            "created_by": actor.name,
        },
    )
    write.event(
        actor,
        "task.created",
        task.name,
        {"title": task.title, "labels": list(task.label_names), "input_fields": list(task.input_fields)},
    )


def _import(write: Write, task: Task, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome:
    for example in examples:
        if example.label not in task.label_names:
            raise InvalidInput(
                f"The label {example.label!r} ({example.source}) is not declared for {task.name}: "
                f"{', '.join(task.label_names)}. Nothing was imported. Correct the file, or import into a new task."
            )
        if missing := [f for f in task.input_fields if f not in dict(example.fields)]:
            raise InvalidInput(
                f"The field {missing[0]!r} is missing ({example.source}). Nothing was imported. "
                f"Task {task.name} needs: {', '.join(task.input_fields)}."
            )
    before = write.conn.execute("SELECT count(*) FROM example WHERE task = ?", (task.name,)).fetchone()[0]
    columns = list(rows.example_row(task.name, examples[0])) if examples else []
    marks = ", ".join(f":{column}" for column in columns)
    if columns:
        sql = f"INSERT INTO example ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT (task, hash) DO NOTHING"  # noqa: S608 - columns are literals
        write.conn.executemany(sql, [rows.example_row(task.name, example) for example in examples])
    after = write.conn.execute("SELECT count(*) FROM example WHERE task = ?", (task.name,)).fetchone()[0]
    outcome = ImportOutcome(added=after - before, already_there=len(examples) - (after - before))
    write.event(
        actor,
        "examples.imported",
        task.name,
        {"source": source, "added": outcome.added, "already_there": outcome.already_there},
    )
    return outcome


def _where(task: str, where: ExampleFilter) -> tuple[str, tuple[str, ...]]:
    clauses, values = ["task = ?"], [task]
    if where.split is not None:
        clauses.append("split = ?")
        values.append(where.split.value)
    if where.label:
        clauses.append("label = ?")
        values.append(where.label)
    if where.search:
        clauses.append("text LIKE ? ESCAPE '\\'")
        values.append(rows.like(where.search))
    return " AND ".join(clauses), tuple(values)
