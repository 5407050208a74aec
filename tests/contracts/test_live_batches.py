"""Batches of live questions in the store: kept word for word, answered once, finished once, never changed."""

from __future__ import annotations

import pytest

from pld_core.canonical import Json
from pld_core.errors import MissingRole, NotFound
from pld_core.live_batch import BatchAnswer, BatchOrder, LiveBatch, read_lines
from pld_core.models import SYSTEM, Answer, AnswerStatus
from storage import SqliteStore
from tests.factories import ANNA, READER, approved_rule, fill, make_task
from tests.releasing import compiled

KEEP = Answer("keep", "raw", AnswerStatus.OK, 120)


def ordered(sqlite_store: SqliteStore, text: str = "one\ntwo\none") -> LiveBatch:
    fill(sqlite_store)
    approved_rule(sqlite_store)
    version = compiled(sqlite_store)
    sent: dict[str, Json] = {"system": version.prompt.text, "seed": 0}
    order = BatchOrder("posts", 1, version.prompt.sha256, "told", "sha256:w", read_lines(make_task(), text), sent)
    return sqlite_store.live_batches.order(order, ANNA)


def test_a_batch_is_kept_word_for_word(sqlite_store: SqliteStore) -> None:
    batch = ordered(sqlite_store)
    assert sqlite_store.live_batches.get(batch.id) == batch
    assert sqlite_store.live_batches.all("posts") == (batch,)
    assert (batch.by, batch.order.digest) == ("anna", "sha256:w")


def test_the_first_answer_to_a_text_stays(sqlite_store: SqliteStore) -> None:
    batch = ordered(sqlite_store)
    one, two, _ = (given.text_hash for given in batch.order.read.inputs)
    sqlite_store.live_batches.keep(batch.id, [BatchAnswer(one, KEEP)])
    other = Answer("remove", "later", AnswerStatus.OK, 1)
    sqlite_store.live_batches.keep(batch.id, [BatchAnswer(one, other), BatchAnswer(two, other)])
    assert sqlite_store.live_batches.answers(batch.id) == {one: KEEP, two: other}


def test_what_came_of_it_goes_on_the_record_once(sqlite_store: SqliteStore) -> None:
    batch = ordered(sqlite_store)
    kept = [BatchAnswer(given.text_hash, KEEP) for given in batch.order.read.inputs[:2]]
    sqlite_store.live_batches.keep(batch.id, kept)
    sqlite_store.live_batches.finish(batch.id, SYSTEM)
    sqlite_store.live_batches.finish(batch.id, SYSTEM)
    events = [event for event in sqlite_store.events.page() if event.kind == "student.asked_batch"]
    assert [(event.payload["inputs"], event.payload["asked"]) for event in events] == [(3, 2)]
    assert sqlite_store.events.verify().intact


def test_only_who_may_ask_a_student_orders_a_batch(sqlite_store: SqliteStore) -> None:
    batch = ordered(sqlite_store)
    with pytest.raises(MissingRole):
        sqlite_store.live_batches.order(batch.order, READER)
    assert len(sqlite_store.live_batches.all("posts")) == 1


def test_a_batch_that_is_not_there_is_told_in_words(sqlite_store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="There is no batch 7"):
        sqlite_store.live_batches.get(7)
