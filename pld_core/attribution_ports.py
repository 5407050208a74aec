"""What attribution needs from a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pld_core.attribution import Attribution, Method, RuleSources
from pld_core.models import Actor, CompiledRule


@dataclass(frozen=True)
class AttributionMade:
    """That the answers of a run were put down to rules.

    Attributes:
        embedder: what compared the texts; empty where nothing was compared.
        basis: hash of the revisions and the evidence that it rests on.
        at: UTC time, ISO 8601.
    """

    run_id: int
    method: Method
    embedder: str
    basis: str
    by: str
    at: str


class AttributionStore(Protocol):
    """Which rule each answer of a run is put down to, once for each method and for good."""

    def sources(self, rules: Sequence[CompiledRule]) -> tuple[RuleSources, ...]:
        """Return what the rules of a prompt rest on now, in their order."""
        ...

    def texts(self, task: str, example_hashes: Sequence[str]) -> dict[str, str]:
        """Return the texts of those of the examples that are there, by hash, whether they take part or not."""
        ...

    def made(self, run_id: int) -> tuple[AttributionMade, ...]:
        """Return by which methods the answers of a run were put down to rules, in alphabetical order."""
        ...

    def record(self, run_id: int, found: Attribution, actor: Actor) -> AttributionMade:
        """Store an attribution with the figures that follow from it, and its event; if there is one, that stays.

        Raises:
            InvalidInput: the run is not complete, or the claims are not about its answers.
            MissingRole: the actor may not evaluate.
            NotFound: there is no such run.
        """
        ...
