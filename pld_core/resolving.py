"""Phase 3 as a use case: the student on training examples, the teacher on its failures, trials on validation examples.

A loop is a function of what it began with and of answers that are stored as they come. So one that was stopped at any
moment is started again under the same key: it asks nothing that was answered, and comes to the same end. Nothing here
puts a rule into force; trial prompts are never stored as versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pld_core.answering import Examiner
from pld_core.asking import ONE_BY_ONE, ready_status
from pld_core.calls import Limits
from pld_core.conflicts.changeset import Change
from pld_core.conflicts.people import FromPeople
from pld_core.conflicts.records import HeldOutScore, LoopBasis, LoopOrder, Resolution, RoundRecord
from pld_core.conflicts.request import Shown
from pld_core.conflicts.rounds import Figure, Loop, Standing, Stop, advanced, begun, chosen
from pld_core.conflicts.rule_set import RuleSet
from pld_core.conflicts.stopped import LoopStop
from pld_core.effect import StudentKey
from pld_core.errors import BackendError, BudgetReached, InvalidInput, JobCancelled
from pld_core.grouping import asked_about, charted, observed
from pld_core.measuring import student_key
from pld_core.model_ports import Chat, Embedder
from pld_core.models import SYSTEM, Actor, Answer, CompiledPrompt, Example, Split, Task
from pld_core.pace import Clock
from pld_core.permissions import Step, require
from pld_core.ports import Progress, Store
from pld_core.proposing import Replied, ask_teacher, changes_of, checked, conditions_of, read_proposals
from pld_core.records import ExampleFilter
from pld_core.teaching import Teaching
from pld_core.token_count import estimated
from pld_core.trying import Bench, Trial, affected_by, attempt_of


@dataclass(frozen=True)
class LoopModels:
    """Who takes part in a loop.

    Attributes:
        embedder: compares training texts and conditions; may be on a server.
        local: compares validation texts, which go to no server for it.
    """

    teacher: Chat
    student: Chat
    embedder: Embedder
    local: Embedder


@dataclass(frozen=True)
class Working:
    """How the models are worked, and what people found that the loop is to look at first."""

    teaching: Teaching = field(default_factory=Teaching)
    limits: Limits = ONE_BY_ONE
    clock: Clock | None = None
    people: FromPeople = field(default_factory=FromPeople)


@dataclass(frozen=True)
class Resolved:
    """How a loop ended.

    Attributes:
        rounds: those of the loop, round 0 first.
    """

    resolution: Resolution
    rounds: tuple[RoundRecord, ...]
    score: HeldOutScore

    @property
    def best(self) -> RoundRecord:
        return self.rounds[self.score.best_round]

    @property
    def words(self) -> str:
        """Such as `loop 3: best is round 1 of 2, macro F1 on validation 0.71 to 0.80. No proposal brought a gain.`"""
        first, best, last = self.rounds[0].validation, self.best.validation, self.rounds[-1]
        gain = f", macro F1 on validation {first.macro_f1:.3f} to {best.macro_f1:.3f}" if first and best else ""
        why = f" {last.stop.words}" if last.stop else ""
        return f"loop {self.resolution.id}: best is round {self.score.best_round} of {last.number}{gain}.{why}"


async def resolve(
    store: Store,
    models: LoopModels,
    order: LoopOrder,
    actor: Actor,
    report: Progress,
    working: Working | None = None,
) -> Resolved:
    """Run a loop to its end, or go on with the one of the same key, with the limits that it was begun with.

    Only another cap on the student's questions takes the place of the one before.

    Raises:
        MissingRole: the actor may not order loops.
        InvalidInput: no rule is in force, no train or validation examples, or what it works on changed meanwhile.
        BudgetReached, CallsStopped, BackendError, JobCancelled: what was answered is kept, and where it stopped; start
            again to go on.
    """
    task = store.tasks.get(order.task)
    require(actor, Step.RESOLVE)
    resolution = store.resolutions.begun_as(order.key)
    if resolution is None:
        resolution = store.resolutions.begin(order, await basis_of(store, models, task), actor)
    if resolution.order.task != order.task:
        raise InvalidInput(f"The loop {order.key} is one of the task {resolution.order.task}. Nothing was asked.")
    refuse_others(resolution, models, student_key(task, await ready_status(models.student)))
    cap = order.limits.student_calls
    most = resolution.order.limits.student_calls if cap is None else cap
    running = _Running(store, models, task, resolution, report, working or Working(), most)
    try:
        return await running.to_its_end()
    except (BudgetReached, BackendError, JobCancelled) as stopped:
        store.resolutions.note_stop(resolution.id, running.stopped(str(stopped)), SYSTEM)
        raise


async def basis_of(store: Store, models: LoopModels, task: Task) -> LoopBasis:
    """Return what a loop would begin with now.

    Raises:
        InvalidInput: no rule is in force, or the task has no train or no validation examples.
        BackendError: the student is not ready.
    """
    rules = RuleSet((*store.resolutions.rules_in_force(task.name), *store.resolutions.rules_ticked_out(task.name)))
    if not rules.in_force:
        raise InvalidInput(
            f"No rule of {task.name} is in force, so there is nothing to repair. Nothing was asked. "
            "Approve rules first."
        )
    examples = {
        split: tuple(e.hash for e in store.tasks.examples(task.name, ExampleFilter(split=split))) for split in Split
    }
    for split in (Split.TRAIN, Split.VALIDATION):
        if not examples[split]:
            raise InvalidInput(
                f"Task {task.name} has no {split} examples: failures come from train examples and are decided on "
                "validation examples. Nothing was asked. The Data page divides examples into splits."
            )
    student = student_key(task, await ready_status(models.student))
    prompt = rules.prompt(task).sha256
    return LoopBasis(models.teacher.name, student, rules, prompt, store.resolutions.first_free(), examples)


class _Running:
    """One start of a loop."""

    def __init__(
        self,
        store: Store,
        models: LoopModels,
        task: Task,
        resolution: Resolution,
        report: Progress,
        working: Working,
        most: int | None,
    ) -> None:
        self._store, self._models, self._task, self._resolution = store, models, task, resolution
        self._report, self._working, self._most = report, working, most
        order = resolution.order
        self._teaching = replace(working.teaching, run=working.teaching.run or order.key)
        self._examples = pinned(store, task, resolution)
        self._examiner = Examiner(store, models.student, task, resolution, report, most, working.limits, working.clock)
        self._records: list[RoundRecord] = []
        self._kept = {record.number: record for record in store.resolutions.rounds(resolution.id)}
        self._first_free = resolution.basis.first_free

    async def to_its_end(self) -> Resolved:
        """Make the rounds that are not there yet, and look at the test split."""
        loop, rules = await self.first()
        while loop.stop is None:
            loop, rules = await self.round(loop, rules)
        return await self.close(loop)

    def stopped(self, why: str) -> LoopStop:
        """Return where this start came to no end."""
        return LoopStop(self._examiner.spent(), self._most, why)

    # --- rounds -------------------------------------------------------------------------------------------------------

    async def first(self) -> tuple[Loop, RuleSet]:
        """Score the rules that the loop begins with, as round 0."""
        rules = self._resolution.basis.rules
        record = self._kept.get(0) or await self._scored(RoundRecord(0, rules, "", 0, None, None))
        self._keep(record)
        figure = record.validation
        standing = Standing(record.prompt_sha256, figure.macro_f1 if figure else 0.0)
        return begun(standing, self._resolution.order.limits.rounds), rules

    async def round(self, loop: Loop, rules: RuleSet) -> tuple[Loop, RuleSet]:
        """Make one round on the best rules so far; what it tried last is scored before anything is taken up."""
        number = loop.rounds + 1
        if number in self._kept:
            return self._replayed(loop, self._kept[number])
        train, embedder = self._examples[Split.TRAIN], self._models.embedder
        answers = await self._examiner.answers(rules.prompt(self._task), train, f"round {number}: train")
        seen = observed(train, answers)
        people = self._working.people if number == 1 else None
        order = self._resolution.order
        chart, student = await charted(embedder, train), self._resolution.basis.student
        shown = asked_about(self._store, self._task, student, rules, seen, chart, order, people)
        replied = await self._asked(shown, number)
        proposals, self._first_free = read_proposals(self._task, replied, self._first_free, number)
        chart = await charted(embedder, train, conditions_of(proposals, rules))
        made = checked(self._task, proposals, replied, rules, chart)
        trials = await self._trials(loop, rules, changes_of(made)[: order.limits.trials], number)
        after = advanced(loop, [trial.attempt for trial in trials])
        if not shown:
            after = replace(after, stop=Stop.NO_FAILURES)
        best = chosen([trial.attempt for trial in trials])
        taken = next((t.rules for t in trials if best is not None and t.attempt == best), rules)
        record = RoundRecord(
            number,
            taken,
            "",
            0,
            None,
            None,
            sum(one.said is None for one in seen),
            tuple(one.record for one in replied),
            made,
            tuple(trial.tried for trial in trials),
            after.stop,
        )
        self._keep(await self._scored(record))
        return after, taken

    def _replayed(self, loop: Loop, record: RoundRecord) -> tuple[Loop, RuleSet]:
        """Take a round as an earlier start kept it, whatever people found or locked since."""
        proposals = [made.proposal for made in record.proposals]
        self._first_free += sum(len(proposal.makes) for proposal in proposals)
        trials = [tried for tried in record.trials if tried.stage.is_of_loop]
        after = advanced(loop, [attempt_of(tried, proposals) for tried in trials])
        self._keep(record)
        return replace(after, stop=record.stop), record.rules

    async def close(self, loop: Loop) -> Resolved:
        """Look at the test split, once, now that every choice is made."""
        best = next(r for r in self._records if r.prompt_sha256 == loop.best.prompt_sha256)
        looked = [self._records[0], best] if self._resolution.order.limits.scores_test else []
        figures = [await self._figure(r.rules.prompt(self._task), Split.TEST, "test") for r in looked] or [None, None]
        score = HeldOutScore(best.number, *figures)
        self._store.resolutions.finish(self._resolution.id, score, SYSTEM)
        return Resolved(self._resolution, self._store.resolutions.rounds(self._resolution.id), score)

    # --- parts of a round ---------------------------------------------------------------------------------------------

    async def _asked(self, shown: Sequence[Shown], number: int) -> tuple[Replied, ...]:
        return await ask_teacher(
            self._store,
            self._models.teacher,
            self._task,
            shown,
            self._teaching,
            self._report,
            f"round {number}: asking",
        )

    async def _trials(self, loop: Loop, rules: RuleSet, changes: Sequence[Change], number: int) -> tuple[Trial, ...]:
        order, validation = self._resolution.order, self._examples[Split.VALIDATION]
        what = f"round {number}"
        bench = Bench(
            self._examiner, self._task, rules, validation, self._models.teacher.name, order.bar, loop.seen, what
        )
        near = await affected_by(self._models.local, changes, self._examples[Split.TRAIN], validation)
        singles = await bench.alone(changes, near)
        greedy = await bench.greedy(singles) if order.limits.greedy else ()
        return (*singles, *await bench.together(singles), *greedy)

    async def _scored(self, record: RoundRecord) -> RoundRecord:
        prompt = record.rules.prompt(self._task)
        what = f"round {record.number}"
        return replace(
            record,
            prompt_sha256=prompt.sha256,
            tokens=estimated(prompt.text).tokens,
            train=await self._figure(prompt, Split.TRAIN, f"{what}: train"),
            validation=await self._figure(prompt, Split.VALIDATION, f"{what}: validation"),
        )

    async def _figure(self, prompt: CompiledPrompt, split: Split, what: str) -> Figure | None:
        examples = self._examples[split]
        return figure_of(self._task, examples, await self._examiner.answers(prompt, examples, what))

    def _keep(self, record: RoundRecord) -> None:
        self._store.resolutions.keep_round(self._resolution.id, record)
        self._records.append(record)
        self._count(record)

    def _count(self, record: RoundRecord) -> None:
        """Count what the round took against the cap, also where an earlier start made it."""
        hashes = {split: [e.hash for e in examples] for split, examples in self._examples.items()}
        for split in (Split.TRAIN, Split.VALIDATION):
            self._examiner.recount(record.prompt_sha256, hashes[split])
        for tried in (tried for tried in record.trials if tried.stage.is_of_loop):
            for prompt in (tried.base_sha256, tried.prompt_sha256):
                self._examiner.recount(prompt, tried.examples or hashes[Split.VALIDATION])


def figure_of(task: Task, examples: Sequence[Example], answers: Mapping[str, Answer]) -> Figure | None:
    """Return how answers to examples do; an example without a usable answer counts as wrong."""
    return Figure.of(
        task.label_names, [(e.label, answers[e.hash].label if e.hash in answers else None) for e in examples]
    )


def pinned(store: Store, task: Task, resolution: Resolution) -> dict[Split, tuple[Example, ...]]:
    """Return the examples that the loop began with.

    Raises:
        InvalidInput: some take no part any more or changed their split, or the same rules compile to another prompt.
    """
    found: dict[Split, tuple[Example, ...]] = {}
    for split, hashes in resolution.basis.examples.items():
        there = {e.hash: e for e in store.tasks.examples(task.name, ExampleFilter(split=split))}
        if any(content not in there for content in hashes):
            raise _moved_on(resolution, "examples that it works on were taken out or changed their split")
        found[split] = tuple(there[content] for content in hashes)
    if resolution.basis.rules.prompt(task).sha256 != resolution.basis.prompt_sha256:
        raise _moved_on(resolution, "the guideline or the labels changed")
    return found


def refuse_others(resolution: Resolution, models: LoopModels, student: StudentKey) -> None:
    """Raise `InvalidInput` where another teacher or other weights of the student would go on with a loop."""
    if models.teacher.name != resolution.basis.teacher:
        raise _moved_on(resolution, "the teacher is another one")
    refuse_other_student(resolution, student)


def refuse_other_student(resolution: Resolution, student: StudentKey) -> None:
    """Raise `InvalidInput` where another student, or other weights of it, would answer for a loop."""
    if student != resolution.basis.student:
        raise _moved_on(resolution, "the student is another one")


def _moved_on(resolution: Resolution, what: str) -> InvalidInput:
    return InvalidInput(
        f"Loop {resolution.id} cannot go on: {what} since it began. Its rounds so far are kept. Order a new loop; no "
        "answer that still holds is asked for again."
    )
