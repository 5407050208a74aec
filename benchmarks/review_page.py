"""Server render of the review page, and of the next rule, with 10,000 rules, against 100 rules and an empty page."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pld_core.models import Actor, ClusterParams, Evidence, EvidenceRole, Example, Label, Role, RuleText, Split, Task
from pld_core.records import NewRule
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


def visit(workspace: Path) -> AppTest:
    os.environ["PLD_WORKSPACE"] = str(workspace)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    return page.switch_page("pages/review.py").run()


def median_ms(page: AppTest, go: Callable[[AppTest], object]) -> float:
    """Return the median time of a run, each after `go` did what a person does."""
    times = []
    for _ in range(RENDERS):
        go(page)
        begin = time.perf_counter()
        page.run()
        times.append((time.perf_counter() - begin) * 1000)
    if page.exception:
        raise RuntimeError(page.exception[0].value)
    return statistics.median(times)


def stay(page: AppTest) -> None:
    """Draw the same rule again."""


def press_next(page: AppTest) -> None:
    page.button("bar_next").click()


def main() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        none, few, many = (Path(folder) / name for name in ("none", "few", "many"))
        fill(none, 0)
        fill(few, 100)
        fill(many, 10_000)
        bare = median_ms(visit(none), stay)
        small, large = median_ms(visit(few), stay), median_ms(visit(many), stay)
        following = median_ms(visit(many), press_next)
    rows = [
        ("render with 10,000 rules / with 100", large, small),
        ("render with 10,000 rules / empty page", large, bare),
        ("next rule of 10,000 / empty page", following, bare),
    ]
    found = [
        {"case": case, "ratio": one / other, "detail": f"{one:.0f} ms / {other:.0f} ms"} for case, one, other in rows
    ]
    print(json.dumps({"rows": found}))


if __name__ == "__main__":
    main()
