"""Adding up the proposals of a round that is over: its cost is told, it is asked once, the loop stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pld_core.conflicts.records import Stage
from pld_core.conflicts.running_score import running_score
from pld_core.errors import InvalidInput, MissingRole
from pld_core.greedy_order import greedy_most
from pld_core.model_ports import ChatRequest
from storage import SqliteStore
from tests.conflict_models import action, block, follow, text
from tests.core.test_resolving_resumed import Killed, Mortal
from tests.factories import READER, ToldChat
from tests.resolving import RuleSpec, conflicted, limited, scripted
from tests.resolving import Stage as Staged

RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep"), ("spam offer", "remove")]
VALIDATION = 8 * len(KINDS)


def excepting(request: ChatRequest) -> Sequence[dict[str, Any]]:
    return [action("add_exception", ["R1"], request, text("insult is said", "remove", ["joke is said"]))]


def spam_rules(request: ChatRequest) -> Sequence[dict[str, Any]]:
    """Return a rule that helps, and the same once more, which helps no further."""
    twice = [text("spam is said", "remove"), text("spam or offer is said", "remove")]
    return [action("new_rule", [], request, one) for one in twice]


@pytest.fixture
def staged(sqlite_store: SqliteStore) -> Staged:
    conflicted(sqlite_store, KINDS, RULES)
    stage = scripted(sqlite_store, ("joke", excepting), ("spam", spam_rules))
    stage.run(limited(rounds=1))
    return stage


def most_of(staged: Staged) -> int:
    resolutions = staged.store.resolutions
    return greedy_most(staged.store, resolutions.get(1), resolutions.rounds(1), 1)


def test_the_running_score_tells_which_still_help_once_others_are_in(staged: Staged) -> None:
    steps = running_score(staged.add_up(1))
    assert [(len(step.tried.proposals), step.stays) for step in steps] == [(1, True), (2, True), (3, False)]
    assert {step.tried.stage for step in steps} == {Stage.LATER}
    last = steps[1].tried.result.comparison
    assert last is not None
    assert (last.after, last.fixed, last.broken) == (1.0, 16, 0)


def test_it_asks_no_more_than_it_told_and_nothing_twice(staged: Staged) -> None:
    most, before = most_of(staged), len(staged.student.asked)
    assert most == 2 * VALIDATION
    first = staged.add_up(1)
    asked = len(staged.student.asked) - before
    assert 0 < asked <= most
    assert (staged.add_up(1), len(staged.student.asked) - before) == (first, asked)
    assert most_of(staged) == 0
    told = staged.store.events.page()[0]
    assert (told.kind, told.payload["prompts"]) == ("resolution.added_up", [one.prompt_sha256 for one in first])


def test_killed_at_any_question_it_goes_on_without_asking_one_twice(staged: Staged) -> None:
    mortal, steps, starts = Mortal(), None, 0
    dying = replace(staged, student=mortal.of("student", follow))
    while steps is None:
        mortal.left, starts = 5, starts + 1
        try:
            steps = dying.add_up(1)
        except Killed:
            assert staged.store.resolutions.rounds(1)[1].trials[-1].stage is not Stage.LATER
    assert starts > 3
    assert len(set(mortal.answered)) == len(mortal.answered)
    assert staged.store.resolutions.rounds(1)[1].trials[-len(steps) :] == steps


def test_the_loop_is_read_again_as_it_ended(staged: Staged) -> None:
    ended = staged.run(limited(rounds=1))
    staged.add_up(1)
    calls = staged.calls
    again = staged.run(limited(rounds=1))
    assert (again.score, again.rounds[1].rules, staged.calls) == (ended.score, ended.rounds[1].rules, calls)


def test_a_loop_that_added_them_up_itself_is_not_asked_again(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    stage = scripted(sqlite_store, ("joke", excepting), ("spam", spam_rules))
    ended = stage.run(limited(rounds=1, greedy=True))
    calls = stage.calls
    assert stage.add_up(1) == tuple(one for one in ended.rounds[1].trials if one.stage is Stage.GREEDY)
    assert stage.calls == calls


def test_what_cannot_be_added_up_is_said_before_anything_is_asked(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, KINDS, RULES)
    stage = scripted(sqlite_store, ("joke", lambda r: excepting(r) if "EXCEPT" not in block(r, "RULES") else []))
    stage.run(limited(rounds=1))
    calls = stage.calls
    with pytest.raises(InvalidInput, match="has fewer than two proposals that were tried"):
        stage.add_up(1)
    for number in (0, 2):
        with pytest.raises(InvalidInput, match=f"Round {number} of loop 1 is not over"):
            stage.add_up(number)
    with pytest.raises(MissingRole):
        stage.add_up(1, READER)
    assert stage.calls == calls


def test_another_student_adds_nothing_up(staged: Staged) -> None:
    other = replace(staged, student=ToldChat(staged.student.say, "another"))
    with pytest.raises(InvalidInput, match="the student is another one"):
        other.add_up(1)
    assert other.student.asked == []
