"""The student's answers to examples under the prompts of a loop: each question is asked once, ever, within a cap."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from pld_core.asking import ONE_BY_ONE, answer_of, example_request, refuse_gone
from pld_core.calls import Call, Limits, Settled
from pld_core.conflicts.records import Resolution
from pld_core.effect_ports import KeptAnswer
from pld_core.engine import Engine
from pld_core.errors import BudgetReached, CallsStopped
from pld_core.measuring import Question
from pld_core.model_ports import Chat
from pld_core.models import Answer, CompiledPrompt, Example, Task
from pld_core.pace import Clock
from pld_core.ports import Progress, Store


class Examiner:
    """Asks the student of one loop. What was answered before the loop began costs it nothing.

    `most` is the cap on questions over all starts of the loop; None for none.

    Attributes:
        used: questions that were answered since the loop began, over all starts of it, as far as it came to them.
    """

    def __init__(
        self,
        store: Store,
        student: Chat,
        task: Task,
        resolution: Resolution,
        report: Progress,
        most: int | None = None,
        limits: Limits = ONE_BY_ONE,
        clock: Clock | None = None,
    ) -> None:
        self._store, self._student, self._task, self._resolution = store, student, task, resolution
        self._report, self._most, self._limits, self._clock = report, most, limits, clock
        self._counted: set[tuple[str, str]] = set()
        self.used = 0

    async def answers(self, prompt: CompiledPrompt, examples: Sequence[Example], what: str) -> dict[str, Answer]:
        """Return the answer to each of the examples under a prompt, by hash; ask those that have none yet.

        Args:
            what: told with the progress, such as `round 1: train`.

        Raises:
            BudgetReached: the open questions could exceed the cap; none of them is asked.
            CallsStopped, BackendError: some got no answer, or the student is gone; what was answered is kept.
        """
        key = self._resolution.basis.student
        hashes = [example.hash for example in examples]
        there = self._store.effects.answers(key, prompt.sha256, hashes)
        todo = [example for example in examples if example.hash not in there]
        self._count(prompt.sha256, hashes, len(todo))
        if todo:
            await _Asking(self._store, self._student, self._task, self._resolution, prompt).run(
                todo, self._told(len(hashes), what), self._limits, self._clock
            )
            there = self._store.effects.answers(key, prompt.sha256, hashes)
        return there

    def recount(self, prompt_sha256: str, example_hashes: Sequence[str]) -> None:
        """Count what an earlier start of the loop spent on these questions; nothing is asked."""
        self._count(prompt_sha256, example_hashes, 0)

    def _count(self, prompt_sha256: str, hashes: Sequence[str], todo: int) -> None:
        """Count what the loop spent on these questions, and what it would spend: the same on every start of it."""
        fresh = [content for content in hashes if (prompt_sha256, content) not in self._counted]
        spent = self._store.resolutions.spent(self._resolution, prompt_sha256, fresh) + todo
        if self._most is not None and self.used + spent > self._most:
            raise BudgetReached(
                f"{self.used:,} of at most {self._most:,} questions to the student are used up, and the next step "
                f"takes {spent:,}. What was answered is kept. Raise the cap and start again to go on."
            )
        self.used += spent
        self._counted |= {(prompt_sha256, content) for content in fresh}

    def _told(self, total: int, what: str) -> Progress:
        return lambda open_, _, __: self._report(total - open_, total, what)


class _Asking:
    """The open questions of one prompt, and what becomes of their answers."""

    def __init__(self, store: Store, student: Chat, task: Task, resolution: Resolution, prompt: CompiledPrompt) -> None:
        self._store, self._student, self._task, self._prompt = store, student, task, prompt
        self._key = resolution.basis.student
        self._unanswered: list[str] = []
        self._open = 0

    async def run(self, examples: Sequence[Example], report: Progress, limits: Limits, clock: Clock | None) -> None:
        self._open = len(examples)

        def tell() -> None:
            report(self._open, len(examples), "")

        tell()
        engine: Engine[Question] = Engine(self._student, limits, clock=clock)
        await engine.run(self._calls(examples), self._record, tell)
        if self._unanswered:
            raise CallsStopped(
                f"{self._unanswered[-1]} {len(self._unanswered):,} questions got no answer. What was answered is kept. "
                "Start again to go on."
            )

    def _calls(self, examples: Sequence[Example]) -> Iterator[Call[Question]]:
        for example in examples:
            yield Call(example_request(self._task, self._prompt, example), Question(self._prompt, example))

    async def _record(self, batch: Sequence[Settled[Question]]) -> None:
        answered = [settled for settled in batch if not settled.has_no_answer]
        self._unanswered += [settled.problem for settled in batch if settled.has_no_answer]
        if not answered:
            await refuse_gone(self._student)
            return
        form = self._prompt.answer_form
        kept = [
            KeptAnswer(self._prompt.sha256, settled.call.subject.example.hash, answer_of(form, settled))
            for settled in answered
        ]
        # In a thread: the disk must not hold up the calls under way.
        await asyncio.to_thread(self._store.effects.keep, self._key, kept)
        self._open -= len(kept)
