"""`pld ablate`: estimated, measured, limited, continued, and shown again without a question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pld_core.attribution import UNCOVERED
from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld

N = 33
"""Validation examples of the demo task."""


@pytest.fixture
def evaluated(pld: Pld, compiled: Path, ollama: FakeOllama) -> Path:
    """Run 1 of a prompt with the rules R1 and R2, which always says Entailment; nothing of it counts as asked below."""
    assert pld("rules", "approve", "R2", "--workspace", compiled).code == 0
    assert pld("compile", "--task", "nda", "--workspace", compiled).code == 0
    assert pld("evaluate", "--task", "nda", "--workspace", compiled).code == 0
    ollama.asked.clear()
    return compiled


def test_the_estimate_asks_nothing(pld: Pld, evaluated: Path, ollama: FakeOllama) -> None:
    command = ("ablate", "--task", "nda", "--run", "1", "--all", "--dry-run", "--workspace", evaluated)
    found = pld(*command, "--json").value
    assert (found["rules"], found["answers"], found["calls"]) == (2, 2 * N, 2 * N)
    assert pld(*command).out.startswith("2 rules to leave out, one at a time: 66 answers, 0 of them known; 66 ques")
    assert ollama.asked == []


def test_each_rule_is_left_out_and_no_question_is_asked_twice(pld: Pld, evaluated: Path, ollama: FakeOllama) -> None:
    ollama.label = "Contradiction"
    command = ("ablate", "--task", "nda", "--run", "1", "--all", "--workspace", evaluated)
    found = pld(*command, "--json").value
    assert (found["calls"], found["open_rules"], len(ollama.asked)) == (2 * N, [], 2 * N)
    assert {one["rule"] for one in found["ablations"]} == {"R1", "R2"}
    for one in found["ablations"]:
        # Entailment with the rule, Contradiction without it.
        assert (one["n"], one["scope"], one["net"]) == (N, "all", one["fixed"] - one["broken"])
        assert one["fixed"] + one["broken"] >= 5
        assert one["verdict"] in ("helps", "harms", "neutral", "not_shown")
        assert one["with_against_without"]["n"] == N
    again = pld(*command, "--json").value
    assert (again["calls"], again["ablations"]) == (0, found["ablations"])
    shown = pld("ablate", "--task", "nda", "--run", "1", "--show", "--workspace", evaluated).out
    assert "  with the rule: fixed " in shown
    assert f"of all {N} answers" in shown
    assert len(ollama.asked) == 2 * N


def test_at_the_limit_it_says_how_many_rules_are_left(pld: Pld, evaluated: Path, ollama: FakeOllama) -> None:
    command = ("ablate", "--task", "nda", "--run", "1", "--all", "--workspace", evaluated)
    first = pld(*command, "--max-calls", N + 4).out
    assert first.startswith(
        "1 rule left out, one at a time, with 37 questions. 1 are left, as the limit of questions is reached. "
    )
    assert len(ollama.asked) == N + 4
    second = pld(*command, "--json").value
    assert (second["calls"], len(second["ablations"]), len(ollama.asked)) == (N - 4, 2, 2 * N)


def test_fewer_than_five_changed_answers_are_inconclusive(pld: Pld, evaluated: Path) -> None:
    out = pld("ablate", "--task", "nda", "--run", "1", "--rule", "r1", "--all", "--workspace", evaluated).out
    assert "R1: inconclusive: fewer than 5 answers changed." in out
    assert "R2" not in out


def test_only_what_a_rule_claims_is_asked(pld: Pld, evaluated: Path, ollama: FakeOllama) -> None:
    bars = pld("errors", "--task", "nda", "--run", "1", "--workspace", evaluated, "--json").value
    assert bars["uncovered"]["rule"] == UNCOVERED
    found = pld("ablate", "--task", "nda", "--run", "1", "--workspace", evaluated, "--json").value
    assert sum(one["n"] for one in found["ablations"]) == found["calls"] == len(ollama.asked)
    assert found["calls"] >= sum(bar["covered"] for bar in bars["bars"])
    assert found["calls"] < 2 * N


def test_a_rule_that_is_shown_to_harm_ends_with_1_after_the_figures(
    pld: Pld, evaluated: Path, ollama: FakeOllama
) -> None:
    ollama.label = "Contradiction"
    test = ("--split", "test", "--reason", "before the release")
    assert pld("evaluate", "--task", "nda", *test, "--workspace", evaluated).code == 0
    command = ("ablate", "--task", "nda", "--run", "2", "--workspace", evaluated)
    assert "No rule of run 2 was left out yet" in pld(*command, "--show", "--fail-if-harmful").stopped
    assert pld(*command, "--dry-run", "--fail-if-harmful").code == 2
    assert pld(*command, "--rule", "R2", "--fail-if-harmful").code == 0
    ollama.label = "Entailment"
    failed = pld(*command, "--rule", "R1", "--all", "--fail-if-harmful", "--json")
    found = json.loads(failed.out)["ablations"]
    assert [(one["scope"], one["verdict"]) for one in found if one["rule"] == "R1"] == [("all", "harms")]
    assert failed.stopped == "Shown to harm in run 2 by ablation: R1. Nothing was changed."


def test_what_is_not_there_is_refused(pld: Pld, evaluated: Path, ollama: FakeOllama) -> None:
    command = ("ablate", "--task", "nda", "--workspace", evaluated)
    assert "no run 9" in pld(*command, "--run", "9").refusal
    assert "does not hold R9" in pld(*command, "--run", "1", "--rule", "R9").refusal
    assert pld(*command, "--run", "1", "--show").out == "No rule of this run was left out yet.\n"
    assert ollama.asked == []
