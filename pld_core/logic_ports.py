"""What is needed of a store on the way from examples to rules: calls, instructions, clusterings, vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pld_core.model_ports import Vectors
from pld_core.models import Actor, ClusterParams, ClusterPoint, MicroInstruction
from pld_core.records import Spend, StoredClustering, TeacherCall


class LogicStore(Protocol):
    """Teacher calls, micro-instructions and clusterings: the way from examples to rules."""

    def record_calls(self, task: str, calls: Sequence[tuple[TeacherCall, MicroInstruction | None]]) -> None:
        """Record calls, each with the instruction that was read from it, in one transaction.

        An example that has an instruction keeps it.
        """
        ...

    def stored_replies(self, request_hashes: Sequence[str]) -> dict[str, str]:
        """Return the usable replies to those of the requests that have one, by request hash."""
        ...

    def in_batches(self, task: str) -> frozenset[str]:
        """Return the hashes of requests in open batches of a task that have no record yet; they are not to be sent."""
        ...

    def last_run(self, task: str, purpose: str) -> str | None:
        """Return the run of the newest call for a purpose, empty if it was made for none; None without any call."""
        ...

    def failed_calls(self, task: str) -> tuple[TeacherCall, ...]: ...
    def measured_calls(self, task: str, teacher: str, template_hash: str, limit: int = 50) -> tuple[TeacherCall, ...]:
        """Return the newest usable calls of a teacher with a template, newest first."""
        ...

    def spend(self, task: str, run: str = "") -> Spend:
        """Return what the calls of a task took, or those of one run."""
        ...

    def add_instruction(self, task: str, instruction: MicroInstruction) -> None: ...
    def instructions(self, task: str) -> tuple[MicroInstruction, ...]: ...
    def active_instructions(self, task: str) -> tuple[MicroInstruction, ...]:
        """Return the instructions of the examples that take part, the ones to cluster, in the order of the examples."""
        ...

    def add_clustering(
        self, task: str, params: ClusterParams, points: Sequence[ClusterPoint], actor: Actor
    ) -> StoredClustering: ...
    def clusterings(self, task: str) -> tuple[StoredClustering, ...]: ...
    def clustering(self, clustering_id: int) -> StoredClustering: ...


class EmbeddingStore(Protocol):
    """Vectors of texts by model: a cache, so that no text is sent to the same model twice."""

    def known(self, model: str, text_hashes: Sequence[str]) -> frozenset[str]:
        """Return which of the texts have a vector."""
        ...

    def vectors(self, model: str, text_hashes: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors (dimensions,) of those of the texts that have one, by hash."""
        ...

    def since(self, model: str, text_hash: str) -> str:
        """Return when the text was embedded, empty if it is not: it tells vectors from those before `forget`."""
        ...

    def record(self, task: str, calls: Sequence[tuple[TeacherCall, Mapping[str, Vectors]]]) -> None:
        """Record calls, each with the vectors that it brought by text hash, in one transaction.

        A text that has a vector of the model keeps it.
        """
        ...

    def forget(self, model: str, actor: Actor) -> int:
        """Drop every vector of a model and return how many there were; the records of its calls stay."""
        ...
