"""Putting the answers of a complete run down to the rules of its prompt, by every method that asks no student."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pld_core.attribution import Attribution, Method, RuleSources, by_citation, by_evidence, refuse_trial
from pld_core.attribution_ports import AttributionMade
from pld_core.errors import InvalidInput, VectorsMissing
from pld_core.model_ports import Embedder, Vectors
from pld_core.models import Actor, Run
from pld_core.ports import Store
from pld_core.prompt_style import Style


async def attribute_run(
    store: Store, run: Run, embedders: Sequence[Embedder], actor: Actor
) -> tuple[AttributionMade, ...]:
    """Put the answers of a run down to rules, and return by which methods that is done now; what is there stays.

    By evidence always, by citation where the prompt asks for the rules. Texts go to no server for it.

    Args:
        embedders: the first of them that has the vectors of all texts at hand compares them.

    Raises:
        InvalidInput: the run is not complete or drew lots, or no embedder has the vectors.
    """
    refuse_trial(run)
    prompt = (await asyncio.to_thread(store.prompts.get, run.task, run.prompt_number)).prompt
    made = {one.method for one in store.attributions.made(run.id)}
    wanted = [Method.EVIDENCE, *([Method.CITED] if prompt.style is Style.CITED else [])]
    missing = [method for method in wanted if method not in made]
    if missing:
        rules = await asyncio.to_thread(store.attributions.sources, prompt.rules)
        predictions = await asyncio.to_thread(store.runs.predictions, run.id)
    for method in missing:
        if method is Method.CITED:
            found = by_citation(rules, predictions)
        else:
            found = await _by_evidence(store, run.task, rules, [p.example_hash for p in predictions], embedders)
        await asyncio.to_thread(store.attributions.record, run.id, found, actor)
    return store.attributions.made(run.id)


async def _by_evidence(
    store: Store, task: str, rules: Sequence[RuleSources], asked: Sequence[str], embedders: Sequence[Embedder]
) -> Attribution:
    wanted = sorted({*asked, *(content for rule in rules for content in rule.examples)})
    texts = await asyncio.to_thread(store.attributions.texts, task, wanted if rules else [])
    embedder, vectors = await _first_vectors(embedders, list(texts.values()))
    places = {content: row for row, content in enumerate(texts)}
    return await asyncio.to_thread(by_evidence, rules, asked, places, vectors, embedder if rules else "")


async def _first_vectors(embedders: Sequence[Embedder], texts: Sequence[str]) -> tuple[str, Vectors]:
    for embedder in embedders:
        try:
            return embedder.name, await embedder.embed(texts)
        except VectorsMissing:
            continue
    raise InvalidInput(
        f"The {len(texts):,} texts of this run are not embedded yet, so they cannot be compared. Nothing was changed. "
        "Choose the built-in embedder, which needs no server."
    )
