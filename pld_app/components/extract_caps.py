"""How an extraction is to be made: at once or as a batch, within which caps."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from pld_app import session
from pld_app.components.text import count, plain
from pld_app.extract_order import Cap, Delivery, ExtractOrder
from pld_app.teacher_settings import PAID, TeacherSettings
from pld_core.models import Task


def draw_order(task: Task, teacher: str) -> ExtractOrder:
    """Draw the way of asking and the caps; an empty cap is none, whatever the settings say."""
    own = session.app().settings.teacher
    delivery = _draw_delivery(task, teacher)
    calls, cost, flight = st.columns(3, vertical_alignment="bottom")
    max_calls = calls.number_input(
        "Cap in calls", 1, value=own.max_calls, step=1, key=f"cap_calls_{task.name}", placeholder="no cap"
    )
    priced = own.price(teacher)
    is_paid = priced is None or bool(priced.input or priced.output)
    can_cap = priced is not None and is_paid
    max_cost = cost.number_input(
        f"Cap in {plain(own.currency)}",
        0.000001,
        value=None if own.max_cost is None or not can_cap else float(own.max_cost),
        step=1.0,
        format="%g",
        key=f"cap_cost_{task.name}",
        placeholder="no cap" if can_cap else "no price set" if priced is None else "free",
        disabled=not can_cap,
    )
    in_flight = flight.number_input(
        "Calls at a time",
        1,
        value=own.in_flight,
        step=1,
        key=f"in_flight_{task.name}",
        disabled=delivery is Delivery.BATCH,
    )
    _say_caps(own, max_calls, max_cost, can_cap)
    amount: Decimal | Cap = Cap.NONE if max_cost is None else Decimal(str(max_cost))
    return ExtractOrder(
        task.name,
        max_calls=Cap.NONE if max_calls is None else max_calls,
        # A cap in money that cannot be held is not dropped unseen: the run then says which price is missing.
        max_cost=amount if can_cap else None,
        in_flight=int(in_flight),
        delivery=delivery,
    )


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
        st.caption(":orange[This teacher takes no batches: they need one with OpenAI's Batch API, such as openai:…]")
    return delivery


def _say_caps(own: TeacherSettings, max_calls: int | None, max_cost: float | None, can_cap: bool) -> None:
    """Say which caps come from the settings, and which of them are lifted for this run."""
    same_cost = own.max_cost is not None and max_cost == float(own.max_cost)
    parts = []
    if own.max_calls is not None:
        parts.append(_cap_words(count(own.max_calls, "call"), max_calls == own.max_calls, max_calls is None))
    if own.max_cost is not None and can_cap:
        parts.append(_cap_words(f"{own.max_cost} {plain(own.currency)}", same_cost, max_cost is None))
    if parts:
        st.caption(f"Caps of the settings: {', '.join(parts)}.")


def _cap_words(amount: str, is_same: bool, is_lifted: bool) -> str:
    if is_same:
        return amount
    return f"{amount} :orange[(lifted for this run: no cap)]" if is_lifted else f"{amount} (another one for this run)"
