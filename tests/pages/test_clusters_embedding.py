"""Clusters with an embedder on a server: nothing is sent by looking, a job embeds, then the page works as ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import JobState
from pld_core.synthesising import compared_texts
from tests.embedding_stub import KEY, EmbeddingStub, embedding_stub
from tests.pages.driving import Visit, Worker, metrics, press, prose, run

NAME = "openai:words"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, environment: None) -> Iterator[EmbeddingStub]:
    """The embedder of the workspace."""
    with embedding_stub() as running:
        monkeypatch.setenv("PLD_EMBEDDER", NAME)
        monkeypatch.setenv("PLD_EMBEDDER_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("PLD_EMBEDDER_API_KEY", KEY)
        yield running


def priced(workspace: Path) -> None:
    (workspace / "settings.toml").write_text("[teacher.prices.words]\ninput = 20\noutput = 0\n", encoding="utf-8")


def labels(at: AppTest) -> list[str]:
    return [str(button.label) for button in at.button]


def test_looking_sends_nothing_and_says_what_it_takes(
    stub: EmbeddingStub, demo: App, visit: Visit, workspace_folder: Path
) -> None:
    priced(workspace_folder)
    at = run(visit("clusters"))
    told = prose(at)
    assert "To be embedded first with openai:words" in told.replace(" :gray[", " ").replace("**", "")
    assert "115 of 115" in told
    assert "about 0.0" in told
    assert "Nothing is sent before you start." in told
    assert "It can be used now: words at 127.0.0.1:" in told
    assert "the instructions are sent to it, not the examples" in told
    assert "Embed 115 texts" in labels(at)
    assert "Keep this clustering" not in labels(at)
    assert stub.requests == []


def test_without_a_price_the_page_says_so(stub: EmbeddingStub, demo: App, visit: Visit) -> None:
    assert "no price is set for this model" in prose(visit("clusters"))


def test_a_job_embeds_and_then_the_page_compares_keeps_and_sends_nothing_more(
    stub: EmbeddingStub, demo: App, visit: Visit, worker: Worker
) -> None:
    at = press(visit("clusters"), "start_embed")
    assert "Embed 115 texts" not in labels(at)
    assert "It is going on." in prose(at)
    job = worker()
    assert (job.kind, job.state, job.params) == ("embed", JobState.DONE, {"embedder": NAME})
    sent = len(stub.requests)
    at = run(at)
    assert metrics(at)["Noise"].endswith("of 115")
    assert "Compared by openai:words." in prose(at)
    at = press(at, "keep")
    assert demo.store.logic.clusterings("nda")[0].params.embedder == NAME
    assert len(stub.requests) == sent
    assert "Synthesis also compares the examples" in prose(at)
    texts = compared_texts(demo.store, "nda")
    assert f"of {len(texts)} texts have to be embedded with openai:words" in prose(at)


def test_a_clustering_of_another_embedder_says_that_it_is_one_and_its_rules_can_be_made(
    stub: EmbeddingStub, demo: App, visit: Visit, worker: Worker
) -> None:
    at = press(visit("clusters"), "start_embed")
    worker()
    at = run(at)
    at.selectbox("kept_nda").select(1)
    at = run(at)
    assert "Clustering 1 was compared by tfidf-svd-64, this page compares by openai:words" in prose(at)
    sent = len(stub.requests)
    press(at, "synthesise_kept")
    job = worker()
    assert (job.kind, job.state, job.params) == ("synthesise", JobState.DONE, {"clustering": 1})
    assert job.message == "Rules: 0 made, 13 already there, 0 failed."
    assert len(stub.requests) == sent, "it was compared by the embedder that the clustering names"


def test_an_embedder_that_is_not_there_is_told_and_nothing_can_be_started(
    stub: EmbeddingStub, demo: App, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", "sk-wr0ng")
    at = visit("clusters")
    assert "refused the key" in prose(at)
    assert "sk-wr0ng" not in prose(at)
    assert at.button("start_embed").disabled
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", KEY)
    at = press(at, "embedder_again")
    assert not at.button("start_embed").disabled


def test_a_name_that_no_embedder_has_is_told(
    stub: EmbeddingStub, demo: App, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_EMBEDDER", "word2vec")
    assert "There is no embedder 'word2vec'. Known are tfidf" in prose(visit("clusters"))


def test_after_its_vectors_were_forgotten_the_page_asks_to_embed_again(
    stub: EmbeddingStub, demo: App, visit: Visit, worker: Worker
) -> None:
    at = press(visit("clusters"), "start_embed")
    worker()
    assert "Compared by openai:words." in prose(run(at))
    demo.store.embeddings.forget(NAME, demo.actor)
    assert "Embed 115 texts" in labels(run(at))
