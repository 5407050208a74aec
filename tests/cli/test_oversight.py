"""`pld oversight`."""

from __future__ import annotations

import json
from pathlib import Path

from pld_core.oversight import oversight
from storage import open_store
from tests.cli.running import Pld
from tests.factories import url_of


def test_without_a_decision_it_says_so(space: Path, pld: Pld) -> None:
    said = pld("oversight", "--task", "nda", "--workspace", space)
    assert (said.code, said.out) == (
        0,
        (
            "Nobody has decided on a rule of this task yet, so there is nothing to tell.\n\n"
            "Seeded checks caught\n  no check was closed yet\n"
        ),
    )


def test_the_figures_are_told_with_what_they_cannot_tell(space: Path, pld: Pld) -> None:
    assert pld("rules", "approve", "R1", "--reason", "sound", "--workspace", space).code == 0
    reject = ("rules", "reject", "R2", "--category", "over_broad", "--reason", "Too much.")
    assert pld(*reject, "--workspace", space).code == 0
    lines = pld("oversight", "--task", "nda", "--workspace", space).out.splitlines()
    assert lines[:2] == [
        "Decisions",
        "  2 decisions by 1 person: 1 approval, 1 rejection, 0 requests for changes.",
    ]
    assert (
        "  What was on the screen was noted for 0 of 1 approval; the rest (1) is unknown, and in no share below."
        in (lines)
    )
    assert sum(line.startswith("  (") for line in lines) == 6
    assert "anna" not in "\n".join(lines)


def test_machines_get_the_figures_that_an_audit_pack_holds(space: Path, pld: Pld) -> None:
    assert pld("rules", "approve", "R1", "--reason", "sound", "--workspace", space).code == 0
    value = pld("oversight", "--task", "nda", "--workspace", space, "--json").value
    store = open_store(url_of(space / "pld.db"))
    figures = oversight(store.oversight.facts("nda")).as_json()
    checks = store.checks.figures("nda").as_json()
    assert value == {"task": "nda", **json.loads(json.dumps({**figures, "seeded_checks": checks}))}
    assert value["overridden_teacher_revisions"]["n"] == 1
    assert value["decisions_without_active_time"] == 1
    assert value["evidence_before_approval"]["every_example_shown"]["rate"] is None


def test_a_task_that_is_not_there_is_one_sentence(space: Path, pld: Pld) -> None:
    assert "There is no task 'x'" in pld("oversight", "--task", "x", "--workspace", space).refusal
