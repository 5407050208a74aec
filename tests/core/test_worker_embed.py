"""The worker's `embed` job: done, failed, cancelled and continued; what arrived is not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app import embedding
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.models import Job, JobState
from storage import create_store
from tests.cli.running import wait_until
from tests.cli.worker_scenes import run_queued
from tests.embedding_stub import GOOD, KEY, EmbeddingStub, EmbedFault, embedding_stub
from tests.factories import ANNA, BERT, fill, make_examples, make_instruction, make_task, url_of

N = 12
NAME = "openai:words"


@pytest.fixture
def stub() -> Iterator[EmbeddingStub]:
    with embedding_stub() as running:
        yield running


@pytest.fixture
def app(tmp_path: Path, stub: EmbeddingStub, monkeypatch: pytest.MonkeyPatch, no_settings_from_outside: None) -> App:
    """Twelve instructions, embedded by the stub two at a time, one request after the other."""
    space = tmp_path / "space"
    store = create_store(url_of(space / "pld.db"))
    fill(store, make_task(), make_examples(N))
    for at, example in enumerate(store.tasks.examples("posts")):
        store.logic.add_instruction("posts", make_instruction(example, f"the post is about case {at}"))
    (space / "settings.toml").write_text(
        f'[embedder]\nname = "{NAME}"\nbase_url = "{stub.url}/v1"\nbatch_size = 2\nin_flight = 1\n'
        "[teacher.prices.words]\ninput = 2\noutput = 0\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", KEY)
    return App(load_settings(space, {}), store, ANNA)


def ordered(app: App) -> Job:
    return app.store.jobs.enqueue("embed", "posts", {"embedder": NAME}, BERT)


def missing(app: App) -> int:
    return embedding.to_embed(app, NAME, embedding.conditions_of(app, "posts")).texts


def test_afterwards_every_instruction_can_be_compared(app: App, stub: EmbeddingStub) -> None:
    wanted = embedding.to_embed(app, NAME, embedding.conditions_of(app, "posts"))
    assert (wanted.texts, wanted.of, wanted.found.calls) == (N, N, 6)
    assert wanted.words.startswith("12 of 12 texts have to be embedded with openai:words: 6 requests, about ")
    assert wanted.found.cost is not None
    assert wanted.found.cost > 0
    ordered(app)
    ended = run_queued(app)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, N, N)
    assert ended.message == "12 texts embedded with openai:words: 6 requests, 0.000144 USD."
    assert missing(app) == 0
    assert set(stub.seen.values()) == {1}
    ordered(app)
    assert run_queued(app).message == "0 texts embedded with openai:words: 0 requests, 0.00 USD."
    assert len(stub.requests) == 6


def test_a_refused_key_fails_the_job_with_its_sentence(
    app: App, stub: EmbeddingStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_EMBEDDER_API_KEY", "sk-wr0ng")
    ordered(app)
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "Set the right one in PLD_EMBEDDER_API_KEY" in ended.message
    assert "sk-wr0ng" not in ended.message
    assert stub.requests == []


def test_a_server_that_says_when_is_asked_again_then(app: App, stub: EmbeddingStub) -> None:
    limit = EmbedFault(status=429, headers=(("retry-after-ms", "1"),))
    stub.script = lambda number: limit if number == 2 else GOOD
    ordered(app)
    assert run_queued(app).state is JobState.DONE
    assert len(stub.requests) == 7
    assert app.store.logic.spend("posts").calls == 7


def test_a_cancelled_job_keeps_what_came_and_goes_on_where_it_was(app: App, stub: EmbeddingStub) -> None:
    job = ordered(app)

    def cancel_at_the_third(number: int) -> EmbedFault:
        if number == 3:
            app.store.jobs.request_cancel(job.id, ANNA)
        if number >= 3:
            # The report of what came before notices it; the request under way is waited for and kept.
            wait_until(lambda: app.store.jobs.get(job.id).done >= 4, "the report of the second request")
        return GOOD

    stub.script = cancel_at_the_third
    ended = run_queued(app)
    assert ended.state is JobState.CANCELLED
    sent = len(stub.requests)
    assert sent in (3, 4)
    assert missing(app) == N - 2 * sent
    stub.script = lambda _number: GOOD
    app.store.jobs.resume(job.id, ANNA)
    assert run_queued(app).state is JobState.DONE
    assert missing(app) == 0
    assert len(stub.requests) == 6
    assert set(stub.seen.values()) == {1}, "what arrived is not sent again"


def test_a_cap_that_is_reached_fails_the_job_and_counts_over_its_starts(app: App, stub: EmbeddingStub) -> None:
    capped = App(load_settings(app.settings.workspace, {"PLD_TEACHER_MAX_CALLS": "2"}), app.store, ANNA)
    job = ordered(capped)
    assert "cap of 2 calls is reached" in run_queued(capped).message
    capped.store.jobs.resume(job.id, ANNA)
    assert run_queued(capped).state is JobState.FAILED
    assert len(stub.requests) == 2
    assert missing(app) == N - 4
