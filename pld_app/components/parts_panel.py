"""Splitting a rule in two, and merging it with another one; evidence and lineage go along by themselves."""

from __future__ import annotations

import streamlit as st

from pld_app import session, synthesis_work
from pld_app.components.edit_panel import draw_priority
from pld_app.components.permitted import allowed
from pld_app.components.rule_card import draw_rule_text
from pld_app.components.text import count, plain
from pld_app.session import Panel
from pld_core.desk import DraftText, Half, SeenRule
from pld_core.errors import PldError
from pld_core.models import RuleDossier, RuleText, Task
from pld_core.parts import default_halves, supporting
from pld_core.permissions import Step

FIRST, SECOND, BOTH = "first", "second", "both"


def draw_split(task: Task, dossier: RuleDossier, panel: Panel) -> None:
    """Draw both halves and where each supporting example goes."""
    base, text = panel.revision_hash[-12:], dossier.head.text
    st.caption(
        "Two new rules go into review. This rule stays as it is, in force if it is, until both are decided and one of "
        "them is approved. Contradicting examples and near misses go with both."
    )
    halves: list[RuleText] = []
    for name, column in zip((FIRST, SECOND), st.columns(2, gap="medium"), strict=True):
        with column:
            st.markdown(f"**{name.capitalize()} half**")
            halves.append(_draw_text_fields(task, f"split_{name}_{base}", text))
    supports = supporting(dossier.evidence)
    labels = {h: e.label for h, e in dossier.examples.items()}
    wanted = default_halves(supports, labels, halves[0].labels, halves[1].labels)
    chosen: tuple[set[str], set[str]] = (set(), set())
    st.markdown(f"**Which half does each of the {count(len(supports), 'supporting example')} belong to?**")
    with st.container(height=220):
        for example_hash in supports:
            by_label = (
                BOTH if all(example_hash in w for w in wanted) else FIRST if example_hash in wanted[0] else SECOND
            )
            # The key holds the default: when labels change, what nobody chose follows them.
            key = f"split_to_{base}_{example_hash[-16:]}_{by_label}"
            words, place = st.columns([3, 2], vertical_alignment="center")
            example = dossier.examples[example_hash]
            words.text(f"{example.label}: {' '.join(example.text.split())[:160]}")
            place.segmented_control(
                "Goes to", [FIRST, BOTH, SECOND], default=by_label, required=True, key=key, label_visibility="collapsed"
            )
            side = session.widget(key) or by_label
            for at, name in enumerate((FIRST, SECOND)):
                if side in (name, BOTH):
                    chosen[at].add(example_hash)
    reason = f"split_reason_{base}"
    st.text_input("Why", key=reason, persist_state="session", max_chars=500)
    if st.button("Split into two rules", type="primary", key="sign", **allowed(Step.SPLIT)):
        app = session.app()
        pair = Half(halves[0], frozenset(chosen[0])), Half(halves[1], frozenset(chosen[1]))

        def split() -> str:
            (one, other), problem = synthesis_work.split(app, _seen(panel), pair, session.widget(reason))
            return f"{panel.rule_id} is split into {one} and {other}, both in review. {problem}".strip()

        if session.attempt(split):
            st.rerun()


def draw_merge(task: Task, dossier: RuleDossier, panel: Panel) -> None:
    """Draw the choice of the other rule and the text of the merged one."""
    base, app = panel.revision_hash[-12:], session.app()
    st.caption(
        "One new rule goes into review, with the evidence of both; what contradicts either contradicts it. Both rules "
        "stay as they are, in force if they are, until it is approved."
    )
    key = f"merge_with_{base}"
    st.text_input("Merge with rule", key=key, placeholder="R12", max_chars=12)
    other_id = session.widget(key).strip().upper()
    if not other_id:
        return
    try:
        other = app.store.rules.dossier(other_id, app.actor)
    except PldError as error:
        st.warning(plain(str(error)))
        return
    for column, shown in zip(st.columns(2), (dossier, other), strict=True):
        with column.container(border=True):
            st.caption(f"{shown.summary.id} · {shown.summary.state.label} · {plain(shown.head.text.title)}")
            draw_rule_text(shown.head.text)
    labels = tuple(dict.fromkeys([*dossier.head.text.labels, *other.head.text.labels]))
    exceptions = tuple(dict.fromkeys([*dossier.head.text.exceptions, *other.head.text.exceptions]))
    priority = min(dossier.head.text.priority, other.head.text.priority)
    both = RuleText(dossier.head.text.title, dossier.head.text.condition, labels, exceptions, priority=priority)
    st.markdown("**The merged rule**")
    text = _draw_text_fields(task, f"merge_{base}_{other.head.hash[-12:]}", both)
    reason = f"merge_reason_{base}"
    st.text_input("Why", key=reason, persist_state="session", max_chars=500)
    if st.button("Merge into one rule", type="primary", key="sign", **allowed(Step.MERGE)):
        pair = _seen(panel), SeenRule(other.summary.id, other.head.hash, other.summary.state)

        def merge() -> str:
            made, problem = synthesis_work.merge(app, pair, text, session.widget(reason))
            return f"{panel.rule_id} and {other.summary.id} are merged into {made}, in review. {problem}".strip()

        if session.attempt(merge):
            st.rerun()


def _draw_text_fields(task: Task, key: str, begin: RuleText) -> RuleText:
    start = DraftText.of(begin)
    for name, value in (
        ("title", start.title),
        ("if", start.condition),
        ("then", list(start.labels)),
        ("except", start.exceptions),
        ("priority", start.priority),
    ):
        session.preset_once(f"{key}_{name}", value)
    st.text_input("Title", key=f"{key}_title", persist_state="session", max_chars=120)
    st.text_area("IF", key=f"{key}_if", persist_state="session", max_chars=1200, height=100)
    st.multiselect("THEN", task.label_names, key=f"{key}_then", persist_state="session")
    st.text_area("EXCEPT (one exception a line)", key=f"{key}_except", persist_state="session", height=80)
    draw_priority(f"{key}_priority")
    typed = DraftText(
        session.widget(f"{key}_title"),
        session.widget(f"{key}_if"),
        session.chosen(f"{key}_then"),
        session.widget(f"{key}_except"),
        int(session.number(f"{key}_priority", begin.priority)),
    )
    return typed.rule_text(begin.rationale)


def _seen(panel: Panel) -> SeenRule:
    return SeenRule(panel.rule_id, panel.revision_hash, panel.state)
