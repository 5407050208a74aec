"""`pld finding`: marking what was answered, listing it, settling it at a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Pld

CLAUSE = ("--field", "hypothesis=the claim", "--field", "clause=the text")


@pytest.fixture
def asked(pld: Pld, compiled: Path) -> Path:
    """A workspace with one live test, to which the student said Entailment."""
    assert pld("ask", "--task", "nda", *CLAUSE, "--workspace", compiled).code == 0
    return compiled


WRONG = ("--wrong", "--label", "Contradiction", "--note", "It is the other way round.")


def test_a_wrong_answer_waits_at_its_rule_until_it_is_taken(pld: Pld, asked: Path) -> None:
    here = ("--workspace", asked)
    rule = pld("rules", "list", "--task", "nda", "--state", "approved", *here, "--json").value[0]["id"]
    found = pld("finding", "mark", "--task", "nda", "--live-test", 1, *WRONG, "--rule", rule, *here, "--json").value
    assert (found["finding"], found["said"], found["right"], found["open"]) == (1, "Entailment", "Contradiction", True)
    assert found["fields"] == {"clause": "the text", "hypothesis": "the claim"}
    assert f"waits at {rule}" in pld("finding", "list", "--task", "nda", "--open", *here).out
    assert [
        row["id"] for row in pld("rules", "queue", "--task", "nda", "--tab", "findings", *here, "--json").value
    ] == [rule]
    said = pld("finding", "settle", 1, "--as", "near_miss", *here).out
    assert "taken as near miss by" in said
    assert pld("rules", "show", rule, *here, "--json").value["state"] == "stale"
    assert pld("finding", "list", "--task", "nda", "--open", *here).out == "No finding.\n"


def test_one_about_no_rule_is_attached_and_dismissed(pld: Pld, asked: Path) -> None:
    here = ("--workspace", asked)
    rule = pld("rules", "list", "--task", "nda", "--state", "approved", *here, "--json").value[0]["id"]
    assert "about no rule yet" in pld("finding", "mark", "--task", "nda", "--live-test", 1, *WRONG, *here).out
    assert f"waits at {rule}" in pld("finding", "attach", 1, rule, *here).out
    assert "needs a reason" in pld("finding", "settle", 1, "--dismiss", *here).refusal
    assert "dismissed by" in pld("finding", "settle", 1, "--dismiss", "--reason", "No clause.", *here).out


def test_bad_marks_are_refused_in_words(pld: Pld, asked: Path) -> None:
    here = ("--task", "nda", "--workspace", asked)
    assert pld("finding", "mark", *here, "--right").code == 2
    assert pld("finding", "mark", *here, "--live-test", 1).code == 2
    assert pld("finding", "mark", *here, "--run", 1, "--right").code == 2
    assert "There is no live test 7" in pld("finding", "mark", *here, "--live-test", 7, *WRONG).refusal
    assert "is not one of" in pld("finding", "mark", *here, "--live-test", 1, "--wrong", "--note", "x").refusal
    assert pld("finding", "settle", 1, "--workspace", asked).code == 2
    assert (
        "There is no finding 1"
        in pld("finding", "settle", 1, "--dismiss", "--reason", "x", "--workspace", asked).refusal
    )
