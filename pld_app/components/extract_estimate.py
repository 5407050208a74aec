"""What an extraction would take, before anything is sent: calls, tokens, cost, time, and what the figures rest on."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import extracting, session
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain
from pld_app.extract_order import Cap, Delivery, ExtractOrder
from pld_app.settings import FILE_NAME
from pld_core.estimate import Estimate
from pld_core.models import Task
from pld_core.pricing import micro, money


@st.cache_data(ttl=60, show_spinner=False, max_entries=8)
def _estimated(workspace: str, order: ExtractOrder, state: tuple[int, ...]) -> Estimate:
    """Estimate once for each state of the task: it reads every training example."""
    del workspace, state  # part of the cache key only
    return extracting.estimated(session.app(), order)


def estimate_of(task: Task, training: int, failed: int, order: ExtractOrder) -> Estimate:
    """Return what the order would take; its caps do not matter."""
    app = session.app()
    spent = app.store.logic.spend(task.name).calls
    open_ = sum(not batch.state.is_final for batch in app.store.batches.all(task.name))
    state = (training, failed, spent, open_, len(app.store.logic.instructions(task.name)), task.guideline_version)
    return _estimated(str(app.settings.workspace), replace(order, max_calls=None, max_cost=None), state)


def draw_estimate(found: Estimate, training: int, teacher: str, order: ExtractOrder) -> None:
    """Draw the figures, what they rest on, and whether the caps of the order would stop the run before its end."""
    own = session.app().settings.teacher
    is_batch = order.delivery is Delivery.BATCH
    price = own.batch_price(teacher) if is_batch else own.price(teacher)
    cost = "no price set" if found.cost is None else f"about {money(found.cost, own.currency)}"
    if price is not None and not (price.input or price.output):
        cost = "free"
    shown = {
        "Calls": f"{found.calls:,} of {training:,}",
        "Tokens in / out": f"{found.input_tokens:,} / {found.output_tokens:,}",
        "Cost": cost,
        "Time": "within 24 hours" if is_batch else _time(found.seconds),
    }
    for column, (name, value) in zip(st.columns(4, gap="small"), shown.items(), strict=True):
        column.caption(name)
        column.markdown(f"**{plain(value)}**")
    if found.measured:
        st.caption(f"Estimated from {count(found.measured, 'call')} that this teacher answered.")
    else:
        st.caption("A rough estimate from the length of the texts, until calls were measured.")
    if found.cost is None:
        table = f'[teacher.prices."{teacher.partition(":")[2]}"]'
        st.caption(
            "Without a price a run cannot be capped in money. Set input and output, for a million tokens each, "
            f"on the Settings page, or under {plain(table)} in {plain(FILE_NAME)}."
        )
        st.page_link("pages/settings.py", label="Set the price", icon=":material/settings:")
    _warn_of_cap(found, order)


def _warn_of_cap(found: Estimate, order: ExtractOrder) -> None:
    calls, cost = order.max_calls, order.max_cost
    over_calls = calls is not None and not isinstance(calls, Cap) and found.calls > calls
    over_cost = cost is not None and not isinstance(cost, Cap) and found.cost is not None and found.cost > micro(cost)
    if not (over_calls or over_cost):
        return
    if order.delivery is Delivery.BATCH:
        draw_remark("orange", "The estimate is above the cap: a batch cannot stop half-way, so nothing will be sent.")
    else:
        draw_remark("orange", "The estimate is above the cap: the run stops before it, and what was answered is kept.")


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "not known yet"
    if seconds < 1:
        return "under a second"
    return f"about {seconds:.0f} s" if seconds < 120 else f"about {seconds / 60:.0f} min"
