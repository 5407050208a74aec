"""Figures on the oversight of 10,000 decided rules and 100,000 examples, against those of 100 rules and a bare scan."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pld_core.attention import Attention, Seen
from pld_core.models import (
    Actor,
    ClusterParams,
    Evidence,
    EvidenceRole,
    Example,
    Judgement,
    Label,
    RevisionState,
    Role,
    RuleText,
    Split,
    Task,
    Verdict,
)
from pld_core.oversight import oversight
from pld_core.records import NewRule
from storage import SqliteStore, create_store

ACTOR = Actor("bench", frozenset(Role))
LABELS = ("allow", "remove")
PER_RULE = 10
TEXT = "some words of a contract clause " * 32
"""About 1,000 characters, so that all examples of the large task are 100 MB of text."""
BEST_OF = 5
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


def fill(folder: Path, rules: int) -> SqliteStore:
    """Make a workspace with that many rules, each with examples of its own and a decision that was noted."""
    store = create_store(f"sqlite:///{folder / 'pld.db'}")
    task = Task("bench", "Bench", ("text",), tuple(Label(name, "") for name in LABELS), "")
    examples = [
        Example((("text", f"Example {i}: {TEXT}"),), LABELS[i % 2], Split.TRAIN) for i in range(rules * PER_RULE)
    ]
    store.tasks.create_with_examples(task, examples, "bench", ACTOR)
    clustering = store.logic.add_clustering("bench", ClusterParams(), [], ACTOR)
    made = []
    for i in range(rules):
        members = examples[i * PER_RULE : (i + 1) * PER_RULE]
        evidence = tuple(Evidence(e.hash, EvidenceRole.SUPPORTS) for e in members)
        text = RuleText(f"Rule {i}", f"the text speaks of matter {i} and of nothing else", (LABELS[i % 2],))
        made.append(NewRule(text, "teacher", evidence, f"origin {i}", clustering.id, i))
    noted = Attention(40, Seen(PER_RULE, PER_RULE, PER_RULE), Seen(0, 0, 0), 0)
    store.lineage.enter("bench", made, ACTOR)
    queue = store.rules.queue("bench")
    with store.database.write() as write:
        for rule in queue:
            seen = Judgement(rule.id, rule.head, RevisionState.IN_REVIEW, Verdict.APPROVE, attention=noted)
            store.rules.judge(seen, ACTOR, write)
    return store


def best_ms(step: Callable[[], object]) -> float:
    times = []
    for _ in range(BEST_OF):
        begin = time.perf_counter()
        step()
        times.append((time.perf_counter() - begin) * 1000)
    return min(times)


def figures_ms(store: SqliteStore) -> float:
    """Return how long reading the facts and making the figures takes."""
    return best_ms(lambda: oversight(store.oversight.facts("bench")).as_json())


def scan_ms(store: SqliteStore) -> float:
    """Return how long bare sqlite3 takes to measure every text once."""

    def scan() -> None:
        conn = sqlite3.connect(store.database.path)
        conn.execute("SELECT sum(length(text)) FROM example").fetchone()
        conn.close()

    return best_ms(scan)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        few, many = fill(Path(folder) / "few", 100), fill(Path(folder) / "many", 10_000)
        small, large, bare = figures_ms(few), figures_ms(many), scan_ms(many)
    rows = [
        ("figures of 10,000 rules, 100,000 examples / of 100", large, small),
        ("figures of 10,000 rules / measuring each text once", large, bare),
    ]
    found = [
        {"case": case, "ratio": one / other, "detail": f"{one:.0f} ms / {other:.0f} ms"} for case, one, other in rows
    ]
    print(json.dumps({"rows": found}))


if __name__ == "__main__":
    main()
