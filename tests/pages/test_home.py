"""Home: where each task stands, what to do next, jobs, and the start of an empty workspace."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Progress

from pld_app import wiring
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.models import JobState, Verdict
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import ANNA, BERT, make_task, verdict_on
from tests.pages.driving import NASTY, Visit, Worker, links, metrics, press, prose, raw, run, takes_literally

EVALUATION: dict[str, Json] = {"prompt": 1, "student": STUDENT, "split": "validation"}


def progress_bars(at: AppTest) -> list[Progress]:
    return [element for element in at.get("progress") if isinstance(element, Progress)]


def decide_all(app: App, verdict: Verdict) -> None:
    for rule in app.store.rules.queue("nda"):
        app.store.rules.judge(verdict_on(app.store, rule.id, verdict), app.actor)


# --- an empty workspace -----------------------------------------------------------------------------------------------


def test_an_empty_workspace_offers_both_demos_and_import(empty: App, visit: Visit) -> None:
    at = visit("home")
    assert [button.label for button in at.button] == ["Build “NDA review”", "Build “Community moderation”"]
    assert links(at) == ["Import data"]
    assert "No task yet." in prose(at)
    assert "No job yet." in prose(at)
    assert "teacher is scripted" in prose(at)


def test_building_a_demo_is_a_job_in_the_name_of_who_pressed(empty: App, visit: Visit, worker: Worker) -> None:
    at = press(visit("home"), "build_nda")
    (job,) = empty.store.jobs.recent()
    assert (job.kind, job.task, job.state, job.created_by) == ("demo", "nda", JobState.QUEUED, "anna")
    assert at.button("build_nda").disabled
    assert not at.button("build_moderation").disabled
    assert "Waiting for the worker" in prose(at)
    assert "ordered by anna" in prose(at)

    worker()
    run(at)
    assert metrics(at)["Examples"] == "178"
    assert "NDA review: instructions 115 made" in prose(at)
    assert [button.key for button in at.button] == ["build_moderation"]


def test_a_second_press_on_a_stale_screen_orders_nothing_more(empty: App, visit: Visit) -> None:
    at, other = visit("home"), visit("home")
    press(at, "build_nda")
    press(other, "build_nda")
    assert len(empty.store.jobs.recent()) == 1


def test_a_workspace_with_a_history_but_no_task_points_to_the_audit(empty: App, visit: Visit) -> None:
    job = empty.store.jobs.enqueue("demo", "nda", {}, ANNA)
    empty.store.jobs.request_cancel(job.id, ANNA)
    assert "This workspace has a history: see the Audit page." in prose(visit("home"))


# --- progress and the next step ---------------------------------------------------------------------------------------


def test_the_demo_shows_its_figures_and_the_way_to_review(demo: App, visit: Visit) -> None:
    at = visit("home")
    assert metrics(at) == {"Examples": "178", "Rules decided": "0 of 13", "Prompt versions": "0"}
    assert "115 train, 33 validation, 30 test" in prose(at)
    assert "13 in review" in prose(at)
    assert "nothing compiled yet" in prose(at)
    assert links(at) == ["Review 13 rules", "Import data"]


def test_a_decision_counts_at_once(demo: App, visit: Visit) -> None:
    at = visit("home")
    demo.store.rules.judge(verdict_on(demo.store, "R1"), BERT)
    demo.store.rules.judge(verdict_on(demo.store, "R2", Verdict.REJECT), BERT)
    run(at)
    assert metrics(at)["Rules decided"] == "2 of 13"
    assert "1 approved, 11 in review, 1 rejected" in prose(at)
    assert "Review 11 rules" in links(at)


def test_with_everything_decided_the_next_step_is_to_compile_then_to_test(demo: App, visit: Visit) -> None:
    decide_all(demo, Verdict.APPROVE)
    at = visit("home")
    assert "Compile the approved rules" in links(at)
    wiring.compile_task(demo, "nda")
    run(at)
    assert "Test the prompt live" in links(at)
    assert "Version 1, 13 rules, not evaluated yet" in prose(at)


def test_a_task_without_rules_is_sent_to_the_clusters(empty: App, visit: Visit) -> None:
    empty.store.tasks.add(make_task(), ANNA)
    at = visit("home")
    assert "no rule yet" in prose(at)
    assert "Look at clusters" in links(at)


def test_the_score_of_the_newest_prompt_has_its_interval(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    compiled.store.jobs.enqueue("evaluate", "nda", EVALUATION, ANNA)
    worker()
    text = prose(visit("home"))
    assert f"Version 1, 1 rule. {STUDENT} on validation: " in text
    assert "of 33" in text
    assert "95 % interval" in text


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_a_queued_job_can_be_cancelled_and_continued(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    job = compiled.store.jobs.enqueue("evaluate", "nda", EVALUATION, BERT)
    at = visit("home")
    assert "ordered by bert" in prose(at)
    press(at, f"job_button_{job.id}_queued")
    assert compiled.store.jobs.get(job.id).state is JobState.CANCELLED
    assert ollama.asked == []
    press(at, f"job_button_{job.id}_cancelled")
    assert compiled.store.jobs.get(job.id).state is JobState.QUEUED
    worker()
    run(at)
    assert compiled.store.jobs.get(job.id).state is JobState.DONE
    assert "Run 1 is complete." in prose(at)
    assert not [button for button in at.button if str(button.key).startswith("job_button")]


def test_a_running_job_shows_its_progress_and_stops_after_the_step(compiled: App, visit: Visit) -> None:
    job = compiled.store.jobs.enqueue("evaluate", "nda", EVALUATION, ANNA)
    assert compiled.store.jobs.claim("worker", 60) is not None
    compiled.store.jobs.progress(job.id, "worker", 11, 33, "examples answered")
    at = visit("home")
    (bar,) = progress_bars(at)
    assert bar.value == 33
    assert "11 of 33 examples answered" in bar.text
    press(at, f"job_button_{job.id}_running")
    assert compiled.store.jobs.get(job.id).cancel_requested
    assert "Stopping after the current step" in prose(at)
    assert not [button for button in at.button if str(button.key).startswith("job_button")]


def test_a_failed_job_says_why_and_can_be_continued(compiled: App, visit: Visit, worker: Worker) -> None:
    job = compiled.store.jobs.enqueue("evaluate", "nda", EVALUATION, ANNA)
    worker()
    at = visit("home")
    assert "No Ollama server answers" in prose(at)
    assert "ollama serve" in prose(at)
    press(at, f"job_button_{job.id}_failed")
    assert compiled.store.jobs.get(job.id).state is JobState.QUEUED


def test_a_press_on_a_job_that_moved_on_meanwhile_does_nothing_but_show_how_it_stands(
    compiled: App, visit: Visit
) -> None:
    job = compiled.store.jobs.enqueue("evaluate", "nda", EVALUATION, ANNA)
    compiled.store.jobs.request_cancel(job.id, ANNA)
    at = visit("home")
    compiled.store.jobs.resume(job.id, BERT)
    assert compiled.store.jobs.claim("worker", 60) is not None
    at.button(f"job_button_{job.id}_cancelled").click()
    run(at)
    assert compiled.store.jobs.get(job.id).state is JobState.RUNNING
    assert [button.label for button in at.button if str(button.key).startswith("job_button")] == ["Cancel"]


def test_a_title_is_plain_text(empty: App, visit: Visit) -> None:
    empty.store.tasks.add(replace(make_task(), title=NASTY), ANNA)
    at = visit("home")
    assert takes_literally(raw(at, "markdown"), NASTY)
    assert at.sidebar.selectbox("task").options == [NASTY]
