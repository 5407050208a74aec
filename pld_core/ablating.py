"""Leaving rules out of the prompt of a run, one at a time: an estimate first, then what was not asked before."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from pld_core.ablation import Ablated, Scope, StoredAblation, ablation_of
from pld_core.answer_key import answer_key
from pld_core.asking import ONE_BY_ONE, ready_status, student_request
from pld_core.calls import Limits
from pld_core.compilation import compile_without
from pld_core.count_words import count
from pld_core.effect import StudentKey
from pld_core.engine import Engine
from pld_core.errors import InvalidInput, NotFound
from pld_core.model_ports import BackendStatus, Chat
from pld_core.models import (
    Actor,
    AnswerStatus,
    CompiledPrompt,
    CompiledRule,
    Example,
    Prediction,
    Run,
    Task,
)
from pld_core.pace import Clock
from pld_core.ports import Progress, Store
from pld_core.questioning import Question, Questioning, open_under
from pld_core.records import ExampleFilter

NO_ANSWER = (AnswerStatus.FAILED, AnswerStatus.REFUSED)
"""What the run itself got no answer to tells nothing of a rule."""


@dataclass(frozen=True)
class AblationOrder:
    """Which rules are to be left out of the prompt of which run.

    Attributes:
        rule_ids: empty for all rules of the prompt.
        max_calls: most questions to the student; None for no limit.
    """

    run_id: int
    rule_ids: tuple[str, ...] = ()
    scope: Scope = Scope.AFFECTED
    max_calls: int | None = None


@dataclass(frozen=True)
class LeftOut:
    """One rule to be left out: the prompt without it, what is asked, and what of that has no answer yet."""

    of: Ablated
    key: StudentKey
    prompt: CompiledPrompt
    asked: tuple[Prediction, ...]
    examples: tuple[Example, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class AblationEstimate:
    """What leaving rules out takes.

    Attributes:
        rules: how many are left out, one at a time.
        asked: answers without a rule that are needed; `calls` of them are not known yet.
        seconds: at the median time of the run's answers and so many at a time.
    """

    rules: int
    asked: int
    calls: int
    seconds: float

    @property
    def words(self) -> str:
        known = self.asked - self.calls
        return (
            f"{count(self.rules, 'rule')} to leave out, one at a time: {count(self.asked, 'answer')}, {known:,} of "
            f"them known; {count(self.calls, 'question')}, about {self.seconds:,.0f} s."
        )


@dataclass(frozen=True)
class AblationOutcome:
    """What came of it.

    Attributes:
        stored: the rules that were measured, in the order of the prompt's end to its beginning.
        calls: questions that were asked.
        open_rules: rules that were not reached within the limit of calls.
    """

    stored: tuple[StoredAblation, ...]
    calls: int
    open_rules: tuple[str, ...]

    @property
    def words(self) -> str:
        told = f"{count(len(self.stored), 'rule')} left out, one at a time, with {count(self.calls, 'question')}."
        if self.open_rules:
            told += f" {len(self.open_rules):,} are left, as the limit of questions is reached. Start again to go on."
        return told


class Ablating:
    """The rules that are to be left out of a run's prompt, with all that does not change between them."""

    def __init__(self, store: Store, status: BackendStatus, order: AblationOrder) -> None:
        """Look at the run, its prompt and its student; asks nothing.

        Raises:
            InvalidInput: the student has other weights than in the run, or the run drew lots or was not put
                down to rules.
            NotFound: there is no such run, or its prompt does not hold one of the rules.
        """
        self.store, self.status, self.order = store, status, order
        self.run: Run = store.runs.get(order.run_id)
        self.task: Task = store.tasks.get(self.run.task)
        if (status.name, status.digest) != (self.run.student, self.run.digest):
            raise InvalidInput(
                f"Run {self.run.id} was answered by other weights of {self.run.student} than are there now, so a rule "
                "would not be all that is different. Nothing was asked. Start a new run."
            )
        if self.run.setup.words:
            raise InvalidInput(
                f"Run {self.run.id} was asked with {self.run.setup.words}, so a rule would not be all that is "
                "different. Nothing was asked. Leave rules out of a plain run."
            )
        if not store.attributions.made(self.run.id):
            raise InvalidInput(
                f"The answers of run {self.run.id} are not put down to rules yet, so what a rule affects is not known. "
                f"Nothing was asked. Run: pld attribute --run {self.run.id}"
            )
        self._prompt = store.prompts.get(self.run.task, self.run.prompt_number).prompt
        self._predictions = [p for p in store.runs.predictions(self.run.id) if p.answer.status not in NO_ANSWER]
        examples = store.tasks.examples(self.run.task, ExampleFilter(split=self.run.split))
        self._examples = {example.hash: example for example in examples}
        self._revisions = store.rules.revisions([rule.revision_hash for rule in self._prompt.rules])

    def rules(self) -> Iterator[CompiledRule]:
        """Yield the rules to leave out, the last of the prompt first: what stands before it stays cached.

        Raises:
            NotFound: the prompt does not hold one of them.
        """
        held = {rule.rule_id for rule in self._prompt.rules}
        if missing := [rule_id for rule_id in self.order.rule_ids if rule_id not in held]:
            raise NotFound(
                f"The prompt of run {self.run.id} (version {self.run.prompt_number}) does not hold {missing[0]}. "
                "Nothing was asked. `pld errors` lists the rules that it holds."
            )
        wanted = set(self.order.rule_ids) or held
        yield from (rule for rule in reversed(self._prompt.rules) if rule.rule_id in wanted)

    def leave_out(self, rule: CompiledRule) -> LeftOut:
        """Return what it takes to leave out one rule."""
        prompt = compile_without(self.task, self._prompt, self._revisions, rule.rule_id)
        asked = self._asked(rule.rule_id)
        of = Ablated(
            self.run.id, rule.rule_id, rule.revision_hash, self._prompt.sha256, prompt.sha256, self.order.scope
        )
        key = answer_key(self.task, student_request(prompt, ()), self.status)
        examples = tuple(self._examples[p.example_hash] for p in asked)
        return LeftOut(of, key, prompt, asked, examples, tuple(open_under(self.store, key, prompt, examples)))

    def _asked(self, rule_id: str) -> tuple[Prediction, ...]:
        there = [p for p in self._predictions if p.example_hash in self._examples]
        if self.order.scope is Scope.ALL:
            return tuple(there)
        affected = self.store.ablations.affected(self.run.id, rule_id)
        return tuple(p for p in there if p.example_hash in affected)

    def estimate(self, in_flight: int) -> AblationEstimate:
        """Return what it takes; asks nothing."""
        found = [self.leave_out(rule) for rule in self.rules()]
        calls = sum(len(one.questions) for one in found)
        usual = median([p.answer.latency_ms for p in self._predictions] or [0])
        return AblationEstimate(
            len(found), sum(len(one.asked) for one in found), calls, calls * usual / 1000 / in_flight
        )


async def ablate(
    store: Store,
    student: Chat,
    order: AblationOrder,
    report: Progress,
    actor: Actor,
    limits: Limits = ONE_BY_ONE,
    clock: Clock | None = None,
) -> AblationOutcome:
    """Leave the rules out one after the other, and record what changed; each answer is kept as it comes.

    What was answered before is not asked again, so that whatever stopped goes on where it was. At the limit of
    questions those that still fit are asked, and the rule that they are about waits for the rest.

    Raises:
        BackendError: the student cannot be reached, refuses whoever asks, or answered nothing; the answers are kept.
        InvalidInput, NotFound: as `Ablating`.
    """
    work = Ablating(store, await ready_status(student), order)
    rules, stored, calls = list(work.rules()), list[StoredAblation](), 0
    for number, rule in enumerate(rules):
        found = work.leave_out(rule)
        room = len(found.questions) if order.max_calls is None else max(0, order.max_calls - calls)
        questions = found.questions[:room]
        tell = functools.partial(_tell, report, number, len(rules), calls)
        asking = Questioning(store, student, found.key, work.task, questions, tell)
        asking.tell()
        engine: Engine[Question] = Engine(student, limits, clock=clock)
        await engine.run(asking.calls(), asking.record, asking.tell)
        asking.refuse_silence()
        calls += len(questions)
        if len(questions) < len(found.questions):
            return AblationOutcome(tuple(stored), calls, tuple(rule.rule_id for rule in rules[number:]))
        without = asking.under(found.prompt, found.examples)
        ablation = ablation_of(work.task.name, found.of, found.key, found.asked, without)
        stored.append(store.ablations.record(ablation, actor))
    report(len(rules), len(rules), "rules left out")
    return AblationOutcome(tuple(stored), calls, ())


def _tell(report: Progress, done: int, rules: int, before: int, answered: int) -> None:
    report(done, rules, f"rules left out, {count(before + answered, 'question')} answered")
