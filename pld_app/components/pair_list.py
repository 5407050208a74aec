"""Overlapping rules, pair by pair: what the teacher takes each for, why, and the examples that this rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from pld_app import session
from pld_app.components.evidence_card import draw_example
from pld_app.components.kind_pills import chosen_kinds
from pld_app.components.text import count, in_badge, plain
from pld_core.conflicts.groups import Source
from pld_core.conflicts.pairs import JudgedPair, PairJudgement, PairVerdict
from pld_core.conflicts.records import AskedGroup
from pld_core.desk import Tab
from pld_core.errors import NotFound
from pld_core.models import RuleText, Task
from pld_core.review import rule_sentences

PAGE_SIZE = 10
COLOURS: Mapping[PairVerdict, Literal["red", "orange", "blue", "gray", "green"]] = {
    PairVerdict.CONTRADICTION: "red",
    PairVerdict.EXCEPTION: "orange",
    PairVerdict.DUPLICATE: "blue",
    PairVerdict.UNCLEAR: "gray",
    PairVerdict.DIFFERENT_SCOPE: "green",
}
NOT_JUDGED = "not judged"
OUTDATED = "A rule was changed since the teacher judged this pair."


def draw_pairs(task: Task, pairs: Sequence[JudgedPair], groups: Sequence[AskedGroup]) -> None:
    """Draw a page of the pairs, in their order, or of those whose verdict somebody chose.

    Args:
        groups: that a loop asked about; what the teacher said there of a pair stands beside one that was not judged.
    """
    title = f"{count(len(pairs), 'pair')} of rules with close conditions and different labels"
    judged = any(one.judgement for one in pairs)
    # Another key for each: the list opens by itself with the first verdicts.
    key = f"pairs_list_{'judged' if judged else 'open'}"
    box = st.expander(title, expanded=judged, key=key, on_change="rerun")
    if not box.open:
        return
    asked = {frozenset(group.rules): group for group in groups if group.source is Source.RULES and group.kind}
    with box:
        st.caption("What the teacher says is a note: no rule changes by it. Open a rule to edit or to reject it.")
        words = chosen_kinds("Show only", map(_word, pairs), str.capitalize, "pair_verdicts")
        shown = [one for one in pairs if _word(one) in words]
        pages = -(-len(shown) // PAGE_SIZE)
        page = st.pagination(pages, key=f"pairs_page_{pages}", max_visible_pages=5) if pages > 1 else 1
        on_page = shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        texts = _texts(on_page)
        for one in on_page:
            _draw_pair(task, one, texts, asked)


def _texts(pairs: Sequence[JudgedPair]) -> dict[str, RuleText]:
    """Return the newest text of each rule, by its id."""
    app = session.app()
    ids = {rule_id for one in pairs for rule_id in (one.pair.low, one.pair.high)}
    heads = {rule_id: app.store.rules.summary(rule_id, app.actor).head for rule_id in ids}
    found = app.store.rules.revisions(list(heads.values()))
    return {rule_id: found[head].text for rule_id, head in heads.items()}


def _word(one: JudgedPair) -> str:
    return one.verdict.label if one.verdict else NOT_JUDGED


def _draw_pair(
    task: Task, one: JudgedPair, texts: Mapping[str, RuleText], asked: Mapping[frozenset[str], AskedGroup]
) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if one.verdict:
                st.badge(one.verdict.label.capitalize(), color=COLOURS[one.verdict])
            else:
                st.badge(NOT_JUDGED.capitalize(), color="gray")
            st.caption(f"closeness {one.pair.closeness:.2f}", width="content", help="1.00: the conditions read alike.")
        rules = (one.pair.low, one.pair.high)
        for rule_id in rules:
            _draw_rule(rule_id, texts[rule_id])
        with st.container(horizontal=True):
            for rule_id in rules:
                link = {"task": task.name, "rule": rule_id, "show": Tab.ALL.value}
                st.page_link("pages/review.py", label=f"Open {rule_id}", query_params=link)
        if one.judgement:
            _draw_judgement(task, one.judgement)
        elif one.outdated:
            st.caption(OUTDATED)
        elif group := asked.get(frozenset(rules)):
            st.caption(plain(f"In a loop, the teacher took it for: {group.kind.replace('_', ' ')}. {group.cause}"))


def _draw_rule(rule_id: str, text: RuleText) -> None:
    condition, then, exceptions = rule_sentences(text)
    excepted = f" EXCEPT {plain('; '.join(exceptions))}" if exceptions else ""
    st.markdown(f"**{rule_id}** IF {plain(condition)} THEN **{plain(then)}**{excepted}")


def _draw_judgement(task: Task, said: PairJudgement) -> None:
    st.markdown(f"**The teacher’s verdict:** {said.verdict.meaning}")
    st.markdown(f"**Its reason:** {plain(said.reason)}")
    if not said.examples:
        st.caption("It rests on the rules alone, on no example.")
        return
    key = f"pair_examples_{'_'.join(said.rules)}"
    box = st.expander(f"{count(len(said.examples), 'example')} that this rests on", key=key, on_change="rerun")
    if not box.open:
        return
    with box:
        for content in said.examples:
            _draw_example(task, content)


def _draw_example(task: Task, content: str) -> None:
    with st.container(border=True, gap="xsmall"):
        try:
            example = session.app().store.tasks.example(task.name, content)
        except NotFound as error:
            st.caption(plain(str(error)))
            return
        st.badge(f"gold label: {in_badge(example.label)}", color="blue")
        draw_example(example)
