"""A loop at the command line: its teacher, another cap for one that stopped, and proposals added up afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import create_store, open_store
from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld
from tests.conflict_models import action, text
from tests.factories import url_of
from tests.loops_on_ollama import VALIDATION, looped_on
from tests.resolving import RuleSpec, conflicted, limited, scripted

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep"), ("spam offer", "remove")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]


@pytest.fixture
def looped(tmp_path: Path) -> Path:
    """A workspace in which a loop has ended with a proposal that lost early."""
    folder = tmp_path / "looped"
    store = create_store(url_of(folder / "pld.db"))
    conflicted(store, KINDS, RULES)
    harmful, excepted = text("insult and joke is said", "remove"), text("insult is said", "remove", ["joke is said"])
    both = [("narrow", harmful), ("add_exception", excepted)]
    scripted(store, ("joke", lambda r: [action(kind, ["R1"], r, one) for kind, one in both])).run(limited(rounds=1))
    (folder / "settings.toml").write_text('user = "anna"\n', encoding="utf-8")
    return folder


def test_another_cap_takes_the_place_of_the_one_at_which_a_loop_stopped(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    # A teacher that knows nothing of the task proposes nothing, so each example is asked about under one prompt.
    quiet = ("--teacher", "scripted:moderation")
    told = pld("resolve", "--task", "nda", *quiet, "--max-calls", 3, "--workspace", compiled).refusal
    run = told.rpartition("--resume ")[2].split()[0]
    store = open_store(url_of(compiled / "pld.db"))
    assert [(stop.used, stop.cap) for stop in store.resolutions.stops(1)] == [(0, 3)]
    again = pld("resolve", "--task", "nda", "--resume", run, "--workspace", compiled).refusal
    assert "0 of at most 3 questions" in again
    resume = ("resolve", "--task", "nda", "--resume", run, "--max-calls", 5_000, "--workspace", compiled, "--json")
    ended = pld(*resume).value
    assert (ended["loop"], ended["run"], ended["stopped"]) == (1, run, "no_proposals")
    assert len(ollama.asked) == len(set(ollama.asked)) > 0


def test_a_named_teacher_is_asked_and_stays_the_loops_own(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    other = "scripted:moderation"
    ended = pld("resolve", "--task", "nda", "--teacher", other, "--workspace", compiled, "--json").value
    assert open_store(url_of(compiled / "pld.db")).resolutions.get(1).basis.teacher == other
    # Going on needs no name: the task names another teacher, and the loop keeps its own.
    again = pld("resolve", "--task", "nda", "--resume", ended["run"], "--workspace", compiled, "--json").value
    assert again == ended


def test_a_round_that_is_over_is_added_up_once_its_cost_is_told(pld: Pld, tmp_path: Path, ollama: FakeOllama) -> None:
    app = looped_on(tmp_path / "space", ollama)
    greedy = ("proposals", "greedy", "--task", "posts", "--workspace", app.settings.workspace)
    told = pld(*greedy, "--dry-run", "--json").value
    assert (told["student_questions_at_most"], ollama.asked) == (2 * VALIDATION, [])
    lines = pld(*greedy).out.splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3."]
    assert lines[0].startswith("1. + add exception R1 (stays in): fixes 8, breaks 0 of 24")
    assert "(left out again)" in lines[1]
    assert len(ollama.asked) == 2 * VALIDATION
    again = pld(*greedy, "--json").value
    assert ([step["stays"] for step in again["steps"]], len(ollama.asked)) == ([True, False, False], 2 * VALIDATION)
    assert pld(*greedy, "--round", 2).refusal == "Round 2 of loop 1 is not over. Nothing was asked."


def test_labels_of_a_trial_that_lost_early_are_of_the_affected_examples_only(pld: Pld, looped: Path) -> None:
    found = pld("proposals", "list", "--task", "posts", "--workspace", looped, "--json").value
    by_action = {one["action"]: one for one in found}
    assert (by_action["narrow"]["verdict"], by_action["narrow"]["affected_only"]) == ("loses_early", True)
    assert {line["label"] for line in by_action["narrow"]["labels"]} == {"keep", "remove"}
    assert not by_action["add_exception"]["affected_only"]
