"""Adding up the proposals of a round that is over, one by one: which of them still help once others are in."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.answering import Examiner
from pld_core.asking import ready_status
from pld_core.conflicts.changeset import Change, applied, compatible
from pld_core.conflicts.records import Resolution, RoundRecord, Stage, Tried
from pld_core.conflicts.running_score import running_score
from pld_core.errors import InvalidInput
from pld_core.measuring import student_key
from pld_core.model_ports import Chat
from pld_core.models import Actor, Split
from pld_core.permissions import Step, require
from pld_core.ports import Progress, Store
from pld_core.resolving import Working, pinned, refuse_other_student
from pld_core.trying import Bench, Trial, greedy_cost


async def add_up(
    store: Store,
    student: Chat,
    resolution_id: int,
    number: int,
    actor: Actor,
    report: Progress,
    working: Working | None = None,
) -> tuple[Tried, ...]:
    """Add up the proposals of a round, those with most gain first; return the trial of each sum.

    A round has one such order: if there is one, it is returned and nothing is asked. It counts against no cap of the
    loop, and the loop does not look at it.

    Raises:
        MissingRole: the actor may not order loops.
        InvalidInput: as `singles_of`, what the loop works on changed, or the student is another one.
        BackendError, CallsStopped, JobCancelled: what was answered is kept; start again to go on.
    """
    require(actor, Step.RESOLVE)
    resolution, records = store.resolutions.get(resolution_id), store.resolutions.rounds(resolution_id)
    singles, given = singles_of(resolution, records, number), working or Working()
    if done := running_score(records[number].trials):
        return tuple(step.tried for step in done)
    task = store.tasks.get(resolution.order.task)
    refuse_other_student(resolution, student_key(task, await ready_status(student)))
    examiner = Examiner(store, student, task, resolution, report, None, given.limits, given.clock)
    validation = pinned(store, task, resolution)[Split.VALIDATION]
    basis, bar = resolution.basis, resolution.order.bar
    what = f"round {number}, added up"
    bench = Bench(examiner, task, records[number - 1].rules, validation, basis.teacher, bar, frozenset(), what)
    steps = tuple(trial.tried for trial in await bench.greedy(singles, Stage.LATER))
    store.resolutions.keep_steps(resolution_id, number, steps, actor)
    return steps


def singles_of(resolution: Resolution, records: Sequence[RoundRecord], number: int) -> tuple[Trial, ...]:
    """Return the proposals of a round that can be added up, each with its own trial, those with most gain first.

    Raises:
        InvalidInput: the round is not over, or no two of its proposals can stand in a sum.
    """
    if not 1 <= number < len(records):
        raise InvalidInput(f"Round {number} of loop {resolution.id} is not over. Nothing was asked.")
    base, record = records[number - 1].rules, records[number]
    changes = {made.proposal.hash: Change(made.proposal, made.evidence) for made in record.proposals}
    alone = [(changes[one.proposals[0]], one) for one in record.trials if one.stage is Stage.SINGLE]
    trials = [Trial(one, applied(base, (change,), resolution.basis.teacher), (change,)) for change, one in alone]
    found = sorted((one for one in trials if one.attempt.may_stand), key=lambda one: -one.tried.result.gain)
    if len(compatible([trial.changes[0] for trial in found])) < 2:
        raise InvalidInput(
            f"Round {number} of loop {resolution.id} has fewer than two proposals that were tried, change different "
            "rules and hold nothing to look at first, so there is nothing to add up. Nothing was asked."
        )
    return tuple(found)


def greedy_most(store: Store, resolution: Resolution, records: Sequence[RoundRecord], number: int) -> int:
    """Return the most questions that adding up a round takes now; 0 if it has its order already.

    Raises:
        InvalidInput: as `singles_of`.
    """
    singles = singles_of(resolution, records, number)
    if running_score(records[number].trials):
        return 0
    validation = resolution.basis.examples[Split.VALIDATION]
    # Where even the best trial lost early, the first step has answers to a few examples only.
    first = singles[0].tried.prompt_sha256
    answered = store.effects.answers(resolution.basis.student, first, validation)
    return len(validation) - len(answered) + greedy_cost(len(singles), len(validation))
