"""One suite over every implementation of the `Embedder` port, and how the models on servers fail."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pytest

from pld_core.backends import BackendSettings, open_embedding_model
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.calls import Limits
from pld_core.embedding import Batching, ServedEmbedder
from pld_core.errors import (
    AccessRefused,
    BackendBusy,
    BackendError,
    BackendRefused,
    BackendUnreachable,
    ModelMissing,
    PldError,
    PromptTooLong,
    VectorsUnusable,
)
from pld_core.model_ports import BackendStatus, Embedder, EmbeddingModel, EmbedReply, EmbedRequest, Vectors
from pld_core.teaching import Teaching
from storage import SqliteStore, create_store
from tests.embedding_stub import DIMENSIONS, KEY, MODEL, EmbeddingStub, EmbedFault, Rows, embedding_stub, row_of
from tests.factories import fill, make_task, no_report, url_of

from .servers import nobody_listening

T = TypeVar("T")
TEXTS = [
    "the post insults a person",
    "the post insults a group",
    "the post thanks a person",
    "the post asks for money now",
    "the post insults a person",
]
QUICK = Teaching(limits=Limits(in_flight=2, attempts=3, first_wait_s=0.0))


def opened(kind: str, url: str, model: str = MODEL, key: str = KEY) -> EmbeddingModel:
    settings = BackendSettings(ollama_host=url, openai_base_url=f"{url}/v1", openai_api_key=key)
    return open_embedding_model(f"{kind}:{model}", settings)


@dataclass
class Kind:
    """How the suite makes one implementation; each call of `make` is a new run over the same cache."""

    name: str
    make: Callable[[], Embedder]
    broken: Callable[[], Embedder] | None


@pytest.fixture
def stub() -> Iterator[EmbeddingStub]:
    with embedding_stub() as running:
        yield running


@pytest.fixture(scope="session")
def nobody() -> Iterator[str]:
    with nobody_listening() as url:
        yield url


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    found = create_store(url_of(tmp_path / "pld.db"))
    fill(found, make_task())
    return found


@pytest.fixture(params=["tfidf", "openai", "ollama"])
def kind(request: pytest.FixtureRequest, store: SqliteStore, stub: EmbeddingStub, nobody: str) -> Kind:
    name = cast(str, request.param)
    if name == "tfidf":
        return Kind("tfidf-svd-64", TfidfEmbedder, None)

    def served(url: str) -> Embedder:
        return ServedEmbedder(opened(name, url), store, "posts", QUICK, Batching(2), no_report)

    return Kind(f"{name}:{MODEL}", lambda: served(stub.url), lambda: served(nobody))


def using(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    async def run() -> Vectors:
        try:
            return await embedder.embed(texts)
        finally:
            await embedder.aclose()

    return asyncio.run(run())


def status_of(embedder: Embedder | EmbeddingModel) -> BackendStatus:
    async def run() -> BackendStatus:
        try:
            return await embedder.status()
        finally:
            await embedder.aclose()

    return asyncio.run(run())


# --- every embedder ---------------------------------------------------------------------------------------------------


def test_there_is_one_float32_row_of_length_1_for_each_text(kind: Kind) -> None:
    vectors = using(kind.make(), TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_rows_are_in_the_order_of_the_texts(kind: Kind) -> None:
    vectors = using(kind.make(), TEXTS)
    close = vectors @ vectors.T
    assert np.allclose(close[0, 4], 1, atol=1e-5), "equal texts, equal rows"
    assert close[0, 1] > close[0, 3], "more words in common, nearer"


def test_the_same_texts_give_the_same_rows(kind: Kind) -> None:
    assert np.array_equal(using(kind.make(), TEXTS), using(kind.make(), TEXTS))


def test_no_text_gives_no_row_and_one_text_one(kind: Kind) -> None:
    assert using(kind.make(), []).shape[0] == 0
    assert using(kind.make(), TEXTS[:1]).shape[0] == 1


def test_a_blank_text_gives_zeros(kind: Kind) -> None:
    vectors = using(kind.make(), [*TEXTS, " \n"])
    assert not vectors[-1].any()
    assert not using(kind.make(), ["", " "]).any()


def test_it_says_its_name_and_that_it_is_there(kind: Kind) -> None:
    assert kind.make().name == kind.name
    found = status_of(kind.make())
    assert (found.name, found.ready, found.problem) == (kind.name, True, "")


@pytest.mark.parametrize("kind", ["openai", "ollama"], indirect=True)
def test_a_server_that_is_not_there_is_told_and_nothing_is_lost(kind: Kind) -> None:
    assert kind.broken is not None
    found = status_of(kind.broken())
    assert not found.ready
    assert "answers at" in found.problem
    with pytest.raises(BackendError, match=r"answers at .* 0 of 4 texts are embedded and kept\. Start again"):
        using(kind.broken(), TEXTS)
    assert using(kind.make(), TEXTS).shape == (5, DIMENSIONS)


# --- models on servers ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["openai", "ollama"])
def protocol(request: pytest.FixtureRequest) -> str:
    return cast(str, request.param)


def complete(kind: str, stub: EmbeddingStub, texts: Sequence[str] = TEXTS, **given: str) -> EmbedReply:
    async def run() -> EmbedReply:
        model = opened(kind, stub.url, **given)
        try:
            return await model.complete(EmbedRequest(tuple(texts)))
        finally:
            await model.aclose()

    return asyncio.run(run())


def refused(kind: str, stub: EmbeddingStub, fault: EmbedFault) -> PldError:
    stub.script = lambda _number: fault
    with pytest.raises(PldError) as caught:
        complete(kind, stub)
    return caught.value


def test_a_reply_has_the_vectors_and_what_the_server_said(protocol: str, stub: EmbeddingStub) -> None:
    reply = complete(protocol, stub)
    wanted = np.array([row_of(text) for text in TEXTS])
    assert np.allclose(reply.vectors, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
    assert (reply.prompt_tokens, reply.output_tokens) == (26, 0)
    assert reply.model.startswith(MODEL)
    assert reply.latency_ms >= 0


def test_openai_rows_are_ordered_by_index(stub: EmbeddingStub) -> None:
    there = complete("openai", stub).vectors
    stub.script = lambda _number: EmbedFault(backwards=True)
    assert np.array_equal(complete("openai", stub).vectors, there)


def test_ollama_is_told_not_to_cut_a_text_without_a_word(stub: EmbeddingStub) -> None:
    complete("ollama", stub)
    assert stub.bodies[0]["truncate"] is False
    assert stub.bodies[0]["options"]["num_ctx"] == 8192


def _with(value: object) -> Callable[[Rows], Any]:
    return lambda rows: [[value, *rows[0][1:]], *rows[1:]]


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda rows: rows[:-1], "sent 4 vectors for 5 texts"),
        (lambda rows: [*rows, rows[0]], "sent 6 vectors for 5 texts"),
        (lambda _rows: [], "sent 0 vectors for 5 texts"),
        (lambda rows: [rows[0][:-1], *rows[1:]], r"unequal length \(31, 32 numbers\)"),
        (lambda rows: [[] for _ in rows], r"unequal length \(0 numbers\)"),
        (_with(math.nan), "not finite"),
        (_with(math.inf), "not finite"),
        (_with("many"), "something else than numbers"),
        (lambda rows: [[0.0] * DIMENSIONS, *rows[1:]], "a vector of zeros"),
    ],
)
def test_vectors_that_cannot_be_compared_are_named(
    protocol: str, stub: EmbeddingStub, alter: Callable[[Rows], Any], words: str
) -> None:
    stub.script = lambda _number: EmbedFault(alter=alter)
    with pytest.raises(VectorsUnusable, match=words) as caught:
        complete(protocol, stub)
    assert any(way in str(caught.value) for way in ("Check", "choose another")), "it says what to do"


def test_very_large_and_very_small_numbers_are_no_reason_to_refuse(protocol: str, stub: EmbeddingStub) -> None:
    good = complete(protocol, stub).vectors
    for scale in (1e250, 1e-250):
        factor = scale
        stub.script = lambda _number, f=factor: EmbedFault(alter=lambda rows: [[n * f for n in row] for row in rows])  # type: ignore[misc]
        assert np.allclose(complete(protocol, stub).vectors, good, atol=1e-6)


def test_a_web_page_is_no_answer(protocol: str, stub: EmbeddingStub) -> None:
    error = refused(protocol, stub, EmbedFault(page=True))
    assert isinstance(error, BackendRefused)
    assert "answers, but not as an" in str(error)
    assert "Check the address" in str(error)


def test_a_connection_that_is_cut_may_be_tried_again(protocol: str, stub: EmbeddingStub) -> None:
    error = refused(protocol, stub, EmbedFault(cut=True))
    assert isinstance(error, BackendUnreachable)


def test_an_overloaded_server_is_busy(protocol: str, stub: EmbeddingStub) -> None:
    for status in (429, 500, 503):
        assert isinstance(refused(protocol, stub, EmbedFault(status=status)), BackendBusy)


def test_openai_says_when_it_can_again(stub: EmbeddingStub) -> None:
    error = refused("openai", stub, EmbedFault(status=429, headers=(("retry-after", "7"),)))
    assert isinstance(error, BackendBusy)
    assert error.retry_after_s == 7


def test_a_text_that_is_too_long_is_told_with_the_way_out(protocol: str, stub: EmbeddingStub) -> None:
    fault = EmbedFault(status=400, message="the input length exceeds the maximum context length")
    error = refused(protocol, stub, fault)
    assert isinstance(error, PromptTooLong)
    assert "longest_text" in str(error)


def test_a_model_that_is_not_there_is_named(protocol: str, stub: EmbeddingStub) -> None:
    with pytest.raises(ModelMissing, match="other"):
        complete(protocol, stub, model="other")
    if protocol == "openai":
        assert "It offers: words." in status_of(opened(protocol, stub.url, "other")).problem


def test_a_wrong_key_is_refused_and_never_shown(stub: EmbeddingStub) -> None:
    with pytest.raises(AccessRefused, match="refused the key") as caught:
        complete("openai", stub, key="sk-wr0ng")
    assert "sk-wr0ng" not in str(caught.value)
    found = status_of(opened("openai", stub.url, key="sk-wr0ng"))
    assert not found.ready
    assert "refused the key" in found.problem
    assert "sk-wr0ng" not in repr(opened("openai", stub.url, key="sk-wr0ng"))
