"""`pld extract` and `pld teacher`: estimate, run, failures; a killed run repeats nothing that was stored."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.models import Split
from storage import SqliteStore, create_store
from tests.cli.running import Pld, clean_environment, start_pld, wait_until
from tests.contracts.servers import nobody_listening
from tests.factories import fill, make_examples, make_task, synthesis_json, url_of
from tests.teacher_stub import GOOD, KEY, Fault, TeacherStub, teacher_stub

N = 40
SETTINGS = """
[teacher]
extraction = "openai:big"
base_url = "{url}"
in_flight = 4
[teacher.prices.big]
input = 1
output = 10
"""
COST = 100 * 1 + 20 * 10


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub() as running:
        yield running


@pytest.fixture
def space(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with 40 training examples, whose teacher is the stub."""
    folder = tmp_path / "space"
    store = create_store(url_of(folder / "pld.db"))
    fill(store, replace(make_task(), teacher=""), [*make_examples(N), *make_examples(3, Split.TEST)])
    (folder / "settings.toml").write_text(SETTINGS.format(url=stub.url), encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return folder


def store_of(space: Path) -> SqliteStore:
    return create_store(url_of(space / "pld.db"))


def extract(pld: Pld, space: Path, *more: object) -> dict[str, object]:
    value: dict[str, object] = pld("extract", "--task", "posts", "--workspace", space, "--json", *more).value
    return value


def test_a_dry_run_tells_calls_tokens_and_cost_and_sends_nothing(pld: Pld, space: Path, stub: TeacherStub) -> None:
    found = extract(pld, space, "--dry-run")
    assert (found["calls"], found["measured"], found["seconds"]) == (N, 0, None)
    assert not stub.seen
    words = pld("extract", "--task", "posts", "--workspace", space, "--dry-run").out
    assert "40 calls" in words
    assert "rule of thumb" in words


def test_a_probe_is_kept_and_paid_for_once(pld: Pld, space: Path, stub: TeacherStub) -> None:
    found = extract(pld, space, "--probe")
    assert (found["calls"], found["measured"]) == (N - 5, 5)
    assert found["cost_micro"] == pytest.approx((N - 5) * COST, rel=0.02)
    assert sum(stub.seen.values()) == 5
    assert extract(pld, space)["calls"] == N - 5
    assert set(stub.seen.values()) == {1}


def test_a_run_makes_an_instruction_for_each_training_example_and_tells_the_cost(pld: Pld, space: Path) -> None:
    found = extract(pld, space)
    assert (found["made"], found["failed"], found["calls"], found["cost_micro"]) == (N, 0, N, N * COST)
    assert len(store_of(space).logic.instructions("posts")) == N


def test_a_limit_and_caps_stop_in_time(pld: Pld, space: Path, stub: TeacherStub) -> None:
    assert extract(pld, space, "--limit", 3)["made"] == 3
    refused = pld("extract", "--task", "posts", "--workspace", space, "--max-calls", 4).refusal
    assert "cap of 4 calls is reached" in refused
    assert sum(stub.seen.values()) == 7
    refused = pld("extract", "--task", "posts", "--workspace", space, "--max-cost", "0.02").refusal
    assert "could exceed the cap of 0.02 USD" in refused
    assert store_of(space).logic.spend("posts").cost <= 7 * COST + 20_000


def test_a_cap_in_money_needs_a_price(pld: Pld, space: Path, stub: TeacherStub) -> None:
    (space / "settings.toml").write_text(f'[teacher]\nextraction = "openai:big"\nbase_url = "{stub.url}"\n')
    refused = pld("extract", "--task", "posts", "--workspace", space, "--max-cost", "1").refusal
    assert "`pld settings set teacher.prices.big INPUT OUTPUT`" in refused
    assert not stub.seen


def test_failures_are_listed_with_their_reply_and_tried_again_by_choice(
    pld: Pld, space: Path, stub: TeacherStub
) -> None:
    stub.script = lambda number, text: Fault(text="not json") if number == 1 and "number 7" in text else GOOD
    assert (extract(pld, space)["made"], extract(pld, space)["left"]) == (N - 1, 1)
    (failure,) = pld("teacher", "failures", "--task", "posts", "--workspace", space, "--json").value
    assert (failure["kind"], failure["reply"]) == ("bad_json", "not json")
    assert extract(pld, space, "--retry", "failed")["made"] == 1
    assert "No call failed" in pld("teacher", "failures", "--task", "posts", "--workspace", space).out


def unusable(stub: TeacherStub) -> dict[str, Fault]:
    """Let the stub fail for three examples, each in its own way, whenever it is asked."""
    faults = {"number 1\n": Fault(text="sorry"), "number 2\n": Fault(text="", refusal="No."), "number 3\n": Fault(400)}
    stub.script = lambda _number, text: next((fault for word, fault in faults.items() if word in text), GOOD)
    return faults


def asked_again(stub: TeacherStub) -> list[str]:
    """Return which posts were asked about more than once, in the order of their numbers."""
    return sorted(text.partition("number ")[2].split()[0] for text, times in stub.seen.items() if times > 1)


def test_only_the_failures_that_were_chosen_are_asked_again(pld: Pld, space: Path, stub: TeacherStub) -> None:
    unusable(stub)
    assert extract(pld, space, "--limit", 10)["failed"] == 3
    again = extract(pld, space, "--retry", "refused")
    assert (again["calls"], again["failed"]) == (1, 1)
    assert asked_again(stub) == ["2"]
    again = extract(pld, space, "--retry", "bad_json", "--retry", "rejected")
    assert (again["calls"], asked_again(stub)) == (2, ["1", "2", "3"])
    assert len(stub.seen) == 10, "nothing else was asked"
    stub.script = lambda _number, _text: GOOD
    assert extract(pld, space, "--retry", "failed")["made"] == 3
    refused = pld("extract", "--task", "posts", "--retry", "bad_json", "--workspace", space).refusal
    assert "failed that way" in refused


def test_one_example_is_asked_about_by_its_hash(pld: Pld, space: Path, stub: TeacherStub) -> None:
    unusable(stub)
    extract(pld, space, "--limit", 4)
    (second,) = [call for call in store_of(space).logic.failed_calls("posts") if call.failure == "refused"]
    found = extract(pld, space, "--example", second.subjects[0][7:19])
    assert (found["calls"], asked_again(stub)) == (1, ["2"])
    unknown = pld("extract", "--task", "posts", "--example", "zz", "--workspace", space).refusal
    assert "0 training examples of posts begin with 'zz'" in unknown


def test_a_limit_counts_calls_that_are_really_made(pld: Pld, space: Path, stub: TeacherStub) -> None:
    unusable(stub)
    extract(pld, space, "--limit", 4)
    found = extract(pld, space, "--limit", 2)
    assert (found["made"], found["left"], found["calls"]) == (2, 3, 2)
    assert extract(pld, space, "--limit", 1, "--dry-run")["calls"] == 1


def test_a_probe_asks_what_a_run_would_ask_and_not_what_failed_before(pld: Pld, space: Path, stub: TeacherStub) -> None:
    unusable(stub)
    extract(pld, space, "--limit", 4)
    assert extract(pld, space, "--probe")["calls"] == N - 4 - 5
    assert (sum(stub.seen.values()), asked_again(stub)) == (9, [])


def test_a_cap_of_the_settings_holds_until_a_run_says_otherwise(pld: Pld, space: Path, stub: TeacherStub) -> None:
    settings = (space / "settings.toml").read_text().replace("in_flight = 4", "in_flight = 4\nmax_calls = 3")
    (space / "settings.toml").write_text(settings)
    assert "cap of 3 calls" in pld("extract", "--task", "posts", "--workspace", space).refusal
    assert "cap of 4 calls" in pld("extract", "--task", "posts", "--max-calls", 4, "--workspace", space).refusal
    assert extract(pld, space, "--max-calls", "none")["made"] == N - 7
    for wrong in (("--max-calls", "0"), ("--max-calls", "few"), ("--max-cost", "-1"), ("--max-cost", "nan")):
        assert pld("extract", "--task", "posts", "--workspace", space, *wrong).code == 2


def test_going_on_with_a_run_counts_against_its_caps_and_needs_one_that_was_begun(
    pld: Pld, space: Path, stub: TeacherStub
) -> None:
    refused = pld("extract", "--task", "posts", "--resume", "--workspace", space).refusal
    assert refused == "Nothing was begun for posts, so there is nothing to go on with. Start without --resume."
    assert not stub.seen
    first = extract(pld, space, "--limit", 4)
    assert (
        "cap of 6 calls"
        in pld("extract", "--task", "posts", "--resume", "--max-calls", 6, "--workspace", space).refusal
    )
    assert sum(stub.seen.values()) == 6
    last = extract(pld, space, "--resume")
    assert (last["run"], last["calls"], last["made"]) == (first["run"], N, N - 6)
    assert set(stub.seen.values()) == {1}


def test_a_task_without_a_teacher_says_where_to_set_one(pld: Pld, space: Path) -> None:
    (space / "settings.toml").unlink()
    assert "pld settings set teacher.extraction" in pld("extract", "--task", "posts", "--workspace", space).refusal


# --- the connection test ----------------------------------------------------------------------------------------------


def test_a_teacher_that_can_be_asked_is_ready_and_the_key_is_nowhere(pld: Pld, space: Path, stub: TeacherStub) -> None:
    done = pld("teacher", "test", "--workspace", space)
    assert done.out == "openai:big: ready.\n"
    extract(pld, space, "--limit", 1)
    assert stub.keys == {KEY}
    assert all(KEY.encode() not in file.read_bytes() for file in space.rglob("*") if file.is_file())


def test_what_is_wrong_with_the_connection_is_one_sentence(
    pld: Pld, space: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def problem(*more: object) -> str:
        return pld("teacher", "test", "--workspace", space, *more).refusal

    assert "does not offer the model small" in problem("--teacher", "openai:small")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", "sk-wr0ng")
    assert "refused the key" in problem()
    assert "sk-wr0ng" not in problem()
    assert "PLD_TEACHER_API_KEY" in problem()
    monkeypatch.setenv("PLD_TEACHER_BASE_URL", "https://teacher.invalid/v1")
    monkeypatch.delenv("PLD_TEACHER_API_KEY")
    assert "No key: set PLD_TEACHER_API_KEY" in problem()
    with nobody_listening() as url:
        monkeypatch.setenv("PLD_TEACHER_BASE_URL", f"{url}/v1")
        assert "No server answers" in problem()


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def test_a_killed_run_repeats_nothing_that_was_stored(pld: Pld, space: Path, stub: TeacherStub) -> None:
    stub.release = threading.Semaphore(17)
    environment = clean_environment(PLD_TEACHER_API_KEY=KEY)
    killed = start_pld("extract", "--task", "posts", "--workspace", space, environment=environment)
    logic = store_of(space).logic
    # 17 answers are out and stored, and four calls hang in flight.
    wait_until(lambda: logic.spend("posts").calls == 17 and sum(stub.seen.values()) == 21, "17 stored, 4 in flight")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = dict(stub.seen)
    stored = {text for text in before if stub.answered[text]}
    assert len(stored) == 17
    assert len(logic.instructions("posts")) == 17
    stub.release = None
    stub.gate.set()
    assert extract(pld, space)["made"] == N - 17
    assert {stub.seen[text] for text in stored} == {1}, "a stored reply was asked for again"
    assert sum(stub.seen.values()) == N + 4, "only the four in flight were lost"
    assert len(logic.instructions("posts")) == N


def test_synthesis_asks_the_teacher_of_the_settings_and_its_cost_is_kept(
    pld: Pld, space: Path, stub: TeacherStub
) -> None:
    extract(pld, space)
    before = store_of(space).logic.spend("posts")
    kept = pld("cluster", "--task", "posts", "--eps", "1.5", "--min-samples", 3, "--workspace", space, "--json").value
    assert kept["clusters"] == 2
    # The members of the cluster come first; what stands near it has another label.
    stub.script = lambda _number, text: Fault(text=synthesis_json(text.split(" THEN ")[1].split()[0]))
    made = pld("synthesize", "--task", "posts", "--workspace", space, "--json").value
    assert (made["made"], made["failed"]) == (2, 0)
    after = store_of(space).logic.spend("posts")
    assert (after.calls - before.calls, after.cost - before.cost) == (2, 2 * COST)
    assert {rule.state.value for rule in store_of(space).rules.queue("posts")} == {"in_review"}
