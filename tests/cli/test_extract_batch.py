"""`pld extract --batch` and `pld teacher batches`: the same records for half the price; nothing is submitted twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pld_core.batches import BatchState
from pld_core.models import Split
from pld_core.records import EventFilter
from storage import SqliteStore, create_store
from tests.cli.running import Pld, clean_environment, start_pld, wait_until
from tests.factories import fill, make_examples, make_task, url_of
from tests.teacher_stub import GOOD, KEY, Fault, TeacherStub, teacher_stub

N = 12
SETTINGS = """
[teacher]
extraction = "openai:big"
base_url = "{url}"
[teacher.prices.big]
input = 1
output = 10
"""
HALF = (100 * 1 + 20 * 10) // 2
PATIENCE_S = 60


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub() as running:
        yield running


@pytest.fixture
def space(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> Path:
    return made(tmp_path / "space", stub, monkeypatch, N)


def made(folder: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch, n: int) -> Path:
    """A workspace with n training examples, whose teacher is the stub."""
    store = create_store(url_of(folder / "pld.db"))
    fill(store, replace(make_task(), teacher=""), [*make_examples(n), *make_examples(3, Split.TEST)])
    (folder / "settings.toml").write_text(SETTINGS.format(url=stub.url), encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return folder


def store_of(space: Path) -> SqliteStore:
    return create_store(url_of(space / "pld.db"))


def extract(pld: Pld, space: Path, *more: object) -> dict[str, Any]:
    value: dict[str, Any] = pld("extract", "--task", "posts", "--batch", "--workspace", space, "--json", *more).value
    return value


def refusal(pld: Pld, space: Path, *more: object) -> str:
    return pld("extract", "--task", "posts", "--batch", "--workspace", space, *more).refusal


def listed(pld: Pld, space: Path, *more: object) -> list[dict[str, Any]]:
    value: list[dict[str, Any]] = pld(
        "teacher", "batches", "--task", "posts", "--workspace", space, "--json", *more
    ).value
    return value


# --- the same records, for less ---------------------------------------------------------------------------------------


def test_a_batch_makes_the_same_records_as_calls_at_once_for_half_the_price(
    pld: Pld, space: Path, stub: TeacherStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.script = lambda _number, text: Fault(text="not json") if "number 7" in text else GOOD
    found = extract(pld, space)
    assert (found["made"], found["failed"], found["calls"], found["cost_micro"]) == (N - 1, 1, N, N * HALF)
    assert stub.desk.steps == {"upload": 1, "create": 1, "look": 1, "content": 1}
    assert set(stub.desk.submitted.values()) == {1}
    other = made(tmp_path / "other", stub, monkeypatch, N)
    pld("extract", "--task", "posts", "--workspace", other)
    batch, live = store_of(space).logic, store_of(other).logic
    assert batch.instructions("posts") == live.instructions("posts")
    (failed,), (alike,) = batch.failed_calls("posts"), live.failed_calls("posts")
    assert failed == replace(alike, cost=HALF, latency_ms=0, run=failed.run)


def test_a_price_may_have_its_own_discount(pld: Pld, space: Path) -> None:
    with (space / "settings.toml").open("a") as file:
        file.write("batch_discount = 0.2\n")
    assert extract(pld, space)["cost_micro"] == N * (100 + 200) * Decimal("0.8")


def test_a_dry_run_tells_the_batch_price_and_sends_nothing(pld: Pld, space: Path, stub: TeacherStub) -> None:
    whole = pld("extract", "--task", "posts", "--dry-run", "--workspace", space, "--json").value["cost_micro"]
    assert extract(pld, space, "--dry-run")["cost_micro"] * 2 == pytest.approx(whole, abs=2)
    words = pld("extract", "--task", "posts", "--batch", "--dry-run", "--workspace", space).out
    assert "within 24 hours" in words
    assert not stub.desk.steps


def test_what_is_wrong_with_an_answer_is_recorded_with_its_kind(pld: Pld, space: Path, stub: TeacherStub) -> None:
    faults = {
        "number 1 ": Fault(text="", refusal="I will not."),
        "number 2 ": Fault(text='{"half": ', finish="length"),
        "number 3 ": Fault(400),
        "number 4 ": Fault(500),
        "number 5 ": Fault(text=""),
    }
    stub.script = lambda _n, text: next((f for word, f in faults.items() if word in text.replace("\n", " ")), GOOD)
    found = extract(pld, space)
    assert (found["made"], found["failed"]) == (N - 5, 5)
    kinds = [call.failure for call in store_of(space).logic.failed_calls("posts")]
    assert sorted(str(kind) for kind in kinds) == ["busy", "empty", "length", "refused", "rejected"]
    stub.script = lambda _n, _text: GOOD
    # What passes by itself is asked again, the rest only on demand.
    assert extract(pld, space)["made"] == 1
    assert extract(pld, space, "--retry", "refused")["made"] == 1
    assert extract(pld, space, "--retry", "failed")["made"] == 3


def test_a_large_order_is_divided_by_tokens_and_handed_over_as_the_provider_has_room(
    pld: Pld, space: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER_BATCH_TOKENS", "4000")
    stub.desk.states = ["in_progress", "completed"]
    found = extract(pld, space, "--no-wait")
    parts = found["open"]
    assert len(parts) > 1
    assert sum(part["requests"] for part in parts) == N
    assert [part["state"] for part in parts] == ["running", *["prepared"] * (len(parts) - 1)]
    for _ in range(2 * len(parts)):
        found = extract(pld, space, "--no-wait")
    assert found["open"] == []
    assert len(store_of(space).logic.instructions("posts")) == N
    assert set(stub.desk.submitted.values()) == {1}


# --- left, come back to, cancelled ------------------------------------------------------------------------------------


def test_a_batch_can_be_left_and_collected_later(pld: Pld, space: Path, stub: TeacherStub) -> None:
    stub.desk.states = ["validating", "in_progress", "completed"]
    (left,) = extract(pld, space, "--no-wait")["open"]
    assert (left["state"], left["requests"], left["provider_id"]) == ("running", N, "batch_1")
    assert [batch["state"] for batch in listed(pld, space)] == ["running"]
    live = pld("extract", "--task", "posts", "--workspace", space, "--json").value
    assert (live["made"], live["in_batches"], live["calls"]) == (0, N, 0), "what is in a batch is not asked again"
    assert extract(pld, space, "--no-wait")["open"][0]["answered"] == N
    found = extract(pld, space)
    assert (found["made"], found["open"]) == (N, [])
    assert (stub.desk.steps["create"], set(stub.desk.submitted.values())) == (1, {1})
    assert "There was nothing to ask." in pld("extract", "--task", "posts", "--batch", "--workspace", space).out
    kinds = [e.kind for e in store_of(space).events.page(EventFilter(search="pld-")) if e.kind.startswith("batch.")]
    assert sorted(kinds) == ["batch.completed", "batch.running"]
    assert store_of(space).events.verify().intact


def test_an_expired_batch_keeps_what_was_answered_and_says_what_to_do(pld: Pld, space: Path, stub: TeacherStub) -> None:
    stub.desk.states, stub.desk.most = ["expired"], 5
    words = pld("extract", "--task", "posts", "--batch", "--workspace", space).out
    assert f"5 of {N} requests were answered and are kept. Start again to ask the others." in words
    assert "24 hours were over" in words
    assert len(store_of(space).logic.instructions("posts")) == 5
    assert store_of(space).logic.failed_calls("posts") == (), "what was never asked is no failure"
    stub.desk.states, stub.desk.most = ["completed"], None
    assert extract(pld, space)["made"] == N - 5


def test_a_batch_that_the_provider_refuses_says_why(pld: Pld, space: Path, stub: TeacherStub) -> None:
    stub.desk.states, stub.desk.problem = ["failed"], "Enqueued token limit reached."
    words = pld("extract", "--task", "posts", "--batch", "--workspace", space).out
    assert "Enqueued token limit reached" in words
    assert f"0 of {N} requests" in words


def test_a_cancelled_batch_is_cancelled_at_the_provider_and_what_is_done_is_kept(
    pld: Pld, space: Path, stub: TeacherStub
) -> None:
    stub.desk.states, stub.desk.most = ["in_progress"], 4
    extract(pld, space, "--no-wait")
    assert "no open batch" in pld("teacher", "batches", "--task", "posts", "--cancel", 9, "--workspace", space).refusal
    (batch,) = listed(pld, space, "--cancel", 1)
    assert (batch["state"], stub.desk.steps["cancel"]) == ("cancelling", 1)
    (ended,) = extract(pld, space)["ended"]
    assert (ended["state"], ended["collected"]) == ("cancelled", 4)
    assert len(store_of(space).logic.instructions("posts")) == 4
    assert "Cancelled. 4 of" in ended["message"]


def test_a_batch_that_the_provider_does_not_know_any_more_can_be_given_up(
    pld: Pld, space: Path, stub: TeacherStub
) -> None:
    stub.desk.states = ["in_progress"]
    extract(pld, space, "--no-wait")
    stub.desk.batches.clear()
    assert "does not know batch_1" in refusal(pld, space)
    (batch,) = listed(pld, space, "--cancel", "all")
    assert batch["state"] == "cancelled"
    assert "Given up" in batch["message"]
    stub.desk.states = ["completed"]
    assert extract(pld, space)["made"] == N


# --- refused before anything is sent ----------------------------------------------------------------------------------


def test_an_estimate_above_the_cap_is_refused_before_anything_is_sent(pld: Pld, space: Path, stub: TeacherStub) -> None:
    assert f"takes {N} calls, and the cap is 5" in refusal(pld, space, "--max-calls", 5)
    assert "would cost about" in refusal(pld, space, "--max-cost", "0.000001")
    assert (stub.desk.steps, listed(pld, space)) == ({}, [])
    assert extract(pld, space, "--max-calls", 5, "--limit", 5)["made"] == 5


@pytest.mark.parametrize("name", ["ollama:gemma3:4b", "scripted:nda"])
def test_another_teacher_says_that_it_takes_no_batches(pld: Pld, space: Path, stub: TeacherStub, name: str) -> None:
    (space / "settings.toml").write_text(f'[teacher]\nextraction = "{name}"\n')
    assert f"{name} takes no batches" in refusal(pld, space)


def test_a_server_without_batches_says_so_and_calls_at_once_still_work(
    pld: Pld, space: Path, stub: TeacherStub
) -> None:
    stub.desk.is_missing = True
    said = refusal(pld, space)
    assert "takes no batches (status 404). Nothing was asked" in said
    assert [batch["state"] for batch in listed(pld, space)] == ["failed"]
    assert pld("extract", "--task", "posts", "--workspace", space, "--json").value["made"] == N


def test_a_wrong_key_closes_the_batch_and_is_not_shown(
    pld: Pld, space: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER_API_KEY", "sk-wr0ng")
    assert "refused the key" in refusal(pld, space)
    assert "sk-wr0ng" not in str(listed(pld, space))
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    assert extract(pld, space)["made"] == N


# --- an outcome that is not known, and kill -9 ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 500])
def test_a_creation_whose_outcome_is_unknown_is_looked_up_and_not_repeated(
    pld: Pld, space: Path, stub: TeacherStub, status: int
) -> None:
    stub.desk.refusals = {"created": [status]}
    pld("extract", "--task", "posts", "--batch", "--no-wait", "--workspace", space)
    assert [batch["state"] for batch in listed(pld, space)] == ["prepared"]
    assert extract(pld, space)["made"] == N
    assert stub.desk.steps["create"] == 1
    assert set(stub.desk.submitted.values()) == {1}


@pytest.mark.parametrize(
    ("step", "uploads", "creates"),
    [("upload", 2, 1), ("create", 1, 2), ("created", 1, 1), ("look", 1, 1), ("content", 1, 1)],
)
def test_a_killed_process_submits_nothing_twice_and_loses_nothing(
    pld: Pld,
    tmp_path: Path,
    stub: TeacherStub,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    uploads: int,
    creates: int,
) -> None:
    n = 70
    space = made(tmp_path / "large", stub, monkeypatch, n)
    # Of the answers 50 are recorded together; the stub holds back those after the 60th.
    stub.desk.pause_at, stub.desk.lines = step, 60
    environment = clean_environment(PLD_TEACHER_API_KEY=KEY)
    killed = start_pld("extract", "--task", "posts", "--batch", "--workspace", space, environment=environment)
    try:
        assert stub.desk.reached.wait(PATIENCE_S)
        if step == "content":
            logic = store_of(space).logic
            wait_until(lambda: logic.spend("posts").calls == 50, "the first portion")
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    stub.desk.pause_at = ""
    if step in ("upload", "create"):
        # The request that hung is not let through: its sender is gone.
        stub.desk.refusals = {step: [0]}
    stub.desk.gate.set()
    wait_until(lambda: not stub.desk.refusals.get(step), "the end of the request that hung")
    found = extract(pld, space)
    assert (stub.desk.steps["upload"], stub.desk.steps["create"]) == (uploads, creates)
    assert len(stub.desk.submitted) == n
    assert set(stub.desk.submitted.values()) == {1}, "a request was submitted twice"
    logic = store_of(space).logic
    assert len(logic.instructions("posts")) == n == logic.spend("posts").calls
    assert logic.spend("posts").cost == n * HALF
    assert [batch.state for batch in store_of(space).batches.all("posts")] == [BatchState.COMPLETED]
    assert found["made"] == n
