"""Evaluate: many runs ordered at once, the table of cells, the lock of the test split, repeats, what is known."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import wiring
from pld_app.wiring import App
from pld_core.compilation import Choices
from pld_core.models import JobState, Split
from pld_core.prompt_manifest import PromptKind
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import verdict_on
from tests.pages.driving import Visit, Worker, press, press_at_once, prose, raw, run

VALIDATION = 33


@pytest.fixture
def two(compiled: App) -> App:
    """The demo with version 1 of one rule, and version 2, the baseline without rules."""
    wiring.compile_task(compiled, "nda", Choices(kind=PromptKind.NO_RULES))
    return compiled


def ordered(app: App) -> list[dict[str, object]]:
    """Return what the queued jobs are asked, oldest first."""
    return [dict(job.params) for job in reversed(app.store.jobs.recent("nda")) if job.state is JobState.QUEUED]


def choose(at: AppTest, key: str, *values: object) -> AppTest:
    at.multiselect(key).set_value(list(values))
    return run(at)


def cell(at: AppTest, prompt: int, student: str = STUDENT) -> bool:
    """Return whether a cell offers to be evaluated."""
    return bool([button for button in at.button if button.key == f"cell_{prompt}_{student}" and not button.disabled])


def test_several_versions_are_ordered_at_once_prompt_by_prompt(two: App, visit: Visit, ollama: FakeOllama) -> None:
    at = choose(visit("evaluate"), "run_prompts_nda", 2, 1)
    assert f"{2 * VALIDATION} questions: {2 * VALIDATION} calls" in prose(at)
    assert at.button("start_run").label == "Start 2 runs"
    press(at, "start_run")
    assert [(job["prompt"], job["student"], job["split"]) for job in ordered(two)] == [
        (2, STUDENT, "validation"),
        (1, STUDENT, "validation"),
    ]
    assert ollama.asked == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("run_prompts_nda", [2, 1]), ("run_splits", [Split.VALIDATION, Split.TRAIN])],
    ids=["a version more", "a split more"],
)
def test_what_comes_with_the_press_is_priced_before_it_is_ordered(
    two: App, visit: Visit, ollama: FakeOllama, field: str, value: list[object]
) -> None:
    at = visit("evaluate")
    at.multiselect(field).set_value(value)
    press_at_once(at, "start_run")
    assert ordered(two) == []
    assert at.button("start_run").label == "Start 2 runs"
    press(at, "start_run")
    assert len(ordered(two)) == 2


def test_a_cell_is_evaluated_on_the_split_that_the_table_shows(two: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("evaluate")
    at.segmented_control("grid_split").set_value(Split.TRAIN)
    press_at_once(at, f"cell_1_{STUDENT}")
    press(at, f"cell_1_{STUDENT}")
    assert [job["split"] for job in ordered(two)] == ["train"]


def test_further_students_that_are_ready_can_be_chosen(
    two: App, visit: Visit, ollama: FakeOllama, embedded_student: None
) -> None:
    at = choose(visit("evaluate"), "run_students", "embedded")
    press(at, "start_run")
    assert [job["student"] for job in ordered(two)] == [STUDENT, "embedded"]


def test_a_missing_cell_is_started_with_one_click_and_shows_its_figures_when_done(
    two: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = visit("evaluate")
    assert cell(at, 1)
    assert cell(at, 2)
    assert "Version 2, baseline without rules" in prose(at)
    at = press(at, f"cell_2_{STUDENT}")
    assert "ordered, not ended yet" in prose(at)
    assert not cell(at, 2)
    worker()
    run(at)
    assert "48% right (33 to 65%), 16 of 33; macro F1 0.218" in prose(at)
    assert cell(at, 1)


def test_a_stopped_cell_says_how_far_it_is(two: App, visit: Visit, ollama: FakeOllama, worker: Worker) -> None:
    ollama.before = lambda number: two.store.jobs.request_cancel(1, two.actor) if number == 5 else None
    at = press(visit("evaluate"), f"cell_1_{STUDENT}")
    worker()
    run(at)
    assert f"not complete: 5 of {VALIDATION} answered" in prose(at)
    assert cell(at, 1)


def test_a_student_that_is_not_ready_cannot_be_started(two: App, visit: Visit, ollama: FakeOllama) -> None:
    assert not cell(visit("evaluate"), 1, "embedded")


def test_what_is_known_already_costs_nothing(two: App, visit: Visit, ollama: FakeOllama, worker: Worker) -> None:
    at = choose(visit("evaluate"), "run_prompts_nda", 1)
    press(at, "start_run")
    worker()
    run(at)
    assert f"{VALIDATION} questions, {VALIDATION} answered before: 0 calls." in prose(at)
    press(at, "start_run")
    assert worker().message == f"Run 2 is complete. {VALIDATION} of {VALIDATION} answers were known already."
    assert len(ollama.asked) == VALIDATION


# --- the locked split -------------------------------------------------------------------------------------------------


def test_a_look_at_test_needs_a_reason_and_is_listed(
    two: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = choose(visit("evaluate"), "run_prompts_nda", 1)
    at = choose(at, "run_splits", Split.TEST)
    (warning,) = raw(at, "warning")
    assert warning.startswith("Nobody has looked at the test split yet.")
    at = press(at, "start_run")
    assert "A look at the test split needs a reason" in prose(at)
    assert ordered(two) == []
    at.text_input("look_reason_form_nda").input("before the release")
    at = press(run(at), "start_run")
    assert [job["reason"] for job in ordered(two)] == ["before the release"]
    worker()
    run(at)
    assert raw(at, "warning")[0].startswith("The test split was looked at once so far.")
    # Once, although the order of the next one and the figures of the run both speak of it.
    at.segmented_control("grid_split").set_value(Split.TEST)
    (looks,) = [table.value for table in run(at).dataframe if "why" in table.value]
    assert looks[["who", "prompt", "why"]].values.tolist() == [["anna", 1, "before the release"]]
    assert at.text_input("look_reason_form_nda").value == "", "the next look needs a reason of its own"


def test_a_cell_of_the_test_split_asks_for_the_reason_too(two: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("evaluate")
    at.segmented_control("grid_split").set_value(Split.TEST)
    at = press(run(at), f"cell_1_{STUDENT}")
    assert "A look at the test split needs a reason" in prose(at)
    at.text_input("look_reason_grid_nda").input("before the release")
    press(run(at), f"cell_1_{STUDENT}")
    assert [(job["split"], job["reason"]) for job in ordered(two)] == [("test", "before the release")]


def test_it_says_that_choices_are_made_on_validation(two: App, visit: Visit, ollama: FakeOllama) -> None:
    assert "Choose between prompts by the validation split." in prose(visit("evaluate"))


# --- repeats ----------------------------------------------------------------------------------------------------------


def test_repeats_at_a_temperature_are_runs_of_one_group_and_kept_apart(
    two: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = choose(visit("evaluate"), "run_prompts_nda", 1)
    at.radio("run_repeats").set_value("at a temperature")
    at = run(at)
    at.number_input("run_repeat_number").set_value(2)
    at = press(run(at), "start_run")
    jobs = ordered(two)
    assert [(job["temperature"], job.get("seed", 0)) for job in jobs] == [(0.7, 0), (0.7, 1)]
    assert len({job["group"] for job in jobs}) == 1
    worker()
    worker()
    run(at)
    assert "No run yet." in prose(at), "they say nothing of the version"
    assert cell(at, 1)
    (repeats,) = [table.value for table in at.dataframe if "seed" in table.value]
    assert repeats[["seed", "right"]].values.tolist() == [[0, 16], [1, 16]]
    assert f"2 runs of version 1 with {STUDENT} on validation, temperature 0.7" in prose(at)
    assert "0 of 33 (0%, 95 % interval 0 to 10%) examples changed their answer in 2 repeats." in prose(at)


def test_rules_that_have_no_other_order_cannot_be_shuffled(two: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("evaluate")
    at.radio("run_repeats").set_value("with the rules in other orders")
    at = run(at)
    assert "fewer than two rules" in prose(at)
    assert at.button("start_run").disabled


def test_shuffled_rules_run_with_their_own_prompt(two: App, visit: Visit, ollama: FakeOllama, worker: Worker) -> None:
    two.store.rules.judge(verdict_on(two.store, "R2"), two.actor)
    wiring.compile_task(two, "nda")
    at = visit("evaluate")
    at.radio("run_repeats").set_value("with the rules in other orders")
    press(run(at), "start_run")
    worker()
    (trial,) = two.store.runs.trials("nda")
    prompt = two.store.runs.trial_prompt(trial.id)
    assert prompt is not None
    assert prompt.sha256 == trial.prompt_sha256
    assert {rule.rule_id for rule in prompt.rules} == {"R1", "R2"}


def test_the_matrix_has_a_row_for_each_baseline_or_says_how_it_is_made(two: App, visit: Visit) -> None:
    said = prose(visit("evaluate"))
    assert "Baseline: nearest neighbour" in said
    assert "Baseline: most frequent label" in said
    assert "The baseline “5-shot” is missing" in said
    assert "pld compile --task nda --baseline five-shot" in said
