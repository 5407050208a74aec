"""The queries behind the charts on errors, over a million answers and 10,000 rules, against their SQL in bare sqlite3.

Two more limits are absolute: each query takes at most 100 ms at p95, told of the slowest one, and the server draws each
page of figures in at most 300 ms.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from pld_core.analytics import AnswerFilter, BarSort, Quantity
from pld_core.attribution import UNCOVERED, Attribution, Claim, Method
from pld_core.canonical import canonical_json
from pld_core.compilation import Choices, compile_prompt
from pld_core.effect import Outcome
from pld_core.models import (
    Actor,
    ClusterParams,
    CompiledPrompt,
    Evidence,
    EvidenceRole,
    Example,
    Judgement,
    Label,
    Role,
    RuleText,
    Run,
    Split,
    Task,
    Verdict,
)
from pld_core.records import KEEP, ImportRow, NewDataset, NewRule, Page
from storage import SqliteStore, create_store
from storage.analytics import SqliteAnalytics
from storage.connection import Database
from storage.kept import SqliteKept

ACTOR = Actor("bench", frozenset(Role))
LABELS = ("allow", "remove", "escalate", "warn", "ignore")
RULES, EXAMPLES, RUNS, SOURCES = 10_000, 100_000, 10, 1_000
"""Beside these rules there is one for each run: its prompt is the one that lacks it. Rules rest on the sources."""
KEPT = "court"
WRONG = 0.2
"""Share of wrong answers."""
TIMES = 30
LIMIT_MS = 100.0
PAGES, RENDERS, PAGE_LIMIT_MS = ("evaluate", "errors", "live_test", "prompt", "conflicts", "review"), 15, 300.0
ROOT = Path(__file__).resolve().parent.parent
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
RULE_IDS = tuple(f"R{number}" for number in range(1, RULES + 1))


# --- the workspace ----------------------------------------------------------------------------------------------------


def fill(folder: Path, draw: random.Random) -> SqliteStore:
    """Make a workspace with ten complete runs of ten prompts over the same examples, each put down to rules."""
    store = create_store(f"sqlite:///{folder / 'pld.db'}")
    task = Task("bench", "Bench", ("text",), tuple(Label(name, "") for name in LABELS), "")
    examples = [Example((("text", f"Example {i}"),), LABELS[i % 5], Split.VALIDATION) for i in range(EXAMPLES)]
    sources = [Example((("text", f"Source {i}"),), LABELS[i % 5], Split.TRAIN) for i in range(SOURCES)]
    store.tasks.create_with_examples(task, [*examples, *sources], "bench", ACTOR)
    keep_column(store, task, examples)
    add_rules(store, sources)
    in_force = store.rules.in_force(task.name)
    gold = sorted((example.hash, example.label) for example in examples)
    owners = {content: owner(draw) for content, _ in gold}
    for spare in range(RULES + 1, RULES + RUNS + 1):
        prompt = compile_prompt(task, in_force, Choices(leave_out=(f"R{spare}",), reason="another of the ten"))
        run = add_run(store, prompt, gold, draw)
        claims = tuple(claim for content, _ in gold for claim in claims_on(content, owners[content], draw))
        held = tuple(rule.rule_id for rule in prompt.rules)
        store.attributions.record(run.id, Attribution(Method.EVIDENCE, "bench", "bench", held, claims), ACTOR)
    return store


def keep_column(store: SqliteStore, task: Task, examples: list[Example]) -> None:
    """Import the examples once more from a file that keeps a column of 20 values beside them."""
    rows = [ImportRow(number, example, (f"court {number % 20}",)) for number, example in enumerate(examples, 2)]
    about = NewDataset("kept.csv", "sha256:kept", "row", "csv 1", {KEEP: [KEPT]}, {})
    store.data.add(task, about, rows, ACTOR)


def add_rules(store: SqliteStore, sources: list[Example]) -> None:
    """Make rules that rest on up to 40 examples each, and approve them."""
    clustering = store.logic.add_clustering("bench", ClusterParams(), [], ACTOR)
    rules = []
    for n in range(1, RULES + RUNS + 1):
        label = n % 5
        support = tuple(Evidence(sources[(n + 5 * k) % SOURCES].hash, EvidenceRole.SUPPORTS) for k in range(n % 40 + 1))
        text = RuleText(f"Rule {n}", f"the text speaks of matter {n} and of nothing else", (LABELS[label],))
        rules.append(NewRule(text, "teacher", support, f"origin {n}", clustering.id, n))
    store.lineage.enter("bench", rules, ACTOR)
    with store.database.write() as write:
        for rule in store.rules.queue("bench"):
            approval = Judgement(rule.id, rule.head, rule.state, Verdict.APPROVE)
            store.rules.judge(approval, ACTOR, write)


def owner(draw: random.Random) -> str:
    """Return the rule that an example is put down to: a few rules own many, every tenth example has none."""
    if draw.random() < 0.1:
        return UNCOVERED
    return RULE_IDS[min(int(draw.paretovariate(0.5)), RULES) - 1] if draw.random() < 0.5 else draw.choice(RULE_IDS)


def claims_on(content: str, rule: str, draw: random.Random) -> Iterator[Claim]:
    yield Claim(content, rule, True, closeness=0.8)
    if rule != UNCOVERED and draw.random() < 0.3 and (other := draw.choice(RULE_IDS)) != rule:
        yield Claim(content, other, False, closeness=0.6)


def add_run(store: SqliteStore, prompt: CompiledPrompt, gold: list[tuple[str, str]], draw: random.Random) -> Run:
    version = store.prompts.save(prompt, ACTOR)
    new = Run(0, "bench", version.number, prompt.sha256, "told", "w", Split.VALIDATION, "", "", len(gold), None)
    run = store.runs.start(new, ACTOR)
    rows = ((run.id, content, label, answer(label, draw), "2026-01-01") for content, label in gold)
    with store.database.write() as write:
        write.conn.executemany(
            "INSERT INTO prediction (run_id, example_hash, gold, answer, at) VALUES (?, ?, ?, ?, ?)", rows
        )
    store.runs.finish(run.id, {}, ACTOR)
    return run


def answer(gold: str, draw: random.Random) -> str:
    said = gold if draw.random() > WRONG else draw.choice((None, *(label for label in LABELS if label != gold)))
    return canonical_json(
        {
            "label": said,
            "raw": f'{{"label": "{said}"}}',
            "status": "ok" if said else "malformed",
            "latency_ms": int(draw.lognormvariate(6, 0.5)),
            "prompt_tokens": draw.randint(800, 1600),
            "output_tokens": draw.randint(4, 12),
            "cached_tokens": None,
            "context_size": 8192,
            "problem": "",
            "cited": [],
        }
    )


# --- the queries ------------------------------------------------------------------------------------------------------


@dataclass
class Traced(Database):
    """A database that notes the SQL it runs, values filled in."""

    path: Path
    noted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.path)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with super().read() as conn:
            conn.set_trace_callback(self.noted.append)
            yield conn
            conn.set_trace_callback(None)


Query = Callable[[SqliteAnalytics, int], object]


def other(run: int) -> int:
    return run % RUNS + 1


def page(run: int) -> tuple[str, ...]:
    """Return as many rules as a chart shows at a time, the ones with the most examples among them."""
    return RULE_IDS[: 10 * (run % 5 + 1)] + RULE_IDS[run * 97 : run * 97 + 40]


EVIDENCE = Method.EVIDENCE
QUERIES: dict[str, Query] = {
    "rule bars by harm": lambda a, run: a.rule_bars(run, EVIDENCE, other(run), BarSort.HARM, Page(run * 10, 50)),
    "rule bars by count": lambda a, run: a.rule_bars(run, EVIDENCE, None, BarSort.COUNT, Page(run * 100, 50)),
    "rule bars by rate": lambda a, run: a.rule_bars(run, EVIDENCE, other(run), BarSort.RATE),
    "rule x label": lambda a, run: a.by_label(run, EVIDENCE, page(run)),
    "rule x confusion pair": lambda a, run: a.by_confusion(run, EVIDENCE, page(run)),
    "trend of a rule": lambda a, run: a.trend(RULE_IDS[run * 13], run, EVIDENCE),
    "rule overlap": lambda a, run: a.overlap(run, EVIDENCE),
    "confusion matrix": lambda a, run: a.confusion(run),
    "coverage per label": lambda a, run: a.coverage(run, EVIDENCE),
    "latency histogram": lambda a, run: a.histogram(run, Quantity.LATENCY),
    "token histogram": lambda a, run: a.histogram(run, Quantity.PROMPT_TOKENS),
    "fixed and broken": lambda a, run: a.changes(run, other(run)),
    "examples that broke": lambda a, run: a.changed_examples(run, other(run), Outcome.BROKEN, LABELS[run % 5]),
    "support against harm": lambda a, run: a.support_vs_harm(run, EVIDENCE, other(run)),
    "examples of a rule": lambda a, run: a.examples_of(run, EVIDENCE, RULE_IDS[0], AnswerFilter(wrong=True)),
    "uncovered examples": lambda a, run: a.examples_of(
        run, EVIDENCE, UNCOVERED, AnswerFilter(gold=LABELS[run % 5], said=LABELS[(run + 1) % 5])
    ),
}


CUTS: dict[str, Callable[[SqliteKept, int], object]] = {
    "slices by data set": lambda kept, run: kept.cut_by_dataset(run),
    "slices by kept column": lambda kept, run: kept.cut_by_column(run, KEPT),
}
Part = TypeVar("Part", SqliteAnalytics, SqliteKept)


def timed_ms(step: Callable[[], object]) -> float:
    begin = time.perf_counter()
    step()
    return (time.perf_counter() - begin) * 1000


def bare(path: Path, statements: list[str]) -> None:
    """Run the same statements without anything of ours."""
    conn = sqlite3.connect(path)
    for sql in statements:
        conn.execute(sql).fetchall()
    conn.close()


def figures(path: Path, part: type[Part], query: Callable[[Part, int], object]) -> tuple[list[float], list[float]]:
    """Return the times of a query, and of its SQL alone, taking turns so that a busy moment hits both."""
    own, plain = [], []
    store, traced = part(Database(path)), Traced(path)
    for turn in range(TIMES):
        run = turn % RUNS + 1
        query(part(traced), run)
        statements = [sql for sql in traced.noted if sql not in ("BEGIN", "ROLLBACK")]
        traced.noted.clear()
        own.append(timed_ms(partial(query, store, run)))
        plain.append(timed_ms(partial(bare, path, statements)))
    return own, plain


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def row_of(name: str, own: list[float], plain: list[float]) -> dict[str, str | float]:
    middle, bare_middle = statistics.median(own), statistics.median(plain)
    detail = f"p50 {middle:.1f} ms, p95 {p95(own):.1f} ms; bare {bare_middle:.1f} ms"
    return {"case": name, "ratio": middle / bare_middle, "detail": detail}


class NavigationPages(PagesManager):
    """Serves the pages that app.py declares, as `pld_app.server` has it; else page files would run without app.py."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came


def rendered_ms(workspace: Path, page: str) -> list[float]:
    """Return how long the server takes for a page, each time as somebody comes back to it who was there before."""
    os.environ["PLD_WORKSPACE"] = str(workspace)
    app_test.PagesManager = NavigationPages  # type: ignore[attr-defined]  # the driver takes no other
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    at.switch_page(f"pages/{page}.py").run()
    times = [timed_ms(at.run) for _ in range(RENDERS)]
    if at.exception:
        raise RuntimeError(at.exception[0].value)
    return times


def page_row(name: str, times: list[float]) -> dict[str, str | float]:
    middle = statistics.median(times)
    detail = f"p50 {middle:.0f} ms, p95 {p95(times):.0f} ms, limit {PAGE_LIMIT_MS:.0f} ms"
    return {"case": f"{name} page / its limit", "ratio": middle / PAGE_LIMIT_MS, "detail": detail}


def main() -> None:
    gc.freeze()  # As pld_app/server.py does.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        store = fill(Path(folder), random.Random(1))  # noqa: S311 - made-up answers
        path = store.database.path
        measured = {name: figures(path, SqliteAnalytics, query) for name, query in QUERIES.items()}
        measured |= {name: figures(path, SqliteKept, query) for name, query in CUTS.items()}
        pages = {name: rendered_ms(Path(folder), name) for name in PAGES}
    rows = [row_of(name, own, plain) for name, (own, plain) in measured.items()]
    slowest = max(measured, key=lambda name: p95(measured[name][0]))
    worst = p95(measured[slowest][0])
    detail = f"{slowest}: {worst:.0f} ms at p95, limit {LIMIT_MS:.0f} ms"
    rows.append({"case": "slowest query / its limit", "ratio": worst / LIMIT_MS, "detail": detail})
    rows += [page_row(name, times) for name, times in pages.items()]
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
