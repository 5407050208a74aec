"""What is needed of a store for prompt versions and their runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from pld_core.canonical import Json
from pld_core.effect import StudentKey
from pld_core.metrics import Cell
from pld_core.models import Actor, Answer, CompiledPrompt, Example, ListedPrompt, Prediction, PromptVersion, Run, Split
from pld_core.paired import Pair
from pld_core.prompt_manifest import TokenCount
from pld_core.publishing import PublishedModel
from pld_core.records import Page


class PromptStore(Protocol):
    def save(self, prompt: CompiledPrompt, actor: Actor, tokens: TokenCount | None = None) -> PromptVersion:
        """Store a prompt as the next version; an equal one is returned, with the new count of its tokens if any.

        Raises:
            KnownBad: a rule of it is a seeded check.
        """
        ...

    def get(self, task: str, number: int) -> PromptVersion: ...
    def all(self, task: str) -> tuple[PromptVersion, ...]: ...
    def listed(self, task: str) -> tuple[ListedPrompt, ...]:
        """Return the versions of a task as lists show them, newest first."""
        ...

    def record_publication(self, task: str, number: int, made: PublishedModel, reason: str, actor: Actor) -> None: ...
    def publications(self, task: str, number: int) -> tuple[PublishedModel, ...]:
        """Return what a version was published as, newest first."""
        ...


class RunStore(Protocol):
    """Runs with their answers. `all` has those that say how a version does; the others, its trials, are kept apart."""

    def start(self, run: Run, actor: Actor, prompt: CompiledPrompt | None = None) -> Run:
        """Store a new run; a job that is resumed gets the run it had begun.

        Args:
            prompt: what is asked with, if it is not the version's own prompt; kept word for word.

        Raises:
            MissingReason: it looks at the test split, and does not say why.
        """
        ...

    def get(self, run_id: int) -> Run: ...
    def all(self, task: str) -> tuple[Run, ...]:
        """Return the runs that say how a version of a task does, newest first."""
        ...

    def trials(self, task: str) -> tuple[Run, ...]:
        """Return the runs of a task at a temperature above 0 or with shuffled rules, newest first."""
        ...

    def repeats(self, group: str) -> tuple[Run, ...]:
        """Return the runs of a group, in the order of their seeds."""
        ...

    def looks(self, task: str) -> tuple[Run, ...]:
        """Return every run of a task over the test split, newest first: each was a look at it."""
        ...

    def trial_prompt(self, run_id: int) -> CompiledPrompt | None:
        """Return the prompt that a run asked with where it is no version's; None for the version's own."""
        ...

    def take_cached(self, run: Run, student: StudentKey, examples: Sequence[Example]) -> int:
        """Answer from the cache what the run has no answer to yet, and return how many answers that were."""
        ...

    def known(self, student: StudentKey, prompt_sha256: str, task: str, split: Split) -> int:
        """Return how many active examples of a split the cache has an answer to."""
        ...

    def from_cache(self, run_id: int) -> int:
        """Return how many answers of a run came from the cache."""
        ...

    def latency_ms(self, student: str) -> float | None:
        """Return the median wall time of the newest answers of a student; None if it gave none yet."""
        ...

    def add_predictions(
        self, run_id: int, predictions: Sequence[Prediction], student: StudentKey | None = None
    ) -> None:
        """Store answers in one transaction, for the run and, of a student that is given, for the cache.

        The first answer to an example stays. A question that got no answer is not cached.
        """
        ...

    def predictions(self, run_id: int) -> tuple[Prediction, ...]: ...
    def counted(self, run_id: int) -> Counter[Cell]:
        """Return how many answers of a run are of each kind."""
        ...

    def paired(self, before: int, after: int) -> Counter[Pair]:
        """Return how many examples that two runs answered, beside the same gold label, are of each kind; see `Pair`."""
        ...

    def wrong(self, run_id: int, gold: str = "", said: str = "", page: Page | None = None) -> tuple[Prediction, ...]:
        """Return wrong answers of a run, by gold label and hash.

        Args:
            gold: only those to examples of this label; empty for any.
            said: only those that say this label, `analytics.INVALID` for no usable answer; empty for any.
        """
        ...

    def finish(self, run_id: int, summary: Mapping[str, Json], actor: Actor) -> None:
        """Append the figures of a complete run to the audit chain, once."""
        ...

    def record_live_test(
        self, task: str, prompt_sha256: str, student: str, sent: Mapping[str, Json], answer: Answer, actor: Actor
    ) -> int:
        """Store a question to the student and its answer; return the number of the live test."""
        ...
