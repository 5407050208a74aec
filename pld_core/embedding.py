"""An `Embedder` over a model on a server: what was embedded once is kept, the rest goes out in batches.

Every batch is stored with the record of its call the moment it arrives, so an interrupted run repeats none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pld_core.calls import Call, Settled
from pld_core.canonical import hash_json, hash_text
from pld_core.engine import Engine
from pld_core.errors import CallsStopped, Failure, VectorsMissing, VectorsUnusable
from pld_core.logic_ports import EmbeddingStore
from pld_core.model_ports import BackendStatus, EmbeddingModel, EmbedReply, EmbedRequest, Vectors
from pld_core.ports import Progress, Store
from pld_core.records import TeacherCall
from pld_core.teaching import Teaching

PURPOSE = "embedding"
MOST_BYTES = 200_000
"""Of all texts of a batch: providers limit the tokens of a request, and no token is shorter than a byte."""


@dataclass(frozen=True)
class Batching:
    """How texts are sent.

    Attributes:
        size: most texts in one request, at least 1.
        longest_text: characters after which a text is cut; None for never. What was cut is compared by its beginning.
    """

    size: int = 64
    longest_text: int | None = None

    def cut(self, text: str) -> str:
        return text[: self.longest_text]

    def requests(self, texts: Sequence[str]) -> Iterator[EmbedRequest]:
        """Yield the requests for the texts, in their order; a text longer than `MOST_BYTES` goes alone."""
        batch: list[str] = []
        room = MOST_BYTES
        for text in texts:
            size = len(text.encode("utf-8"))
            if batch and (len(batch) == self.size or size > room):
                yield EmbedRequest(tuple(batch))
                batch, room = [], MOST_BYTES
            batch.append(text)
            room -= size
        if batch:
            yield EmbedRequest(tuple(batch))


def missing_texts(store: EmbeddingStore, model: str, texts: Sequence[str], batching: Batching) -> tuple[str, ...]:
    """Return what would be sent to embed the texts: each once, cut, and neither blank nor cached."""
    wanted = dict.fromkeys(batching.cut(text) for text in texts)
    hashes = {hash_text(text): text for text in wanted if text.strip()}
    known = store.known(model, list(hashes))
    return tuple(text for key, text in hashes.items() if key not in known)


def cached_vectors(store: EmbeddingStore, model: str, texts: Sequence[str], batching: Batching) -> Vectors:
    """Return the vectors of the texts from the cache; a blank text has zeros.

    Raises:
        VectorsMissing: some have none.
        VectorsUnusable: they are of unequal length, so the name stood for two models.
    """
    cut = [batching.cut(text) for text in texts]
    hashes = [hash_text(text) if text.strip() else "" for text in cut]
    found = store.vectors(model, sorted(set(hashes) - {""}))
    missing = dict.fromkeys(text for text, key in zip(cut, hashes, strict=True) if key and key not in found)
    if missing:
        raise VectorsMissing(
            f"{len(missing):,} of {len(texts):,} texts are not embedded with {model} yet. Embed them first: "
            "on the Clusters page, or with `pld cluster`.",
            tuple(missing),
        )
    sizes = sorted({len(vector) for vector in found.values()})
    if len(sizes) > 1:
        raise VectorsUnusable(
            f"The stored vectors of {model} have {' and '.join(map(str, sizes))} numbers: the name stood for different "
            f"models at different times. Run `pld embedder forget --embedder {model}`, then embed again."
        )
    rows = np.zeros((len(texts), sizes[0] if sizes else 1), dtype=np.float32)
    for row, key in enumerate(hashes):
        if key:
            rows[row] = found[key]
    return rows


class CachedEmbedder:
    """An `Embedder` that never sends anything: for pages, which are drawn again at each click."""

    def __init__(self, name: str, store: EmbeddingStore, batching: Batching) -> None:
        self.name = name
        self._store, self._batching = store, batching

    async def status(self) -> BackendStatus:
        """The cache is always there."""
        return BackendStatus(name=self.name, title=f"{self.name} (cached)", ready=True, model=self.name)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of the texts; for errors see `cached_vectors`."""
        return cached_vectors(self._store, self.name, texts, self._batching)

    async def aclose(self) -> None:
        """Nothing is held open."""


class ServedEmbedder:
    """See `pld_core.model_ports.Embedder`. One is made for one run over one task; it closes its model."""

    def __init__(
        self,
        model: EmbeddingModel,
        store: Store,
        task: str,
        teaching: Teaching,
        batching: Batching,
        report: Progress,
    ) -> None:
        """Prepare the run; nothing is sent yet.

        Args:
            task: whose calls these are, for the record of what was spent.
            teaching: limits, price and cap; calls for vectors and calls for text count against the same one.
            report: told after each batch; what it raises stops the run.
        """
        self._model, self._store, self._task = model, store, task
        self._teaching, self._batching, self._report = teaching, batching, report
        self._done, self._total = 0, 0

    @property
    def name(self) -> str:
        return self._model.name

    async def status(self) -> BackendStatus:
        return await self._model.status()

    async def aclose(self) -> None:
        await self._model.aclose()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of the texts; only those that are not cached are sent, each once.

        Raises:
            As `Engine.run`; `CallsStopped` too for a batch that could not be embedded. What came is kept.
        """
        store = self._store.embeddings
        missing = await asyncio.to_thread(missing_texts, store, self.name, texts, self._batching)
        if missing:
            await self._send(missing)
        return await asyncio.to_thread(cached_vectors, store, self.name, texts, self._batching)

    async def _send(self, texts: Sequence[str]) -> None:
        self._done, self._total = 0, len(texts)
        engine: Engine[None, EmbedRequest, EmbedReply] = Engine(
            self._model,
            self._teaching.limits,
            self._teaching.price,
            self._teaching.budget(self._store, self._task),
            self._teaching.seed,
            self._teaching.clock,
        )
        self._tell()
        await engine.run([Call(request, None) for request in self._batching.requests(texts)], self._record, self._tell)
        self._tell()

    def _tell(self) -> None:
        self._report(self._done, self._total, "texts embedded")

    async def _record(self, batch: Sequence[Settled[None, EmbedRequest, EmbedReply]]) -> None:
        kept = [(self._call(settled), _by_hash(settled)) for settled in batch]
        # In a thread: the disk must not hold up the calls under way.
        await asyncio.to_thread(self._store.embeddings.record, self._task, kept)
        self._done += sum(len(vectors) for _, vectors in kept)
        for settled in batch:
            if settled.failure is not None:
                # Without its vectors nothing can be compared, so the rest would be paid for in vain.
                raise CallsStopped(self._words(settled))

    def _words(self, settled: Settled[None, EmbedRequest, EmbedReply]) -> str:
        texts = settled.call.request.texts
        longest = f" The longest text of this request has {max(map(len, texts)):,} characters."
        return (
            f"{settled.problem}{longest if settled.failure is Failure.TOO_LONG else ''} "
            f"{self._done:,} of {self._total:,} texts are embedded and kept. Start again to go on."
        )

    def _call(self, settled: Settled[None, EmbedRequest, EmbedReply]) -> TeacherCall:
        hashes = [hash_text(text) for text in settled.call.request.texts]
        reply = settled.reply
        return TeacherCall(
            request_hash=hash_json([PURPOSE, self.name, hashes]),
            purpose=PURPOSE,
            subjects=(),
            teacher=self.name,
            template_hash="",
            reply=settled.raw,
            problem=settled.problem,
            prompt_tokens=reply.prompt_tokens if reply else None,
            output_tokens=0 if reply else None,
            latency_ms=reply.latency_ms if reply else 0,
            model=reply.model if reply else "",
            finish="stop" if reply else "",
            failure=settled.failure,
            attempts=settled.attempts,
            cost=settled.cost,
            run=self._teaching.run,
        )


def _by_hash(settled: Settled[None, EmbedRequest, EmbedReply]) -> dict[str, Vectors]:
    if settled.failure is not None or settled.reply is None:
        return {}
    return {
        hash_text(text): vector for text, vector in zip(settled.call.request.texts, settled.reply.vectors, strict=True)
    }
