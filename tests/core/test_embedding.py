"""Embedding by a model on a server: what is cached is not sent, what came is kept, and what it cost is recorded."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.calls import Limits
from pld_core.embedding import MOST_BYTES, Batching, CachedEmbedder, ServedEmbedder, missing_texts
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BudgetReached,
    CallsStopped,
    Failure,
    JobCancelled,
    PromptTooLong,
    VectorsMissing,
    VectorsUnusable,
)
from pld_core.model_ports import BackendStatus, EmbedReply, EmbedRequest, Vectors
from pld_core.ports import Progress
from pld_core.pricing import Price, most_tokens
from pld_core.records import Spend
from pld_core.synthesising import compared_texts
from pld_core.teaching import Teaching
from storage import SqliteStore, create_store
from tests.factories import ANNA, fill, make_example, make_instruction, make_task, no_report, url_of

PRICE = Price(Decimal(2))
ONE_AT_A_TIME = Teaching(
    limits=Limits(in_flight=1, attempts=3, first_wait_s=0.0, drain_s=1.0), run="run 1", price=PRICE
)
TEXTS = [f"text number {n}" for n in range(10)]


@dataclass
class ToldModel:
    """An `EmbeddingModel` whose vector of a text is made of its length and letters; `fail` may refuse a request."""

    name: str = "openai:told"
    fail: Callable[[int], BackendError | None] = lambda _number: None
    dimensions: int = 8
    requests: list[tuple[str, ...]] = field(default_factory=list)

    async def status(self) -> BackendStatus:
        return BackendStatus(self.name, "Told", True, self.name)

    async def complete(self, request: EmbedRequest) -> EmbedReply:
        self.requests.append(request.texts)
        if (error := self.fail(len(self.requests))) is not None:
            raise error
        await asyncio.sleep(0)
        return EmbedReply(np.stack([self.row(text) for text in request.texts]), "told-2026", 5, 10 * len(request.texts))

    def row(self, text: str) -> Vectors:
        row = np.ones(self.dimensions)
        for at, letter in enumerate(text):
            row[at % self.dimensions] += ord(letter) % 13
        return np.asarray(row / np.linalg.norm(row), dtype=np.float32)

    async def aclose(self) -> None:
        """Nothing is held open."""

    @property
    def seen(self) -> Counter[str]:
        return Counter(itertools.chain.from_iterable(self.requests))


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    found = create_store(url_of(tmp_path / "pld.db"))
    fill(found, make_task())
    return found


def embed(
    store: SqliteStore,
    model: ToldModel,
    texts: Sequence[str] = TEXTS,
    teaching: Teaching = ONE_AT_A_TIME,
    batching: Batching = Batching(3),  # noqa: B008 - frozen
    report: Progress = no_report,
) -> Vectors:
    return asyncio.run(ServedEmbedder(model, store, "posts", teaching, batching, report).embed(texts))


def test_texts_go_out_in_batches_and_come_back_in_order(store: SqliteStore) -> None:
    model = ToldModel()
    vectors = embed(store, model)
    assert [len(request) for request in model.requests] == [3, 3, 3, 1]
    assert np.array_equal(vectors, np.stack([model.row(text) for text in TEXTS]))


def test_what_is_cached_is_not_sent_again_and_another_model_has_a_cache_of_its_own(store: SqliteStore) -> None:
    embed(store, ToldModel())
    again, other = ToldModel(), ToldModel("openai:other")
    assert np.array_equal(embed(store, again), embed(store, other))
    assert again.requests == []
    assert len(other.requests) == 4


def test_a_text_that_comes_twice_is_sent_once_and_a_blank_one_never(store: SqliteStore) -> None:
    model = ToldModel()
    vectors = embed(store, model, ["b", "a", " ", "b", ""])
    assert model.requests == [("b", "a")]
    assert np.array_equal(vectors[0], vectors[3])
    assert not vectors[2].any()
    assert not vectors[4].any()


number = itertools.count()


@given(
    before=st.lists(st.text("ab ", max_size=3), max_size=6),
    texts=st.lists(st.text("abc ", max_size=3), max_size=9),
    size=st.integers(1, 4),
)
def test_cached_and_fresh_together_are_the_uncached_result(
    shared_store: SqliteStore, before: list[str], texts: list[str], size: int
) -> None:
    # A name of its own, so that each example begins with an empty cache.
    model = ToldModel(f"openai:m{next(number)}")
    embed(shared_store, model, before, batching=Batching(size))
    mixed = embed(shared_store, model, texts, batching=Batching(size))
    fresh = embed(shared_store, ToldModel(f"openai:m{next(number)}"), texts, batching=Batching(size))
    assert np.array_equal(mixed, fresh if len(texts) else mixed)
    assert all(np.array_equal(row, model.row(text)) for row, text in zip(mixed, texts, strict=True) if text.strip())
    assert set(model.seen) == {text for text in [*before, *texts] if text.strip()}
    assert set(model.seen.values()) <= {1}


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    found = create_store(url_of(tmp_path_factory.mktemp("shared") / "pld.db"))
    fill(found, make_task())
    return found


# --- interrupted ------------------------------------------------------------------------------------------------------


def test_an_interrupted_run_repeats_none_of_what_arrived(store: SqliteStore) -> None:
    def stop_at_six(done: int, _total: int, _message: str) -> None:
        if done >= 6:
            raise JobCancelled("Cancelled.")

    first, second = ToldModel(), ToldModel()
    with pytest.raises(JobCancelled):
        embed(store, first, report=stop_at_six)
    kept = len(first.seen)
    assert 6 <= kept < 10
    assert embed(store, second).shape == (10, 8)
    assert set(first.seen) | set(second.seen) == set(TEXTS)
    assert set((first.seen + second.seen).values()) == {1}


def test_progress_is_told_from_nothing_to_all(store: SqliteStore) -> None:
    told: list[tuple[int, int, str]] = []
    embed(store, ToldModel(), report=lambda *now: told.append(now))
    assert told[0] == (0, 10, "texts embedded")
    assert told[-1] == (10, 10, "texts embedded")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


def test_a_refused_key_stops_at_the_first_request(store: SqliteStore) -> None:
    model = ToldModel(fail=lambda _number: AccessRefused("The server refused the key."))
    with pytest.raises(AccessRefused):
        embed(store, model)
    assert len(model.requests) == 1


def test_a_busy_server_is_asked_again(store: SqliteStore) -> None:
    model = ToldModel(fail=lambda number: BackendBusy("Busy.", 0.0) if number == 1 else None)
    assert embed(store, model).shape == (10, 8)
    assert len(model.requests) == 5
    assert store.logic.spend("posts").calls == 5


@pytest.mark.parametrize(
    ("error", "failure", "words"),
    [
        (VectorsUnusable("Not finite."), Failure.UNUSABLE, "Not finite. 3 of 10 texts are embedded and kept."),
        (PromptTooLong("Too long."), Failure.TOO_LONG, "The longest text of this request has 13 characters. 3 of 10"),
    ],
)
def test_a_batch_that_cannot_be_used_stops_the_run_and_is_a_record(
    store: SqliteStore, error: BackendError, failure: Failure, words: str
) -> None:
    model = ToldModel(fail=lambda number: error if number == 2 else None)
    with pytest.raises(CallsStopped, match=words):
        embed(store, model)
    assert len(model.requests) == 2, "nothing more is paid for in vain"
    (failed,) = store.logic.failed_calls("posts")
    assert (failed.purpose, failed.failure) == ("embedding", failure)
    assert len(missing_texts(store.embeddings, model.name, TEXTS, Batching())) == 7


def test_vectors_of_another_length_than_the_cached_ones_are_refused_with_the_way_out(store: SqliteStore) -> None:
    embed(store, ToldModel(), TEXTS[:3])
    with pytest.raises(VectorsUnusable, match=r"6 and 8 numbers.*pld embedder forget --embedder openai:told"):
        embed(store, ToldModel(dimensions=6))
    assert store.embeddings.forget("openai:told", ANNA) == 10
    assert embed(store, ToldModel(dimensions=6)).shape == (10, 6)


# --- money ------------------------------------------------------------------------------------------------------------


def test_each_request_is_recorded_with_its_tokens_cost_and_run(store: SqliteStore) -> None:
    embed(store, ToldModel())
    assert store.logic.spend("posts", "run 1") == Spend(4, 200, 100, 0)
    (newest, *_) = store.logic.measured_calls("posts", "openai:told", "")
    assert (newest.purpose, newest.model, newest.prompt_tokens, newest.cost) == ("embedding", "told-2026", 10, 20)


def test_the_cap_in_money_stops_before_it_is_exceeded_and_counts_over_starts(store: SqliteStore) -> None:
    most = PRICE.cost(*most_tokens(EmbedRequest(tuple(TEXTS[:3]))))
    capped = replace(ONE_AT_A_TIME, max_cost=most + 60, currency="USD")
    model = ToldModel()
    with pytest.raises(BudgetReached, match="could exceed the cap"):
        embed(store, model, teaching=capped)
    assert len(model.requests) == 2
    with pytest.raises(BudgetReached):
        embed(store, model, teaching=capped)
    assert len(model.requests) == 2
    assert store.logic.spend("posts", "run 1").cost <= capped.max_cost if capped.max_cost else False


def test_the_cap_in_calls_counts_requests(store: SqliteStore) -> None:
    model = ToldModel()
    with pytest.raises(BudgetReached, match="cap of 2 calls"):
        embed(store, model, teaching=replace(ONE_AT_A_TIME, max_calls=2))
    assert len(model.requests) == 2


# --- without sending --------------------------------------------------------------------------------------------------


def test_from_the_cache_alone_nothing_is_sent_and_what_lacks_is_named(store: SqliteStore) -> None:
    model = ToldModel()
    at_hand = CachedEmbedder(model.name, store.embeddings, Batching())
    with pytest.raises(VectorsMissing, match="10 of 10 texts are not embedded with openai:told yet") as caught:
        asyncio.run(at_hand.embed(TEXTS))
    assert caught.value.texts == tuple(TEXTS)
    wanted = embed(store, model)
    assert np.array_equal(asyncio.run(at_hand.embed(TEXTS)), wanted)
    assert asyncio.run(at_hand.status()).ready


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_long_text_is_cut_where_the_setting_says(store: SqliteStore) -> None:
    model = ToldModel()
    embed(store, model, ["abcdef", "abcxyz"], batching=Batching(3, longest_text=3))
    assert model.requests == [("abc",)]


@given(st.lists(st.integers(1, MOST_BYTES + 10), max_size=8), st.integers(1, 3))
def test_batches_hold_every_text_in_order_within_number_and_size(sizes: list[int], most: int) -> None:
    texts = ["x" * size for size in sizes]
    requests = list(Batching(most).requests(texts))
    assert [text for request in requests for text in request.texts] == texts
    for request in requests:
        assert 1 <= len(request.texts) <= most
        assert len(request.texts) == 1 or sum(map(len, request.texts)) <= MOST_BYTES
    assert len(requests) >= math.ceil(len(texts) / most)


def test_what_synthesis_embeds_of_an_example_is_masked_where_its_import_asked_for_it(tmp_path: Path) -> None:
    store = create_store(url_of(tmp_path / "masked.db"))
    examples = [make_example("Write to ann@example.org"), replace(make_example("Or to bob@example.org"), masked=True)]
    for example in fill(store, make_task(), examples):
        store.logic.add_instruction("posts", make_instruction(example))
    texts = compared_texts(store, "posts")
    assert texts[:4] == ("Write to ann@example.org", "Or to [e-mail]", *["the post is friendly"] * 2)
    assert "bob@example.org" not in " ".join(texts)
