"""The student's answers are kept once and for good; a measured effect is kept with its event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.effect import Basis, Case, Effect, StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.errors import MissingRole, WorkspaceError
from pld_core.models import Actor, Answer, AnswerStatus, Role
from storage import SqliteStore as Store
from tests.factories import ANNA, READER, fill, rule_in_review

KEY = StudentKey("told", "sha256:w", "sha256:o")
KEEP, REMOVE = (Answer(label, label, AnswerStatus.OK, 7, prompt_tokens=5) for label in ("keep", "remove"))
CUT = Answer(None, "keep, bec", AnswerStatus.CUT, 9, problem="The answer was cut before it ended.")


def effect(store: Store) -> Effect:
    fill(store)
    rule_id = rule_in_review(store)
    head = store.rules.summary(rule_id).head
    cases = (Case("sha256:1", "keep", REMOVE, KEEP), Case("sha256:2", "keep", KEEP, CUT))
    return Effect("posts", Basis(rule_id, head, "sha256:e", "sha256:out", "sha256:in", 30), KEY, cases, {"rules": []})


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_found_by_prompt_student_and_example(sqlite_store: Store) -> None:
    effects = sqlite_store.effects
    effects.keep(KEY, [KeptAnswer("p", "a", KEEP), KeptAnswer("p", "b", CUT), KeptAnswer("q", "a", REMOVE)])
    assert effects.answers(KEY, "p", ["a", "b", "c"]) == {"a": KEEP, "b": CUT}
    assert effects.answers(KEY, "q", ["a", "b"]) == {"a": REMOVE}


@pytest.mark.parametrize("part", ["name", "digest", "options"])
def test_another_student_has_answered_nothing(sqlite_store: Store, part: str) -> None:
    sqlite_store.effects.keep(KEY, [KeptAnswer("p", "a", KEEP)])
    assert sqlite_store.effects.answers(replace(KEY, **{part: "another"}), "p", ["a"]) == {}


def test_the_first_answer_stays(sqlite_store: Store) -> None:
    effects = sqlite_store.effects
    effects.keep(KEY, [KeptAnswer("p", "a", KEEP), KeptAnswer("p", "a", REMOVE)])
    effects.keep(KEY, [KeptAnswer("p", "a", CUT), KeptAnswer("p", "b", CUT)])
    assert effects.answers(KEY, "p", ["a", "b"]) == {"a": KEEP, "b": CUT}


# --- effects ----------------------------------------------------------------------------------------------------------


def test_an_effect_is_kept_with_who_and_when_and_told_in_the_event_log(sqlite_store: Store) -> None:
    measured = effect(sqlite_store)
    stored = sqlite_store.effects.record(measured, ANNA)
    assert sqlite_store.effects.of_rule("R1") == (stored,)
    assert (stored.effect, stored.by) == (measured, "anna")
    assert stored.at
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.subject, event.actor) == ("rule.effect_measured", "R1", "anna")
    assert {"fixed": 1, "broken": 1, "n": 2, "student": "told"}.items() <= event.payload.items()
    assert event.payload["hash"] == measured.hash
    assert sqlite_store.events.verify().intact


def test_an_equal_effect_is_returned_and_not_told_again(sqlite_store: Store) -> None:
    measured = effect(sqlite_store)
    first = sqlite_store.effects.record(measured, ANNA)
    before = sqlite_store.events.count()
    assert sqlite_store.effects.record(measured, ANNA) == first
    assert sqlite_store.events.count() == before


def test_the_newest_effect_comes_first(sqlite_store: Store) -> None:
    measured = effect(sqlite_store)
    first = sqlite_store.effects.record(measured, ANNA)
    second = sqlite_store.effects.record(replace(measured, student=replace(KEY, name="other")), ANNA)
    assert sqlite_store.effects.of_rule("R1") == (second, first)
    assert sqlite_store.effects.of_rule("R2") == ()


@pytest.mark.parametrize("actor", [READER, Actor("ada", frozenset({Role.ADMIN}))])
def test_who_only_reads_records_nothing(sqlite_store: Store, actor: Actor) -> None:
    measured = effect(sqlite_store)
    with pytest.raises(MissingRole, match="measure what a rule does"):
        sqlite_store.effects.record(measured, actor)
    assert sqlite_store.effects.of_rule("R1") == ()


@pytest.mark.parametrize("statement", ["UPDATE {} SET at = 'x'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["student_answer", "rule_effect"])
def test_neither_answers_nor_effects_are_ever_changed(sqlite_store: Store, table: str, statement: str) -> None:
    sqlite_store.effects.record(effect(sqlite_store), ANNA)
    sqlite_store.effects.keep(KEY, [KeptAnswer("p", "a", KEEP)])
    with pytest.raises(WorkspaceError, match="append-only"), sqlite_store.database.write() as write:
        write.conn.execute(statement.format(table))
