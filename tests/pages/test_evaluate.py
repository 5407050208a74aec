"""Evaluate: a run is ordered, the worker does it, and its figures are shown with their interval and their baseline."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pld_app import wiring
from pld_app.wiring import App
from pld_core.metrics import cells_of, figures
from pld_core.models import Example, Job, JobState, Split
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import ANNA, approved_rule, fill, make_example, make_examples
from tests.pages.driving import NASTY, Visit, Worker, links, metrics, press, prose, raw, run

VALIDATION = 33
ENTAILMENTS = 16
REPEATS = "Repeats: how stable are the answers?"


def evaluated(at: AppTest, worker: Worker) -> Job:
    """Order a run and let the worker do it."""
    press(at, "start_run")
    job = worker()
    run(at)
    return job


def table(at: AppTest) -> dict[str, tuple[int, int, int]]:
    """Return label -> (examples, right, how often the student said it)."""
    frame = at.dataframe[0].value
    rows = zip(frame["label"], frame["examples"], frame["right"], frame["student said it"], strict=True)
    return {str(label): (int(gold), int(right), int(said)) for label, gold, right, said in rows}


def small(app: App, *examples: Example) -> None:
    """A task with these examples beside four for training, one approved rule, and prompt version 1."""
    fill(app.store, examples=(*make_examples(4), *examples))
    approved_rule(app.store)
    wiring.compile_task(app, "posts")


def test_without_a_prompt_version_the_way_to_one_is_shown(demo: App, visit: Visit) -> None:
    at = visit("evaluate")
    assert raw(at, "info") == ["There is no prompt version to evaluate yet. Approve a rule, then compile."]
    assert links(at) == ["Go to Prompt"]
    assert not at.button


def test_before_the_first_run_the_page_says_what_it_will_cost(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("evaluate")
    assert f"{VALIDATION} questions: {VALIDATION} calls; how long that takes is known after" in prose(at)
    assert raw(at, "info") == ["No run yet. Start one under “New evaluation”: its figures appear here."]
    assert "No job yet." in prose(at)
    assert not at.button("start_run").disabled
    assert ollama.asked == []


def test_start_orders_a_job_and_asks_nothing_itself(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = press(visit("evaluate"), "start_run")
    (job,) = compiled.store.jobs.recent("nda")
    assert (job.kind, job.state, job.created_by) == ("evaluate", JobState.QUEUED, "anna")
    assert job.params == {"prompt": 1, "student": STUDENT, "split": "validation"}
    assert "Waiting for the worker." in prose(at)
    assert ollama.asked == []


def test_the_figures_of_a_run_are_those_of_its_answers(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = visit("evaluate")
    assert evaluated(at, worker).state is JobState.DONE
    assert len(ollama.asked) == VALIDATION
    found = figures(compiled.store.tasks.get("nda").label_names, cells_of(compiled.store.runs.predictions(1)))
    assert metrics(at) == {
        "Accuracy": "48%",
        "Macro F1": "0.218",
        "Answers without a label": "0",
        "Answered": f"{VALIDATION} of {VALIDATION}",
    }
    assert found.accuracy.words in prose(at)
    assert "95 % interval" in found.accuracy.words
    assert "Run 1 is complete." in prose(at)
    assert "\ncomplete" in prose(at)
    assert table(at)["Entailment"] == (ENTAILMENTS, ENTAILMENTS, VALIDATION)
    assert table(at)["Contradiction"][1:] == (0, 0)
    assert "This is not better than always giving the most frequent label (16 of 33" in prose(at)


def test_wrong_answers_are_listed_with_their_example(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = visit("evaluate")
    evaluated(at, worker)
    wrong = [p for p in compiled.store.runs.predictions(1) if p.answer.label != p.gold]
    assert len(wrong) == VALIDATION - ENTAILMENTS
    assert f"1 to 10 of {len(wrong)} wrong answers" in prose(at)
    assert prose(at).count("the student said **Entailment**") == 10
    shown = [text.value for text in at.text]
    first = min(wrong, key=lambda p: (p.gold, p.example_hash))
    assert shown[:2] == [value for _, value in compiled.store.tasks.example("nda", first.example_hash).fields]


def test_a_run_without_a_mistake_lists_none_and_warns_of_nothing(
    empty: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    posts = [make_example(f"kept {i}", "keep", Split.VALIDATION) for i in range(12)]
    posts += [make_example(f"gone {i}", "remove", Split.VALIDATION) for i in range(8)]
    small(empty, *posts)
    gold = {f"POST:\n{post.text}": post.label for post in posts}

    def answer_right(number: int) -> None:
        ollama.label = gold[ollama.asked[-1]]

    ollama.before = answer_right
    at = visit("evaluate")
    evaluated(at, worker)
    assert metrics(at)["Accuracy"] == "100%"
    assert metrics(at)["Macro F1"] == "1.000"
    assert "No wrong answer." in prose(at)
    assert "20 of 20 (100%, 95 % interval 84 to 100%)" in prose(at)
    assert not at.warning
    assert [expander.label for expander in at.expander] == ["New evaluation", REPEATS]


def test_malformed_answers_count_as_wrong_and_are_counted_apart(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    ollama.label = NASTY
    at = visit("evaluate")
    evaluated(at, worker)
    assert metrics(at)["Accuracy"] == "0%"
    assert metrics(at)["Answers without a label"] == str(VALIDATION)
    assert f"{VALIDATION} malformed" in prose(at)
    assert prose(at).count("the student said **no label (malformed)**") == 10
    assert f"1 to 10 of {VALIDATION} wrong answers" in prose(at)
    assert "No answer holds a label that is declared." in prose(at)
    shown = {text for text in raw(at, "code") if not text.startswith("pld report ")}
    assert shown == {f'{{"label": "{NASTY}"}}'}
    assert not [text for text in raw(at, "markdown", "caption") if "evil" in text]


def test_below_ten_answers_no_rate_is_shown(empty: App, visit: Visit, ollama: FakeOllama, worker: Worker) -> None:
    small(empty, *make_examples(6, Split.VALIDATION))
    ollama.label = "keep"
    at = visit("evaluate")
    evaluated(at, worker)
    assert metrics(at)["Accuracy"] == metrics(at)["Macro F1"] == "–"
    assert "3 of 6 (too few for a rate)" in prose(at)
    assert "Too few examples to tell from: " in prose(at)
    frame = at.dataframe[0].value
    assert list(frame["recall"]) == ["3 of 3", "0 of 3"]
    assert list(frame["F1"]) == ["–", "–"]


def test_a_task_without_validation_examples_cannot_start(empty: App, visit: Visit, ollama: FakeOllama) -> None:
    small(empty)
    at = visit("evaluate")
    assert "There is no example in this split." in prose(at)
    assert at.button("start_run").disabled


def test_a_cancelled_run_shows_its_figures_so_far_and_goes_on(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    def cancel(number: int) -> None:
        if number == 12:
            compiled.store.jobs.request_cancel(1, ANNA)

    ollama.before = cancel
    at = visit("evaluate")
    assert evaluated(at, worker).state is JobState.CANCELLED
    assert metrics(at)["Answered"] == f"12 of {VALIDATION}"
    assert "not complete: figures so far" in prose(at)
    press(at, "job_button_1_cancelled")
    assert worker().state is JobState.DONE
    run(at)
    assert metrics(at)["Answered"] == f"{VALIDATION} of {VALIDATION}"
    assert len(ollama.asked) == VALIDATION, "no answer is paid for twice"


def test_runs_are_listed_newest_first_and_can_be_compared(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = visit("evaluate")
    evaluated(at, worker)
    ollama.label = "Contradiction"
    evaluated(at, worker)
    box = at.selectbox("run_nda")
    assert [option.split(" · ")[:3] for option in box.options] == [
        ["Run 2", "prompt 1", STUDENT],
        ["Run 1", "prompt 1", STUDENT],
    ]
    box.select(1)
    run(at)
    assert table(at)["Entailment"] == (ENTAILMENTS, ENTAILMENTS, VALIDATION)


def test_with_ollama_down_nothing_can_be_started_and_the_command_is_shown(compiled: App, visit: Visit) -> None:
    at = visit("evaluate")
    assert at.button("start_run").disabled
    assert "No Ollama server answers at" in prose(at)
    assert "ollama serve" in raw(at, "code")


def test_with_ollama_down_the_embedded_student_is_taken(compiled: App, visit: Visit, embedded_student: None) -> None:
    at = visit("evaluate")
    assert at.selectbox("run_student").value == "embedded"
    press(at, "start_run")
    (job,) = compiled.store.jobs.recent("nda")
    assert job.params["student"] == "embedded"
