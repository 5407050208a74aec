"""Live test, many at once: what was read is shown first, the worker asks, and the table is there to take away."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import JobState
from tests.cli.fake_ollama import FakeOllama
from tests.pages.driving import NASTY, Visit, Worker, metrics, press, press_at_once, prose, raw, run

HEAD = "hypothesis\tclause\n"


def many(visit: Visit, text: str = "") -> AppTest:
    at = visit("live_test")
    at.segmented_control("ask_how").set_value("Many at once")
    run(at)
    if text:
        at.text_area("batch_text_nda").set_value(text)
        run(at)
    return at


def test_before_anything_is_given_nothing_can_be_asked(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = many(visit)
    assert at.button("start_batch").disabled
    assert raw(at, "info") == ["No batch yet. Its answers appear here while it goes on."]


def test_what_was_read_is_shown_before_it_is_asked(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = many(visit, f"{HEAD}one\ta\n\ntwo\tb\ntwo\tb\n")
    assert "Read from pasted lines: 3 inputs, 2 of them different, 1 empty line left out." in prose(at)
    assert "2 questions. How long that takes is not known" in prose(at)
    assert list(at.dataframe[0].value["hypothesis"]) == ["one", "two", "two"]
    assert ollama.asked == []


def test_too_many_are_refused_and_the_text_is_kept(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    text = HEAD + "".join(f"claim {at}\ttext\n" for at in range(201))
    at = many(visit, text)
    assert "There are 201 inputs; at most 200" in prose(at)
    assert at.button("start_batch").disabled
    assert at.text_area("batch_text_nda").value == text


def test_the_worker_asks_and_the_page_shows_the_answers(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = press(many(visit, f"{HEAD}{NASTY}\ta\ntwo\tb\n"), "start_batch")
    assert metrics(at) == {"Answered": "0 of 2", "Without a label": "0", "Right": "–"}
    assert worker().state is JobState.DONE
    run(at)
    assert metrics(at)["Answered"] == "2 of 2"
    assert {"batch_csv", "batch_jsonl"} <= {found.key for found in at.get("download_button")}
    assert "no input has a gold label" in prose(at)
    shown = at.dataframe[-1].value
    assert list(shown["the student says"]) == ["Entailment", "Entailment"]
    assert len(ollama.asked) == 2


def test_inputs_that_come_with_the_press_are_shown_before_they_are_asked(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = many(visit, f"{HEAD}one\ta\n")
    at.text_area("batch_text_nda").set_value(f"{HEAD}one\ta\ntwo\tb\n")
    press_at_once(at, "start_batch")
    assert compiled.store.live_batches.all("nda") == ()
    assert "2 inputs" in prose(at)
    assert metrics(press(at, "start_batch"))["Answered"] == "0 of 2"


def test_a_student_that_stopped_answering_fails_the_job_and_keeps_the_batch(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = press(many(visit, f"{HEAD}one\ta\n"), "start_batch")
    ollama.models.clear()
    assert worker().state is JobState.FAILED
    run(at)
    assert metrics(at)["Answered"] == "0 of 1"
    assert list(at.dataframe[-1].value["the student says"]) == ["not asked yet"]
