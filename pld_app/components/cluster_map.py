"""The map of the instructions, and what stands behind a point of it."""

from __future__ import annotations

import textwrap
from collections import Counter

import plotly.graph_objects as go
import streamlit as st

from pld_app import session
from pld_app.components.charts.look import plain_label
from pld_app.components.cluster_ground import Prepared
from pld_app.components.evidence_card import draw_example
from pld_app.components.text import count, in_badge, plain
from pld_core.canonical import hash_json
from pld_core.models import NOISE, MicroInstruction, Task

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon")
# Okabe and Ito: told apart by colour-blind readers, and on light and dark grounds.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a300", "#7b61c9")
REST = "#9aa0a6"
BY_LABEL, BY_CLUSTER = "label", "cluster"
MOST_POINTS = 3000
"""Above this many points the map draws every second, third, ... of them: a browser has to hold each with its text."""
MEMBERS_SHOWN = 40


def draw_map(task: Task, prepared: Prepared, numbers: list[int]) -> None:
    """Draw the map, and beside it the clicked instruction with its example and the members of its cluster."""
    left, right = st.columns([55, 45], gap="medium")
    with left:
        by = st.segmented_control("Colour by", [BY_LABEL, BY_CLUSTER], default=BY_LABEL, key="colour_by", required=True)
        step = -(-len(numbers) // MOST_POINTS)
        rows = list(range(0, len(numbers), step))
        event = st.plotly_chart(
            _figure(task, prepared, numbers, rows, by or BY_LABEL),
            width="stretch",
            on_select="rerun",
            selection_mode="points",
            key=f"map_{task.name}",
        )
        told = "Near points say alike things; far distances mean little. Shape is the label, crosses are noise."
        st.caption(told + (f" Drawn: 1 of {step} points." if step > 1 else "") + " Click a point to read it.")
    with right:
        clicked = _clicked(event, prepared)
        _draw_detail(task, prepared, numbers, clicked)


def cluster_names(prepared: Prepared, numbers: list[int]) -> dict[int, str]:
    """Return each cluster's name with its most frequent label, in order, noise last."""
    counts: dict[int, Counter[str]] = {}
    for label, number in zip(prepared.ground.labels, numbers, strict=True):
        counts.setdefault(number, Counter())[label] += 1
    names = {}
    for number in sorted(counts, key=lambda n: (n == NOISE, n)):
        what = "Noise" if number == NOISE else f"Cluster {number + 1}: {counts[number].most_common(1)[0][0]}"
        names[number] = f"{what} ({counts[number].total():,})"
    return names


def _figure(task: Task, prepared: Prepared, numbers: list[int], rows: list[int], by: str) -> go.Figure:
    labels = prepared.ground.labels
    shapes = {label: SYMBOLS[place % len(SYMBOLS)] for place, label in enumerate(task.label_names)}
    names = cluster_names(prepared, numbers)
    largest = [n for n, _ in Counter(n for n in numbers if n != NOISE).most_common(len(COLOURS))]
    figure = go.Figure()
    for title, colour, mine in _traces(task, numbers, rows, labels, by, largest, names):
        figure.add_trace(
            go.Scatter(
                x=[float(prepared.places[r, 0]) for r in mine],
                y=[float(prepared.places[r, 1]) for r in mine],
                mode="markers",
                name=plain_label(title),
                marker={
                    "size": 9 if len(rows) < 1000 else 6,
                    "color": colour,
                    "symbol": ["x-thin-open" if numbers[r] == NOISE else shapes.get(labels[r], "circle") for r in mine],
                    "line": {"width": [1.5 if numbers[r] == NOISE else 0 for r in mine]},
                },
                customdata=[[prepared.instructions[r].example_hash] for r in mine],
                text=[_hover(prepared.instructions[r], names[numbers[r]]) for r in mine],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    figure.update_layout(
        height=430,
        margin={"l": 0, "r": 0, "t": 4, "b": 0},
        legend={"orientation": "h", "y": -0.02},
        xaxis={"visible": False},
        yaxis={"visible": False},
    )
    return figure


def _traces(
    task: Task,
    numbers: list[int],
    rows: list[int],
    labels: tuple[str, ...],
    by: str,
    largest: list[int],
    names: dict[int, str],
) -> list[tuple[str, str, list[int]]]:
    """Return name, colour and rows of each group of points that is drawn in one colour."""
    if by == BY_LABEL:
        return [
            (label, COLOURS[place % len(COLOURS)], [r for r in rows if labels[r] == label])
            for place, label in enumerate(task.label_names)
        ]
    chosen = set(largest)
    found = [(names[n], COLOURS[place], [r for r in rows if numbers[r] == n]) for place, n in enumerate(largest)]
    others = [r for r in rows if numbers[r] != NOISE and numbers[r] not in chosen]
    if others:
        found.append((f"{count(len(names) - len(chosen) - (NOISE in names), 'smaller cluster')}", REST, others))
    noise = [r for r in rows if numbers[r] == NOISE]
    return [*found, ("Noise", REST, noise)] if noise else found


def _hover(instruction: MicroInstruction, cluster: str) -> str:
    lines = textwrap.wrap(instruction.condition, 60)[:6]
    return "<br>".join([plain_label(f"{instruction.label}, {cluster}"), *(plain_label(line) for line in lines)])


def _clicked(event: object, prepared: Prepared) -> int | None:
    """Return the row of the point that was clicked on the map."""
    points = event["selection"]["points"] if isinstance(event, dict) else []
    wanted = points[0]["customdata"][0] if points else ""
    return next((row for row, i in enumerate(prepared.instructions) if i.example_hash == wanted), None)


def _draw_detail(task: Task, prepared: Prepared, numbers: list[int], clicked: int | None) -> None:
    names = cluster_names(prepared, numbers)
    # The numbers of another clustering mean other clusters, so each clustering has a choice of its own.
    key = f"cluster_{task.name}_{hash_json([prepared.key, numbers])[-8:]}"
    if session.changed(f"click_{task.name}", clicked) and clicked is not None:
        session.preset(key, numbers[clicked])
    elif session.number(key, NOISE - 1) not in names:
        session.preset(key, next(iter(names)))
    chosen = st.selectbox("Cluster", list(names), format_func=lambda n: names.get(n, ""), key=key)
    with st.container(height=430, key="members"):
        if clicked is not None and numbers[clicked] == chosen:
            _draw_point(task, prepared.instructions[clicked])
        rows = [row for row, number in enumerate(numbers) if number == chosen and row != clicked]
        for row in rows[:MEMBERS_SHOWN]:
            instruction = prepared.instructions[row]
            st.markdown(f"IF {plain(instruction.condition)} :gray[{plain(instruction.label)}]")
        if len(rows) > MEMBERS_SHOWN:
            st.caption(f"The first {MEMBERS_SHOWN} of {len(rows):,} are shown.")


def _draw_point(task: Task, instruction: MicroInstruction) -> None:
    """Draw the clicked instruction and the example that it was made from."""
    with st.container(border=True, gap="small", key="clicked"):
        st.badge(f"gold label: {in_badge(instruction.label)}", color="blue")
        st.markdown(f"**IF** {plain(instruction.condition)} **THEN** {plain(instruction.label)}")
        for exception in instruction.exceptions:
            st.markdown(f"**EXCEPT** {plain(exception)}")
        st.caption("The example that it was made from")
        draw_example(session.app().store.tasks.example(task.name, instruction.example_hash))
