"""Attributing a run: by every method that asks no student, once, with the first embedder that has what it takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pld_core.attributing import attribute_run
from pld_core.attribution import Method
from pld_core.attribution_ports import AttributionMade
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.compilation import Choices, compile_baseline, compile_prompt
from pld_core.embedding import Batching, CachedEmbedder
from pld_core.errors import InvalidInput
from pld_core.model_ports import Embedder
from pld_core.models import CompiledPrompt, Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.prompt_style import Style
from pld_core.run_setup import RunSetup
from storage import SqliteStore
from tests.answering import answer_of, answered_run
from tests.factories import ANNA, approved_rule, fill, make_example, make_rule, make_text

TRAIN = [make_example(f"you are a kind and friendly soul {n}") for n in ("today", "always", "indeed")]
RUDE = [make_example(f"shut up you stupid idiot {n}", "remove") for n in ("today", "always", "indeed")]
ASKED = [
    make_example("a kind and friendly soul you are, today", "keep", Split.VALIDATION),
    make_example("so shut up you stupid idiot, today", "remove", Split.VALIDATION),
    make_example("the train to the coast leaves at noon", "keep", Split.VALIDATION),
]


@pytest.fixture
def prompt(sqlite_store: SqliteStore) -> CompiledPrompt:
    """A prompt of a rule on kind posts and one on rude posts."""
    fill(sqlite_store, examples=[*TRAIN, *RUDE, *ASKED])
    approved_rule(sqlite_store, make_rule(make_text(), TRAIN))
    approved_rule(sqlite_store, make_rule(make_text("the post is rude", "remove"), RUDE, origin="other"))
    return compile_prompt(sqlite_store.tasks.get("posts"), sqlite_store.rules.in_force("posts"))


def run_of(store: SqliteStore, prompt: CompiledPrompt) -> Run:
    return answered_run(
        store, prompt, ASKED, {ASKED[0].hash: answer_of("keep", "R2"), ASKED[1].hash: answer_of("keep")}
    )


@pytest.mark.parametrize("lots", [RunSetup(temperature=0.7), RunSetup(shuffled=True, seed=1)])
def test_the_answers_of_a_run_that_drew_lots_are_put_down_to_no_rule(
    sqlite_store: SqliteStore, prompt: CompiledPrompt, lots: RunSetup
) -> None:
    run = answered_run(sqlite_store, prompt, ASKED, {}, setup=lots)
    with pytest.raises(InvalidInput, match=rf"Run {run.id} drew lots \({lots.words}\).*put down to none"):
        attributed(sqlite_store, run)
    assert sqlite_store.attributions.made(run.id) == ()


def attributed(store: SqliteStore, run: Run, *embedders: Embedder) -> tuple[AttributionMade, ...]:
    return asyncio.run(attribute_run(store, run, embedders or (TfidfEmbedder(),), ANNA))


def owners(store: SqliteStore, method: Method) -> dict[str, str]:
    sql = "SELECT example_hash, rule_id FROM attribution WHERE method = ? AND is_owner"
    with store.database.read() as conn:
        return dict(tuple(row) for row in conn.execute(sql, (method.value,)))


def test_answers_are_put_down_to_the_rule_whose_evidence_they_are_like(
    sqlite_store: SqliteStore, prompt: CompiledPrompt
) -> None:
    (made,) = attributed(sqlite_store, run_of(sqlite_store, prompt))
    assert (made.method, made.embedder) == (Method.EVIDENCE, TfidfEmbedder().name)
    assert owners(sqlite_store, Method.EVIDENCE) == {ASKED[0].hash: "R1", ASKED[1].hash: "R2", ASKED[2].hash: ""}


def test_where_the_prompt_asks_for_rules_they_are_put_down_to_those_too(
    sqlite_store: SqliteStore, prompt: CompiledPrompt
) -> None:
    made = attributed(sqlite_store, run_of(sqlite_store, replace(prompt, style=Style.CITED)))
    assert [one.method for one in made] == [Method.CITED, Method.EVIDENCE]
    assert owners(sqlite_store, Method.CITED) == {ASKED[0].hash: "R2", ASKED[1].hash: "", ASKED[2].hash: ""}
    assert owners(sqlite_store, Method.EVIDENCE)[ASKED[0].hash] == "R1"


def test_a_second_time_nothing_is_made_again(sqlite_store: SqliteStore, prompt: CompiledPrompt) -> None:
    run = run_of(sqlite_store, replace(prompt, style=Style.CITED))
    first = attributed(sqlite_store, run)
    before = sqlite_store.events.count()
    assert attributed(sqlite_store, run) == first
    assert sqlite_store.events.count() == before


def test_without_rules_no_text_is_compared(sqlite_store: SqliteStore, prompt: CompiledPrompt) -> None:
    bare = compile_baseline(sqlite_store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES))
    (made,) = attributed(sqlite_store, run_of(sqlite_store, bare))
    assert made.embedder == ""
    assert set(owners(sqlite_store, Method.EVIDENCE).values()) == {""}
    assert prompt.rules


def test_the_embedder_of_the_settings_compares_only_where_it_has_all_texts(
    sqlite_store: SqliteStore, prompt: CompiledPrompt
) -> None:
    cached = CachedEmbedder("openai:e", sqlite_store.embeddings, Batching())
    run = run_of(sqlite_store, prompt)
    with pytest.raises(InvalidInput, match="9 texts of this run are not embedded yet"):
        attributed(sqlite_store, run, cached)
    (made,) = attributed(sqlite_store, run, cached, TfidfEmbedder())
    assert made.embedder == TfidfEmbedder().name


def test_a_run_that_is_not_complete_is_refused(sqlite_store: SqliteStore, prompt: CompiledPrompt) -> None:
    run = answered_run(sqlite_store, prompt, ASKED, {}, finished=False)
    with pytest.raises(InvalidInput, match="is not complete"):
        attributed(sqlite_store, run)
