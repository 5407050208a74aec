"""Extract: the estimate stands there before anything is sent, a job asks the teacher, and what it wrote is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import batching, wiring
from pld_app.extract_order import Cap, ExtractOrder
from pld_app.wiring import App
from pld_core.errors import Failure
from pld_core.models import JobState, Split
from pld_core.pricing import money
from tests.factories import extraction_json, fill, make_example, make_examples, make_instruction, make_task
from tests.pages.driving import (
    NASTY,
    Visit,
    Worker,
    choose_row,
    go,
    links,
    press,
    press_at_once,
    prose,
    raw,
    run,
    takes_literally,
)
from tests.teacher_stub import GOOD, KEY, Fault, TeacherStub, teacher_stub

N = 12
SETTINGS = """
[teacher]
extraction = "openai:big"
base_url = "{url}"
in_flight = 4
currency = "EUR"
[teacher.prices.big]
input = 1
output = 10
"""
COST = 100 * 1 + 20 * 10
"""Of one call to the stub, in micro-units."""


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub() as running:
        yield running


@pytest.fixture
def space(empty: App, stub: TeacherStub, workspace_folder: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """Twelve training examples and three others; the teacher of the settings is the stub."""
    fill(empty.store, replace(make_task(), teacher=""), [*make_examples(N), *make_examples(3, Split.TEST)])
    (workspace_folder / "settings.toml").write_text(SETTINGS.format(url=stub.url), encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return wiring.open_app(workspace_folder)


def extracted(at: AppTest, worker: Worker, key: str = "start_extract") -> JobState:
    press(at, key)
    state = worker().state
    run(at)
    return state


def show(at: AppTest, view: str) -> AppTest:
    at.segmented_control("extract_view").set_value(view)
    return run(at)


def keys(at: AppTest) -> set[str | None]:
    return {button.key for button in at.button}


# --- before a run -----------------------------------------------------------------------------------------------------


def test_a_task_without_a_teacher_says_what_to_set_and_where(empty: App, visit: Visit, workspace_folder: Path) -> None:
    fill(empty.store, replace(make_task(), teacher=""))
    at = visit("extract")
    assert raw(at, "warning") == ["This task has no teacher yet, so nothing can be extracted."]
    assert str(workspace_folder / "settings.toml") in raw(at, "code")
    assert 'extraction = "openai:gpt-4.1-mini"' in prose(at)
    assert "PLD_TEACHER_API_KEY" in prose(at)
    assert "Name one on the Settings page" in links(at)
    assert "start_extract" not in keys(at)


def test_a_task_without_training_examples_shows_the_way_to_data(
    empty: App, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER", "scripted:nda")
    fill(empty.store, replace(make_task(), teacher=""), make_examples(3, Split.TEST))
    at = visit("extract")
    assert "There is no training example to extract from." in prose(at)
    assert "Go to Data" in links(at)
    assert "start_extract" not in keys(at)


def test_the_demo_says_that_its_teacher_is_scripted_and_free_and_that_all_is_done(demo: App, visit: Visit) -> None:
    at = visit("extract")
    assert "Teacher **scripted:nda**" in prose(at)
    assert "It is free and sends nothing anywhere." in prose(at)
    assert raw(at, "success") == ["All 115 training examples have their instruction."]
    assert "Go to Clusters" in links(at)
    assert "start_extract" not in keys(at)


def test_an_unknown_teacher_is_one_sentence(empty: App, visit: Visit) -> None:
    fill(empty.store)
    at = visit("extract")
    assert len(at.error) == 1
    assert "There is no backend 'told'." in prose(at)
    assert at.button("start_extract").disabled


def test_the_estimate_stands_there_before_anything_is_sent(space: App, visit: Visit, stub: TeacherStub) -> None:
    at = visit("extract")
    shown = prose(at)
    assert "Teacher **openai:big** :gray[from the settings" in shown
    assert "It can be asked now." in shown
    assert f"**{N} of {N}**" in shown
    assert "EUR" in shown
    assert "**not known yet**" in shown
    assert "A rough estimate from the length of the texts, until calls were measured." in shown
    assert "No instruction yet." in shown
    assert not stub.seen


def test_five_calls_measure_and_are_paid_for_once(space: App, visit: Visit, stub: TeacherStub, worker: Worker) -> None:
    at = visit("extract")
    assert extracted(at, worker, "probe_extract") is JobState.DONE
    assert sum(stub.seen.values()) == 5
    assert "Estimated from 5 calls that this teacher answered." in prose(at)
    assert f"**{N - 5} of {N}**" in prose(at)
    told = re.search(r"\*\*about ([0-9.]+) EUR\*\*", prose(at))
    assert told is not None
    assert float(told[1]) == pytest.approx((N - 5) * COST / 1_000_000, rel=0.02)
    assert "probe_extract" not in keys(at)
    assert extracted(at, worker) is JobState.DONE
    assert set(stub.seen.values()) == {1}
    assert f"{N} calls, {money(N * COST, 'EUR')}" in prose(at)


def test_without_a_price_no_cap_in_money_can_be_set(
    space: App, visit: Visit, workspace_folder: Path, stub: TeacherStub
) -> None:
    (workspace_folder / "settings.toml").write_text(f'[teacher]\nextraction = "openai:big"\nbase_url = "{stub.url}"\n')
    at = visit("extract")
    assert at.number_input("cap_cost_posts").disabled
    assert "**no price set**" in prose(at)
    assert '[teacher.prices."big"]' in prose(at)


def test_a_wrong_key_is_one_sentence(
    space: App, visit: Visit, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER_API_KEY", "sk-wr0ng")
    at = visit("extract")
    (warning,) = raw(at, "warning")
    assert "refused the key" in warning
    assert "sk-wr0ng" not in prose(at)
    assert at.button("start_extract").disabled
    assert at.button("probe_extract").disabled
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    press(at, "teacher_again")
    assert not at.button("start_extract").disabled


# --- the run ----------------------------------------------------------------------------------------------------------


def test_the_caps_are_ordered_with_the_job(space: App, visit: Visit, stub: TeacherStub) -> None:
    at = visit("extract")
    at.number_input("cap_calls_posts").set_value(7)
    at.number_input("cap_cost_posts").set_value(0.5)
    at.number_input("in_flight_posts").set_value(2)
    run(at)
    assert "The estimate is above the cap" in prose(at)
    press(at, "start_extract")
    (job,) = space.store.jobs.recent("posts")
    assert (job.kind, job.state, job.created_by) == ("extract", JobState.QUEUED, "anna")
    order = ExtractOrder("posts", max_calls=7, max_cost=Decimal("0.5"), in_flight=2)
    assert job.params == order.as_json()
    assert "cap 7 calls" in prose(at)
    assert at.button("start_extract").disabled, "one run at a time"
    assert not stub.seen


@pytest.mark.parametrize("button", ["start_extract", "probe_extract"])
def test_a_cap_that_comes_with_the_press_is_told_before_anything_is_ordered(
    space: App, visit: Visit, button: str
) -> None:
    at = visit("extract")
    at.number_input("cap_calls_posts").set_value(7)
    press_at_once(at, button)
    assert space.store.jobs.recent("posts") == ()
    assert "The estimate is above the cap" in prose(at)
    press(at, button)
    (job,) = space.store.jobs.recent("posts")
    assert job.params["max_calls"] == 7


def test_a_run_stops_at_its_cap_and_keeps_what_was_answered(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    at = visit("extract")
    at.number_input("cap_calls_posts").set_value(7)
    run(at)
    assert extracted(at, worker) is JobState.FAILED
    assert "cap of 7 calls is reached" in prose(at)
    assert sum(stub.seen.values()) == 7 == len(space.store.logic.instructions("posts"))
    assert f"**{N - 7} of {N}**" in prose(at)


def test_a_run_outlives_the_page_and_can_be_cancelled_and_continued(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    at = press(visit("extract"), "start_extract")
    go(at, "data")
    go(at, "extract")
    assert "Waiting for the worker." in prose(at)
    press(at, "job_button_1_queued")
    assert not stub.seen
    press(at, "job_button_1_cancelled")
    assert worker().state is JobState.DONE
    run(at)
    assert f"All {N} training examples have their instruction." in prose(at)
    assert len(at.dataframe[0].value) == N
    assert set(stub.seen.values()) == {1}


# --- failures ---------------------------------------------------------------------------------------------------------


def test_failures_show_the_raw_reply_and_are_asked_again(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    stub.script = lambda number, text: Fault(text=NASTY) if number == 1 and "number 7" in text else GOOD
    at = visit("extract")
    extracted(at, worker)
    assert raw(at, "warning") == ["1 reply could not be used. What came is under “Failures”."]
    assert "Nothing is left to ask but 1 failure" in prose(at)
    show(at, "Failures")
    assert NASTY in raw(at, "code")
    assert not [text for text in raw(at, "markdown", "caption") if "evil" in text]
    assert "not the asked JSON" in prose(at)
    assert "1 new call, about" in prose(at)
    assert "train post number 7" in raw(at, "text")
    at.number_input("cap_calls_posts").set_value(3)
    press_at_once(at, "retry_failed")
    assert extracted(at, worker, "retry_failed") is JobState.DONE
    params = space.store.jobs.recent("posts")[0].params
    assert (params["retry"], params["max_calls"]) == (["bad_json"], 3)
    assert sum(stub.seen.values()) == N + 1
    assert "No reply failed." in prose(at)
    assert not at.warning


def test_failures_come_a_page_at_a_time(space: App, visit: Visit, stub: TeacherStub, worker: Worker) -> None:
    stub.script = lambda _number, _text: Fault(text="sorry")
    at = visit("extract")
    extracted(at, worker)
    show(at, "Failures")
    assert raw(at, "code").count("sorry") == 10
    at.get("pagination")[0].set_value(2)  # type: ignore[union-attr]  # the tree's own kind is not exported
    run(at)
    assert raw(at, "code").count("sorry") == N - 10


def broken(stub: TeacherStub) -> None:
    """Let two replies fail as JSON and one as a refusal."""
    faults = {
        "number 1\n": Fault(text="sorry"),
        "number 2\n": Fault(text="oh"),
        "number 3\n": Fault(refusal="I will not."),
    }
    stub.script = lambda _number, text: next((fault for word, fault in faults.items() if word in text), GOOD)


def test_only_failures_of_the_chosen_kind_are_asked_again(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    broken(stub)
    at = visit("extract")
    at.number_input("cap_calls_posts").set_value(6)
    run(at)
    extracted(at, worker)
    show(at, "Failures")
    assert at.button("retry_failed").label == "Ask these 3 again"
    assert "3 new calls" in prose(at), "the examples that were not asked yet are not among them"
    at.pills("failure_kinds").set_value(["bad_json"])
    press_at_once(at, "retry_failed")
    assert at.button("retry_failed").label == "Ask these 2 again"
    assert "I will not." not in raw(at, "code")
    stub.script = lambda _number, _text: GOOD
    assert extracted(at, worker, "retry_failed") is JobState.DONE
    assert sum(stub.seen.values()) == 8
    assert len(space.store.logic.instructions("posts")) == 5
    assert at.button("retry_failed").label == "Ask this one again"


def test_one_failure_is_asked_again(space: App, visit: Visit, stub: TeacherStub, worker: Worker) -> None:
    broken(stub)
    at = visit("extract")
    extracted(at, worker)
    show(at, "Failures")
    refused = next(c for c in space.store.logic.failed_calls("posts") if c.failure is Failure.REFUSED)
    stub.script = lambda _number, _text: GOOD
    at.number_input("in_flight_posts").set_value(2)
    press_at_once(at, f"ask_again_{refused.subjects[0][7:19]}")
    assert extracted(at, worker, f"ask_again_{refused.subjects[0][7:19]}") is JobState.DONE
    assert space.store.jobs.recent("posts")[0].params["in_flight"] == 2
    assert "1 example" in prose(at)
    assert sum(stub.seen.values()) == N + 1
    assert len(space.store.logic.failed_calls("posts")) == 2


def test_a_cap_of_the_settings_is_shown_as_such_and_can_be_lifted(
    space: App, visit: Visit, workspace_folder: Path, stub: TeacherStub, worker: Worker
) -> None:
    settings = SETTINGS.format(url=stub.url).replace("in_flight = 4", "in_flight = 4\nmax_calls = 3\nmax_cost = 2")
    (workspace_folder / "settings.toml").write_text(settings, encoding="utf-8")
    at = visit("extract")
    assert at.number_input("cap_calls_posts").value == 3
    assert "The estimate is above the cap" in prose(at)
    assert "In the settings: 3" in raw(at, "caption")
    assert "In the settings: 2 EUR" in raw(at, "caption")
    at.checkbox("no_cap_calls_posts").check()
    run(at)
    assert at.number_input("cap_calls_posts").disabled
    assert "The estimate is above the cap" not in prose(at)
    assert extracted(at, worker) is JobState.DONE
    params = space.store.jobs.recent("posts")[0].params
    assert (params["max_calls"], params["max_cost"]) == (Cap.NONE, "2.0")
    assert len(space.store.logic.instructions("posts")) == N


# --- batches ----------------------------------------------------------------------------------------------------------


def as_batch(at: AppTest) -> AppTest:
    at.segmented_control("delivery_posts").set_value("batch")
    return run(at)


def test_a_batch_is_offered_at_its_price_ordered_and_collected(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    stub.desk.states = ["in_progress", "completed"]
    at = visit("extract")
    assert at.segmented_control("delivery_posts").options == ["Now", "As a batch (half price, within 24 hours)"]
    whole = re.search(r"\*\*about ([0-9.]+) EUR\*\*", prose(at))
    as_batch(at)
    half = re.search(r"\*\*about ([0-9.]+) EUR\*\*", prose(at))
    assert whole is not None
    assert half is not None
    assert float(half[1]) * 2 == pytest.approx(float(whole[1]), abs=0.011)
    assert "**within 24 hours**" in prose(at)
    assert at.button("start_extract").label == f"Submit: {N} calls"
    assert not stub.desk.steps
    assert extracted(at, worker) is JobState.QUEUED
    assert "at the provider" in "".join(raw(at, "badge", "markdown"))
    assert f"At the provider: {N} of {N} requests answered so far." in prose(at)
    assert "so far. Looked at again at" in prose(at)
    assert "cancel_batch_1" not in keys(at), "the job's own button does it"
    assert "wait for their answer in a batch" in prose(at)
    assert "start_extract" not in keys(at)
    assert "collect_batches" not in keys(at), "the job looks after it"
    # The job's time comes.
    batching.advance(space, "posts")
    run(at)
    assert f"{N} of {N} requests were answered and are kept." in prose(at)
    assert len(space.store.logic.instructions("posts")) == N


def test_a_batch_that_was_left_by_the_command_line_can_be_collected_or_cancelled(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    stub.desk.states, stub.desk.most = ["in_progress"], 2
    batching.begin(space, ExtractOrder("posts"), "extract-1")
    batching.advance(space, "posts")
    at = visit("extract")
    assert "Nobody is looking after the open batches" in prose(at)
    press(at, "cancel_batch_1")
    assert stub.desk.steps["cancel"] == 1
    assert "cancel_batch_1" not in keys(at)
    assert extracted(at, worker, "collect_batches") is JobState.DONE
    assert f"Cancelled. 2 of {N} requests were answered and are kept." in prose(at)
    assert len(space.store.logic.instructions("posts")) == 2


def test_a_batch_cannot_be_ordered_from_another_teacher(empty: App, visit: Visit) -> None:
    fill(empty.store, replace(make_task(), teacher="scripted:nda"))
    at = as_batch(visit("extract"))
    assert "This teacher takes no batches" in prose(at)
    assert at.button("start_extract").disabled


def test_a_batch_above_the_cap_says_that_nothing_will_be_sent(space: App, visit: Visit) -> None:
    at = as_batch(visit("extract"))
    at.number_input("cap_calls_posts").set_value(3)
    run(at)
    assert "a batch cannot stop half-way, so nothing will be sent" in prose(at)


# --- instructions -----------------------------------------------------------------------------------------------------


def test_flags_are_shown_and_filtered(empty: App, visit: Visit) -> None:
    posts = [make_example(f"post {i} says much about the weather of the day", "keep") for i in range(30)]
    fill(empty.store, examples=posts)
    for number, post in enumerate(posts):
        condition = f"the author praises weather of kind {'abcdefghijklmnopqrstuvwxyzäöüß'[number]} openly"
        empty.store.logic.add_instruction("posts", make_instruction(post, "good" if number == 4 else condition))
    at = visit("extract")
    table = at.dataframe[0].value
    assert len(table) == 25
    assert [row for row, flags in enumerate(table["flags"]) if flags] == [4]
    assert table["flags"][4] == "vague"
    assert "Flagged only (1)" in at.checkbox("flagged_only").label
    choose_row(at, "instruction_rows", 4)
    assert "too vague: no condition that could be checked" in prose(at)
    assert posts[4].text in "\n".join(raw(at, "text"))
    at.checkbox("flagged_only").check()
    run(at)
    assert list(at.dataframe[0].value["condition"]) == ["good"]


def test_what_the_teacher_and_the_data_say_stays_text(empty: App, visit: Visit) -> None:
    post = make_example(NASTY)
    fill(empty.store, replace(make_task(), teacher=NASTY), [post])
    loud = replace(make_instruction(post, NASTY), exceptions=(NASTY,), cues=(NASTY,), reasoning=NASTY, teacher=NASTY)
    empty.store.logic.add_instruction("posts", loud)
    at = visit("extract")
    assert raw(at, "text").count(NASTY) == 5
    marked = raw(at, "markdown", "caption", "error", "badge")
    assert takes_literally(marked, NASTY)
    assert not [text for text in marked if NASTY in text]


def test_a_reply_that_says_something_evil_is_shown_letter_by_letter(
    space: App, visit: Visit, stub: TeacherStub, worker: Worker
) -> None:
    stub.script = lambda _number, text: Fault(text=extraction_json(text.rpartition("CORRECT LABEL: ")[2], NASTY))
    at = visit("extract")
    extracted(at, worker)
    assert NASTY in raw(at, "text")
    assert set(at.dataframe[0].value["condition"]) == {NASTY}
    assert set(at.dataframe[0].value["flags"]) == {"duplicate"}


def test_instructions_can_be_read_without_a_teacher(empty: App, visit: Visit) -> None:
    posts = fill(empty.store, replace(make_task(), teacher=""))
    empty.store.logic.add_instruction("posts", make_instruction(posts[0]))
    at = visit("extract")
    assert len(at.dataframe[0].value) == 1
    assert not at.error
