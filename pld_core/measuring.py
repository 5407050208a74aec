"""Measuring what a rule does to the student: both prompts over the affected examples, each question asked once only."""

from __future__ import annotations

from pld_core.answer_key import answer_key
from pld_core.asking import ONE_BY_ONE, ready_status, student_request
from pld_core.calls import Limits
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
from pld_core.engine import Engine
from pld_core.errors import InvalidInput
from pld_core.model_ports import BackendStatus, Chat, Embedder
from pld_core.models import Actor, RuleDossier, Split, Task
from pld_core.pace import Clock
from pld_core.ports import Progress, Store
from pld_core.questioning import Question, Questioning, open_under
from pld_core.records import ExampleFilter

VALIDATION = ExampleFilter(split=Split.VALIDATION)


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
    prompts = trial.prompts.without, trial.prompts.with_rule
    return tuple(question for prompt in prompts for question in open_under(store, student, prompt, trial.examples))


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
    questions = open_questions(store, key, trial)
    done = trial.questions - len(questions)
    asking = Questioning(
        store, student, key, trial.task, questions, lambda n: report(done + n, trial.questions, "questions answered")
    )
    asking.tell()
    engine: Engine[Question] = Engine(student, limits, clock=clock)
    await engine.run(asking.calls(), asking.record, asking.tell)
    asking.refuse_silence()
    without, with_rule = (
        asking.under(prompt, trial.examples) for prompt in (trial.prompts.without, trial.prompts.with_rule)
    )
    return store.effects.record(effect_of(trial, key, without, with_rule), actor)
