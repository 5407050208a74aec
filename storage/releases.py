"""Release labels: every move is a row that stays; the newest of a label says where it is."""

from __future__ import annotations

import sqlite3

from pld_core.canonical import Json, canonical_json
from pld_core.errors import IllegalTransition, ReleaseMovedOn
from pld_core.gate_facts import Gate, GateFacts, GateState
from pld_core.gates import judge_gates
from pld_core.models import Actor, PromptVersion
from pld_core.permissions import Step, guarded
from pld_core.releases import (
    MEANINGS,
    BreakGlass,
    MoveKind,
    Release,
    ReleaseLabel,
    ReleaseOrder,
    before_holder,
    check_move,
    folded_reason,
)
from storage.connection import Database, Write
from storage.gate_facts import load_gate_facts
from storage.gate_policies import load_gate_policy
from storage.policies import load_policy
from storage.prompts import load_version
from storage.release_rows import load_moves, release_from
from storage.signatures import require_fresh
from storage.task_queries import load_task


class SqliteReleases:
    def __init__(self, database: Database) -> None:
        self._database = database

    def gates(self, task: str, version: int) -> tuple[Gate, ...]:
        """Return the gates of a prompt version as they are now."""
        with self._database.read() as conn:
            load_task(conn, task)
            return _judged(conn, load_version(conn, task, version))[1]

    def holder(self, task: str, label: ReleaseLabel) -> Release | None:
        """Return the move that the label stands on, None while it is on no version."""
        with self._database.read() as conn:
            load_task(conn, task)
            moves = load_moves(conn, task, label)
            return moves[-1] if moves else None

    def history(self, task: str) -> tuple[Release, ...]:
        """Return every move of both labels, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            return load_moves(conn, task)[::-1]

    @guarded(Step.RELEASE)
    def move(self, order: ReleaseOrder, actor: Actor) -> Release:
        """Move a label to a version; see `ReleaseStore.move` for what is refused."""
        with self._database.write() as write:
            load_task(write.conn, order.task)
            version = load_version(write.conn, order.task, order.version)
            moves = _unmoved(write.conn, order.task, order.label, order.seen)
            require_fresh(write, order.task, actor)
            facts, gates = _judged(write.conn, version)
            four_eyes = load_policy(write.conn, order.task).four_eyes
            holder = moves[-1] if moves else None
            reason = check_move(order, version, holder, gates, four_eyes, actor, write.now)
            glass = order.break_glass
            exception = BreakGlass(" ".join(glass.reason.split()), glass.until) if glass else None
            run = facts.evaluated.run.id if facts.evaluated else None
            return _record(
                write,
                Release(
                    0,
                    order.task,
                    order.label,
                    version.number,
                    version.prompt.sha256,
                    MoveKind.MOVE,
                    reason,
                    actor.name,
                    write.now,
                    run,
                    gates,
                    exception,
                ),
                holder,
                actor,
            )

    @guarded(Step.RELEASE)
    def roll_back(self, task: str, label: ReleaseLabel, seen: int, reason: str, actor: Actor) -> Release:
        """Move a label back to the version that it was on before; an exception that was made for it holds on.

        Raises:
            IllegalTransition: it was on none before.
            ReleaseMovedOn: it is not where it was when it was looked at.
            MissingReason: no reason.
            StaleSignIn: the task's policy asks for a fresher sign-in.
        """
        with self._database.write() as write:
            load_task(write.conn, task)
            moves = _unmoved(write.conn, task, label, seen)
            require_fresh(write, task, actor)
            said = folded_reason(reason)
            before = before_holder(moves)
            if before is None:
                raise IllegalTransition(
                    f"{label.value} of {task} was on no version before, so there is none to go back to. Nothing was "
                    "changed. Release another version instead."
                )
            facts, gates = _judged(write.conn, load_version(write.conn, task, before.version))
            run = facts.evaluated.run.id if facts.evaluated else None
            restored = Release(
                0,
                task,
                label,
                before.version,
                before.sha256,
                MoveKind.ROLLBACK,
                said,
                actor.name,
                write.now,
                run,
                gates,
                before.break_glass,
            )
            return _record(write, restored, moves[-1], actor)


def _judged(conn: sqlite3.Connection, version: PromptVersion) -> tuple[GateFacts, tuple[Gate, ...]]:
    policy = load_gate_policy(conn, version.prompt.task)
    facts = load_gate_facts(conn, version, policy)
    return facts, judge_gates(facts, policy)


def _unmoved(conn: sqlite3.Connection, task: str, label: ReleaseLabel, seen: int) -> tuple[Release, ...]:
    """Return the moves of a label, which has to stand on the move that was looked at."""
    moves = load_moves(conn, task, label)
    now = moves[-1].number if moves else 0
    if now != seen:
        where = f"is on version {moves[-1].version}, moved by {moves[-1].by}" if moves else "is on no version"
        raise ReleaseMovedOn(
            f"{label.value} of {task} is not where it was when you looked: it {where}. Nothing was changed, and what "
            "you wrote is kept. Look at the gates and at what changes as they are now, then sign again."
        )
    return moves


def _record(write: Write, release: Release, holder: Release | None, actor: Actor) -> Release:
    exception = release.break_glass
    number = write.insert(
        "release_move",
        {
            "task": release.task,
            "label": release.label.value,
            "version": release.version,
            "sha256": release.sha256,
            "kind": release.kind.value,
            "reason": release.reason,
            "run_id": release.run,
            "gates": canonical_json([gate.as_json() for gate in release.gates]),
            "exception_reason": exception.reason if exception else "",
            "exception_until": exception.until if exception else "",
            "by": release.by,
            "at": release.at,
        },
    )
    payload: dict[str, Json] = {
        "task": release.task,
        "label": release.label.value,
        "move": number,
        "kind": release.kind.value,
        "version": release.version,
        "sha256": release.sha256,
        "before": holder.version if holder else None,
        "run": release.run,
        "gates": [gate.as_json() for gate in release.gates],
        "gates_in_words": _in_words(release),
        "exception": {"reason": exception.reason, "until": exception.until} if exception else None,
        "meaning": MEANINGS[release.kind],
        "reason": release.reason,
        "signed_as": actor.signed_as,
    }
    write.event(actor, "release.moved", f"{release.task} {release.label.value}", payload)
    return release_from(write.conn.execute("SELECT * FROM release_move WHERE id = ?", (number,)).fetchone())


def _in_words(release: Release) -> str:
    counted = [sum(gate.state is state for gate in release.gates) for state in GateState]
    words = ", ".join(f"{n} {state.value}" for n, state in zip(counted, GateState, strict=True) if n)
    exception = f", exception until {release.break_glass.until}" if release.break_glass else ""
    return f"gates {words}{exception}"
