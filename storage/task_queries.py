"""Reading and adding a task inside somebody else's transaction."""

from __future__ import annotations

import sqlite3

from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Actor, Task
from storage import rows
from storage.connection import Write

TASK = """SELECT task.*, guideline.text AS guideline FROM task
    JOIN guideline ON guideline.task = task.name AND guideline.version = task.guideline_version"""


def load_task(conn: sqlite3.Connection, name: str) -> Task:
    """Return the task with its current guideline.

    Raises:
        NotFound: no such task; the message names those there are.
    """
    row = conn.execute(f"{TASK} WHERE task.name = ?", (name,)).fetchone()
    if row is None:
        known = [str(r[0]) for r in conn.execute("SELECT name FROM task ORDER BY name")]
        there = f"There are: {', '.join(known)}." if known else "The workspace has no task yet; import data first."
        raise NotFound(f"There is no task {name!r} in this workspace. {there}")
    return rows.task_from(row)


def has_task(conn: sqlite3.Connection, name: str) -> bool:
    return conn.execute("SELECT 1 FROM task WHERE name = ?", (name,)).fetchone() is not None


def add_task(write: Write, task: Task, actor: Actor) -> None:
    """Store a task with its first guideline.

    Raises:
        InvalidInput: there is one of its name.
    """
    if has_task(write.conn, task.name):
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
