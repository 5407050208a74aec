"""`pld evaluate`: figures, several questions at a time, a stop that keeps all, and a kill that repeats nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app import wiring
from pld_core.models import Split
from storage import SqliteStore, create_store, open_store
from tests.cli.running import Pld, clean_environment, start_pld, wait_until
from tests.factories import approved_rule, fill, make_examples, url_of
from tests.teacher_stub import KEY, MODEL, Fault, TeacherStub, teacher_stub

N = 40
RIGHT = N // 2
IN_FLIGHT = 4
SETTINGS = """
student = "openai:{model}"
openai_model = "{model}"
openai_base_url = "{url}"
openai_in_flight = {in_flight}
"""
KEEP = Fault(text='{"label": "keep"}')


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub(lambda _number, _text: KEEP) as running:
        yield running


@pytest.fixture
def space(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with prompt version 1 and 40 validation examples, half of them to keep; the stub is the student."""
    folder = tmp_path / "space"
    store = create_store(url_of(folder / "pld.db"))
    fill(store, examples=[*make_examples(2), *make_examples(N, Split.VALIDATION)])
    approved_rule(store)
    settings = SETTINGS.format(model=MODEL, url=stub.url, in_flight=IN_FLIGHT)
    (folder / "settings.toml").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("PLD_OPENAI_API_KEY", KEY)
    wiring.compile_task(wiring.open_app(folder), "posts")
    return folder


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def answered(space: Path, run: int = 1) -> list[str]:
    return [prediction.example_hash for prediction in store_of(space).runs.predictions(run)]


def test_the_figures_of_a_run_are_printed(pld: Pld, space: Path, stub: TeacherStub) -> None:
    figures = pld("evaluate", "--task", "posts", "--workspace", space, "--json").value
    assert (figures["run"], figures["student"], figures["split"]) == (1, f"openai:{MODEL}", "validation")
    assert (figures["n"], figures["correct"], figures["invalid"]) == (N, RIGHT, {})
    assert set(stub.seen.values()) == {1}
    # It says one label to everything, so each resample says so too.
    assert (figures["macro_f1"], figures["macro_f1_interval_95"]) == (pytest.approx(1 / 3), None)
    again = pld("evaluate", "--task", "posts", "--workspace", space, "--resume", 1)
    assert "macro F1 0.333 (all resamples alike, so no interval)" in again.out


def test_a_refused_key_begins_no_run(pld: Pld, space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_OPENAI_API_KEY", "sk-wr0ng")
    words = pld("evaluate", "--task", "posts", "--workspace", space).refusal
    assert "refused the key" in words
    assert "sk-wr0ng" not in words
    assert store_of(space).runs.all("posts") == ()


def test_a_run_that_was_stopped_says_how_to_go_on_and_repeats_nothing(pld: Pld, space: Path, stub: TeacherStub) -> None:
    used_up = Fault(429, code="insufficient_quota")
    stub.script = lambda _number, text: used_up if text.endswith("number 20") else KEEP
    words = pld("evaluate", "--task", "posts", "--workspace", space).stopped
    assert "quota is used up" in words
    assert words.endswith("Run 1 keeps its answers: pld evaluate --task posts --resume 1")
    stored = set(answered(space))
    assert 20 <= len(stored) < N
    stub.script = lambda _number, _text: KEEP
    go_on = ("evaluate", "--task", "posts", "--resume", 1, "--workspace", space, "--json")
    assert pld(*go_on).value["n"] == N
    asked = dict(stub.seen)
    assert len(answered(space)) == len(set(answered(space))) == N
    assert pld(*go_on).value["n"] == N, "a run that is complete is shown again"
    assert stub.seen == asked
    kinds = [event.kind for event in store_of(space).events.page()]
    assert kinds.count("run.finished") == 1


def test_a_run_is_gone_on_with_as_it_was_begun(pld: Pld, space: Path) -> None:
    here = ("--workspace", space)
    assert pld("evaluate", "--task", "posts", "--resume", 1, "--split", "test", *here).code == 2
    assert "There is no run 9." in pld("evaluate", "--task", "posts", "--resume", 9, *here).refusal
    pld("evaluate", "--task", "posts", *here)
    assert "belongs to task posts" in pld("evaluate", "--task", "nda", "--resume", 1, *here).refusal


def test_a_killed_evaluation_repeats_no_stored_answer(pld: Pld, space: Path, stub: TeacherStub) -> None:
    stub.release = threading.Semaphore(17)
    environment = clean_environment(PLD_OPENAI_API_KEY=KEY)
    killed = start_pld("evaluate", "--task", "posts", "--workspace", space, environment=environment)
    try:
        # 17 answers are out and stored, and four questions hang in flight.
        wait_until(lambda: sum(stub.seen.values()) == 17 + IN_FLIGHT, "17 answered, 4 in flight")
        wait_until(lambda: len(answered(space)) == 17, "17 stored")
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    stored = {text for text in stub.seen if stub.answered[text]}
    assert len(stored) == 17
    stub.release = None
    stub.gate.set()
    figures = pld("evaluate", "--task", "posts", "--resume", 1, "--workspace", space, "--json").value
    assert (figures["n"], figures["correct"]) == (N, RIGHT)
    assert {stub.seen[text] for text in stored} == {1}, "a stored answer was asked for again"
    assert sum(stub.seen.values()) == N + IN_FLIGHT, "only the four in flight were lost"
    assert store_of(space).events.verify().intact


def test_ctrl_c_keeps_what_was_answered_and_says_how_to_go_on(space: Path, stub: TeacherStub) -> None:
    stub.release = threading.Semaphore(9)
    environment = clean_environment(PLD_OPENAI_API_KEY=KEY)
    stopped = start_pld("evaluate", "--task", "posts", "--workspace", space, environment=environment)
    try:
        wait_until(lambda: sum(stub.seen.values()) == 9 + IN_FLIGHT, "9 answered, 4 in flight")
        wait_until(lambda: len(answered(space)) == 9, "9 stored")
        stopped.send_signal(signal.SIGINT)
        _, err = stopped.communicate(timeout=60)
    finally:
        stopped.kill()
        stopped.communicate()
    assert stopped.returncode == 1
    assert err == "pld: Stopped. Run 1 keeps its answers: pld evaluate --task posts --resume 1\n"
