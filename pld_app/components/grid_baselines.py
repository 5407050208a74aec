"""What each cell of the matrix has to beat: rows for the baselines of code, and what brings those of a student."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pld_app import session
from pld_app.components.run_baselines import AT_ONCE
from pld_app.components.text import plain
from pld_app.report_baselines import KINDS
from pld_app.split_baselines import SplitBaseline, split_baselines
from pld_app.wiring import App
from pld_core.models import ListedPrompt, Split, Task


@dataclass(frozen=True)
class _Known:
    """What the rows are made of, for the cache: with the same, they come out the same."""

    workspace: str
    task: str
    split: Split
    events: int


def with_baselines(versions: Sequence[ListedPrompt], most: int) -> list[ListedPrompt]:
    """Return the newest versions, and after them the newest of each baseline that is not among these."""
    shown = list(versions[:most])
    kinds = {one.kind for one in shown}
    later = [next((one for one in versions if one.kind is kind), None) for kind in KINDS.values()]
    return [*shown, *(one for one in later if one is not None and one.kind not in kinds)]


def draw_grid_baselines(task: Task, versions: Sequence[ListedPrompt], split: Split, widths: Sequence[int]) -> None:
    """Draw a row for each baseline that code makes of the training examples; it is the same for every student."""
    app, key = session.app(), f"grid_neighbours_{split.value}"
    counts = app.store.tasks.split_table(task.name)
    n = sum(count for (of, _), count in counts.items() if of in (split, Split.TRAIN))
    if n > AT_ONCE and not session.flag(key):
        st.button(f"Show the baselines made of {n:,} examples", key=f"{key}_show", on_click=session.flip, args=(key,))
    else:
        known = _Known(str(app.settings.workspace), task.name, split, app.store.events.count())
        for row in _rows(app, known):
            columns = st.columns(widths, vertical_alignment="center")
            columns[0].markdown(f"Baseline: {plain(row.baseline.value)}")
            for column in columns[1:]:
                column.markdown(plain(row.words))
    kinds = {one.kind for one in versions}
    for baseline, kind in KINDS.items():
        if kind not in kinds:
            st.caption(
                f"The baseline “{baseline.value}” is missing: compile it on the Prompt page, or "
                f"`pld compile --task {task.name} --baseline {kind.value}`; its row with a button appears here."
            )


@st.cache_data(show_spinner="Looking up nearest neighbours…", max_entries=16)
def _rows(_app: App, known: _Known) -> tuple[SplitBaseline, ...]:
    return split_baselines(_app, known.task, known.split)
