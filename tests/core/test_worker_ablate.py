"""The jobs that put a run down to rules and that leave rules out: killed, resumed, and no question is asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app import ablations, wiring
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.ablating import AblationOrder
from pld_core.ablation import Scope
from pld_core.asking import Evaluation
from pld_core.attribution import Method
from pld_core.models import Job, JobState, Split
from storage import create_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, fake_ollama, use_student
from tests.cli.worker_scenes import kill_worker_at, run_queued, run_taken_over
from tests.factories import ANNA, BERT, approved_rule, fill, make_examples, make_rule, make_text, no_report, url_of

EXAMPLES = 6
QUESTIONS = 2 * EXAMPLES


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        server.label = "keep"
        yield server


@pytest.fixture
def app(tmp_path: Path, ollama: FakeOllama) -> App:
    """A workspace with run 1, complete, of a prompt with two rules over six validation examples."""
    space = tmp_path / "space"
    use_student(space, ollama.url)
    store = create_store(url_of(space / "pld.db"))
    fill(store, examples=(*make_examples(4), *make_examples(EXAMPLES, Split.VALIDATION)))
    train = store.tasks.examples("posts")[:4]
    approved_rule(store, make_rule(make_text(), train[:2]))
    approved_rule(store, make_rule(make_text("the post is rude", "remove"), train[2:], origin="other"))
    app = App(load_settings(space, {}), store, ANNA)
    version = wiring.compile_task(app, "posts")
    run = wiring.start_run(app, STUDENT, Evaluation("posts", version.number, Split.VALIDATION))
    wiring.answer_run(app, run, no_report)
    ollama.asked.clear()
    return app


def order(app: App, max_calls: int | None = None) -> Job:
    wanted = AblationOrder(1, scope=Scope.ALL, max_calls=max_calls)
    return app.store.jobs.enqueue("ablate", "posts", ablations.order_json(wanted), BERT)


def test_an_order_is_the_same_after_it_was_written_down() -> None:
    wanted = AblationOrder(3, ("R1", "R2"), Scope.ALL, 7)
    assert ablations.order_from_json(ablations.order_json(wanted)) == wanted


def test_a_run_is_put_down_to_rules_in_the_name_of_who_ordered_it(app: App) -> None:
    first = app.store.attributions.made(1)
    app.store.jobs.enqueue("attribute", "posts", {"run": 1}, BERT)
    ended = run_queued(app)
    assert (ended.state, ended.message[:39]) == (JobState.DONE, "The answers of run 1 are put down to ru")
    assert app.store.attributions.made(1) == first
    assert [(one.method, one.by) for one in first] == [(Method.EVIDENCE, ANNA.name)]


def test_the_job_leaves_rules_out_in_the_name_of_who_ordered_it(app: App, ollama: FakeOllama) -> None:
    order(app)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, 2, 2)
    assert ended.message == "2 rules left out, one at a time, with 12 questions."
    assert {stored.by for stored in app.store.ablations.of_run(1)} == {BERT.name}
    assert len(ollama.asked) == QUESTIONS


def test_at_its_limit_the_job_ends_well_and_another_goes_on(app: App, ollama: FakeOllama) -> None:
    order(app, max_calls=8)
    assert "1 are left" in run_queued(app).message
    order(app)
    assert run_queued(app).message == "2 rules left out, one at a time, with 4 questions."
    assert len(ollama.asked) == QUESTIONS


def test_a_cancelled_job_goes_on_where_it_was(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)

    ollama.before = lambda number: app.store.jobs.request_cancel(ordered.id, ANNA) if number == 5 else None
    assert run_queued(app).state is JobState.CANCELLED
    assert app.store.ablations.of_run(1) == ()
    app.store.jobs.resume(ordered.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert len(ollama.asked) == QUESTIONS
    assert len(app.store.ablations.of_run(1)) == 2


def test_a_killed_worker_is_relieved_and_only_the_open_question_is_asked_twice(app: App, ollama: FakeOllama) -> None:
    ordered = order(app)
    kill_worker_at(app, ollama, 8)
    dead = app.store.jobs.get(ordered.id)
    assert dead.state is JobState.RUNNING
    ended = run_taken_over(app, ordered.id)
    assert (ended.id, ended.state, ended.attempts) == (ordered.id, JobState.DONE, 2)
    assert len(ollama.asked) == QUESTIONS + 1
    kinds = [event.kind for event in app.store.events.page()]
    assert kinds.count("run.ablated") == 2
    assert app.store.events.verify().intact
