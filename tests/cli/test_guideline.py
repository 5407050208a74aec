"""`pld guideline`, and labels from the command line: what is shown, changed, and listed before it is changed."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.cli.running import Pld


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "guideline.txt"
    file.write_bytes("Read the clause, café included.\n".encode("utf-8-sig"))
    return file


def test_a_guideline_is_shown_set_and_remembered(pld: Pld, compiled: Path, text: Path) -> None:
    here = ("--task", "nda", "--workspace", compiled)
    before = pld("guideline", "show", *here, "--json").value
    assert (before["version"], before["reason"]) == (1, "")
    listed = pld("guideline", "set", text, *here, "--dry-run")
    assert listed.out == "This makes 1 approved rule stale: R1.\n"
    assert pld("guideline", "show", *here).out.strip() == before["text"]
    said = pld("guideline", "set", text, *here, "--reason", "clearer")
    assert said.out == "Version 2 is in force. That makes 1 approved rule stale: R1.\n"
    assert pld("guideline", "show", *here).out == "Read the clause, café included.\n"
    assert pld("guideline", "show", *here, "--version", 1).out.strip() == before["text"]
    newest, oldest = pld("guideline", "history", *here, "--json").value
    assert ((newest["version"], newest["reason"]), oldest) == ((2, "clearer"), before)
    assert pld("guideline", "history", *here).out.startswith("version 2, ")


def test_a_stale_rule_says_why_and_no_prompt_is_compiled_of_it(pld: Pld, compiled: Path, text: Path) -> None:
    here = ("--workspace", compiled)
    pld("guideline", "set", text, "--task", "nda", "--reason", "clearer", *here)
    shown = pld("rules", "show", "R1", *here, "--json").value
    assert (shown["state"], shown["in_force"]) == ("stale", None)
    (setback,) = shown["setbacks"]
    reason = "The guideline changed: version 2 took the place of version 1. clearer"
    assert (setback["revision"], setback["state"], setback["reason"]) == (1, "stale", reason)
    assert reason in pld("rules", "show", "R1", *here).out
    assert shown["decisions"][0]["guideline_version"] == 1
    refused = pld("compile", "--task", "nda", *here).refusal
    assert "1 rule is stale" in refused
    assert pld("rules", "approve", "R1", *here, "--json").value["guideline_version"] == 2
    assert pld("compile", "--task", "nda", *here).code == 0
    assert pld("audit", "verify", *here).code == 0


def test_standard_input_is_read_for_a_dash(pld: Pld, compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ("--task", "nda", "--workspace", compiled)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Être bref.".encode())))
    assert pld("guideline", "set", "-", *here, "--reason", "clearer").code == 0
    assert pld("guideline", "show", *here).out == "Être bref.\n"


def test_what_cannot_be_set_is_refused_in_one_line(pld: Pld, compiled: Path, text: Path, tmp_path: Path) -> None:
    here = ("--task", "nda", "--workspace", compiled)
    assert "needs a reason" in pld("guideline", "set", text, *here).refusal
    assert "cannot be read" in pld("guideline", "set", tmp_path / "gone", *here, "--reason", "x").refusal
    latin = tmp_path / "latin.txt"
    latin.write_bytes("café".encode("latin-1"))
    assert "is not UTF-8 text (byte 3" in pld("guideline", "set", latin, *here, "--reason", "x").refusal
    assert "has no version 9; the newest is 1" in pld("guideline", "show", *here, "--version", 9).refusal
    assert "no task 'nope'" in pld("guideline", "history", "--task", "nope", "--workspace", compiled).refusal


def test_labels_are_added_and_removed_with_what_follows_listed_before(pld: Pld, compiled: Path) -> None:
    describe = ("data", "describe", "--task", "nda", "--workspace", compiled)
    assert pld(*describe, "--add", "Unclear=Nobody can tell.", "--dry-run").out == (
        "This makes 1 approved rule stale: R1.\n"
    )
    added = pld(*describe, "--add", "Unclear=Nobody can tell.", "--reason", "asked for", "--json").value
    assert (list(added["labels"])[-1], added["stale"]) == ("Unclear", ["R1"])
    assert "Entailment cannot be removed" in pld(*describe, "--remove", "Entailment", "--reason", "x").refusal
    removed = pld(*describe, "--remove", "Unclear", "--reason", "not needed", "--json").value
    assert ("Unclear" in removed["labels"], removed["stale"]) == (False, [])
    assert "is there already" in pld(*describe, "--add", "Entailment=x", "--reason", "x").refusal
    assert pld(*describe, "--reason", "x").code == 2
