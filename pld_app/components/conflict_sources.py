"""Where conflicts are, before any student has run and afterwards: rules that clash, people who disagree, data."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import session
from pld_app.components.pair_form import draw_pair_form
from pld_app.components.pair_list import draw_pairs
from pld_app.components.queue import CONFLICTS, CONTRADICTED, OVERLAPS
from pld_app.components.text import count
from pld_core.conflicts.records import RoundRecord
from pld_core.desk import Tab
from pld_core.models import RevisionState, Task
from pld_core.pair_judging import judged_pairs
from pld_core.records import RuleFilter


def draw_sources(task: Task, rounds: Sequence[RoundRecord]) -> None:
    """Draw what is in conflict now, with the page on which each is settled.

    Args:
        rounds: of the loop on screen: what the teacher said of pairs of rules is told beside them.
    """
    app = session.app()
    store, here = app.store, {"task": task.name}
    pairs = judged_pairs(store, task.name)
    disputed = store.rules.count(task.name, RuleFilter((RevisionState.DISPUTED,)))
    uncompared = len(store.lineage.uncompared(task.name))
    with st.container(border=True):
        for what, kind in (("with an overlap", OVERLAPS), ("with contradicting examples", CONTRADICTED)):
            among = {**here, "show": Tab.CONFLICTS.value, "conflict": kind}
            number = store.rules.count(task.name, CONFLICTS[kind])
            _draw_line(number, "rule", what, "pages/review.py", "Review", among)
        second = {**here, "show": Tab.SECOND.value}
        _draw_line(disputed, "rule", "on which two people disagree", "pages/review.py", "Second review", second)
        findings = store.findings.count_open(task.name)
        waiting = {**here, "show": Tab.FINDINGS.value}
        _draw_line(
            findings, "open finding", "of wrong answers that people marked", "pages/review.py", "Review", waiting
        )
        texts = store.data.count_conflicts(task.name)
        data = {**here, "view": "Label conflicts"}
        _draw_line(texts, "text", "of the data with more than one label", "pages/data.py", "Data", data)
        if texts:
            st.caption("No rule can repair these: loops leave them out until somebody settles them on the Data page.")
        if uncompared:
            st.caption(f"{count(uncompared, 'rule')} not compared with the others yet; Review compares them.")
    if pairs:
        draw_pair_form(task, pairs)
        draw_pairs(task, pairs, [group for one in rounds for group in one.groups])


def _draw_line(number: int, noun: str, what: str, page: str, label: str, link: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        words = f"{count(number, noun)} {what}"
        st.markdown(f"**{words}**" if number else f":gray[{words}]", width="stretch")
        if number:
            st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=link)
