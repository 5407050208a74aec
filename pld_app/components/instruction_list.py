"""Instructions on screen: a page at a time with what may be wrong with them, one in full beside its example."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pld_app import session
from pld_app.components.evidence_card import draw_example, draw_origin
from pld_app.components.text import author, count, in_badge, plain
from pld_core.errors import NotFound
from pld_core.models import MicroInstruction, Task
from pld_core.quality import Flag, duplicates, flags_of
from pld_core.records import ExampleFilter

PAGE_SIZE = 25
CELL = 300
"""Characters of a text in the list."""
SHORT = {
    Flag.COPIES: "copies",
    Flag.CARRIES: "carries details",
    Flag.VAGUE: "vague",
    Flag.LANGUAGE: "other language",
    Flag.DUPLICATE: "duplicate",
}


@st.cache_data(ttl=600, show_spinner="Checking the instructions…", max_entries=8)
def _flags(workspace: str, task: str, guideline_version: int, size: int) -> dict[str, tuple[Flag, ...]]:
    """Check every instruction once; an instruction never changes, so their number tells whether some came."""
    del workspace, guideline_version, size  # part of the cache key only
    store = session.app().store
    about = store.tasks.get(task)
    public = " ".join([about.title, about.guideline, *(f"{label.name} {label.description}" for label in about.labels)])
    examples = {example.hash: example for example in store.tasks.examples(task, ExampleFilter(states=()))}
    instructions = store.logic.instructions(task)
    twice = duplicates(instructions)
    found = {}
    for instruction in instructions:
        key = instruction.example_hash
        flags = flags_of(instruction, examples[key], public) if key in examples else ()
        found[key] = (*flags, Flag.DUPLICATE) if key in twice else flags
    return found


def draw_instructions(task: Task) -> None:
    """Draw the table, a page at a time, and the chosen instruction beside its example."""
    app = session.app()
    instructions = app.store.logic.instructions(task.name)
    if not instructions:
        st.info("No instruction yet. What the teacher writes appears here as soon as a run ends.")
        return
    flags = _flags(str(app.settings.workspace), task.name, task.guideline_version, len(instructions))
    flagged = [i for i in instructions if flags.get(i.example_hash)]
    with st.container(horizontal=True, vertical_alignment="center"):
        only = st.checkbox(f"Flagged only ({len(flagged):,})", key="flagged_only", help=_help())
        shown = flagged if only else list(instructions)
        st.caption(f"{count(len(shown), 'instruction')}. Flags are heuristics: they point, people judge.")
        pages = max(1, -(-len(shown) // PAGE_SIZE))
        page = min(st.pagination(pages, key="instruction_page"), pages) if pages > 1 else 1
    if not shown:
        st.info("No instruction is flagged.")
        return
    here = shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    listing, full = st.columns([5, 4], gap="medium")
    with listing:
        event = st.dataframe(
            _frame(here, flags),
            hide_index=True,
            width="stretch",
            height=460,
            on_select="rerun",
            selection_mode="single-row",
            key="instruction_rows",
            column_config={"condition": st.column_config.TextColumn(width=330)},
        )
    rows = event["selection"]["rows"] if event else []
    with full, st.container(border=True, height=460, key="instruction"):
        chosen = here[rows[0]] if rows and rows[0] < len(here) else here[0]
        _draw_full(task, chosen, flags.get(chosen.example_hash, ()))


def _help() -> str:
    return "\n".join(f"- {SHORT[flag]}: {flag.words}" for flag in Flag)


def _frame(instructions: list[MicroInstruction], flags: dict[str, tuple[Flag, ...]]) -> pd.DataFrame:
    rows = [
        {
            "flags": ", ".join(SHORT[flag] for flag in flags.get(i.example_hash, ())),
            "label": i.label,
            "condition": i.condition[:CELL],
            "exceptions": "; ".join(i.exceptions)[:CELL],
        }
        for i in instructions
    ]
    return pd.DataFrame(rows)


def _draw_full(task: Task, instruction: MicroInstruction, flags: tuple[Flag, ...]) -> None:
    for flag in flags:
        st.badge(flag.words, color="orange", icon=":material/flag:")
    st.caption("If")
    st.text(instruction.condition)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("then", width="content")
        st.badge(in_badge(instruction.label), color="blue")
    if instruction.exceptions:
        st.caption("except")
        st.text("\n".join(instruction.exceptions))
    if instruction.reasoning:
        st.caption("because")
        st.text(instruction.reasoning)
    if instruction.cues:
        st.caption("Cues in the text")
        st.text(" · ".join(instruction.cues))
    st.caption(f"By {plain(author(instruction.teacher))}, from this example:")
    try:
        example = session.app().store.tasks.example(task.name, instruction.example_hash)
    except NotFound as error:
        st.caption(plain(str(error)))
        return
    with st.container(border=True, gap="xsmall"):
        draw_example(example)
        draw_origin(example)
