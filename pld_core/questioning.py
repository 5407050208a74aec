"""Asking a student about examples under several prompts: each question once, ever, each answer kept as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pld_core.asking import answer_of, example_request
from pld_core.calls import Call, Settled
from pld_core.effect import StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.errors import CallsStopped
from pld_core.held_back import refuse_gone
from pld_core.model_ports import Chat
from pld_core.models import Answer, CompiledPrompt, Example, Task
from pld_core.ports import Store


@dataclass(frozen=True)
class Question:
    """An example under a prompt."""

    prompt: CompiledPrompt
    example: Example


def open_under(
    store: Store, student: StudentKey, prompt: CompiledPrompt, examples: Sequence[Example]
) -> list[Question]:
    """Return the questions about the examples that have no answer yet."""
    have = store.effects.answers(student, prompt.sha256, [example.hash for example in examples])
    return [Question(prompt, example) for example in examples if example.hash not in have]


class Questioning:
    """Open questions in one form, and what becomes of their answers."""

    def __init__(
        self,
        store: Store,
        student: Chat,
        key: StudentKey,
        task: Task,
        questions: Sequence[Question],
        tell: Callable[[int], None],
    ) -> None:
        """Prepare the questions; nothing is asked yet.

        Args:
            tell: is told how many of the questions have got an answer.
        """
        self._store, self._student, self._key, self._task = store, student, key, task
        self._todo, self._tell, self._answered = questions, tell, 0
        self._unanswered: dict[tuple[str, str], Answer] = {}

    def calls(self) -> Iterator[Call[Question]]:
        for question in self._todo:
            yield Call(example_request(self._task, question.prompt, question.example), question)

    def tell(self) -> None:
        self._tell(self._answered)

    async def record(self, batch: Sequence[Settled[Question]]) -> None:
        """Keep what was answered; of what was not, find out whether the student is gone."""
        answered = [settled for settled in batch if not settled.has_no_answer]
        for settled in batch:
            if settled.has_no_answer:
                question = settled.call.subject
                answer = answer_of(question.prompt.answer_form, settled)
                self._unanswered[question.prompt.sha256, question.example.hash] = answer
        if answered:
            # In a thread: the disk must not hold up the calls under way.
            await asyncio.to_thread(self._store.effects.keep, self._key, [self._kept(one) for one in answered])
            self._answered += len(answered)
        else:
            await refuse_gone(self._student)

    def _kept(self, settled: Settled[Question]) -> KeptAnswer:
        question = settled.call.subject
        return KeptAnswer(
            question.prompt.sha256, question.example.hash, answer_of(question.prompt.answer_form, settled)
        )

    def refuse_silence(self) -> None:
        """Raise `CallsStopped` if none of the questions that were asked got an answer."""
        if self._todo and len(self._unanswered) == len(self._todo):
            last = list(self._unanswered.values())[-1]
            raise CallsStopped(f"{last.problem} Nothing was answered. Start again to go on.")

    def under(self, prompt: CompiledPrompt, examples: Sequence[Example]) -> dict[str, Answer]:
        """Return the answers under a prompt, by example; what got none after all attempts is a failed answer."""
        hashes = [example.hash for example in examples]
        missing = {content: answer for (under, content), answer in self._unanswered.items() if under == prompt.sha256}
        # As they are stored: of an answer that another worker brought first, the first one stays.
        return {**missing, **self._store.effects.answers(self._key, prompt.sha256, hashes)}
