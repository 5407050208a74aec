"""The label set of each task: descriptions, labels that are added, and unused ones that are removed."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from pld_core.canonical import Json
from pld_core.errors import InvalidInput, LabelsMovedOn, MissingReason
from pld_core.label_set import LabelChange, LabelUse, changed_labels, label_change, refuse_in_use
from pld_core.models import Actor, ExampleState, Label
from pld_core.permissions import Step, guarded
from pld_core.staleness import Effects, label_effects
from storage import rows
from storage.connection import Database
from storage.rule_queries import LIVE
from storage.staleness import carry_out, decided_revisions
from storage.task_queries import load_task


class SqliteLabels:
    def __init__(self, database: Database) -> None:
        self._database = database

    def effects(self, task: str, labels: tuple[Label, ...]) -> Effects:
        """Return what another label set would make of the decisions of the task; nothing is changed.

        Raises:
            InvalidInput: the label set cannot be.
            DataInUse: rules or examples use a label that is not in it.
        """
        with self._database.read() as conn:
            before = load_task(conn, task).labels
            change = label_change(before, changed_labels(before, labels))
            _refuse_in_use(conn, task, change)
            return label_effects(change, decided_revisions(conn, task))

    @guarded(Step.CHANGE_LABELS)
    def change(
        self, task: str, seen: tuple[Label, ...], labels: tuple[Label, ...], reason: str, actor: Actor
    ) -> Effects:
        """Set another label set; `seen` is the one that the person looked at. Return what it did.

        Raises:
            LabelsMovedOn: somebody changed it meanwhile.
            InvalidInput: a label set that cannot be, or the one in force.
            DataInUse: rules or examples use a label that would be removed.
            MissingReason: no reason.
        """
        with self._database.write() as write:
            there = load_task(write.conn, task)
            if there.labels != seen:
                raise LabelsMovedOn(
                    f"Somebody changed the labels of {task} since you looked at them. Nothing was changed. "
                    "Look at the labels as they are now, then change them."
                )
            new = changed_labels(there.labels, labels)
            change, why = label_change(there.labels, new), " ".join(reason.split())
            if change.is_none:
                raise InvalidInput("Nothing was changed: these are the labels in force.")
            if not why:
                raise MissingReason("A change of labels needs a reason, which is kept. Nothing was changed; say why.")
            _refuse_in_use(write.conn, task, change)
            effects = label_effects(change, decided_revisions(write.conn, task))
            stored = rows.task_row(replace(there, labels=new), write.now)["labels"]
            write.conn.execute("UPDATE task SET labels = ? WHERE name = ?", (stored, task))
            payload = _payload(change, there.labels, new)
            payload |= {"reason": why, **effects.as_json(), "signed_as": actor.signed_as}
            write.event(actor, "labels.changed" if change.alters_set else "labels.described", task, payload)
            carry_out(write, effects, why, actor)
            return effects


def _payload(change: LabelChange, before: tuple[Label, ...], after: tuple[Label, ...]) -> dict[str, Json]:
    old, new = ({label.name: label.description for label in labels} for labels in (before, after))
    return {
        "descriptions": {name: new[name] for name in change.described},
        "before": {name: old[name] for name in change.described},
        "added": {name: new[name] for name in change.added},
        "removed": {name: old[name] for name in change.removed},
    }


def _refuse_in_use(conn: sqlite3.Connection, task: str, change: LabelChange) -> None:
    for name in change.removed:
        refuse_in_use(name, _use(conn, task, name))


def _use(conn: sqlite3.Connection, task: str, label: str) -> LabelUse:
    """Return what uses a label; withdrawn examples never take part again, archived ones may."""
    examples = conn.execute(
        "SELECT count(*) FROM example WHERE task = ? AND label = ? AND state <> ?",
        (task, label, ExampleState.WITHDRAWN.value),
    ).fetchone()[0]
    found = conn.execute(
        f"""SELECT DISTINCT r.number, r.id FROM rule AS r JOIN revision AS v ON v.hash IN (r.head, r.in_force)
            WHERE r.task = ? AND (r.state {LIVE} OR v.hash = r.in_force)
                AND EXISTS (SELECT 1 FROM json_each(v.labels) WHERE json_each.value = ?) ORDER BY r.number""",  # noqa: S608 - a constant
        (task, label),
    )
    return LabelUse(int(examples), tuple(str(row["id"]) for row in found))
