"""`pld rules` beyond decisions, on a copy of the demo."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pld_app import wiring
from pld_core.desk import DraftText
from tests.cli.running import Pld


@pytest.fixture
def space(demo_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo that commands find by the environment; anna acts."""
    monkeypatch.setenv("PLD_WORKSPACE", str(tmp_path / "copy"))
    monkeypatch.setenv("PLD_USER", "anna")
    return Path(shutil.copytree(demo_template, tmp_path / "copy"))


def shown(pld: Pld, rule: str) -> dict[str, Any]:
    value: dict[str, Any] = pld("rules", "show", rule, "--json").value
    return value


def test_a_tick_changes_what_an_example_says(pld: Pld, space: Path) -> None:
    before = shown(pld, "R1")["evidence"]
    example = next(e["example"] for e in before if e["role"] == "supports")
    done = pld("rules", "tick", "r1", example[7:19], "contradicts", "--json").value
    assert (done["before"], done["state"]) == ("supports", "in_review")
    after = {e["example"]: e["role"] for e in shown(pld, "R1")["evidence"]}
    assert after == {e["example"]: e["role"] for e in before} | {example: "contradicts"}
    assert "0 examples of R1 begin with 'zz'" in pld("rules", "tick", "R1", "zz", "supports").refusal


def test_rules_are_assigned_tagged_and_found_in_the_queue(pld: Pld, space: Path) -> None:
    assert pld("rules", "assign", "R1", "R2", "--to", "anna", "--json").value["to"] == "anna"
    assert "Nobody called 'zoe'" in pld("rules", "assign", "R1", "--to", "zoe").refusal
    assert pld("rules", "tag", "R1", "R3", "--tag", "GDPR", "--json").value == {"R1": ["gdpr"], "R3": ["gdpr"]}
    rows = pld("rules", "queue", "--task", "nda", "--tag", "gdpr", "--json").value
    assert {row["id"]: row["assignee"] for row in rows} == {"R1": "anna", "R3": None}
    assert "for anna · #gdpr" in pld("rules", "queue", "--task", "nda", "--tag", "gdpr").out
    assert "5 of 13 rules; --limit shows more." in pld("rules", "queue", "--task", "nda", "--limit", 5).out
    assert pld("rules", "tag", "R3", "--remove", "gdpr").out == "R3: no tag\n"
    assert pld("rules", "queue", "--task", "nda", "--tab", "stale").out == "Nothing is in this tab.\n"
    assert pld("rules", "assign", "R1", "--to", "nobody", "--json").value["to"] is None
    assert pld("rules", "tag", "R1").code == 2


def test_duplicates_are_rejected_with_a_reason_or_not_at_all(pld: Pld, space: Path) -> None:
    assert "needs a reason" in pld("rules", "reject-duplicates", "R2", "--of", "R1").refusal
    made = pld("rules", "reject-duplicates", "R2", "R3", "--of", "r1", "--reason", "Read both.", "--json").value
    assert [entry["rule"] for entry in made] == ["R2", "R3"]
    (decision,) = shown(pld, "R3")["decisions"]
    assert (decision["category"], decision["reason"]) == ("duplicate", "Says the same as R1. Read both.")
    assert "nothing would be left" in pld("rules", "reject-duplicates", "R4", "--of", "R2", "--reason", "x").refusal


def test_a_decision_is_withdrawn_with_a_reason(pld: Pld, space: Path) -> None:
    pld("rules", "approve", "R1")
    assert "needs a reason" in pld("rules", "withdraw", "R1").refusal
    assert pld("rules", "withdraw", "R1", "--reason", "Misread.").out.startswith("Decision 1 is withdrawn; R1 is in")
    assert (shown(pld, "R1")["state"], shown(pld, "R1")["in_force"]) == ("in_review", None)
    assert "cannot take the step 'withdraw'" in pld("rules", "withdraw", "R1", "--reason", "Again.").refusal


def test_a_second_opinion_moves_the_rule_to_its_tab(pld: Pld, space: Path) -> None:
    assert "needs a note" in pld("rules", "second-opinion", "R1").refusal
    pld("rules", "second-opinion", "R1", "--note", "Is the exception real?")
    assert [r["id"] for r in pld("rules", "queue", "--task", "nda", "--tab", "second-review", "--json").value] == ["R1"]


def test_comments_are_answered_and_resolved(pld: Pld, space: Path) -> None:
    example = shown(pld, "R1")["evidence"][0]["example"]
    first = pld("rules", "comment", "R1", "Is it one, @anna?", "--example", example[7:19], "--json").value
    assert first["example"] == example
    pld("rules", "comment", "R1", "Yes.\x1b[31m", "--reply-to", first["comment"])
    listed = pld("rules", "comments", "R1").out
    assert "Is it one, @anna?" in listed
    assert "\x1b" not in listed
    assert pld("rules", "resolve", first["comment"]).out == "Comment 1 is resolved.\n"
    assert pld("rules", "comments", "R1", "--open").out == "No comment.\n"
    assert pld("rules", "resolve", first["comment"], "--reopen", "--json").value["resolved"] is False
    assert "no comment 99" in pld("rules", "resolve", 99).refusal


def test_whoever_is_mentioned_lists_the_comments(pld: Pld, space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_USER", "bert")
    pld("rules", "comment", "R2", "I am here.")
    monkeypatch.setenv("PLD_USER", "anna")
    pld("rules", "comment", "R1", "See this, @bert")
    pld("rules", "comment", "R4", "And that,\n@bert")
    assert pld("rules", "comments", "--mentions").out == "Nothing mentions you.\n"
    assert pld("rules", "comments").code == pld("rules", "comments", "R1", "--mentions").code == 2
    monkeypatch.setenv("PLD_USER", "bert")
    lines = pld("rules", "comments", "--mentions").out.splitlines()
    assert lines[0] == "2 comments mention you: R4, R1"
    assert lines[1].startswith("R4 #3 anna, ")
    assert lines[1].endswith(": And that, @bert")
    assert [c["rule"] for c in pld("rules", "comments", "--mentions", "--json").value] == ["R4", "R1"]


def test_drafts_are_listed_and_discarded(pld: Pld, space: Path) -> None:
    app = wiring.open_app(space)
    text = DraftText("t", "the clause is void", ("Entailment",), "it is not", note="why")
    app.store.desk.drafts.save("R1", app.store.rules.summary("R1").head, text, app.actor)
    assert (
        "    IF the clause is void\n    THEN Entailment\n    EXCEPT it is not"
        in pld("rules", "drafts", "--task", "nda").out
    )
    assert pld("rules", "drafts", "--task", "nda", "--json").value[0]["base_revision"] == 1
    assert pld("rules", "drafts", "--task", "nda", "--discard", "r1").out == "You have no draft.\n"


def test_a_rule_is_split_and_two_are_merged(pld: Pld, space: Path) -> None:
    supports = [e["example"] for e in shown(pld, "R1")["evidence"] if e["role"] == "supports"]
    arguments = ["rules", "split", "R1", "--if", "the clause names one party", "--if", "the clause names both"]
    assert "need a reason" in pld(*arguments).refusal
    made = pld(*arguments, "--to-first", supports[0][7:], "--reason", "Two matters.", "--json").value["into"]
    first, second = (shown(pld, rule) for rule in made)
    assert {e["example"] for e in first["evidence"] if e["role"] == "supports"} == set(supports)
    assert {e["example"] for e in second["evidence"] if e["role"] == "supports"} == set(supports[1:])
    merged = pld(
        "rules", "merge", *made, "--if", "the clause names a party", "--reason", "One after all.", "--json"
    ).value
    assert shown(pld, merged["into"])["support"] == len(supports)
    assert {shown(pld, rule)["state"] for rule in ("R1", *made)} == {"changes_requested"}
    assert pld("rules", "split", "R2", "--if", "one", "--reason", "x").code == 2
    assert pld("rules", "merge", "R2", "R3", "--if", "a", "--if", "b", "--reason", "x").code == 2
