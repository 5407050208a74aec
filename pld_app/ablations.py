"""Leaving rules out of the prompt of a run, for commands and jobs: what it takes, doing it, what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pld_app import wiring
from pld_app.wiring import App
from pld_core import ablating
from pld_core.ablating import Ablating, AblationEstimate, AblationOrder, AblationOutcome
from pld_core.ablation import Scope, ShownAblation, StoredAblation, figures_of
from pld_core.asking import ready_status
from pld_core.calls import Limits
from pld_core.canonical import Json
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress


def order_json(order: AblationOrder) -> dict[str, Json]:
    """Return an order as the params of a job."""
    return {
        "run": order.run_id,
        "rules": list(order.rule_ids),
        "scope": order.scope.value,
        "max_calls": order.max_calls,
    }


def order_from_json(value: Mapping[str, Any]) -> AblationOrder:
    """Read what `order_json` wrote."""
    return AblationOrder(value["run"], tuple(value["rules"]), Scope(value["scope"]), value["max_calls"])


def estimated(app: App, order: AblationOrder) -> AblationEstimate:
    """Return what leaving rules out takes; looks at the student, but asks it nothing.

    Raises:
        BackendError: the student is not ready.
        InvalidInput, NotFound: as `ablating.Ablating`.
    """
    student = app.store.runs.get(order.run_id).student

    async def look() -> AblationEstimate:
        async with wiring.student_backend(app, student) as chat:
            return Ablating(app.store, await ready_status(chat), order).estimate(app.settings.in_flight(student))

    return wiring.run_async(look())


@guarded_app(Step.EVALUATE)
def ablate(app: App, order: AblationOrder, report: Progress) -> AblationOutcome:
    """Leave rules out one after the other; what was answered before is not asked again.

    Raises:
        BackendError, InvalidInput, NotFound: as `ablating.ablate`; the answers so far are kept.
    """
    student = app.store.runs.get(order.run_id).student
    limits = Limits(in_flight=app.settings.in_flight(student))

    async def work() -> AblationOutcome:
        async with wiring.student_backend(app, student) as chat:
            return await ablating.ablate(app.store, chat, order, report, app.actor, limits)

    return wiring.run_async(work())


def measured(app: App, run_id: int) -> tuple[StoredAblation, ...]:
    """Return the newest ablation of each rule and scope in a run, those with the least net first."""
    return tuple(sorted(app.store.ablations.of_run(run_id), key=lambda one: (one.ablation.net, one.id)))


def shown(app: App, run_id: int, found: Sequence[StoredAblation]) -> tuple[ShownAblation, ...]:
    """Return what ablations of a run show over it, in the order given; of each, an interval is made by resampling."""
    labels, answers = app.store.tasks.get(app.store.runs.get(run_id).task).label_names, app.store.runs.counted(run_id)
    return tuple(ShownAblation(one, figures_of(one.ablation, labels, answers)) for one in found)
