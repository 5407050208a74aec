"""A live test under way: it streams, it can be stopped, and what was stopped is recorded and is no label."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app import wiring
from pld_app.live_prompts import prompt_called
from pld_app.live_testing import STOPPED, LiveQuestion, begin_live_test, live_test
from pld_app.stopping import Stop
from pld_app.wiring import App
from pld_core.errors import BackendError, InvalidInput, MissingRole
from pld_core.models import Actor, AnswerStatus
from pld_core.records import Page
from tests.cli.fake_ollama import DIGEST, STUDENT, FakeOllama, fake_ollama, use_student
from tests.factories import verdict_on

VALUES = {"clause": "Copies go back.", "hypothesis": "Copies stay."}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        server.label = "Entailment"
        yield server


@pytest.fixture
def app(no_settings_from_outside: None, demo_copy: Path, ollama: FakeOllama) -> App:
    """The demo with rule R1 approved, prompt version 1, and the fake Ollama as student."""
    use_student(demo_copy, ollama.url)
    opened = wiring.open_app(demo_copy)
    opened.store.rules.judge(verdict_on(opened.store, "R1"), opened.actor)
    wiring.compile_task(opened, "nda")
    return opened


@pytest.fixture
def question(app: App) -> LiveQuestion:
    return LiveQuestion(prompt_called(app, "nda", ""), STUDENT, VALUES)


def nothing(text: str) -> None:
    """Look at no text."""


def newest_event(app: App) -> dict[str, object]:
    (event,) = app.store.events.page(page=Page(0, 1))
    assert event.kind == "student.asked"
    return dict(event.payload)


def test_a_question_is_recorded_with_prompt_digest_and_options(app: App, question: LiveQuestion) -> None:
    warm = replace(question, temperature=0.7, seed=3)
    found = live_test(app, app.store.tasks.get("nda"), warm, nothing)
    assert (found.answer.label, found.number) == ("Entailment", 1)
    assert found.sent["digest"] == f"sha256:{DIGEST}"
    assert (found.sent["temperature"], found.sent["seed"]) == (0.7, 3)
    body = found.sent["body"]
    assert isinstance(body, dict)
    options = body["options"]
    assert isinstance(options, dict)
    assert (options["temperature"], options["seed"]) == (0.7, 3)
    assert found.sent["prompt"] == question.prompt.as_json()
    assert found.sent["system"] == question.prompt.prompt.text


def test_a_student_that_breaks_on_the_way_still_has_its_digest_recorded(
    app: App, question: LiveQuestion, ollama: FakeOllama
) -> None:
    ollama.counted = 1
    found = live_test(app, app.store.tasks.get("nda"), question, nothing)
    assert found.answer.status is AnswerStatus.UNVERIFIED
    assert found.sent["digest"] == f"sha256:{DIGEST}"


def test_closing_stops_the_server_and_records_what_came(app: App, question: LiveQuestion, ollama: FakeOllama) -> None:
    ollama.holds = True
    with closing(begin_live_test(app, app.store.tasks.get("nda"), question)) as running:
        assert next(text for text in running.texts() if text) == '{"la'
        assert not ollama.hung_up.is_set()
    assert ollama.hung_up.wait(30)
    found = running.outcome
    assert found is not None
    assert (found.answer.label, found.answer.status, found.answer.raw) == (None, AnswerStatus.STOPPED, '{"la')
    assert (found.answer.problem, found.reply) == (STOPPED, None)
    event = newest_event(app)
    assert (event["status"], event["label"]) == ("stopped", "")


def test_a_reader_gets_a_turn_while_nothing_comes(app: App, question: LiveQuestion, ollama: FakeOllama) -> None:
    go_on = threading.Event()
    ollama.before = lambda _: None if go_on.wait(30) else pytest.fail("nobody let it go on")
    with closing(begin_live_test(app, app.store.tasks.get("nda"), question)) as running:
        texts = running.texts()
        assert (next(texts), next(texts)) == ("", "")
        go_on.set()
        assert list(texts)[-1] == '{"label": "Entailment"}'
    assert running.outcome is not None
    assert running.outcome.answer.label == "Entailment"


def test_closing_after_the_end_changes_nothing(app: App, question: LiveQuestion) -> None:
    with closing(begin_live_test(app, app.store.tasks.get("nda"), question)) as running:
        assert list(running.texts())
    assert running.outcome is not None
    assert running.outcome.answer.status is AnswerStatus.OK


def test_what_is_stopped_before_it_begins_asks_nothing(app: App, question: LiveQuestion, ollama: FakeOllama) -> None:
    stop = Stop()
    stop()
    found = live_test(app, app.store.tasks.get("nda"), question, nothing, stop)
    assert (found.answer.status, ollama.asked) == (AnswerStatus.STOPPED, [])


def test_errors_reach_the_reader(app: App, question: LiveQuestion, ollama: FakeOllama) -> None:
    ollama.models = []
    missing = begin_live_test(app, app.store.tasks.get("nda"), question)
    with closing(missing), pytest.raises(BackendError, match="ollama pull fake"):
        list(missing.texts())
    assert missing.outcome is None
    blank = begin_live_test(app, app.store.tasks.get("nda"), replace(question, values={"clause": " "}))
    with closing(blank), pytest.raises(InvalidInput, match="nothing to ask about"):
        list(blank.texts())


def test_who_may_not_ask_starts_nothing(app: App, question: LiveQuestion) -> None:
    nobody = replace(app, actor=Actor("nora", frozenset()))
    with pytest.raises(MissingRole):
        begin_live_test(nobody, app.store.tasks.get("nda"), question)
