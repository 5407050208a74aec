"""`pld rules judge-pairs` and what `pld rules overlaps` tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import SqliteStore, create_store
from tests.cli.running import Outcome, Pld, content_of
from tests.factories import make_task, url_of
from tests.overlapping import judging_script, rules_by_subject
from tests.teacher_stub import KEY, Fault, TeacherStub, teacher_stub

VERDICTS = {"insult": "duplicate", "praise": "contradiction", "spam": "different_scope"}
SETTINGS = """
user = "anna"
[teacher]
base_url = "{url}"
in_flight = 1
[teacher.prices.big]
input = 1
output = 10
"""
COST = 100 * 1 + 20 * 10


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub(judging_script(VERDICTS)) as running:
        yield running


@pytest.fixture
def close(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with three pairs of rules that overlap and were not compared yet; its teacher is the stub."""
    folder = tmp_path / "close"
    rules_by_subject(create_store(url_of(folder / "pld.db")), task=replace(make_task(), teacher="openai:big"))
    (folder / "settings.toml").write_text(SETTINGS.format(url=stub.url), encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return folder


def store_of(close: Path) -> SqliteStore:
    return create_store(url_of(close / "pld.db"))


def judge(pld: Pld, close: Path, *more: object) -> Outcome:
    return pld("rules", "judge-pairs", "--task", "posts", "--workspace", close, *more)


def asked(stub: TeacherStub) -> int:
    return sum(stub.seen.values())


def test_each_overlapping_pair_is_judged_once_and_no_rule_changes(pld: Pld, close: Path, stub: TeacherStub) -> None:
    before = [(rule.id, rule.head, rule.state) for rule in store_of(close).rules.queue("posts")]
    told = judge(pld, close).out.splitlines()
    assert told[0].startswith("R3 and R4 (1.00): contradiction. Both fit insults. (rests on ")
    assert [line.split(": ")[1].split(". ")[0] for line in told[:3]] == [
        "contradiction",
        "duplicate",
        "different scope",
    ]
    assert told[3:] == [
        "Pairs: 3 judged, 0 judged before, 0 without a usable reply. 3 calls, 0.0009 USD. No rule was changed."
    ]
    assert [(rule.id, rule.head, rule.state) for rule in store_of(close).rules.queue("posts")] == before
    again = judge(pld, close, "--json").value
    assert (again["made"], again["already"], again["failed"], again["calls"]) == (0, 3, 0, 0)
    assert asked(stub) == 3


def test_the_json_holds_each_pair_with_what_its_verdict_rests_on(pld: Pld, close: Path) -> None:
    found = judge(pld, close, "--json").value
    assert (found["task"], found["made"], found["calls"], found["cost_micro"]) == ("posts", 3, 3, 3 * COST)
    first = found["pairs"][0]
    shown = {e.hash for e in store_of(close).tasks.examples("posts") if e.text.startswith("praise")}
    assert first.pop("examples")[0] in shown
    assert first == {
        "rules": ["R3", "R4"],
        "closeness": 1.0,
        "verdict": "contradiction",
        "outdated": False,
        "reason": "Both fit insults.",
        "teacher": "openai:big",
    }


def test_a_dry_run_tells_what_it_takes_and_leaves_every_byte(pld: Pld, close: Path, stub: TeacherStub) -> None:
    pld("rules", "overlaps", "--task", "posts", "--workspace", close)
    before = content_of(close)
    found = judge(pld, close, "--dry-run", "--json").value
    assert (found["task"], found["pairs"], found["judged"], found["calls"]) == ("posts", 3, 0, 3)
    told = judge(pld, close, "--dry-run", "--limit", 2).out
    assert told.startswith("2 pairs to judge, 0 judged already: 2 calls, about ")
    assert told.endswith("Nothing was asked.\n")
    assert content_of(close) == before
    assert not stub.seen


def test_a_limit_takes_the_closest_and_the_next_run_takes_the_others(pld: Pld, close: Path, stub: TeacherStub) -> None:
    assert judge(pld, close, "--limit", 1, "--json").value["made"] == 1
    rest = judge(pld, close, "--json").value
    assert (rest["made"], rest["already"]) == (2, 1)
    assert set(stub.seen.values()) == {1}


def test_a_budget_stops_it_and_what_was_answered_is_kept(pld: Pld, close: Path, stub: TeacherStub) -> None:
    assert "cap of 2 calls is reached" in judge(pld, close, "--budget", 2).stopped
    assert (asked(stub), len(store_of(close).pairs.judged("posts"))) == (2, 2)
    assert judge(pld, close, "--json").value["made"] == 1
    assert set(stub.seen.values()) == {1}


def test_a_reply_of_no_use_is_counted_and_the_pair_stays_open(pld: Pld, close: Path, stub: TeacherStub) -> None:
    good = stub.script
    stub.script = lambda number, text: Fault(text="They clash.") if "spam" in text else good(number, text)
    found = judge(pld, close, "--json").value
    assert (found["made"], found["failed"]) == (2, 1)
    assert found["pairs"][-1]["verdict"] is None
    stub.script = good
    assert judge(pld, close, "--json").value["made"] == 1


def test_without_a_teacher_nothing_is_asked_and_it_says_what_to_do(pld: Pld, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    rules_by_subject(create_store(url_of(folder / "pld.db")), task=replace(make_task(), teacher=""))
    assert judge(pld, folder).refusal.startswith("Task posts has no teacher.")


# --- overlaps ---------------------------------------------------------------------------------------------------------


def overlaps(pld: Pld, close: Path, *more: object) -> Outcome:
    return pld("rules", "overlaps", "--task", "posts", "--workspace", close, *more)


def test_overlaps_are_listed_with_the_verdicts_contradictions_first(pld: Pld, close: Path) -> None:
    told = overlaps(pld, close).out
    assert told.endswith("Not judged: 3 of 3. `pld rules judge-pairs` lets the teacher do it.\n")
    assert [line[:14] for line in told.splitlines()[:3]] == ["R1 overlaps R2", "R3 overlaps R4", "R5 overlaps R6"]
    pairs = judge(pld, close, "--json").value["pairs"]
    found = overlaps(pld, close, "--json").value
    assert found == pairs
    assert [one["verdict"] for one in found] == ["contradiction", "duplicate", "different_scope"]
    lines = overlaps(pld, close).out.splitlines()
    assert lines[0] == ("R3 overlaps R4 (1.00): IF praise for work done THEN remove; IF praise for work done THEN keep")
    assert lines[1].startswith("    contradiction. Both fit insults. (rests on ")
    assert len(lines) == 6
    assert pld("rules", "show", "R4", "--workspace", close, "--json").value["overlaps"] == found[:1]
    assert lines[1] in pld("rules", "show", "R4", "--workspace", close).out
    assert pld("coverage", "--task", "posts", "--workspace", close, "--json").value["overlaps"] == found


def test_a_pair_whose_rule_was_changed_since_says_so(pld: Pld, close: Path) -> None:
    judge(pld, close)
    reworded = ("--if", "praise for work well done", "--reason", "clearer")
    assert pld("rules", "edit", "R4", *reworded, "--workspace", close).code == 0
    told = overlaps(pld, close).out.splitlines()
    assert told[2].startswith("R3 overlaps R4 (")
    assert told[3] == "    not judged since one of the rules was changed"
    assert told[-1].startswith("Not judged: 1 of 3.")
    assert [one["outdated"] for one in overlaps(pld, close, "--json").value] == [False, True, False]
