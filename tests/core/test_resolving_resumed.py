"""A loop that was killed at any moment goes on: no call that was answered is made again, and the end is the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pld_core.conflicts.groups import Finding
from pld_core.conflicts.people import FromPeople
from pld_core.conflicts.records import LoopLimits
from pld_core.errors import BackendUnreachable, CallsStopped, InvalidInput
from pld_core.model_ports import ChatRequest
from pld_core.models import Split
from pld_core.resolving import Resolved
from storage import SqliteStore, create_store
from tests.conflict_models import Scripted, action, block, follow, text
from tests.factories import ANNA, TickingClock, ToldChat, make_example, url_of
from tests.resolving import ORDER, RuleSpec, Stage, conflicted, scripted

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep"), ("spam offer", "remove")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
THOROUGH = replace(ORDER, limits=LoopLimits(greedy=True))


class Killed(Exception):
    """Stands for the end of the process."""


def excepting(request: ChatRequest) -> Sequence[dict[str, Any]]:
    if "EXCEPT" in block(request, "RULES"):
        return []
    return [action("add_exception", ["R1"], request, text("insult is said", "remove", ["joke is said"]))]


def spam_rule(request: ChatRequest) -> Sequence[dict[str, Any]]:
    return [action("new_rule", [], request, text("spam is said", "remove"))]


SCRIPT = Scripted([("joke", excepting), ("spam", spam_rule)])


class Mortal:
    """Models that together answer a number of calls and are killed at the next one."""

    def __init__(self) -> None:
        self.left = 0
        self.answered: list[tuple[str, str, str]] = []

    def of(self, name: str, say: Callable[[ChatRequest], str]) -> ToldChat:
        def answer(request: ChatRequest) -> str:
            if self.left == 0:
                raise Killed
            self.left -= 1
            self.answered.append((name, request.system, request.user))
            return say(request)

        return ToldChat(answer, name)


def workspace_at(path: Path) -> SqliteStore:
    store = create_store(url_of(path), TickingClock())
    # Small: the loop is started again after every call.
    conflicted(store, KINDS, RULES, {Split.TRAIN: 2, Split.VALIDATION: 4, Split.TEST: 1})
    return store


def finished(store: SqliteStore) -> tuple[Resolved, int]:
    whole = Stage(store, ToldChat(SCRIPT, "teacher"))
    return whole.run(THOROUGH), whole.calls


def test_killed_after_every_call_it_comes_to_the_same_end_with_as_many_calls(tmp_path: Path) -> None:
    expected, calls = finished(workspace_at(tmp_path / "whole.db"))
    store, mortal = workspace_at(tmp_path / "killed.db"), Mortal()
    stage = Stage(store, mortal.of("teacher", SCRIPT), mortal.of("student", follow))
    ended, starts = None, 0
    while ended is None:
        mortal.left, starts = 1, starts + 1
        try:
            ended = stage.run(THOROUGH)
        except Killed:
            assert store.resolutions.all("posts")[0].id == 1
    assert len(mortal.answered) == calls
    assert len(set(mortal.answered)) == calls
    assert starts >= calls
    assert (ended.rounds, ended.score) == (expected.rounds, expected.score)
    assert [e.kind for e in store.events.page()].count("resolution.begun") == 1
    assert [e.kind for e in store.events.page()].count("resolution.ended") == 1
    assert store.events.verify().intact


def test_a_finished_loop_is_only_read_again(tmp_path: Path) -> None:
    store = workspace_at(tmp_path / "pld.db")
    first, calls = finished(store)
    events = store.events.count()
    again, more = finished(store)
    assert (again, more, store.events.count()) == (first, 0, events)
    assert calls > 0


def test_a_round_that_is_over_is_taken_as_it_was_whatever_was_found_since(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    mortal = Mortal()
    stage = Stage(sqlite_store, mortal.of("teacher", SCRIPT), mortal.of("student", follow))
    mortal.left = 1_000

    def kill(done: int, total: int, message: str) -> None:
        if message.startswith("test"):
            raise Killed

    with pytest.raises(Killed):
        stage.run(THOROUGH, kill)
    kept, asked = sqlite_store.resolutions.rounds(1), len(mortal.answered)
    assert kept[1].trials
    late = Finding(make_example("praise late", "remove"), "keep", ("R2",))
    ended = stage.run(THOROUGH, people=FromPeople((late,)))
    assert ended.rounds == kept
    assert all(name == "student" for name, _, _ in mortal.answered[asked:])


def test_rules_and_examples_that_came_meanwhile_do_not_count(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    mortal = Mortal()
    mortal.left = 30
    stage = Stage(sqlite_store, mortal.of("teacher", SCRIPT), mortal.of("student", follow))
    with pytest.raises(Killed):
        stage.run(THOROUGH)
    more = make_example("spam late", "remove", Split.VALIDATION)
    sqlite_store.tasks.import_examples("posts", [more], "late.csv", ANNA)
    mortal.left = 1_000
    ended = stage.run(THOROUGH)
    assert not any("spam late" in user for _, _, user in mortal.answered)
    assert ended.best.validation
    assert ended.best.validation.n == 32


@pytest.mark.parametrize("part", ["teacher", "student"])
def test_another_model_does_not_go_on_with_a_loop(sqlite_store: SqliteStore, part: str) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    stage = scripted(sqlite_store)
    stage.run()
    getattr(stage, part).name = "another"
    with pytest.raises(InvalidInput, match=f"the {part} is another one since it began"):
        stage.run()


def test_a_changed_guideline_ends_a_loop(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    mortal = Mortal()
    mortal.left = 5
    stage = Stage(sqlite_store, mortal.of("teacher", SCRIPT), mortal.of("student", follow))
    with pytest.raises(Killed):
        stage.run()
    sqlite_store.guidelines.change("posts", 1, "Remove what hurts.", "clearer", ANNA)
    with pytest.raises(InvalidInput, match="the guideline or the labels changed since it began"):
        stage.run()


def test_a_student_that_goes_away_stops_the_loop_with_what_was_answered_kept(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    stage = scripted(sqlite_store)

    def failing(request: ChatRequest) -> str:
        if "joke train 3" in request.user:
            raise BackendUnreachable("It hung up.")
        return follow(request)

    flaky = replace(stage, student=ToldChat(failing, "student"))
    with pytest.raises(CallsStopped, match=r"1 questions got no answer\. What was answered is kept"):
        flaky.run()
    asked = len(flaky.student.asked)
    assert stage.run().rounds
    again = {(r.system, r.user) for r in flaky.student.asked} & {(r.system, r.user) for r in stage.student.asked}
    assert len(again) == 1
    assert asked == 24
