"""Evidence on screen: each example in full, with its gold label, split and role."""

from __future__ import annotations

import streamlit as st

from pld_app.components.text import ROLE_ICONS, in_badge, plain, short_hash
from pld_core.models import Evidence, EvidenceRole, Example, RuleDossier

ORDER = (EvidenceRole.CONTRADICTS, EvidenceRole.NEAR_MISS, EvidenceRole.SUPPORTS, EvidenceRole.IRRELEVANT)
HEADINGS = {
    EvidenceRole.CONTRADICTS: ("Contradicting", "The teacher says that this rule decides these wrongly.", "red"),
    EvidenceRole.NEAR_MISS: (
        "Near misses",
        "Alike, but labelled otherwise. Would the rule keep clear of them?",
        "orange",
    ),
    EvidenceRole.SUPPORTS: ("Supporting", "The examples that this rule was merged from.", "green"),
    EvidenceRole.IRRELEVANT: ("Irrelevant", "Marked as saying nothing about this rule.", "gray"),
}


def draw_evidence(dossier: RuleDossier, limit: int = 40) -> None:
    """Draw the evidence of the newest revision: contradicting first, then near misses, then supporting."""
    if not dossier.evidence:
        st.warning("This rule has no evidence, so nobody can judge it. It can be rejected, but not approved.")
        return
    drawn = 0
    for role in ORDER:
        cards = [e for e in dossier.evidence if e.role is role]
        if not cards:
            continue
        title, meaning, colour = HEADINGS[role]
        st.markdown(f"**{title}** ({len(cards)}) :gray[{meaning}]")
        for evidence in cards[: max(0, limit - drawn)]:
            draw_card(evidence, dossier.examples[evidence.example_hash], colour)
        drawn += len(cards)
    if drawn > limit:
        st.caption(
            f"The closest {limit} of {drawn} examples are shown; `pld rules show {dossier.summary.id}` lists all."
        )


def draw_card(evidence: Evidence, example: Example, colour: str) -> None:
    """Draw one example with its role."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            mark = f"{ROLE_ICONS[evidence.role.value]} {evidence.role.value.replace('_', ' ')}"
            st.badge(mark, color=colour)  # type: ignore[arg-type]
            st.badge(f"gold label: {in_badge(example.label)}", color="blue")
            st.caption(f"{example.split.value} · {plain(example.source)} · {short_hash(example.hash)}")
        draw_fields(example)


def draw_fields(example: Example) -> None:
    """Draw all text fields of an example, word for word."""
    for name, value in example.fields:
        st.caption(plain(name))
        st.text(value or "(empty)")
