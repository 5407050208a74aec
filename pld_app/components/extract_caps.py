"""How an extraction is to be made: at once or as a batch, within which caps."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from pld_app import session
from pld_app.components.remark import draw_remark
from pld_app.components.text import plain
from pld_app.extract_order import Cap, Delivery, ExtractOrder
from pld_app.teacher_settings import PAID, TeacherSettings
from pld_core.models import Task
from pld_core.pricing import Price

ENTRIES = ("delivery_", "cap_calls_", "cap_cost_", "no_cap_", "in_flight_")
"""How the keys of the fields begin that an order is made of."""


def draw_order(task: Task, teacher: str) -> ExtractOrder:
    """Draw the way of asking and the caps; where no cap stands there is none, whatever the settings say."""
    own = session.app().settings.teacher
    delivery = _draw_delivery(task, teacher)
    priced = own.price(teacher)
    calls, cost, flight = st.columns(3)
    with calls:
        max_calls = _draw_call_cap(task, own)
    with cost:
        max_cost = _draw_cost_cap(task, own, priced)
    in_flight = flight.number_input(
        "Calls at a time",
        1,
        value=own.in_flight,
        step=1,
        key=f"in_flight_{task.name}",
        disabled=delivery is Delivery.BATCH,
    )
    return ExtractOrder(task.name, max_calls=max_calls, max_cost=max_cost, in_flight=int(in_flight), delivery=delivery)


def _draw_call_cap(task: Task, own: TeacherSettings) -> int | Cap:
    field = st.container()
    no_cap = _is_lifted("calls", task, None if own.max_calls is None else f"{own.max_calls:,}")
    found = field.number_input(
        "Cap in calls",
        1,
        value=own.max_calls,
        step=1,
        key=f"cap_calls_{task.name}",
        placeholder="no cap",
        disabled=no_cap,
    )
    return Cap.NONE if no_cap or found is None else found


def _draw_cost_cap(task: Task, own: TeacherSettings, priced: Price | None) -> Decimal | Cap | None:
    can_cap = priced is not None and bool(priced.input or priced.output)
    field, currency = st.container(), plain(own.currency)
    no_cap = can_cap and _is_lifted("cost", task, None if own.max_cost is None else f"{own.max_cost} {currency}")
    found = field.number_input(
        f"Cap in {currency}",
        0.000001,
        value=None if own.max_cost is None or not can_cap else float(own.max_cost),
        step=1.0,
        format="%g",
        key=f"cap_cost_{task.name}",
        placeholder="no cap" if can_cap else "no price set" if priced is None else "free",
        disabled=no_cap or not can_cap,
    )
    if not can_cap:
        # A cap of the settings that cannot be held is not dropped unseen: the run then says which price is missing.
        return None
    return Cap.NONE if no_cap or found is None else Decimal(str(found))


def _is_lifted(what: str, task: Task, own: str | None) -> bool:
    """Draw, below its field, whether a cap of the settings is lifted for this run; False where they have none."""
    if own is None:
        return False
    is_lifted = st.checkbox("No cap", key=f"no_cap_{what}_{task.name}")
    st.caption(f"In the settings: {own}")
    return is_lifted


def _draw_delivery(task: Task, teacher: str) -> Delivery:
    """Draw the choice between at once and as a batch."""
    discount = session.app().settings.teacher.batch_discount(teacher)
    cheaper = "half price" if discount == Decimal("0.5") else f"{discount * 100:.0f} % off"
    words = {Delivery.NOW: "Now", Delivery.BATCH: f"As a batch ({cheaper}, within 24 hours)"}
    chosen = st.segmented_control(
        "When",
        list(Delivery),
        default=Delivery.NOW,
        required=True,
        format_func=words.__getitem__,
        key=f"delivery_{task.name}",
    )
    delivery = Delivery(chosen or Delivery.NOW)
    if delivery is Delivery.BATCH and teacher.partition(":")[0] != PAID:
        draw_remark("orange", "This teacher takes no batches: they need one with OpenAI's Batch API, such as openai:…")
    return delivery
