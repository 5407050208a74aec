"""Storing which rule each answer of a run is put down to, with every count of it that screens read.

Answers and claims never change, so neither do these counts: they are made once, in the same transaction.
"""

from __future__ import annotations

import sqlite3

from pld_core.analytics import Quantity
from pld_core.attribution import Attribution
from pld_core.canonical import canonical_json
from pld_core.errors import InvalidInput
from pld_core.models import Run
from storage.connection import Write

_FIGURES = """INSERT INTO rule_figure
    SELECT :run, :method, r.value, coalesce(f.covered, 0), coalesce(f.wrong, 0), coalesce(f.own_sources, 0),
        coalesce(f.own_wrong, 0), coalesce(f.claims, 0)
    FROM json_each(:rules) AS r LEFT JOIN (
        SELECT rule_id, sum(is_owner AND NOT is_source) AS covered,
            sum(is_owner AND NOT is_source AND NOT is_right) AS wrong,
            sum(is_owner AND is_source) AS own_sources,
            sum(is_owner AND is_source AND NOT is_right) AS own_wrong, count(*) AS claims
        FROM attribution WHERE run_id = :run AND method = :method GROUP BY rule_id) AS f ON f.rule_id = r.value"""
_CONFUSION = """INSERT INTO rule_confusion
    SELECT :run, :method, a.rule_id, p.gold, coalesce(p.said, ''), count(*)
    FROM attribution AS a
    JOIN prediction AS p INDEXED BY prediction_said ON p.run_id = a.run_id AND p.example_hash = a.example_hash
    WHERE a.run_id = :run AND a.method = :method AND a.is_owner AND NOT a.is_source GROUP BY 3, 4, 5"""
_LABELS = """INSERT INTO label_figure
    SELECT :run, :method, p.gold, sum(a.rule_id <> '' AND NOT a.is_source),
        sum(a.rule_id <> '' AND NOT a.is_source AND NOT a.is_right), sum(a.rule_id = ''),
        sum(a.rule_id = '' AND NOT a.is_right), sum(a.is_source)
    FROM attribution AS a
    JOIN prediction AS p INDEXED BY prediction_said ON p.run_id = a.run_id AND p.example_hash = a.example_hash
    WHERE a.run_id = :run AND a.method = :method AND a.is_owner GROUP BY p.gold"""
_OVERLAP = """INSERT INTO claim_overlap
    SELECT :run, :method, a.rule_id, b.rule_id, count(*), sum(NOT a.is_right)
    FROM attribution AS a JOIN attribution AS b
        ON b.run_id = a.run_id AND b.method = a.method AND b.example_hash = a.example_hash AND b.rule_id > a.rule_id
    WHERE a.run_id = :run AND a.method = :method GROUP BY 3, 4"""
_SAID = """INSERT INTO answer_confusion
    SELECT run_id, gold, coalesce(said, ''), count(*) FROM prediction INDEXED BY prediction_figures
    WHERE run_id = ? GROUP BY gold, said"""
_COST = """INSERT INTO answer_figure
    SELECT run_id, '{0}', {0}, count(*) FROM prediction INDEXED BY prediction_figures
    WHERE run_id = ? AND status NOT IN ('failed', 'refused') AND {0} IS NOT NULL GROUP BY {0}"""


def refuse_incomplete(conn: sqlite3.Connection, run: Run) -> None:
    """Raise `InvalidInput` unless the run has come to its end."""
    subject = f"{run.task} run {run.id}"
    sql = "SELECT 1 FROM event WHERE kind = 'run.finished' AND subject = ?"
    if conn.execute(sql, (subject,)).fetchone() is None:
        raise InvalidInput(
            f"Run {run.id} is not complete, so its answers cannot be put down to rules yet. Nothing was changed. "
            f"Go on with it first: pld evaluate --task {run.task} --resume {run.id}"
        )


def count_answers(write: Write, run: Run) -> None:
    """Store what the answers of a run say and cost, counted, unless that is there."""
    if write.conn.execute("SELECT 1 FROM answer_confusion WHERE run_id = ?", (run.id,)).fetchone() is not None:
        return
    for sql in (_SAID, *(_COST.format(quantity.value) for quantity in Quantity)):
        write.conn.execute(sql, (run.id,))


def add_claims(write: Write, run: Run, found: Attribution) -> None:
    """Store the claims and the counts that follow from them.

    Raises:
        InvalidInput: the claims do not give each answer of the run exactly one owner.
    """
    sql = "SELECT example_hash, said IS gold FROM prediction INDEXED BY prediction_said WHERE run_id = ?"
    right = {str(row[0]): int(row[1]) for row in write.conn.execute(sql, (run.id,))}
    if sorted(claim.example_hash for claim in found.claims if claim.is_owner) != sorted(right):
        raise InvalidInput(
            f"The claims are not about the answers of run {run.id}: each answer has to have one owner. "
            "Nothing was changed. Run the attribution again."
        )
    write.insert_all(
        "attribution",
        [
            {
                "run_id": run.id,
                "method": found.method.value,
                "example_hash": claim.example_hash,
                "rule_id": claim.rule_id,
                "is_owner": int(claim.is_owner),
                "is_source": int(claim.is_source),
                "is_right": right[claim.example_hash],
                "closeness": claim.closeness,
            }
            for claim in sorted(found.claims, key=lambda claim: (claim.example_hash, claim.rule_id))
        ],
    )
    values = {"run": run.id, "method": found.method.value, "rules": canonical_json(["", *found.rule_ids])}
    for sql in (_FIGURES, _CONFUSION, _LABELS, _OVERLAP):
        write.conn.execute(sql, values)
