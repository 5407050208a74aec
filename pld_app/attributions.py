"""Putting the answers of a run down to rules, for commands and jobs."""

from __future__ import annotations

from collections.abc import Sequence

from pld_app import wiring
from pld_app.embedder_settings import embedders_at_hand
from pld_app.wiring import App
from pld_core import attributing
from pld_core.attribution_ports import AttributionMade
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress


@guarded_app(Step.EVALUATE)
def attribute(app: App, run_id: int, report: Progress) -> tuple[AttributionMade, ...]:
    """Put the answers of a complete run down to rules; what is done already stays as it is.

    Raises:
        InvalidInput: the run is not complete, or it drew lots.
        NotFound: there is no such run.
    """
    run = app.store.runs.get(run_id)
    embedders = embedders_at_hand(app.settings.embedder, app.store)
    made = wiring.run_async(attributing.attribute_run(app.store, run, embedders, app.actor))
    report(run.total, run.total, "answers put down to rules")
    return made


def attribution_words(made: Sequence[AttributionMade]) -> str:
    """Say by which methods the answers of a run are put down to rules; at least one."""
    parts = [f"by {one.method.noun}" + (f" (compared with {one.embedder})" if one.embedder else "") for one in made]
    return f"The answers of run {made[0].run_id} are put down to rules: {' and '.join(parts)}."
