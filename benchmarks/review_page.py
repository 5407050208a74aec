"""Server render of the review page with 10,000 rules against 100 rules, in one run."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pld_core.models import Actor, ClusterParams, Evidence, EvidenceRole, Example, Label, Role, RuleText, Split, Task
from pld_core.ports import NewRule
from storage import create_store

ROOT = Path(__file__).resolve().parent.parent
ACTOR = Actor("bench", frozenset(Role))
LABELS = ("allow", "remove", "escalate")
RENDERS = 15
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
"""Filling takes 20,000 durable writes, minutes on a busy disk; rendering reads from memory either way."""


def fill(folder: Path, rules: int) -> None:
    """Make a workspace with that many rules in review."""
    store = create_store(f"sqlite:///{folder / 'pld.db'}")
    task = Task("bench", "Bench", ("text",), tuple(Label(name, "") for name in LABELS), "")
    examples = [
        Example((("text", f"Example {i}: " + "some words of a contract clause " * 20),), LABELS[i % 3], Split.TRAIN)
        for i in range(60)
    ]
    store.tasks.create_with_examples(task, examples, "bench", ACTOR)
    clustering = store.logic.add_clustering("bench", ClusterParams(), [], ACTOR)
    for i in range(rules):
        members = tuple(Evidence(examples[(i + k) % 60].hash, EvidenceRole.SUPPORTS) for k in range(6))
        text = RuleText(f"Rule number {i}", f"the text speaks of matter {i} and of nothing else", (LABELS[i % 3],))
        rule_id = store.rules.propose(
            "bench", NewRule(text, "teacher", members, f"origin {i}", clustering.id, i), ACTOR
        )
        if rule_id is None:
            raise RuntimeError(f"rule {i} was not made")
        store.rules.submit(rule_id, ACTOR)


def median_ms(workspace: Path) -> float:
    os.environ["PLD_WORKSPACE"] = str(workspace)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    page.switch_page("pages/review.py").run()
    times = []
    for _ in range(RENDERS):
        begin = time.perf_counter()
        page.run()
        times.append((time.perf_counter() - begin) * 1000)
    if page.exception:
        raise RuntimeError(page.exception[0].value)
    return statistics.median(times)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        fill(few, 100)
        fill(many, 10_000)
        small, large = median_ms(few), median_ms(many)
    row = {
        "case": "render with 10,000 rules / with 100",
        "ratio": large / small,
        "detail": f"{large:.0f} ms / {small:.0f} ms",
    }
    print(json.dumps({"rows": [row]}))


if __name__ == "__main__":
    main()
