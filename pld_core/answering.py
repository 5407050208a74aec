"""The student's answers to examples under the prompts of a loop: each question is asked once, ever, within a cap."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.asking import ONE_BY_ONE
from pld_core.calls import Limits
from pld_core.conflicts.records import Resolution
from pld_core.engine import Engine
from pld_core.errors import RAISE_THE_CAP, BudgetReached, CallsStopped
from pld_core.model_ports import Chat
from pld_core.models import Answer, CompiledPrompt, Example, Task
from pld_core.pace import Clock
from pld_core.ports import Progress, Store
from pld_core.questioning import Question, Questioning


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
        if not todo:
            return there
        questions = [Question(prompt, example) for example in todo]
        asking = Questioning(
            self._store,
            self._student,
            key,
            self._task,
            questions,
            lambda answered: self._report(len(there) + answered, len(hashes), what),
        )
        asking.tell()
        engine: Engine[Question] = Engine(self._student, self._limits, clock=self._clock)
        await engine.run(asking.calls(), asking.record, asking.tell)
        kept = self._store.effects.answers(key, prompt.sha256, hashes)
        if silent := [answer for content, answer in asking.under(prompt, todo).items() if content not in kept]:
            raise CallsStopped(
                f"{silent[-1].problem} {len(silent):,} questions got no answer. What was answered is kept. "
                "Start again to go on."
            )
        return kept

    def spent(self) -> int:
        """Return how many questions were answered since the loop began, as far as this start came to them."""
        asked: dict[str, list[str]] = {}
        for prompt_sha256, content in self._counted:
            asked.setdefault(prompt_sha256, []).append(content)
        spent = self._store.resolutions.spent
        return sum(spent(self._resolution, prompt_sha256, hashes) for prompt_sha256, hashes in asked.items())

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
                f"takes {spent:,}. What was answered is kept. {RAISE_THE_CAP}"
            )
        self.used += spent
        self._counted |= {(prompt_sha256, content) for content in fresh}
