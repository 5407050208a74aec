"""Evaluations as people order them: many runs at once, their estimate, how the cells stand, and looks at test."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pld_app.run_order import MatrixOrder, RunOrder
from pld_app.wiring import App, prompt_version
from pld_core.errors import InvalidInput, NotFound
from pld_core.model_ports import BackendStatus
from pld_core.models import Job, Run, Split
from pld_core.permissions import Step, guarded_app
from pld_core.run_comparison import RunComparison, compare_runs, newest_pair
from pld_core.run_estimate import NOTHING, RunEstimate, estimate_run
from pld_core.run_matrix import Cell, Ordered, matrix_of
from pld_core.stability import Stability, stability

NEWEST = 500
"""Jobs that are looked through for those that are still open."""


@guarded_app(Step.EVALUATE)
def order_matrix(app: App, wanted: MatrixOrder) -> tuple[Job, ...]:
    """Put a job into the queue for each run, in the order in which they are made.

    Raises:
        InvalidInput: nothing is to be run, or repeats would be equal; nothing is ordered.
        MissingReason: the test split is looked at without saying why; nothing is ordered.
    """
    if not wanted.prompts or not wanted.students or not wanted.splits:
        raise InvalidInput("Choose a prompt version, a student and a split. Nothing was ordered.")
    orders = wanted.runs(new_group())
    return tuple(app.store.jobs.enqueue("evaluate", wanted.task, order.as_json(), app.actor) for order in orders)


def new_group() -> str:
    """Return how the names of groups of repeats begin that are ordered now."""
    return uuid.uuid4().hex[:8]


def estimated(app: App, wanted: MatrixOrder, statuses: Mapping[str, BackendStatus]) -> RunEstimate:
    """Return what the runs would cost with students as they are now; nothing is asked, no reason for it is needed.

    Raises:
        InvalidInput: repeats would be equal, or there are too few rules to shuffle.
    """
    found = NOTHING
    for order in wanted.because("estimate").runs("estimate"):
        in_flight = app.settings.in_flight(order.student)
        found += estimate_run(app.store, statuses[order.student], order.evaluation(), in_flight)
    return found


def open_orders(app: App, task: str) -> frozenset[Ordered]:
    """Return the evaluations of versions that are ordered and have not ended."""
    jobs = [job for job in app.store.jobs.recent(task, NEWEST) if job.kind == "evaluate" and not job.state.is_final]
    orders = [RunOrder.from_json(task, job.params) for job in jobs]
    return frozenset(Ordered(one.prompt, one.student, one.split) for one in orders if not one.setup.is_trial)


def matrix(app: App, task: str, prompts: Sequence[int], students: Sequence[str], split: Split) -> tuple[Cell, ...]:
    """Return the cells of versions and students on a split, version by version, as they stand now."""
    runs = [run for run in app.store.runs.all(task) if run.prompt_number in prompts and run.split is split]
    labels = app.store.tasks.get(task).label_names
    return matrix_of(prompts, students, split, runs, app.store.runs.counted, open_orders(app, task), labels)


def students_of(app: App, task: str) -> tuple[str, ...]:
    """Return the students that can be chosen, and after them those that were evaluated before."""
    before = [run.student for run in app.store.runs.all(task)]
    return tuple(dict.fromkeys((app.settings.student, *app.settings.students, *before)))


def looks_words(looks: Sequence[Run]) -> str:
    """Say how often the test split was looked at."""
    if not looks:
        return "Nobody has looked at the test split yet."
    times = "once" if len(looks) == 1 else f"{len(looks):,} times"
    return f"The test split was looked at {times} so far."


def compare_runs_of(app: App, task: str, before: int, after: int) -> RunComparison:
    """Compare two runs of a task.

    Raises:
        NotFound: there is no such run in this task.
        InvalidInput: they cannot be compared.
    """
    first, second = (run_of(app, task, number) for number in (before, after))
    answers = (app.store.runs.predictions(run.id) for run in (first, second))
    return compare_runs(app.store.tasks.get(task).label_names, first, second, *answers)


def run_of(app: App, task: str, number: int) -> Run:
    """Return a run of a task.

    Raises:
        NotFound: there is no such run in this task.
    """
    run = app.store.runs.get(number)
    if run.task != task:
        raise NotFound(f"Run {number} belongs to task {run.task}, not to {task}.")
    return run


def compare_versions_on(app: App, task: str, prompts: Sequence[int], student: str, split: Split) -> RunComparison:
    """Compare the newest complete runs of two prompt versions by the same weights of a student on a split.

    Args:
        prompts: the version before, then the one after.

    Raises:
        NotFound: there is no such task or version, or there are no such runs.
    """
    before, after = (prompt_version(app, task, number).number for number in prompts)
    runs = [run for run in app.store.runs.all(task) if (run.student, run.split) == (student, split)]
    predictions = functools.cache(app.store.runs.predictions)
    first, second = newest_pair(runs, before, after, predictions)
    labels = app.store.tasks.get(task).label_names
    return compare_runs(labels, first, second, predictions(first.id), predictions(second.id))


@dataclass(frozen=True)
class RepeatGroup:
    """The repeats of one order.

    Attributes:
        runs: in the order of their seeds.
        steadiness: how many answers differ between them; None while one is not complete, or for a single run.
    """

    runs: tuple[Run, ...]
    steadiness: Stability | None


def repeat_groups(app: App, task: str, most: int) -> tuple[RepeatGroup, ...]:
    """Return the newest repeats of a task, the newest group first; a run that was asked once is a group of its own."""
    store = app.store
    firsts = {run.setup.group or f"run {run.id}": run for run in store.runs.trials(task)}
    groups = [store.runs.repeats(run.setup.group) if run.setup.group else (run,) for run in firsts.values()]
    return tuple(RepeatGroup(runs, steadiness(app, runs)) for runs in groups[:most])


def steadiness(app: App, runs: Sequence[Run]) -> Stability | None:
    """Return how steady the answers of repeats are; None while one is not complete, or for a single run."""
    answers = [app.store.runs.predictions(run.id) for run in runs]
    if len(runs) < 2 or any(len(found) < run.total for run, found in zip(runs, answers, strict=True)):
        return None
    return stability(app.store.tasks.get(runs[0].task).label_names, answers)
