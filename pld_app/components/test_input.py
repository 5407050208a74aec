"""What is asked: a stored example, or a text typed in."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pld_app import session
from pld_app.components.text import plain
from pld_core.models import Split, Task
from pld_core.records import ExampleFilter, Page

OWN, STORED = "Type a text", "Pick an example"
CHOICES = 50


@dataclass(frozen=True)
class Question:
    """The input's text by field, and the gold label if it is a stored example."""

    values: dict[str, str]
    gold: str = ""


def draw_input(task: Task) -> Question:
    """Draw the choice between an example and a text of one's own."""
    how = st.segmented_control("Input", [STORED, OWN], default=STORED, required=True, key="test_how")
    if how == OWN:
        values = {
            name: st.text_area(name, key=f"test_{task.name}_{name}", persist_state="session", height=110)
            for name in task.input_fields
        }
        return Question(values)
    return _pick(task)


def _pick(task: Task) -> Question:
    left, right = st.columns([1, 2])
    splits = [Split.VALIDATION, Split.TEST, Split.TRAIN]
    split = left.selectbox("From", splits, format_func=lambda s: s.value, key="test_split")
    search = right.text_input("Search", key="test_search")
    where = ExampleFilter(split=split, search=search.strip())
    found = session.app().store.tasks.examples(task.name, where, Page(0, CHOICES))
    if not found:
        st.info("No example matches.")
        return Question({})
    total = session.app().store.tasks.count_examples(task.name, where)
    index = st.selectbox(
        f"Example ({total:,} match{'es' if total == 1 else ''}, the first {len(found)} listed)",
        range(len(found)),
        format_func=lambda i: f"{' · '.join(v for _, v in found[i].fields)[:110]}",
        key=f"test_example_{task.name}_{split}_{search}",
    )
    example = found[index]
    with st.container(border=True, height=220, gap="xsmall"):
        for name, value in example.fields:
            st.caption(plain(name))
            st.text(value)
    return Question(dict(example.fields), example.label)
