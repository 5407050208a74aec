"""A run on the Evaluate page: baselines and the way to them, cells, parts, another run, the curve, what it cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import wiring
from pld_app.components.run_view import VIEWS
from pld_app.wiring import App
from pld_core.analytics import INVALID
from pld_core.compilation import Choices
from pld_core.models import Example, Job, JobState, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.records import Dataset, ImportRow, NewDataset
from tests.answering import answered_run
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import approved_rule, fill, make_example, make_examples, make_task
from tests.pages.driving import NASTY, Visit, Worker, press, press_at_once, prose, raw, run, unescaped

CONFUSION, CHANGE, PARTS, CURVE, COSTS = VIEWS
KEPT, GONE = 12, 8


def posts() -> tuple[Example, ...]:
    kept = [make_example(f"kept {i}", "keep", Split.VALIDATION) for i in range(KEPT)]
    return (*kept, *(make_example(f"gone {i}", "remove", Split.VALIDATION) for i in range(GONE)))


@pytest.fixture
def space(empty: App, ollama: FakeOllama) -> App:
    """20 validation examples, version 1 with a rule, version 2 without; the student says `keep` to everything."""
    fill(empty.store, examples=(*make_examples(6), *posts()))
    approved_rule(empty.store)
    wiring.compile_task(empty, "posts")
    wiring.compile_task(empty, "posts", Choices(kind=PromptKind.NO_RULES))
    ollama.label = "keep"
    return empty


def evaluate(at: AppTest, worker: Worker, version: int) -> Job:
    at.multiselect("run_prompts_posts").set_value([version])
    run(at)
    press(at, "start_run")
    done = worker()
    run(at)
    return done


def look_at(at: AppTest, view: str) -> AppTest:
    at.segmented_control("run_view").set_value(view)
    return run(at)


def frame(at: AppTest, place: int) -> dict[str, list[object]]:
    return {str(name): list(column) for name, column in at.dataframe[place].value.items()}


def test_the_baselines_stand_beside_the_rules_and_a_missing_one_is_started_with_one_click(
    space: App, visit: Visit, worker: Worker, ollama: FakeOllama
) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 1)
    labels = frame(at, 0)
    assert (labels["label"], labels["precision"][1]) == (["keep", "remove"], "never said")
    beside = frame(at, 1)
    assert beside["answered by"] == [
        *("the rules", "nearest neighbour", "vote of the 5 nearest neighbours", "most frequent label"),
    ]
    assert "Not answered yet" in prose(at)
    assert at.button("baseline_NO_RULES").label == "Evaluate “no rules”"
    assert at.button("baseline_FIVE_SHOT").label == "Compile and evaluate “5-shot”"
    press(at, "baseline_NO_RULES")
    press(at, "baseline_FIVE_SHOT")
    assert [worker().state for _ in range(2)] == [JobState.DONE] * 2
    made = space.store.prompts.get("posts", 3)
    assert made.prompt.build.kind is PromptKind.FEW_SHOT
    at.selectbox("run_posts").select(1)
    run(at)
    assert frame(at, 1)["answered by"][1:3] == ["no rules", "5-shot"]
    assert "Not answered yet" not in prose(at)
    assert "No difference shown to: no rules, 5-shot" in prose(at)


def test_it_is_said_when_a_baseline_beats_the_rules(
    space: App, visit: Visit, worker: Worker, ollama: FakeOllama
) -> None:
    gold = {f"POST:\n{post.text}": post.label for post in posts()}

    def answer_right(number: int) -> None:
        ollama.label = gold[ollama.asked[-1]]

    at = visit("evaluate")
    evaluate(at, worker, 1)
    ollama.before = answer_right
    evaluate(at, worker, 2)
    at.selectbox("run_posts").select(1)
    run(at)
    assert [text for text in raw(at, "warning") if unescaped(text).startswith("Better than the rules: no rules")]


def test_answers_to_a_baseline_stand_beside_the_run_before_the_baseline_has_ended(
    space: App, visit: Visit, worker: Worker
) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 1)
    own = space.store.runs.get(1)
    bare = space.store.prompts.get("posts", 2)
    begun = replace(own, prompt_number=2, prompt_sha256=bare.prompt.sha256, total=own.total + 1, job_id=None)
    begun = space.store.runs.start(begun, space.actor)
    at.selectbox("run_posts").select(1)
    run(at)
    assert "no rules" not in frame(at, 1)["answered by"]
    # As a command does that is stopped: answers are kept, and no event tells of them.
    events = space.store.events.count()
    space.store.runs.add_predictions(begun.id, space.store.runs.predictions(1))
    assert space.store.events.count() == events
    run(at)
    assert frame(at, 1)["answered by"][1] == "no rules"
    assert "baseline_NO_RULES" not in {button.key for button in at.button}


def test_a_run_of_a_baseline_gets_no_verdict(space: App, visit: Visit, worker: Worker) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 2)
    assert "This is not better than always giving the most frequent label" in prose(at)
    assert "the rules do not" not in prose(at), "it has none"
    assert "This run is of a baseline itself" in prose(at)
    assert frame(at, 1)["answered by"][0] == "this prompt"


def test_the_run_that_is_chosen_with_the_press_is_shown_before_another_is_started_beside_it(
    space: App, visit: Visit, worker: Worker
) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 2)
    evaluate(at, worker, 1)
    at.selectbox("run_posts").select(2)
    press_at_once(at, "baseline_FIVE_SHOT")
    assert all(job.state.is_final for job in space.store.jobs.recent("posts"))


def test_another_version_than_was_shown_is_not_started(space: App, visit: Visit, worker: Worker) -> None:
    wiring.compile_task(space, "posts", Choices(kind=PromptKind.FEW_SHOT))
    at = visit("evaluate")
    evaluate(at, worker, 2)
    look_at(at, CHANGE)
    at.selectbox("other_version").select(1)
    press_at_once(at, "other_start")
    press(at, "other_start")
    (job,) = [job for job in space.store.jobs.recent("posts") if not job.state.is_final]
    assert job.params["prompt"] == 1


def test_the_list_of_wrong_answers_shows_the_cell_that_is_chosen(space: App, visit: Visit, worker: Worker) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 1)
    assert f"1 to {GONE} of {GONE} wrong answers" in prose(at)
    at.selectbox("cell_said_1").select("remove")
    run(at)
    assert "No wrong answer of this kind." in prose(at)
    at.selectbox("cell_gold_1").select("remove")
    at.selectbox("cell_said_1").select("keep")
    run(at)
    assert prose(at).count("Gold **remove**, the student said **keep**") == GONE


def test_answers_without_a_label_have_a_cell_and_their_list_has_pages(
    space: App, visit: Visit, worker: Worker, ollama: FakeOllama
) -> None:
    ollama.label = "shrug"
    at = visit("evaluate")
    evaluate(at, worker, 1)
    at.selectbox("cell_gold_1").select("keep")
    at.selectbox("cell_said_1").select(INVALID)
    run(at)
    assert f"1 to 10 of {KEPT} wrong answers" in prose(at)
    press(at, f"wrong_from_1_keep_{INVALID}_more")
    assert f"11 to {KEPT} of {KEPT} wrong answers" in prose(at)


def test_a_run_is_held_against_another_one(space: App, visit: Visit, worker: Worker, ollama: FakeOllama) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 2)
    look_at(at, CHANGE)
    assert "No other run over validation is complete" in prose(at)
    ollama.label = "remove"
    assert at.selectbox("other_version").options == ["Version 1, 1 rule"]
    press(at, "other_start")
    assert "The run is ordered" in prose(at)
    assert worker().state is JobState.DONE
    run(at)
    at.selectbox("run_posts").select(2)
    run(at)
    assert at.selectbox("before_2").value == 1
    assert f"fixed {GONE}, broken {KEPT} of 20 examples" in prose(at)
    assert f"1 to {GONE} of {GONE} examples" in prose(at)
    assert "Run 1, version 2: :material/close: **keep**" in prose(at)
    at.selectbox("change_outcome").select("broken")
    run(at)
    assert f"1 to 10 of {KEPT} examples" in prose(at)
    at.selectbox("change_label").select("remove")
    run(at)
    assert "No such example." in prose(at)


def test_without_another_version_one_without_rules_is_compiled_to_compare_with(
    empty: App, visit: Visit, worker: Worker, ollama: FakeOllama
) -> None:
    fill(empty.store, examples=(*make_examples(6), *posts()))
    approved_rule(empty.store)
    wiring.compile_task(empty, "posts")
    at = visit("evaluate")
    evaluate(at, worker, 1)
    look_at(at, CHANGE)
    press(at, "other_NO_RULES")
    assert worker().state is JobState.DONE
    run(at)
    at.selectbox("run_posts").select(1)
    run(at)
    assert at.selectbox("before_1").value == 2


def test_the_other_version_over_test_takes_a_reason_and_is_a_look(
    space: App, visit: Visit, worker: Worker, ollama: FakeOllama
) -> None:
    space.store.data.resplit("posts", {post.hash: Split.TEST for post in posts()}, 0, space.actor)
    answered_run(space.store, space.store.prompts.get("posts", 1).prompt, posts(), {}, Split.TEST, STUDENT)
    at = visit("evaluate")
    look_at(at, CHANGE)
    assert "No other run over test is complete" in prose(at)
    press(at, "other_start")
    assert "A look at the test split needs a reason" in prose(at)
    assert [job for job in space.store.jobs.recent("posts") if job.kind == "evaluate"] == []
    at.text_input("look_reason_other_posts").input("is version 2 better")
    press(run(at), "other_start")
    assert "The run is ordered" in prose(at)
    assert at.text_input("look_reason_other_posts").value == "", "the next look needs a reason of its own"
    assert worker().state is JobState.DONE
    assert [(look.prompt_number, look.setup.reason) for look in space.store.runs.looks("posts")] == [
        (2, "is version 2 better"),
        (1, "as the test needs it"),
    ]
    assert "The test split was looked at 2 times so far." in prose(run(at))


def test_parts_of_a_run(space: App, visit: Visit, worker: Worker) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 1)
    look_at(at, PARTS)
    for by in ("length", "field post"):
        at.selectbox("slice_by").select(by)
        run(at)
        assert "There is nothing to cut by." not in prose(at)
    at.selectbox("slice_by").select("group")
    run(at)
    assert "There is nothing to cut by." in prose(at)


def test_parts_by_kept_column_and_by_data_set(space: App, visit: Visit, worker: Worker) -> None:
    about = NewDataset("courts.csv", "sha256:courts", "row", "csv 1", {"keep": ["court"]}, {})
    rows = [ImportRow(n, e, ("first" if n < KEPT else NASTY,)) for n, e in enumerate(posts()[:-1])]
    space.store.data.add(make_task(), about, rows, space.actor)
    at = visit("evaluate")
    evaluate(at, worker, 1)
    look_at(at, PARTS)
    assert "column court" in at.selectbox("slice_by").options
    at.selectbox("slice_by").select("column court")
    run(at)
    chart = str(at.get("plotly_chart")[-1].proto)
    assert "Accuracy by column court" in chart
    assert "12 of 12" in chart
    assert "not given" in chart
    at.selectbox("slice_by").select("data set")
    run(at)
    # All of them came with the first data set.
    assert "There is nothing to cut by." in prose(at)


def test_parts_are_cut_anew_when_a_data_set_comes_or_goes(space: App, visit: Visit, worker: Worker) -> None:
    def keep(court: str) -> Dataset:
        about = NewDataset(f"{court}.csv", f"sha256:{court}", "row", "csv 1", {"keep": ["court"]}, {})
        rows = [ImportRow(n, e, (court,)) for n, e in enumerate(posts()[:-1])]
        return space.store.data.add(make_task(), about, rows, space.actor)[0]

    keep("earlier")
    at = visit("evaluate")
    evaluate(at, worker, 1)
    look_at(at, PARTS)
    at.selectbox("slice_by").select("column court")
    assert "earlier" in str(run(at).get("plotly_chart")[-1].proto)
    later = keep("later")
    found = str(run(at).get("plotly_chart")[-1].proto)
    assert ("later" in found, "earlier" in found) == (True, False)
    space.store.data.archive(later.id, "the wrong file", space.actor)
    found = str(run(at).get("plotly_chart")[-1].proto)
    assert ("later" in found, "earlier" in found) == (False, True)


def test_the_curve_begins_with_the_second_version(space: App, visit: Visit, worker: Worker) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 2)
    look_at(at, CURVE)
    assert "No version with rules has a complete run" in prose(at)
    assert "Start one under “New evaluation” at the top of this page" in prose(at)
    assert "New evaluation" in [folded.label for folded in at.expander]
    evaluate(at, worker, 1)
    assert "One version so far." in prose(at)


def test_time_and_tokens(space: App, visit: Visit, worker: Worker) -> None:
    at = visit("evaluate")
    evaluate(at, worker, 1)
    look_at(at, COSTS)
    assert {"Time", "Tokens read", "Tokens written"} <= set(raw(at, "subheader"))


def test_what_needs_a_complete_run_says_so(space: App, visit: Visit, worker: Worker, ollama: FakeOllama) -> None:
    def cancel(number: int) -> None:
        if number == 5:
            space.store.jobs.request_cancel(1, space.actor)

    ollama.before = cancel
    at = visit("evaluate")
    assert evaluate(at, worker, 1).state is JobState.CANCELLED
    assert "not complete: figures so far" in prose(at)
    assert "not better than always giving" not in prose(at), "half of the answers may be of one label only"
    look_at(at, CHANGE)
    assert "A run is compared once it is complete." in prose(at)
    look_at(at, COSTS)
    assert "Time and tokens are counted once the run is complete." in prose(at)
