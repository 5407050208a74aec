"""`pld errors`: what each rule covers, how much of it is wrong, and how much of that the baseline had right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld


@pytest.fixture
def runs(pld: Pld, compiled: Path, ollama: FakeOllama) -> Path:
    """Run 1 without rules, which always says Contradiction; run 2 with a rule, which always says Entailment."""
    assert pld("compile", "--task", "nda", "--baseline", "none", "--workspace", compiled).code == 0
    for label, number in (("Contradiction", 2), ("Entailment", 1)):
        ollama.label = label
        assert pld("evaluate", "--task", "nda", "--prompt", number, "--workspace", compiled).code == 0
    return compiled


def test_the_table_names_method_and_baseline_and_always_what_is_uncovered(pld: Pld, runs: Path) -> None:
    out = pld("errors", "--task", "nda", "--run", "2", "--workspace", runs).out
    lines = out.splitlines()
    assert lines[0].startswith("Run 2, prompt version 1, validation, ")
    assert lines[1].startswith("Put down to rules by evidence: ")
    assert lines[1].endswith("; harm against run 1.")
    assert [line.split()[0] for line in lines[4:6]] == ["(uncovered)", "R1"]


def test_the_figures_add_up_to_the_run(pld: Pld, runs: Path) -> None:
    found = pld("errors", "--task", "nda", "--run", "2", "--workspace", runs, "--json").value
    assert (found["method"], found["baseline"], found["sort"], found["rules"]) == ("evidence", 1, "harm", 1)
    every = [found["uncovered"], *found["bars"]]
    assert sum(bar["covered"] for bar in every) == 33
    assert all(bar["correct"] + bar["wrong"] == bar["covered"] == bar["error_rate"]["n"] for bar in every)
    # Everything that the first run had right, and that run 2 cannot have right, is harm.
    first = pld("errors", "--task", "nda", "--run", "1", "--workspace", runs, "--json").value
    assert sum(bar["harm"] for bar in every) == first["uncovered"]["correct"] > 0
    assert (first["baseline"], first["uncovered"]["harm"], first["bars"]) == (None, None, [])


def test_without_another_run_there_is_nothing_to_tell_harm_against(pld: Pld, compiled: Path) -> None:
    assert pld("evaluate", "--task", "nda", "--workspace", compiled).code == 0
    out = pld("errors", "--task", "nda", "--run", "1", "--sort", "count", "--workspace", compiled).out
    assert "no run to tell harm against." in out.splitlines()[1]
    assert pld("errors", "--task", "nda", "--run", "1", "--limit", "1", "--workspace", compiled).code == 0


def test_what_cannot_be_shown_is_refused_with_the_way_out(pld: Pld, runs: Path) -> None:
    command = ("errors", "--task", "nda", "--workspace", runs)
    assert "no run 9" in pld(*command, "--run", "9").refusal
    assert "Run 7 cannot be held against run 2" in pld(*command, "--run", "2", "--baseline", "7").refusal
    assert "Choose one of: 1." in pld(*command, "--run", "2", "--baseline", "2").refusal
    assert "not put down to rules by citation" in pld(*command, "--run", "2", "--method", "cited").refusal


def test_a_rule_that_is_wrong_too_often_ends_with_1_after_the_figures(pld: Pld, runs: Path) -> None:
    command = ("errors", "--task", "nda", "--run", "2", "--workspace", runs, "--json")
    (bar,) = pld(*command).value["bars"]
    low = bar["error_rate"]["interval_95"][0]
    over = pld(*command, "--fail-over", low - 0.01)
    assert json.loads(over.out)["bars"] == [bar]
    assert over.stopped.startswith(
        f"Wrong in more than {low - 0.01:.0%} of what they cover in run 2, by evidence: R1 ("
    )
    # Not shown: the interval reaches below what is allowed.
    assert pld(*command, "--fail-over", low + 0.01).code == 0
    assert pld(*command, "--fail-over", 1.5).code == 2


def test_a_run_of_another_task_is_named_as_such(pld: Pld, runs: Path) -> None:
    assert pld("demo", "--task", "moderation", "--workspace", runs).code == 0
    refused = pld("errors", "--task", "moderation", "--run", "2", "--workspace", runs).refusal
    assert refused == "Run 2 belongs to task nda, not to moderation."


def test_the_queue_can_begin_with_the_rules_that_harm_most(pld: Pld, runs: Path) -> None:
    command = ("rules", "queue", "--task", "nda", "--tab", "all", "--workspace", runs)
    assert pld(*command).out.split()[0] != "R1"
    assert pld(*command, "--order", "harm").out.split()[0] == "R1"


def test_the_queue_by_harm_says_where_there_is_no_harm_to_tell(pld: Pld, compiled: Path) -> None:
    out = pld("rules", "queue", "--task", "nda", "--order", "harm", "--workspace", compiled).out
    assert out.startswith("No complete run over validation has a baseline to tell harm against")
