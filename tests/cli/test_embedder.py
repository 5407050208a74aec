"""`pld embedder`, and clustering and synthesis with an embedder on a server: what is sent, kept and refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.models import ClusterParams
from storage import SqliteStore, open_store
from tests.cli.running import PATIENCE_S, Pld, clean_environment, content_of, start_pld, wait_until
from tests.embedding_stub import GOOD, KEY, EmbeddingStub, EmbedFault, embedding_stub
from tests.factories import ANNA, url_of

OPENAI, OLLAMA = "openai:words", "ollama:words"


@pytest.fixture
def stub() -> Iterator[EmbeddingStub]:
    with embedding_stub() as running:
        yield running


@pytest.fixture
def served(space: Path, stub: EmbeddingStub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo workspace, whose embedder is the stub."""
    write_settings(space, f"{stub.url}/v1")
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", KEY)
    return space


def write_settings(space: Path, base_url: str, name: str = OPENAI) -> None:
    (space / "settings.toml").write_text(
        f"[embedder]\nname = {json.dumps(name)}\nbase_url = {json.dumps(base_url)}\n", encoding="utf-8"
    )


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


# --- pld embedder -----------------------------------------------------------------------------------------------------


def test_a_test_embeds_one_word_and_tells_the_length(served: Path, pld: Pld, stub: EmbeddingStub) -> None:
    assert pld("embedder", "test", "--workspace", served).out == "openai:words: ready, 32 numbers a text.\n"
    assert stub.requests == [["test"]]
    value = pld("embedder", "test", "--workspace", served, "--json").value
    assert (value["name"], value["ready"], value["dimensions"]) == (OPENAI, True, 32)


def test_the_built_in_one_is_always_ready(space: Path, pld: Pld) -> None:
    assert pld("embedder", "test", "--workspace", space).out == "tfidf-svd-64: ready; it needs no server.\n"


def test_a_test_of_ollama_says_what_to_run(space: Path, pld: Pld, stub: EmbeddingStub) -> None:
    write_settings(space, stub.url, "ollama:other")
    refused = pld("embedder", "test", "--workspace", space).refusal
    assert refused == "The model other is not on the Ollama server. It has: words:latest. Run: ollama pull other"
    assert pld("embedder", "test", "--embedder", OLLAMA, "--workspace", space).code == 0


def test_a_test_says_that_the_key_is_wrong_or_missing(served: Path, pld: Pld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", "sk-wr0ng")
    refused = pld("embedder", "test", "--workspace", served).refusal
    assert "refused the key" in refused
    assert "PLD_EMBEDDER_API_KEY" in refused
    assert "sk-wr0ng" not in refused
    monkeypatch.delenv("PLD_EMBEDDER_API_KEY")
    write_settings(served, "https://embedder.invalid/v1")
    assert "No key: set PLD_EMBEDDER_API_KEY." in pld("embedder", "test", "--workspace", served).refusal


def test_a_test_finds_a_model_that_is_there_and_does_not_embed(served: Path, pld: Pld, stub: EmbeddingStub) -> None:
    stub.script = lambda _number: EmbedFault(alter=lambda _rows: [])
    outcome = pld("embedder", "test", "--workspace", served, "--json")
    assert outcome.code == 1
    value = json.loads(outcome.out)
    assert not value["ready"]
    assert "sent 0 vectors for 1 texts" in value["problem"]


def test_an_embedder_that_does_not_exist_is_refused_with_those_that_do(space: Path, pld: Pld) -> None:
    refused = pld("embedder", "test", "--embedder", "word2vec", "--workspace", space).refusal
    assert "There is no embedder 'word2vec'. Known are tfidf" in refused
    refused = pld("cluster", "--task", "nda", "--embedder", "openai", "--workspace", space).refusal
    assert "needs a model after a colon" in refused


def test_forgetting_drops_the_vectors_of_one_embedder(served: Path, pld: Pld, stub: EmbeddingStub) -> None:
    pld("cluster", "--task", "nda", "--workspace", served)
    sent = len(stub.requests)
    told = pld("embedder", "forget", "--embedder", OPENAI, "--workspace", served, "--json").value
    assert told["dropped"] == len(stub.seen)
    pld("cluster", "--task", "nda", "--workspace", served)
    assert len(stub.requests) == 2 * sent
    assert pld("embedder", "forget", "--embedder", "openai:none", "--workspace", served).out.startswith("0 vectors")


# --- pld cluster ------------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_has_to_be_embedded_and_sends_nothing(served: Path, pld: Pld, stub: EmbeddingStub) -> None:
    before = content_of(served)
    value = pld("cluster", "--task", "nda", "--dry-run", "--workspace", served, "--json").value
    wanted = value["to_embed"]
    assert value["clustering"] is None
    assert (wanted["embedder"], wanted["of"], wanted["requests"]) == (OPENAI, 115, 2)
    assert wanted["cost_micro"] is None
    told = pld("cluster", "--task", "nda", "--dry-run", "--workspace", served).out
    assert "of 115 texts have to be embedded with openai:words: 2 requests, about" in told
    assert "no price is set for this model. Nothing was sent." in told
    assert stub.requests == []
    assert content_of(served) == before


def test_what_is_embedded_once_is_clustered_again_without_sending(served: Path, pld: Pld, stub: EmbeddingStub) -> None:
    value = pld("cluster", "--task", "nda", "--workspace", served, "--json").value
    kept = store_of(served).logic.clustering(value["clustering"])
    assert kept.params == replace(ClusterParams(), embedder=OPENAI)
    sent = len(stub.requests)
    assert set(stub.seen.values()) == {1}
    for more in (["--eps", "0.2"], ["--sweep"], ["--dry-run"]):
        assert pld("cluster", "--task", "nda", *more, "--workspace", served).code == 0
    assert len(stub.requests) == sent == 2


def test_a_killed_run_loses_what_was_in_flight_and_nothing_else(served: Path, pld: Pld, stub: EmbeddingStub) -> None:
    with (served / "settings.toml").open("a", encoding="utf-8") as file:
        file.write("batch_size = 16\nin_flight = 1\n")
    killed = threading.Event()

    def hold_the_third(number: int) -> EmbedFault:
        if number == 3:
            killed.wait(PATIENCE_S)
        return GOOD

    stub.script = hold_the_third
    environment = clean_environment(PLD_EMBEDDER_API_KEY=KEY)
    process = start_pld("cluster", "--task", "nda", "--workspace", served, environment=environment)
    with process:
        wait_until(lambda: len(stub.requests) == 3, "the third request")
        process.kill()
    killed.set()
    assert pld("cluster", "--task", "nda", "--workspace", served).code == 0
    again = {text for text, times in stub.seen.items() if times > 1}
    assert again == set(stub.requests[2]), "the request that was under way, and none that had arrived"
    assert len(stub.requests) == 8 + 1


def test_an_embedder_can_be_named_for_one_clustering(space: Path, pld: Pld, stub: EmbeddingStub) -> None:
    (space / "settings.toml").write_text(f'ollama_host = "{stub.url}"\n', encoding="utf-8")
    value = pld("cluster", "--task", "nda", "--embedder", OLLAMA, "--workspace", space, "--json").value
    assert value["params"]["embedder"] == OLLAMA
    assert all(body["truncate"] is False for body in stub.bodies)
    plain = pld("cluster", "--task", "nda", "--embedder", "tfidf", "--workspace", space, "--json").value
    assert plain["params"]["embedder"] == "tfidf-svd-64"


def test_a_cap_in_money_without_a_price_is_refused_before_anything_is_sent(
    served: Path, pld: Pld, stub: EmbeddingStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER_MAX_COST", "1")
    outcome = pld("cluster", "--task", "nda", "--workspace", served)
    assert "no price for openai:words" in outcome.err
    assert "pld settings set teacher.prices.words" in outcome.err
    assert stub.requests == []


# --- pld synthesize ---------------------------------------------------------------------------------------------------


def test_synthesis_compares_by_the_embedder_that_the_clustering_names(
    served: Path, pld: Pld, stub: EmbeddingStub
) -> None:
    pld("cluster", "--task", "nda", "--workspace", served)
    # The settings name another one meanwhile; its address serves still, as it is of the same kind.
    write_settings(served, f"{stub.url}/v1", "openai:another")
    told = pld("synthesize", "--task", "nda", "--dry-run", "--workspace", served, "--json").value
    before = len(stub.seen)
    assert told["to_embed"]["texts"] > 0, "the texts of the examples"
    value = pld("synthesize", "--task", "nda", "--workspace", served, "--json").value
    assert value["made"] + value["failed"] == told["calls"] + told["answered"]
    assert len(stub.seen) == before + told["to_embed"]["texts"] + value["made"], "and the conditions of the new rules"
    assert set(stub.seen.values()) == {1}
    assert {body["model"] for body in stub.bodies} == {"words"}


def test_without_that_embedder_synthesis_says_what_to_do(
    served: Path, pld: Pld, stub: EmbeddingStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    pld("cluster", "--task", "nda", "--workspace", served)
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", "sk-wr0ng")
    refused = pld("synthesize", "--task", "nda", "--workspace", served).refusal
    assert refused.startswith("Clustering 2 was made with the embedder openai:words. The server refused the key")
    assert refused.endswith("Or cluster again with an embedder that is there, and synthesise from that.")


def test_an_embedder_that_this_version_does_not_have_is_told(space: Path, pld: Pld) -> None:
    store = store_of(space)
    kept = store.logic.clustering(1)
    store.logic.add_clustering("nda", replace(kept.params, embedder="tfidf-svd-9"), kept.points, ANNA)
    refused = pld("synthesize", "--task", "nda", "--workspace", space).refusal
    assert "Clustering 2 was made with the embedder tfidf-svd-9. There is no embedder 'tfidf-svd-9'." in refused
