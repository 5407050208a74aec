"""What a loop will take, told before it starts: questions to the student, calls to the teacher, their cost."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.conflicts.records import LoopBasis, LoopOrder
from pld_core.conflicts.request import conflict_request
from pld_core.estimate import Estimate, estimate
from pld_core.grouping import asked_about, charted, observed
from pld_core.models import CompiledPrompt, Example, Split, Task
from pld_core.ports import Store
from pld_core.pricing import Price
from pld_core.records import ExampleFilter
from pld_core.resolving import LoopModels, Working, basis_of
from pld_core.teaching import Ask, sort_asks
from pld_core.trying import greedy_cost


@dataclass(frozen=True)
class LoopEstimate:
    """What a loop is expected to take. Nothing was asked for it.

    Attributes:
        open_now: questions that the rules in force have no answer to yet, on train and validation examples.
        student_most: most questions to the student in all, the cap included; a loop that stops early takes fewer.
        teacher_most: most calls to the teacher in all.
        first_round: of the teacher's calls in round 1; None until the student has answered the training examples, as
            its failures decide what is asked.
    """

    open_now: int
    student_most: int
    teacher_most: int
    first_round: Estimate | None

    def as_json(self) -> dict[str, Json]:
        first = self.first_round
        return {
            "student_questions_open": self.open_now,
            "student_questions_at_most": self.student_most,
            "teacher_calls_at_most": self.teacher_most,
            "first_round": None
            if first is None
            else {
                "calls": first.calls,
                "input_tokens": first.input_tokens,
                "output_tokens": first.output_tokens,
                "cost_micro": first.cost,
            },
        }


async def estimate_loop(
    store: Store, models: LoopModels, order: LoopOrder, price: Price | None, working: Working | None = None
) -> LoopEstimate:
    """Say what a loop would take if it were begun now; asks no model but whether the student is there.

    Raises:
        InvalidInput, BackendError: as `basis_of`.
    """
    task, given = store.tasks.get(order.task), working or Working()
    basis = await basis_of(store, models, task)
    prompt = basis.rules.prompt(task)
    train = store.tasks.examples(task.name, ExampleFilter(split=Split.TRAIN))
    validation = store.tasks.examples(task.name, ExampleFilter(split=Split.VALIDATION))
    open_now = _open(store, basis, prompt, (*train, *validation))
    most = open_now + _rounds_most(order, basis)
    cap = order.limits.student_calls
    first = None
    if not _open(store, basis, prompt, train):
        asks = await _first_asks(store, models, task, order, basis, train, given)
        todo = sort_asks(store, models.teacher.name, task.name, asks, True, order.key).todo
        first = estimate([ask.request for ask in todo], (), price, given.teaching.limits)
    teacher_most = order.limits.rounds * order.limits.groups
    return LoopEstimate(open_now, most if cap is None else min(most, cap), teacher_most, first)


def _open(store: Store, basis: LoopBasis, prompt: CompiledPrompt, examples: tuple[Example, ...]) -> int:
    hashes = [example.hash for example in examples]
    return len(hashes) - len(store.effects.answers(basis.student, prompt.sha256, hashes))


def questions_most(order: LoopOrder, basis: LoopBasis) -> int:
    """Return the most questions that a loop takes from beginning to end, whatever its cap."""
    first_look = len(basis.examples[Split.TRAIN]) + len(basis.examples[Split.VALIDATION])
    return first_look + _rounds_most(order, basis)


def _rounds_most(order: LoopOrder, basis: LoopBasis) -> int:
    """Return the most questions of all rounds after the first look, and of the test at the end.

    A round tries each proposal alone and at most two sets of them together, adds them up if that is asked for, and
    looks at the training examples under what it took up.
    """
    limits = order.limits
    size = {split: len(hashes) for split, hashes in basis.examples.items()}
    validation = size[Split.VALIDATION]
    a_round = (limits.trials + 2) * validation + size[Split.TRAIN]
    a_round += greedy_cost(limits.trials, validation) if limits.greedy else 0
    return limits.rounds * a_round + (2 * size[Split.TEST] if limits.scores_test else 0)


async def _first_asks(
    store: Store,
    models: LoopModels,
    task: Task,
    order: LoopOrder,
    basis: LoopBasis,
    train: tuple[Example, ...],
    working: Working,
) -> list[Ask[None]]:
    prompt = basis.rules.prompt(task)
    answers = store.effects.answers(basis.student, prompt.sha256, [example.hash for example in train])
    chart = await charted(models.embedder, train)
    seen = observed(train, answers)
    shown = asked_about(store, task, basis.student, basis.rules, seen, chart, order, working.people)
    return [Ask(None, conflict_request(task, one)) for one in shown]
