"""What the gates of a prompt version are judged by, read inside somebody else's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pld_core.canonical import canonical_json
from pld_core.gate_facts import Evaluated, GateFacts, Production, RuleFact
from pld_core.gate_policy import GatePolicy
from pld_core.models import ExampleState, PromptVersion, Run, Split
from pld_core.releases import ReleaseLabel, before_holder
from pld_core.token_count import estimated
from storage import rows
from storage.release_rows import load_moves
from storage.runs import OF_VERSIONS, load_predictions
from storage.task_queries import load_task

_CONFLICTS = "SELECT count(DISTINCT text_hash) FROM example WHERE task = ? AND state = 'conflict'"
_LOOKS = "SELECT count(*) FROM run WHERE task = ? AND split = 'test'"


def load_gate_facts(conn: sqlite3.Connection, version: PromptVersion, policy: GatePolicy) -> GateFacts:
    """Return what is known now of a prompt version of a task.

    Args:
        policy: says which splits count.
    """
    task, prompt = version.prompt.task, version.prompt
    tokens = version.tokens or estimated(prompt.text)
    mine = _newest(conn, task, prompt.sha256, (Split.TEST,) if policy.on_test else (Split.TEST, Split.VALIDATION))
    return GateFacts(
        number=version.number,
        labels=load_task(conn, task).label_names,
        rules=_rule_facts(conn, version),
        contradictions=_contradictions(conn, version),
        conflicts=_count(conn, _CONFLICTS, task),
        tokens=tokens.tokens,
        counted=tokens.how,
        evaluated=mine,
        split=_active(conn, task, mine.run.split if mine else Split.TEST),
        production=_production(conn, version, mine.run if mine else None),
        looks=_count(conn, _LOOKS, task),
        unreviewed=prompt.build.unreviewed,
    )


def _rule_facts(conn: sqlite3.Connection, version: PromptVersion) -> tuple[RuleFact, ...]:
    """Return the rules of the prompt in its order, read in one query: there may be thousands."""
    held = canonical_json([[entry.rule_id, entry.revision_hash] for entry in version.prompt.rules])
    found = conn.execute(
        """SELECT r.id, r.in_force = h.revision,
               iif(r.in_force = h.revision, 'approved',
                   (SELECT t.state FROM transition AS t WHERE t.revision_hash = h.revision ORDER BY t.id DESC LIMIT 1)),
               r.id IN (SELECT c.rule_id FROM seeded_check AS c),
               -- While an edit is in review, the overlaps of the approved text were noted before it.
               iif(r.head = h.revision, r.compared = r.head, r.compared <> '')
           FROM (SELECT key, value ->> 0 AS rule, value ->> 1 AS revision FROM json_each(?)) AS h
           CROSS JOIN rule AS r ON r.id = h.rule ORDER BY h.key""",
        (held,),
    )
    return tuple(
        RuleFact(row[0], bool(row[1]), str(row[2]).replace("_", " "), bool(row[3]), bool(row[4])) for row in found
    )


def _contradictions(conn: sqlite3.Connection, version: PromptVersion) -> tuple[tuple[str, str], ...]:
    """Return the overlapping pairs of the prompt of which neither rule was approved beside the other."""
    by_hash = {entry.revision_hash: entry for entry in version.prompt.rules}
    found = conn.execute(
        "SELECT low, high FROM overlap WHERE task = ? ORDER BY closeness DESC, low, high", (version.prompt.task,)
    )
    pairs = [(row["low"], row["high"]) for row in found if row["low"] in by_hash and row["high"] in by_hash]
    shown = _shown_beside(conn, [by_hash[revision].decision_id for pair in pairs for revision in pair])
    return tuple(
        (one.rule_id, other.rule_id)
        for one, other in ((by_hash[low], by_hash[high]) for low, high in pairs)
        if one.revision_hash not in shown[other.decision_id] and other.revision_hash not in shown[one.decision_id]
    )


def _shown_beside(conn: sqlite3.Connection, decisions: Sequence[int]) -> dict[int, frozenset[str]]:
    """Return by decision the revisions that stood beside the rule when it was made."""
    found = conn.execute(
        "SELECT id, overlaps FROM decision WHERE id IN (SELECT value FROM json_each(?))",
        (canonical_json(sorted(set(decisions))),),
    )
    return {row["id"]: frozenset(json.loads(row["overlaps"])) for row in found}


def _newest(
    conn: sqlite3.Connection, task: str, sha256: str, splits: tuple[Split, ...], like: Run | None = None
) -> Evaluated | None:
    """Return the newest complete evaluation of a prompt on the first of the splits that has one, else the newest.

    Args:
        like: only with the student and the weights of this run.
    """
    found = [
        rows.run_from(row)
        for row in conn.execute(
            f"SELECT * FROM run WHERE task = ? AND prompt_sha256 = ? AND {OF_VERSIONS} ORDER BY id DESC",  # noqa: S608 - a constant
            (task, sha256),
        )
    ]
    if like is not None:
        found = [run for run in found if (run.student, run.digest) == (like.student, like.digest)]
    counting = sorted((run for run in found if run.split in splits), key=lambda run: splits.index(run.split))
    newest = None
    for run in counting:
        evaluated = Evaluated(run, load_predictions(conn, run.id))
        if evaluated.is_complete:
            return evaluated
        newest = newest or evaluated
    return newest


def _production(conn: sqlite3.Connection, version: PromptVersion, like: Run | None) -> Production | None:
    """Return the version in production, or the one that this version took the place of there."""
    task, moves = version.prompt.task, load_moves(conn, version.prompt.task, ReleaseLabel.PRODUCTION)
    held = moves[-1] if moves else None
    if held is not None and held.version == version.number:
        held = before_holder(moves)
    if held is None:
        return None
    evaluated = _newest(conn, task, held.sha256, (like.split,), like) if like else None
    return Production(held.version, evaluated)


def _active(conn: sqlite3.Connection, task: str, split: Split) -> frozenset[str]:
    found = conn.execute(
        "SELECT hash FROM example WHERE task = ? AND split = ? AND state = ?",
        (task, split.value, ExampleState.ACTIVE.value),
    )
    return frozenset(str(row["hash"]) for row in found)


def _count(conn: sqlite3.Connection, sql: str, task: str) -> int:
    return int(conn.execute(sql, (task,)).fetchone()[0])
