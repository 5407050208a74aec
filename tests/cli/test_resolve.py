"""`pld resolve` and `pld proposals` at the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.backends.scripted_repairs import NOTHING_WRITTEN
from pld_core.canonical import Json
from pld_core.conflicts.acceptance import Bar
from pld_core.conflicts.groups import Source
from pld_core.finding import AnswerPlace, Mark, Marking
from pld_core.gate_policy import AS_MADE
from pld_core.models import Answer, AnswerStatus, RevisionState, Split
from pld_core.records import ExampleFilter
from storage import create_store, open_store
from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld
from tests.conflict_models import action, text
from tests.factories import ANNA, url_of
from tests.resolving import RuleSpec, conflicted, scripted

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]


@pytest.fixture
def looped(tmp_path: Path) -> Path:
    """A workspace in which a loop has ended with one proposal that passes and one that was refused."""
    folder = tmp_path / "looped"
    store = create_store(url_of(folder / "pld.db"))
    conflicted(store, KINDS, RULES)
    excepted = text("insult is said", "remove", ["joke is said"])
    scripted(
        store,
        ("joke", lambda r: [action("add_exception", ["R1"], r, excepted), action("retire", ["R9"], r)]),
    ).run()
    (folder / "settings.toml").write_text('user = "anna"\n', encoding="utf-8")
    return folder


# --- the loop ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_asks_nothing(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    found = pld("resolve", "--task", "nda", "--dry-run", "--rounds", 1, "--workspace", compiled, "--json").value
    assert found["student_questions_open"] > 0
    assert found["student_questions_at_most"] > found["student_questions_open"]
    assert (found["teacher_calls_at_most"], found["first_round"]) == (8, None)
    told = pld("resolve", "--task", "nda", "--dry-run", "--max-calls", 5, "--workspace", compiled).out
    assert told.startswith("At most 5 questions to the student")
    assert told.endswith("Nothing was asked.\n")
    assert ollama.asked == []


def test_the_calls_to_the_teacher_stay_within_the_budget_and_a_higher_one_goes_on(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    here = ("resolve", "--task", "nda", "--rounds", 1, "--workspace", compiled)
    assert pld(*here, "--dry-run", "--budget", 3, "--json").value["teacher_calls_at_most"] == 3
    told = pld(*here, "--budget", 1).refusal
    run = told.rpartition("--resume ")[2].split()[0]
    store = open_store(url_of(compiled / "pld.db"))
    assert store.logic.spend("nda", run).calls <= 1
    asked = len(ollama.asked)
    assert pld(*here, "--resume", run, "--budget", 50, "--json").value["run"] == run
    assert store.logic.spend("nda", run).calls > 1
    assert len(ollama.asked) > asked


def test_a_loop_runs_to_its_end_and_goes_on_without_a_second_question(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    ended = pld("resolve", "--task", "nda", "--workspace", compiled, "--json").value
    # Whatever the demo's teacher proposes, this student says the same, so that no rule is changed.
    assert (ended["best_round"], ended["stopped"]) == (0, "no_gain")
    asked = len(ollama.asked)
    _, first = open_store(url_of(compiled / "pld.db")).resolutions.rounds(1)
    # Each input once under the rules in force, each validation example once more in each trial.
    assert asked == len(set(ollama.asked)) + 33 * len(first.trials)
    again = pld("resolve", "--task", "nda", "--resume", ended["run"], "--workspace", compiled, "--json").value
    assert (again, len(ollama.asked)) == (ended, asked)
    assert NOTHING_WRITTEN in {group.cause for group in first.groups}
    assert [group.problem for group in first.groups if not group.rules and not group.cause] == [
        "The scripted teacher has no reply for failures that no rule comes near."
    ]


def test_what_people_found_is_asked_about_first_and_held_out_texts_stay_out(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    store = open_store(url_of(compiled / "pld.db"))
    rule = store.prompts.get("nda", 1).prompt.rules[0].rule_id
    (held_out, *_) = store.tasks.examples("nda", ExampleFilter(split=Split.VALIDATION))
    inputs: list[Json] = [
        [["clause", "a new clause"], ["hypothesis", "a new claim"]],
        [list(pair) for pair in held_out.fields],
    ]
    for fields in inputs:
        sent: dict[str, Json] = {"fields": fields}
        said = Answer("Entailment", "{}", AnswerStatus.OK, 5)
        number = store.runs.record_live_test("nda", "sha256:p", "told", sent, said, ANNA)
        place = AnswerPlace(live_test=number)
        store.findings.mark(Marking("nda", place, Mark.WRONG, "Contradiction", "No.", (rule,)), ANNA)
    pld("resolve", "--task", "nda", "--workspace", compiled)
    first = store.resolutions.rounds(1)[1].groups[0]
    assert (first.source, first.rules, first.gold, first.said) == (
        Source.PEOPLE,
        (rule,),
        "Contradiction",
        "Entailment",
    )
    assert first.failed == 1


def test_a_cap_stops_it_and_says_how_to_go_on(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    told = pld("resolve", "--task", "nda", "--max-calls", 3, "--workspace", compiled).refusal
    assert "0 of at most 3 questions to the student are used up" in told
    assert ollama.asked == []


def test_the_margin_of_a_label_is_that_of_the_release_gates(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    store = open_store(url_of(compiled / "pld.db"))
    store.gate_policies.change("nda", AS_MADE, replace(AS_MADE, label_margin=0.2), "a small split", ANNA)
    pld("resolve", "--task", "nda", "--workspace", compiled)
    assert store.resolutions.get(1).order.bar == Bar(label_margin=0.2)


def test_only_a_loop_that_was_begun_goes_on(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    told = pld("resolve", "--task", "nda", "--resume", "resolve-nothing", "--workspace", compiled).refusal
    assert told.startswith("No loop was begun as resolve-nothing.")
    assert open_store(url_of(compiled / "pld.db")).resolutions.all("nda") == ()


def test_the_worker_runs_a_loop(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    store = open_store(url_of(compiled / "pld.db"))
    from_page: dict[str, Json] = {"student": "", "seed": 0, "limits": {"rounds": 1, "scores_test": False}}
    job = store.jobs.enqueue("resolve", "nda", from_page, ANNA)
    (ended,) = pld("worker", "--once", "--workspace", compiled, "--json").value
    assert ended["state"] == "done"
    assert store.resolutions.begun_as(f"job {job.id}") is not None


# --- proposals --------------------------------------------------------------------------------------------------------


def test_proposals_are_listed_with_what_they_fix_and_why_one_is_refused(pld: Pld, looped: Path) -> None:
    first, second = pld("proposals", "list", "--task", "posts", "--workspace", looped, "--json").value
    assert (first["action"], first["verdict"], first["outcome"]) == ("add_exception", "passes", "")
    assert first["trial"].startswith("fixes 8, breaks 0 of 24")
    assert (second["refused"], second["trial"]) == ("The call was not about R9.", "")
    lines = pld("proposals", "list", "--task", "posts", "--workspace", looped).out.splitlines()
    assert lines[0].startswith(f"{first['proposal'][7:15]} round 1: add exception R1: fixes 8, breaks 0")
    assert lines[0].endswith("PASSES")
    assert "refused: The call was not about R9." in lines[1]


def test_a_proposal_is_accepted_for_review(pld: Pld, looped: Path) -> None:
    (first, _) = pld("proposals", "list", "--task", "posts", "--workspace", looped, "--json").value
    short = first["proposal"][7:15]
    assert pld("proposals", "accept", short, "--task", "posts", "--workspace", looped).out.startswith("In review: R1.")
    summary = open_store(url_of(looped / "pld.db")).rules.summary("R1")
    assert (summary.state, summary.revision) == (RevisionState.IN_REVIEW, 2)
    assert "accepted by anna" in pld("proposals", "list", "--task", "posts", "--workspace", looped).out
    told = pld("proposals", "dismiss", short, "--task", "posts", "--reason", "no", "--workspace", looped).refusal
    assert told == "anna decided on this proposal already: accepted. Nothing was changed."


def test_a_proposal_is_dismissed_with_a_reason(pld: Pld, looped: Path) -> None:
    (first, second) = pld("proposals", "list", "--task", "posts", "--workspace", looped, "--json").value
    dismiss = ("proposals", "dismiss", second["proposal"], "--task", "posts", "--workspace", looped)
    assert pld(*dismiss, "--reason", "There is no such rule.", "--json").value["fate"] == "dismissed"
    for unclear in ("", "sha256:", "zz"):
        told = pld("proposals", "accept", unclear, "--task", "posts", "--workspace", looped).refusal
        assert "proposals of loop 1 begin with" in told
    assert first["proposal"] != second["proposal"]


def test_without_a_loop_it_says_how_to_run_one(pld: Pld, space: Path, looped: Path) -> None:
    assert (
        "`pld resolve --task nda` runs one" in pld("proposals", "list", "--task", "nda", "--workspace", space).refusal
    )
    told = pld("proposals", "list", "--task", "posts", "--loop", 9, "--workspace", looped).refusal
    assert told == "Task posts has no loop 9; its newest is 1. Nothing was changed."


def test_a_rule_is_locked_and_unlocked(pld: Pld, looped: Path) -> None:
    assert pld("rules", "lock", "r1", "--reason", "settled", "--workspace", looped).out == "R1 is locked.\n"
    (first, _) = pld("proposals", "list", "--task", "posts", "--workspace", looped, "--json").value
    accept = ("proposals", "accept", first["proposal"], "--task", "posts", "--workspace", looped)
    assert "R1 is locked against repairs" in pld(*accept).refusal
    unlocked = pld("rules", "unlock", "R1", "--reason", "open again", "--workspace", looped, "--json").value
    assert unlocked == {"rule": "R1", "locked": False, "reason": "open again"}
    assert pld(*accept).code == 0
