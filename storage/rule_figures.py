"""What is put down to the rules of a prompt: read from the counts that were made with the attribution.

The indexes are named in the queries: without statistics SQLite takes one that lacks a column, and reads every answer.
CROSS JOIN keeps the order of the tables: the wrong answers come first, and are few beside those of the baseline.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from pld_core.analytics import (
    BarSort,
    ComparableRun,
    ConfusionCell,
    HarmPoint,
    LabelCell,
    LabelFigures,
    RuleBar,
    RuleBars,
    SharedClaims,
    TrendPoint,
    said_label,
)
from pld_core.attribution import UNCOVERED, Method, refuse_trial
from pld_core.canonical import canonical_json
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Run
from pld_core.proportion import SMALL_SAMPLE
from pld_core.records import Page
from storage import rows
from storage.connection import Database
from storage.runs import OF_VERSIONS, load_run

_LIKE_RUN = "r.task = :task AND r.student = :student AND r.digest = :digest AND r.split = :split"
"""The runs `r` that can be held against a run, once they are complete."""
_COMPLETE = """EXISTS (SELECT 1 FROM event AS e
    WHERE e.kind = 'run.finished' AND e.subject = r.task || ' run ' || r.id)"""
_HARMED = """prediction AS b INDEXED BY prediction_said
        ON b.run_id = :baseline AND b.example_hash = a.example_hash AND b.said IS b.gold
    WHERE a.run_id = :run AND a.method = :method AND a.is_owner = 1 AND a.is_source = 0 AND a.is_right = 0"""
_HARM = f"""SELECT a.rule_id, count(*) AS n FROM attribution AS a INDEXED BY attribution_wrong
    CROSS JOIN {_HARMED} GROUP BY a.rule_id"""  # noqa: S608 - a constant
"""Of the wrong answers of each rule, how many the baseline answers rightly."""
_HARM_OF = f"""SELECT a.rule_id, count(*) AS n FROM attribution AS a INDEXED BY attribution_by_rule
    CROSS JOIN {_HARMED} AND a.rule_id IN (SELECT value FROM json_each(:rules)) GROUP BY a.rule_id"""  # noqa: S608 - a constant
"""The same of a few rules."""
_NEXT = "f.covered DESC, length(f.rule_id), f.rule_id LIMIT :limit OFFSET :offset"
_RULES = "f.run_id = :run AND f.method = :method AND f.rule_id <> ''"
_BY_HARM = f"""WITH harmed AS ({_HARM})
    SELECT f.rule_id FROM rule_figure AS f LEFT JOIN harmed AS h ON h.rule_id = f.rule_id
    WHERE {_RULES} ORDER BY coalesce(h.n, 0) DESC, f.wrong DESC, {_NEXT}"""  # noqa: S608 - constants
_FIRST = {
    BarSort.HARM: "f.wrong DESC",
    BarSort.WRONG: "f.wrong DESC",
    BarSort.COUNT: "f.covered DESC",
    BarSort.RATE: f"f.covered >= {SMALL_SAMPLE} DESC, 1.0 * f.wrong / f.covered DESC",
}
"""The first rules where harm is not asked for, or there is none to tell."""


Values = Mapping[str, int | str | None]


class SqliteRuleFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    def complete(self, task: str) -> tuple[ComparableRun, ...]:
        """Return the complete runs of a task that say how a version does, newest first."""
        with self._database.read() as conn:
            return complete_runs(conn, "r.task = :task", {"task": task})

    def comparable(self, run_id: int) -> tuple[ComparableRun, ...]:
        """Return the complete runs that can be held against this one, newest first, itself left out."""
        with self._database.read() as conn:
            return complete_runs(conn, f"r.id <> :run AND {_LIKE_RUN}", _like(load_run(conn, run_id)))

    def rule_bars(
        self,
        run_id: int,
        method: Method,
        baseline: int | None = None,
        sort: BarSort = BarSort.HARM,
        page: Page | None = None,
    ) -> RuleBars:
        """Return what is put down to each rule, and to none; without a baseline harm counts as wrong in the order."""
        values = {"run": run_id, "method": method.value, "baseline": baseline}
        with self._database.read() as conn:
            run = attributed(conn, run_id, method)
            rule_ids = _first_rules(conn, values, sort, page or Page())
            bars = _bars(conn, values, [UNCOVERED, *rule_ids])
            sums = "SELECT count(*) - 1, sum(own_sources) FROM rule_figure WHERE run_id = :run AND method = :method"
            rules, sources = conn.execute(sums, values).fetchone()
        shown = tuple(bars[rule_id] for rule_id in rule_ids)
        return RuleBars(run, method, baseline, sort, shown, bars[UNCOVERED], rules, sources)

    def by_label(self, run_id: int, method: Method, rule_ids: Sequence[str]) -> tuple[LabelCell, ...]:
        """Return the cells of rule x gold label that are not empty."""
        with self._database.read() as conn:
            attributed(conn, run_id, method)
            found = conn.execute(
                """SELECT rule_id, gold, sum(n) AS n, sum(iif(said = gold, 0, n)) AS wrong FROM rule_confusion
                   WHERE run_id = ? AND method = ? AND rule_id IN (SELECT value FROM json_each(?))
                   GROUP BY rule_id, gold ORDER BY length(rule_id), rule_id, gold""",
                (run_id, method.value, canonical_json(list(rule_ids))),
            )
            return tuple(LabelCell(row["rule_id"], row["gold"], row["n"], row["wrong"]) for row in found)

    def by_confusion(self, run_id: int, method: Method, rule_ids: Sequence[str]) -> tuple[ConfusionCell, ...]:
        """Return the cells of rule x (gold, said) with wrong answers, the largest first."""
        with self._database.read() as conn:
            attributed(conn, run_id, method)
            found = conn.execute(
                """SELECT * FROM rule_confusion
                   WHERE run_id = ? AND method = ? AND rule_id IN (SELECT value FROM json_each(?)) AND said <> gold
                   ORDER BY n DESC, length(rule_id), rule_id, gold, said""",
                (run_id, method.value, canonical_json(list(rule_ids))),
            )
            return tuple(ConfusionCell(r["gold"], said_label(r["said"]), r["n"], r["rule_id"]) for r in found)

    def trend(self, rule_id: str, run_id: int, method: Method) -> tuple[TrendPoint, ...]:
        """Return the rule in this run and in those comparable with it that were put down to rules, oldest first."""
        with self._database.read() as conn:
            run = attributed(conn, run_id, method)
            found = conn.execute(
                f"""SELECT r.id, r.prompt_number, r.at, f.covered, f.wrong
                    FROM run AS r JOIN attribution_made AS m ON m.run_id = r.id AND m.method = :method
                    LEFT JOIN rule_figure AS f ON f.run_id = r.id AND f.method = :method AND f.rule_id = :rule
                    WHERE {_LIKE_RUN} AND {OF_VERSIONS} ORDER BY r.id""",  # noqa: S608 - a constant
                {**_like(run), "method": method.value, "rule": rule_id},
            )
            return tuple(TrendPoint(*row) for row in found)

    def overlap(self, run_id: int, method: Method, limit: int = 50) -> tuple[SharedClaims, ...]:
        """Return pairs of rules that claim the same examples, those with the most wrong answers first."""
        with self._database.read() as conn:
            attributed(conn, run_id, method)
            found = conn.execute(
                """SELECT low, high, n, wrong FROM claim_overlap INDEXED BY claim_overlap_by_wrong
                   WHERE run_id = ? AND method = ? ORDER BY wrong DESC, n DESC, low, high LIMIT ?""",
                (run_id, method.value, limit),
            )
            return tuple(SharedClaims(*row) for row in found)

    def support_vs_harm(self, run_id: int, method: Method, baseline: int) -> tuple[HarmPoint, ...]:
        """Return a point for each rule of the prompt."""
        with self._database.read() as conn:
            attributed(conn, run_id, method)
            found = conn.execute(
                f"""WITH harmed AS ({_HARM})
                    SELECT f.rule_id, coalesce(rule.support, 0), f.covered, f.wrong, coalesce(h.n, 0)
                    FROM rule_figure AS f LEFT JOIN harmed AS h ON h.rule_id = f.rule_id
                    LEFT JOIN rule ON rule.id = f.rule_id
                    WHERE f.run_id = :run AND f.method = :method AND f.rule_id <> ''""",  # noqa: S608 - a constant
                {"run": run_id, "method": method.value, "baseline": baseline},
            )
            return tuple(HarmPoint(*row) for row in found)

    def coverage(self, run_id: int, method: Method) -> tuple[LabelFigures, ...]:
        """Return for each gold label how many of its examples a rule covers."""
        with self._database.read() as conn:
            attributed(conn, run_id, method)
            found = conn.execute(
                """SELECT label, covered, wrong, uncovered, uncovered_wrong, own_sources FROM label_figure
                   WHERE run_id = ? AND method = ? ORDER BY label""",
                (run_id, method.value),
            )
            return tuple(LabelFigures(*row) for row in found)


def complete_runs(conn: sqlite3.Connection, where: str, values: Values) -> tuple[ComparableRun, ...]:
    """Return the complete runs of versions that a condition on `r` names, newest first."""
    found = conn.execute(
        f"""SELECT r.*, v.rules,
                (SELECT json_group_array(method) FROM attribution_made WHERE run_id = r.id) AS methods
            FROM run AS r JOIN prompt_version AS v INDEXED BY prompt_version_listed
                ON v.task = r.task AND v.number = r.prompt_number
            WHERE {where} AND {_COMPLETE} AND {OF_VERSIONS} ORDER BY r.id DESC""",  # noqa: S608 - constants
        values,
    )
    return tuple(
        ComparableRun(rows.run_from(row), row["rules"], tuple(map(Method, json.loads(row["methods"])))) for row in found
    )


def _like(run: Run) -> dict[str, int | str]:
    return {
        "run": run.id,
        "task": run.task,
        "student": run.student,
        "digest": run.digest,
        "split": run.split.value,
    }


def attributed(conn: sqlite3.Connection, run_id: int, method: Method) -> Run:
    """Return a run whose answers were put down to rules by this method.

    Raises:
        InvalidInput: the method is ablation, or the run drew lots.
        NotFound: there is no such run, or its answers were not put down to rules by it.
    """
    run = load_run(conn, run_id)
    refuse_trial(run)
    if method is Method.ABLATION:
        raise InvalidInput(
            "Ablation puts no single answer down to a rule: it tells what changes when the rule is left out. "
            f"Run: pld ablate --task {run.task} --run {run.id}"
        )
    sql = "SELECT 1 FROM attribution_made WHERE run_id = ? AND method = ?"
    if conn.execute(sql, (run_id, method.value)).fetchone() is None:
        why = (
            " Only a prompt that asks for the rules has answers that cite them."
            if method is Method.CITED
            else f" Run: pld attribute --run {run_id}"
        )
        raise NotFound(f"The answers of run {run_id} are not put down to rules by {method.noun}.{why}")
    return run


def _first_rules(conn: sqlite3.Connection, values: Values, sort: BarSort, page: Page) -> list[str]:
    """Return the rules of a page of bars."""
    sql = f"SELECT f.rule_id FROM rule_figure AS f WHERE {_RULES} ORDER BY {_FIRST[sort]}, {_NEXT}"  # noqa: S608 - constants
    if sort is BarSort.HARM and values["baseline"] is not None:
        sql = _BY_HARM
    found = conn.execute(sql, {**values, "limit": page.limit, "offset": page.offset})
    return [str(row["rule_id"]) for row in found]


def _bars(conn: sqlite3.Connection, values: Values, rule_ids: Sequence[str]) -> dict[str, RuleBar]:
    """Return the bars of these rules by id."""
    wanted = {**values, "rules": canonical_json(list(rule_ids))}
    has_baseline = values["baseline"] is not None
    harm = {row["rule_id"]: int(row["n"]) for row in conn.execute(_HARM_OF, wanted)} if has_baseline else {}
    found = conn.execute(
        """SELECT f.*, coalesce(rule.title, '') AS title
           FROM rule_figure AS f LEFT JOIN rule ON rule.id = f.rule_id WHERE f.run_id = :run AND f.method = :method
               AND f.rule_id IN (SELECT value FROM json_each(:rules))""",
        wanted,
    )
    return {
        str(row["rule_id"]): RuleBar(
            rule_id=row["rule_id"],
            title=row["title"],
            covered=row["covered"],
            wrong=row["wrong"],
            harm=harm.get(row["rule_id"], 0) if has_baseline else None,
            own_sources=row["own_sources"],
            own_wrong=row["own_wrong"],
        )
        for row in found
    }
