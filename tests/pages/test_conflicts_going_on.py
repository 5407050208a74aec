"""Conflicts: the teacher of a loop is chosen, one that stopped goes on, and its proposals are added up afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pld_app.greedy_orders import GreedyOrder
from pld_app.resolution_work import ResolveOrder
from pld_app.wiring import App
from pld_core.conflicts.records import LoopLimits, Stage
from pld_core.errors import BudgetReached
from pld_core.model_ports import ChatRequest
from pld_core.models import JobState, Role
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.conflict_models import action, block, text
from tests.factories import ANNA
from tests.pages.driving import Visit, Worker, links, press, press_at_once, prose, raw, run
from tests.pages.test_conflicts import KINDS, RULES, keys, store_of
from tests.pages.test_sign_in import RITA, as_person
from tests.resolving import Stage as Staged
from tests.resolving import conflicted, limited, scripted
from tests.signing_in import signed_in, write_secrets

# --- the teacher ------------------------------------------------------------------------------------------------------


def test_a_loop_is_ordered_with_the_teacher_that_somebody_chose(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = visit("conflicts")
    assert press(at, "loop_open").selectbox("loop_teacher_nda").value == "scripted:nda"
    press(at, "loop_close")
    # What a person types into the field; the test driver only picks.
    at.session_state["loop_teacher_nda"] = STUDENT
    press(at, "loop_open")
    assert "It can be asked now." in prose(at)
    at.number_input("loop_budget").set_value(7)
    run(at)
    press(at, "loop_start")
    (job,) = compiled.store.jobs.recent("nda")
    order = ResolveOrder.from_json("nda", job.params)
    assert (order.teacher, order.budget) == (STUDENT, 7)
    assert order.words == "at most 3 rounds and 7 calls to the teacher, seed 0"


def test_a_teacher_that_does_not_exist_starts_no_loop(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("conflicts")
    at.session_state["loop_teacher_nda"] = "nobody:knows"
    press(at, "loop_open")
    assert at.button("loop_start").disabled
    assert "nobody" in prose(at)


# --- going on ---------------------------------------------------------------------------------------------------------


def test_a_loop_that_stopped_at_its_cap_goes_on_with_a_higher_one(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    # A teacher that knows nothing of the task proposes nothing, so each example is asked about under one prompt.
    wanted = ResolveOrder("nda", limits=LoopLimits(rounds=1, student_calls=3), teacher="scripted:moderation")
    first = compiled.store.jobs.enqueue("resolve", "nda", wanted.as_json(), ANNA)
    assert worker().state is JobState.FAILED
    at = visit("conflicts")
    assert "This loop stopped before its end." in prose(at).replace("*", "")
    assert "it took 0 of at most 3 questions to the student and 0 calls to the teacher (0.00 USD)" in prose(at)
    assert f'pld resolve --task nda --resume "job {first.id}" --max-calls 6' in "".join(code.value for code in at.code)
    assert "From beginning to end the loop takes at most " in prose(at)
    at.number_input("loop_cap_1_3").set_value(5_000)
    press_at_once(at, "loop_go_on_1")
    press(at, "loop_go_on_1")
    assert "loop_go_on_1" not in keys(at)
    assert f"going on with the loop of job {first.id}, at most 5,000 questions" in prose(at)
    assert worker().state is JobState.DONE
    run(at)
    (loop,) = compiled.store.resolutions.all("nda")
    assert (loop.order.limits.student_calls, compiled.store.resolutions.score(1) is not None) == (3, True)
    assert "loop_go_on_1" not in keys(at)
    assert len(ollama.asked) == len(set(ollama.asked))


def test_a_job_that_stopped_at_its_cap_is_not_continued_but_points_to_another_cap(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    wanted = ResolveOrder("nda", limits=LoopLimits(rounds=1), teacher="scripted:moderation", budget=1)
    first = compiled.store.jobs.enqueue("resolve", "nda", wanted.as_json(), ANNA)
    assert worker().state is JobState.FAILED
    told = "With the same cap it would stop there again. **Go on with another cap**: *Go on* at loop 1."
    home, at = visit("home"), visit("conflicts")
    assert told in raw(home, "caption")
    assert told in raw(at, "caption")
    assert f"job_button_{first.id}_failed" not in keys(home) | keys(at)
    assert ("Loop 1 on the Conflicts page" in links(home), "Loop 1 on the Conflicts page" in links(at)) == (True, False)
    assert "The cap of 1 calls is reached" in prose(at)
    assert at.number_input("loop_budget_1_1").value == 2
    at.number_input("loop_budget_1_1").set_value(100)
    run(at)
    assert f'pld resolve --task nda --resume "job {first.id}" --budget 100' in [code.value for code in at.code]
    press(at, "loop_go_on_1")
    assert worker().state is JobState.DONE
    assert "Loop 1 went on since with another cap, and has ended." in prose(run(at))


def test_a_job_that_failed_for_another_reason_is_continued(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    first = compiled.store.jobs.enqueue("resolve", "nda", ResolveOrder("nda", student="gone").as_json(), ANNA)
    assert worker().state is JobState.FAILED
    assert f"job_button_{first.id}_failed" in keys(visit("conflicts"))


def test_a_loop_of_which_no_stop_is_recorded_may_run_in_a_terminal(empty: App, visit: Visit) -> None:
    conflicted(store_of(empty), KINDS, RULES)

    class Killed(Exception):
        """Stands for the end of the process."""

    def kill(done: int, total: int, message: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        scripted(store_of(empty)).run(report=kill)
    at = visit("conflicts")
    assert "This loop was interrupted, or it still runs in a terminal." in prose(at)
    assert "No end of this loop is recorded, and no job of it is going on." in prose(at)
    assert at.number_input("loop_cap_1_None").value == 0


def test_who_may_not_order_loops_sees_where_one_stopped(empty: App, visit: Visit, workspace_folder: Path) -> None:
    conflicted(store_of(empty), KINDS, RULES)
    with pytest.raises(BudgetReached):
        scripted(store_of(empty)).run(limited(student_calls=40))
    write_secrets(workspace_folder)
    empty.store.roles.grant(RITA, Role.ANALYST, "", empty.actor)
    at = as_person(visit("home", task="posts"), "conflicts", signed_in(RITA))
    assert "it took 24 of at most 40 questions" in prose(at)
    assert at.button("loop_go_on_1").disabled


# --- added up ---------------------------------------------------------------------------------------------------------


def excepting(request: ChatRequest) -> Sequence[dict[str, Any]]:
    if "[R1]" not in block(request, "RULES"):
        return []
    return [action("add_exception", ["R1"], request, text("insult is said", "remove", ["joke is said"]))]


def spam_rule(request: ChatRequest) -> Sequence[dict[str, Any]]:
    return [action("new_rule", [], request, text("spam is said", "remove"))]


@pytest.fixture
def summed(empty: App) -> Staged:
    """A loop that has ended, with two proposals that pass and change different rules."""
    conflicted(store_of(empty), KINDS, RULES)
    stage = scripted(store_of(empty), ("joke", excepting), ("spam", spam_rule))
    stage.run(limited(rounds=1))
    return stage


def test_proposals_are_added_up_after_the_loop_once_the_cost_is_told(summed: Staged, visit: Visit) -> None:
    at = visit("conflicts")
    assert "at most 32 questions to the student" in prose(at)
    press(at, "greedy_1_1")
    (job,) = summed.store.jobs.recent("posts")
    assert (job.kind, GreedyOrder.from_json("posts", job.params)) == ("greedy", GreedyOrder("posts", 1, 1))
    assert at.button("greedy_1_1").disabled


def test_the_running_score_shows_each_step(summed: Staged, visit: Visit) -> None:
    summed.add_up(1)
    at = visit("conflicts")
    assert "greedy_1_1" not in keys(at)
    table = at.dataframe[1].value
    assert set(table["adds"]) == {"Add exception: R1", "New rule: A rule"}
    assert list(table["then"]) == ["stays in", "stays in"]
    steps = [one for one in summed.store.resolutions.rounds(1)[1].trials if one.stage is Stage.LATER]
    assert list(table["fixes"]) == [one.result.comparison.fixed for one in steps if one.result.comparison]


def test_where_nothing_can_be_added_up_there_is_no_button(empty: App, visit: Visit) -> None:
    conflicted(store_of(empty), KINDS, RULES)
    scripted(store_of(empty), ("joke", excepting)).run(limited(rounds=1))
    assert not [key for key in keys(visit("conflicts")) if key.startswith("greedy_")]


# --- early ------------------------------------------------------------------------------------------------------------


def test_a_trial_that_lost_early_shows_its_labels_as_of_the_affected_examples_only(empty: App, visit: Visit) -> None:
    conflicted(store_of(empty), KINDS, RULES)

    def harmful(request: ChatRequest) -> Sequence[dict[str, Any]]:
        return [action("narrow", ["R1"], request, text("insult and joke is said", "remove"))]

    scripted(store_of(empty), ("joke", harmful)).run(limited(rounds=1))
    (tried,) = [one for one in empty.store.resolutions.rounds(1)[1].trials if one.examples]
    assert [line.before > line.after for line in tried.result.labels if line.label == "remove"] == [True]
    at = visit("conflicts")
    assert "Affected examples only" in prose(at)
    assert "Label remove:" in prose(at).replace("*", "")
