"""Blind review and second looks by command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pld_app import wiring
from pld_core.models import Actor, Role, Verdict
from pld_core.policy import PLAIN, Policy
from tests.cli.running import Pld
from tests.factories import ANNA, CLEO, verdict_on

BLIND = Policy(four_eyes=True, blind=True, second_look=100)
SAID = "the clause says it in as many words"


@pytest.fixture
def space(demo_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo under a blind policy; R1 is first approved by cleo, R2 rejected by her, bert acts."""
    folder = Path(shutil.copytree(demo_template, tmp_path / "copy"))
    monkeypatch.setenv("PLD_WORKSPACE", str(folder))
    monkeypatch.setenv("PLD_USER", "bert")
    store = wiring.open_app(folder).store
    store.policies.change("nda", PLAIN, BLIND, "as the test needs it", ANNA)
    store.desk.comments.add("R1", SAID, CLEO)
    store.rules.judge(verdict_on(store, "R1", reason=SAID), CLEO)
    store.rules.judge(verdict_on(store, "R2", Verdict.REJECT, "Far too broad."), CLEO)
    return folder


def test_no_command_tells_the_second_reviewer_of_the_first_decision(pld: Pld, space: Path, tmp_path: Path) -> None:
    told = ""
    for command in (
        ("rules", "show", "R1"),
        ("rules", "list", "--task", "nda", "--state", "first_approved"),
        ("rules", "queue", "--task", "nda", "--tab", "second-review"),
        ("rules", "comments", "R1"),
        ("audit", "log", "--rule", "R1"),
    ):
        told += pld(*command).out + json.dumps(pld(*command, "--json").value)
    files = [tmp_path / "log.csv", tmp_path / "log.jsonl"]
    pld("audit", "log", "--rule", "R1", "--csv", files[0], "--jsonl", files[1])
    told += "".join(file.read_text() for file in files)
    assert "cleo" not in told
    assert SAID not in told
    assert "shown after your own decision" in pld("rules", "show", "R1").out
    assert "A first decision on R1 was made; it is shown after yours." in told
    assert pld("rules", "show", "R1", "--json").value["first_decision_withheld"] is True
    assert "bert sees this comment on R1 after deciding" in pld("rules", "resolve", 1).refusal
    target = tmp_path / "pack.zip"
    assert "bert does not see before deciding: on R1." in pld("audit", "pack", "--task", "nda", "--out", target).refusal
    assert not target.exists()


def test_the_own_decision_opens_the_first_one(pld: Pld, space: Path, tmp_path: Path) -> None:
    done = pld("rules", "approve", "R1", "--json").value
    assert done["state"] == "approved"
    assert done["first_decision"].startswith("cleo approved this too, on ")
    assert done["first_decision"].endswith(f"Reason: {SAID}.")
    shown = pld("rules", "show", "R1").out
    assert "cleo approved this too" in shown
    assert pld("rules", "show", "R1", "--json").value["first_decision_withheld"] is False
    assert pld("audit", "pack", "--task", "nda", "--out", tmp_path / "pack.zip").code == 0


def test_a_disagreement_is_told_and_a_third_person_is_asked_for(
    pld: Pld, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = pld("rules", "reject", "R1", "--category", "unclear", "--reason", "I cannot tell.").out
    assert "Disputed: cleo had approved it on" in told
    assert "A third person decides." in told
    assert "has already decided" in pld("rules", "approve", "R1").refusal
    monkeypatch.setenv("PLD_USER", "dora")
    shown = pld("rules", "show", "R1").out
    assert "Disputed: cleo approved it, bert rejected it." in shown
    assert "settles it. You can." in shown
    assert pld("rules", "approve", "R1", "--json").value["first_decision"] is None


def test_a_drawn_rejection_is_found_confirmed_or_reopened(
    pld: Pld, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting() -> list[str]:
        listed = pld("rules", "queue", "--task", "nda", "--tab", "second-look", "--json").value
        return [row["id"] for row in listed]

    assert waiting() == ["R2"]
    assert "nobody has looked yet" in pld("rules", "show", "R2").out
    assert "needs a reason" in pld("rules", "second-look", "R2", "confirm").refusal
    assert "was drawn for a second look" in pld("rules", "second-look", "R3", "confirm", "--reason", "x").refusal
    assert pld("rules", "second-look", "R2", "maybe").code == 2
    monkeypatch.setenv("PLD_USER", "cleo")
    assert waiting() == []
    assert "cleo rejected R2" in pld("rules", "second-look", "R2", "reopen", "--reason", "x").refusal
    monkeypatch.setenv("PLD_USER", "bert")
    done = pld("rules", "second-look", "r2", "reopen", "--reason", "The exception covers it.", "--json").value
    assert (done["outcome"], done["by"]) == ("reopen", "bert")
    value = pld("rules", "show", "R2", "--json").value
    assert (value["state"], value["revision"], value["second_looks"]) == ("in_review", 2, [done])
    pld("rules", "reject", "R2", "--category", "unclear", "--reason", "No.")
    monkeypatch.setenv("PLD_USER", "cleo")
    said = pld("rules", "second-look", "R2", "confirm", "--reason", "It is unclear.").out
    assert said == "The rejection of R2 revision 2 stands.\n"
    assert waiting() == []


def test_an_auditor_without_a_judging_role_reads_and_exports_all(space: Path) -> None:
    store = wiring.open_app(space).store
    auditor = Actor("rita", frozenset({Role.AUDITOR}))
    assert store.audit.kept_from(auditor) == ()
    assert SAID in repr(store.events.page(actor=auditor))
