"""What is needed of a store for prompt versions and their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pld_core.canonical import Json
from pld_core.models import Actor, Answer, CompiledPrompt, Prediction, PromptVersion, Run
from pld_core.prompt_manifest import TokenCount
from pld_core.publishing import PublishedModel


class PromptStore(Protocol):
    def save(self, prompt: CompiledPrompt, actor: Actor, tokens: TokenCount | None = None) -> PromptVersion:
        """Store a prompt as the next version; an equal one is returned, with the new count of its tokens if any.

        Raises:
            KnownBad: a rule of it is a seeded check.
        """
        ...

    def get(self, task: str, number: int) -> PromptVersion: ...
    def all(self, task: str) -> tuple[PromptVersion, ...]: ...
    def record_publication(self, task: str, number: int, made: PublishedModel, reason: str, actor: Actor) -> None: ...
    def publications(self, task: str, number: int) -> tuple[PublishedModel, ...]:
        """Return what a version was published as, newest first."""
        ...


class RunStore(Protocol):
    def start(self, run: Run, actor: Actor) -> Run: ...
    def get(self, run_id: int) -> Run: ...
    def all(self, task: str) -> tuple[Run, ...]: ...
    def add_predictions(self, run_id: int, predictions: Sequence[Prediction]) -> None:
        """Store answers in one transaction; the first to an example stays."""
        ...

    def predictions(self, run_id: int) -> tuple[Prediction, ...]: ...
    def finish(self, run_id: int, summary: Mapping[str, Json], actor: Actor) -> None:
        """Append the figures of a complete run to the audit chain, once."""
        ...

    def record_live_test(
        self, task: str, prompt_sha256: str, student: str, sent: Mapping[str, Json], answer: Answer, actor: Actor
    ) -> int:
        """Store a question to the student and its answer; return the number of the live test."""
        ...
