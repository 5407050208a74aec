"""The embedder's work for commands, jobs and pages: which one, what it still has to embed at which cost, embedding."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pld_app import wiring
from pld_app.embedder_settings import BUILT_IN
from pld_app.settings import Settings
from pld_app.teacher_settings import teaching_of
from pld_app.wiring import App
from pld_core import pipeline, synthesising
from pld_core.backends import check_embedding_model, open_embedding_model
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.canonical import hash_text
from pld_core.embedding import CachedEmbedder, ServedEmbedder, missing_texts
from pld_core.errors import BackendError, InvalidInput
from pld_core.estimate import Estimate, estimate
from pld_core.model_ports import BackendStatus, Embedder, EmbeddingModel, EmbedRequest, Vectors
from pld_core.models import ClusterParams
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.pricing import money
from pld_core.records import StoredClustering

ONE_WORD = EmbedRequest(("test",))


@dataclass(frozen=True)
class ToEmbed:
    """What has to be sent before texts can be compared.

    Attributes:
        texts: how many texts; 0 if all are cached, or need no server.
        of: how many there are in all.
        found: what it would take; its `calls` are requests.
    """

    embedder: str
    texts: int
    of: int
    found: Estimate
    currency: str

    @property
    def words(self) -> str:
        """Say it in one sentence."""
        return (
            f"{self.texts:,} of {self.of:,} texts have to be embedded with {self.embedder}: {self.requests}, "
            f"about {self.found.input_tokens:,} tokens, {self.cost}."
        )

    @property
    def requests(self) -> str:
        return "1 request" if self.found.calls == 1 else f"{self.found.calls:,} requests"

    @property
    def cost(self) -> str:
        """The cost in words."""
        if self.found.cost is None:
            return "no price is set for this model"
        return f"about {money(self.found.cost, self.currency)}" if self.found.cost else "free"


# --- which one --------------------------------------------------------------------------------------------------------


def embedder_name(settings: Settings, wanted: str = "") -> str:
    """Return the name that a clustering keeps of the wanted embedder, or of the one in the settings.

    Raises:
        InvalidInput: no embedder can have that name.
    """
    name = (wanted or settings.embedder.name).strip()
    if name in (BUILT_IN, TfidfEmbedder().name):
        return TfidfEmbedder().name
    check_embedding_model(name)
    return name


def is_built_in(name: str) -> bool:
    """Whether the embedder needs no server and no cache."""
    return name == TfidfEmbedder().name


def open_embedder(app: App, task: str, name: str, run: str, report: Progress) -> Embedder:
    """Return an embedder for one run over a task; what it sends counts against the run's cap.

    Raises:
        InvalidInput: there is none of that name, or there is a cap in money for a model without a price.
    """
    if is_built_in(name):
        return TfidfEmbedder()
    model = _model(app.settings, name)
    teaching = teaching_of(app.settings.teacher, name, run, app.settings.embedder.limits)
    return ServedEmbedder(model, app.store, task, teaching, app.settings.embedder.batching, report)


def at_hand(app: App, name: str) -> Embedder:
    """Return an embedder that never sends anything: what is not cached raises `VectorsMissing`."""
    if is_built_in(name):
        return TfidfEmbedder()
    return CachedEmbedder(name, app.store.embeddings, app.settings.embedder.batching)


@asynccontextmanager
async def embedder_of(app: App, clustering: StoredClustering, run: str, report: Progress) -> AsyncIterator[Embedder]:
    """Open the embedder that a stored clustering was made with: distances of another one would mean other things.

    Args:
        clustering: with its points.

    Raises:
        InvalidInput: there is no such embedder any more.
        BackendError: texts have to be embedded still, and it is not there.
    """
    name = clustering.params.embedder
    told = f"Clustering {clustering.id} was made with the embedder {name}."
    way_out = "Or cluster again with an embedder that is there, and synthesise from that."
    try:
        found = open_embedder(app, clustering.task, name, run, report)
    except InvalidInput as error:
        raise InvalidInput(f"{told} {error} {way_out}") from error
    try:
        if to_compare(app, clustering).texts:
            status = await found.status()
            if not status.ready:
                fix = f" Run: {status.fix}." if status.fix else ""
                raise BackendError(f"{told} {status.problem}{fix} {way_out}")
        yield found
    finally:
        await found.aclose()


# --- whether it is there ----------------------------------------------------------------------------------------------


def embedder_status(settings: Settings, name: str) -> BackendStatus:
    """Look whether an embedder can be used right now; sends no text."""

    async def look() -> BackendStatus:
        if is_built_in(name):
            return await TfidfEmbedder().status()
        model = _model(settings, name)
        try:
            return await model.status()
        finally:
            await model.aclose()

    return wiring.run_async(look())


def dimensions(settings: Settings, name: str) -> int:
    """Embed one word and return how many numbers its vector has; 0 for the built-in one, where it depends on the texts.

    Raises:
        BackendError: the server is there, but does not embed with this model.
    """

    async def look() -> int:
        model = _model(settings, name)
        try:
            return int((await model.complete(ONE_WORD)).vectors.shape[1])
        finally:
            await model.aclose()

    return 0 if is_built_in(name) else wiring.run_async(look())


# --- what there is to do ----------------------------------------------------------------------------------------------


def conditions_of(app: App, task: str) -> list[str]:
    """Return the texts that clustering a task compares."""
    return [instruction.condition for instruction in app.store.logic.active_instructions(task)]


def to_embed(app: App, name: str, texts: Sequence[str]) -> ToEmbed:
    """Return what it would take to embed those of the texts that are not cached; sends nothing."""
    settings = app.settings
    batching = settings.embedder.batching
    missing = () if is_built_in(name) else missing_texts(app.store.embeddings, name, texts, batching)
    found = estimate(list(batching.requests(missing)), [], settings.teacher.price(name), settings.embedder.limits)
    return ToEmbed(name, len(missing), len(texts), found, settings.teacher.currency)


def to_compare(app: App, clustering: StoredClustering) -> ToEmbed:
    """Return what synthesis of a stored clustering, with its points, would have to embed first."""
    if is_built_in(clustering.params.embedder):
        return to_embed(app, clustering.params.embedder, ())
    return to_embed(app, clustering.params.embedder, synthesising.compared_texts(app.store, clustering.task))


# --- doing it ---------------------------------------------------------------------------------------------------------


@guarded_app(Step.EMBED)
def embed(app: App, task: str, name: str, run: str, report: Progress) -> str:
    """Embed the conditions of a task that are not cached yet, and return in words what was done.

    Raises:
        BackendError, BudgetReached: what was embedded is kept.
    """
    texts = conditions_of(app, task)
    missing = to_embed(app, name, texts).texts

    async def work() -> None:
        found = open_embedder(app, task, name, run, report)
        try:
            await found.embed(texts)
        finally:
            await found.aclose()

    if missing:
        wiring.run_async(work())
    spent = app.store.logic.spend(task, run)
    cost = money(spent.cost, app.settings.teacher.currency)
    requests = "1 request" if spent.calls == 1 else f"{spent.calls:,} requests"
    return f"{missing:,} texts embedded with {name}: {requests}, {cost}."


def vectors(app: App, name: str, texts: Sequence[str]) -> Vectors:
    """Return the vectors of the texts without sending any of them.

    Raises:
        VectorsMissing: some have to be embedded first.
    """
    return wiring.run_async(at_hand(app, name).embed(texts))


def origin_of_vectors(app: App, name: str, texts: Sequence[str]) -> list[str]:
    """Return what tells the vectors of the texts from others of the same embedder's name, without reading them all.

    They differ between workspaces, and after the embedder's vectors were forgotten.
    """
    if is_built_in(name) or not texts:
        return []
    first = hash_text(app.settings.embedder.batching.cut(texts[0]))
    return [str(app.settings.workspace), app.store.embeddings.since(name, first)]


@guarded_app(Step.CLUSTER)
def save_clustering(app: App, task: str, params: ClusterParams) -> StoredClustering:
    """Cluster the instructions of a task with the embedder that `params` names, and keep the result; sends nothing.

    Raises:
        VectorsMissing: some have to be embedded first.
    """
    found = at_hand(app, params.embedder)
    return wiring.run_async(pipeline.save_clustering(app.store, found, task, params, app.actor))


def _model(settings: Settings, name: str) -> EmbeddingModel:
    return open_embedding_model(name, settings.embedder_backends(name, os.environ))
