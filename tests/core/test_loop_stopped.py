"""A loop that came to no end says what was spent, and goes on with another cap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pld_core.errors import BackendUnreachable, BudgetReached, CallsStopped, JobCancelled
from pld_core.event_words import sentence
from pld_core.model_ports import ChatRequest
from storage import SqliteStore
from tests.conflict_models import action, block, follow, text
from tests.resolving import RuleSpec, Stage, conflicted, limited, scripted

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]


def excepting(request: ChatRequest) -> Sequence[dict[str, Any]]:
    if "EXCEPT" in block(request, "RULES"):
        return []
    return [action("add_exception", ["R1"], request, text("insult is said", "remove", ["joke is said"]))]


@pytest.fixture
def joking(sqlite_store: SqliteStore) -> Stage:
    conflicted(sqlite_store, KINDS, RULES)
    return scripted(sqlite_store, ("joke", excepting))


def test_at_its_cap_a_loop_says_what_was_spent_and_goes_on_with_a_higher_one(joking: Stage) -> None:
    with pytest.raises(BudgetReached):
        joking.run(limited(student_calls=60))
    (stop,) = joking.store.resolutions.stops(1)
    assert (stop.used, stop.cap, stop.spent) == (58, 60, "58 of at most 60 questions to the student")
    assert stop.used == len(joking.student.asked)
    assert "58 of at most 60 questions to the student are used up" in stop.reason
    told = joking.store.events.page()[0]
    assert sentence(told).startswith(
        "Loop 1 of the task posts stopped after 58 questions to the student. Reason: 58 of"
    )
    assert joking.run(limited(student_calls=1_000)).score.best_round == 1
    assert joking.store.resolutions.stops(1) == (stop,)
    assert len({(r.system, r.user) for r in joking.student.asked}) == len(joking.student.asked)


def test_a_cancelled_loop_counts_what_was_answered_by_then(joking: Stage) -> None:
    def cancel(done: int, total: int, message: str) -> None:
        if message == "round 0: validation" and done == 5:
            raise JobCancelled("Somebody cancelled it.")

    with pytest.raises(JobCancelled):
        joking.run(report=cancel)
    (stop,) = joking.store.resolutions.stops(1)
    kept = joking.store.effects.answers(
        joking.store.resolutions.get(1).basis.student,
        joking.store.resolutions.get(1).basis.prompt_sha256,
        [e.hash for e in joking.store.tasks.examples("posts")],
    )
    assert (stop.used, stop.cap, stop.spent) == (len(kept), None, f"{len(kept)} questions to the student")


def test_a_student_that_went_away_is_the_reason(joking: Stage) -> None:
    def failing(request: ChatRequest) -> str:
        if "joke train 3" in request.user:
            raise BackendUnreachable("It hung up.")
        return follow(request)

    joking.student.say = failing
    with pytest.raises(CallsStopped):
        joking.run()
    (stop,) = joking.store.resolutions.stops(1)
    assert "It hung up." in stop.reason
    assert stop.used == 17
