"""Measuring what a rule does to the student: both prompts over the affected examples, each question asked once only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pld_core.answer_key import answer_key
from pld_core.asking import ONE_BY_ONE, answer_of, example_request, ready_status, refuse_gone, student_request
from pld_core.calls import Call, Limits, Settled
from pld_core.compilation import compile_trial
from pld_core.effect import (
    Basis,
    Prompts,
    StoredEffect,
    StudentKey,
    Trial,
    affected,
    basis_of,
    effect_of,
    prompts_of,
    telling_texts,
)
from pld_core.effect_ports import KeptAnswer
from pld_core.engine import Engine
from pld_core.errors import CallsStopped, InvalidInput
from pld_core.model_ports import BackendStatus, Chat, Embedder
from pld_core.models import Actor, Answer, CompiledPrompt, Example, RuleDossier, Split, Task
from pld_core.pace import Clock
from pld_core.ports import Progress, Store
from pld_core.records import ExampleFilter

VALIDATION = ExampleFilter(split=Split.VALIDATION)


@dataclass(frozen=True)
class Question:
    """An example under a prompt."""

    prompt: CompiledPrompt
    example: Example


def student_key(task: Task, status: BackendStatus) -> StudentKey:
    """Return whose answers are interchangeable with those of this student about this task, as it is now."""
    # Of an empty trial: every prompt of a measurement asks in the same form.
    request = student_request(compile_trial(task, ()), ())
    return answer_key(task, request, status)


def standing_basis(store: Store, dossier: RuleDossier) -> Basis:
    """Return what an effect of the rule would be measured for now; compares no texts."""
    return basis_of(dossier, _prompts(store, dossier), store.tasks.count_examples(dossier.summary.task, VALIDATION))


def _prompts(store: Store, dossier: RuleDossier) -> Prompts:
    name = dossier.summary.task
    return prompts_of(store.tasks.get(name), store.rules.in_force(name), dossier)


async def plan(store: Store, embedder: Embedder, dossier: RuleDossier) -> Trial:
    """Return what is to be measured for the newest revision of a rule; asks no student.

    Raises:
        InvalidInput: the task has no validation examples.
    """
    task = store.tasks.get(dossier.summary.task)
    examples = store.tasks.examples(task.name, VALIDATION)
    if not examples:
        raise InvalidInput(
            f"Task {task.name} has no validation examples, so there is nothing to measure the effect on. Nothing was "
            "changed. The Data page divides examples into splits."
        )
    telling = telling_texts(dossier)
    vectors = await embedder.embed([*telling, *(example.text for example in examples)])
    prompts = _prompts(store, dossier)
    return Trial(task, basis_of(dossier, prompts, len(examples)), prompts, affected(len(telling), vectors, examples))


def open_questions(store: Store, student: StudentKey, trial: Trial) -> tuple[Question, ...]:
    """Return the questions of a trial that have no answer yet. One prompt after the other: its prefix stays cached."""
    hashes = [example.hash for example in trial.examples]
    found: list[Question] = []
    for prompt in (trial.prompts.without, trial.prompts.with_rule):
        have = store.effects.answers(student, prompt.sha256, hashes)
        found += [Question(prompt, example) for example in trial.examples if example.hash not in have]
    return tuple(found)


async def measure(
    store: Store,
    student: Chat,
    trial: Trial,
    report: Progress,
    actor: Actor,
    limits: Limits = ONE_BY_ONE,
    clock: Clock | None = None,
) -> StoredEffect:
    """Ask the student what it was not asked before, and record the effect; each answer is kept as it comes.

    A question that got no answer after all attempts counts as wrong in this measurement, is not kept, and is asked
    again in the next one.

    Raises:
        BackendError: the student cannot be reached, refuses whoever asks, or answered nothing; the answers so far are
            kept.
    """
    key = student_key(trial.task, await ready_status(student))
    asking = _Asking(store, student, key, trial, report)
    asking.tell()
    engine: Engine[Question] = Engine(student, limits, clock=clock)
    await engine.run(asking.calls(), asking.record, asking.tell)
    without, with_rule = asking.answers()
    return store.effects.record(effect_of(trial, key, without, with_rule), actor)


class _Asking:
    """The open questions of a trial, and what becomes of their answers."""

    def __init__(self, store: Store, student: Chat, key: StudentKey, trial: Trial, report: Progress) -> None:
        self._store, self._student, self._key, self._trial, self._report = store, student, key, trial, report
        self._todo = open_questions(store, key, trial)
        self._done = trial.questions - len(self._todo)
        self._unanswered: dict[tuple[str, str], Answer] = {}

    def calls(self) -> Iterator[Call[Question]]:
        for question in self._todo:
            request = example_request(self._trial.task, question.prompt, question.example)
            yield Call(request, question)

    def tell(self) -> None:
        self._report(self._done, self._trial.questions, "questions answered")

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
            self._done += len(answered)
        else:
            await refuse_gone(self._student)

    def _kept(self, settled: Settled[Question]) -> KeptAnswer:
        question = settled.call.subject
        return KeptAnswer(
            question.prompt.sha256, question.example.hash, answer_of(question.prompt.answer_form, settled)
        )

    def answers(self) -> tuple[dict[str, Answer], dict[str, Answer]]:
        """Return the answers without and with the rule, by example.

        Raises:
            CallsStopped: none of the questions that were asked got an answer.
        """
        if self._todo and len(self._unanswered) == len(self._todo):
            last = list(self._unanswered.values())[-1]
            raise CallsStopped(f"{last.problem} Nothing was answered. Start again to go on.")
        return self._under(self._trial.prompts.without), self._under(self._trial.prompts.with_rule)

    def _under(self, prompt: CompiledPrompt) -> dict[str, Answer]:
        hashes = [example.hash for example in self._trial.examples]
        missing = {content: answer for (under, content), answer in self._unanswered.items() if under == prompt.sha256}
        # As they are stored: of an answer that another worker brought first, the first one stays.
        return {**missing, **self._store.effects.answers(self._key, prompt.sha256, hashes)}
