"""Where conflicts are, before any student has run and afterwards: rules that clash, people who disagree, data."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import session
from pld_app.components.pair_form import draw_pair_form
from pld_app.components.text import count, plain
from pld_core.conflicts.groups import Source
from pld_core.conflicts.pairs import worst_first
from pld_core.conflicts.records import AskedGroup, RoundRecord
from pld_core.desk import Tab
from pld_core.models import RevisionState, Task
from pld_core.overlaps import OverlapPair
from pld_core.records import RuleFilter

PAIRS = 20
"""So many overlapping pairs are listed, contradictions first, then the closest."""


def draw_sources(task: Task, rounds: Sequence[RoundRecord]) -> None:
    """Draw what is in conflict now, with the page on which each is settled.

    Args:
        rounds: of the loop on screen: what the teacher said of pairs of rules is told beside them.
    """
    app = session.app()
    store, here = app.store, {"task": task.name}
    pairs = store.lineage.overlaps(task.name)
    disputed = store.rules.count(task.name, RuleFilter((RevisionState.DISPUTED,)))
    uncompared = len(store.lineage.uncompared(task.name))
    with st.container(border=True):
        conflicts = {**here, "show": Tab.CONFLICTS.value}
        for what, where in (
            ("with an overlap", RuleFilter(overlapping=True)),
            ("with contradicting examples", RuleFilter(contradicted=True)),
        ):
            _draw_line(store.rules.count(task.name, where), "rule", what, "pages/review.py", "Review", conflicts)
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
        _draw_pairs(task, pairs, [group for one in rounds for group in one.groups])


def _draw_line(number: int, noun: str, what: str, page: str, label: str, link: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        words = f"{count(number, noun)} {what}"
        st.markdown(f"**{words}**" if number else f":gray[{words}]", width="stretch")
        if number:
            st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=link)


def _draw_pairs(task: Task, pairs: Sequence[OverlapPair], groups: Sequence[AskedGroup]) -> None:
    asked = {frozenset(group.rules): group for group in groups if group.source is Source.RULES and group.kind}
    app = session.app()
    judged = worst_first(pairs, {one.rules: one for one in app.store.pairs.judged(task.name)})
    draw_pair_form(task, sum(one.judgement is None for one in judged))
    with st.expander(f"{count(len(pairs), 'pair')} of rules with close conditions and different labels"):
        for one in judged[:PAIRS]:
            pair = one.pair
            low, high = (app.store.rules.summary(rule_id, app.actor) for rule_id in (pair.low, pair.high))
            st.markdown(
                f"**{low.id}** {plain(low.title)} · **{high.id}** {plain(high.title)} "
                f":gray[closeness {pair.closeness:.2f}]"
            )
            if one.judgement:
                word = f"**{one.judgement.verdict.label.capitalize()}**, says the teacher."
                st.markdown(f"{word} {plain(one.judgement.reason)}")
            elif group := asked.get(frozenset((pair.low, pair.high))):
                st.caption(plain(f"The teacher takes it for: {group.kind.replace('_', ' ')}. {group.cause}"))
            with st.container(horizontal=True):
                for rule in (low, high):
                    link = {"task": task.name, "rule": rule.id, "show": Tab.ALL.value}
                    st.page_link("pages/review.py", label=f"Open {rule.id}", query_params=link)
        if len(pairs) > PAIRS:
            st.caption(f"The first {PAIRS} are shown; `pld rules overlaps --task {plain(task.name)}` lists all.")
