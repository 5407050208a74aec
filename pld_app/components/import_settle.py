"""What a person settles after a file was checked: labels that are written otherwise, what labels mean, masking."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from pld_app import importing, session
from pld_app.components.text import count, plain
from pld_app.importing import Checked, ImportOrder
from pld_core.canonical import hash_json
from pld_core.validation.report import ValidationReport

REFUSE, KEEP = "refuse these rows", "declare it as it is"


def draw_settle(checked: Checked, order: ImportOrder) -> ImportOrder:
    """Draw what can be settled; return the order with what was chosen.

    Raises:
        InvalidInput: nothing is left to import.
    """
    left, right = st.columns(2, gap="medium")
    with left:
        merges = _draw_variants(checked, importing.plan(checked, order).report)
        order = replace(order, choices=replace(order.choices, merges=merges))
        # Planned anew: with a label merged, more rows are kept than before.
        report = importing.plan(checked, order).report
        mask = _draw_mask(report)
    with right:
        descriptions = _draw_labels(report)
    return replace(order, choices=replace(order.choices, descriptions=descriptions, mask=mask))


def _draw_variants(checked: Checked, report: ValidationReport) -> dict[str, str]:
    """Let a person decide about each label that is written otherwise; nothing is merged unless chosen."""
    if not report.label_variants:
        return {}
    st.caption(
        "Labels written otherwise than the task has them. Their rows are left out unless you say what they mean."
    )
    declared = [label.label for label in report.labels]
    found = {}
    for place, variant in enumerate(report.label_variants):
        # White space around a label cannot be seen, so such a spelling is no label of its own.
        can_stay = checked.there is None and variant.written == variant.written.strip()
        options = [REFUSE, *declared, *([KEEP] if can_stay else [])]
        chosen = st.selectbox(
            f"“{plain(variant.written)}” in {count(variant.rows, report.unit)} means",
            options,
            index=0,
            key=f"variant_{place}_{hash_json(variant.written)[:12]}",
            help=f"Looks like “{plain(variant.proposed)}”." if variant.proposed else None,
        )
        if chosen == KEEP:
            found[variant.written] = variant.written
        elif chosen != REFUSE:
            found[variant.written] = str(chosen)
    proposals = [variant for variant in report.label_variants if variant.proposed]
    if proposals:
        # It stays in its place once pressed, so that nothing below it moves under the pointer.
        st.button(
            f"Take the {count(len(proposals), 'proposed meaning')}",
            key="accept_merges",
            disabled=all(found.get(variant.written) == variant.proposed for variant in proposals),
            **session.as_shown("variant_", _accept, report),
        )
    return found


def _accept(report: ValidationReport) -> None:
    for place, variant in enumerate(report.label_variants):
        if variant.proposed:
            session.preset(f"variant_{place}_{hash_json(variant.written)[:12]}", variant.proposed)


def _draw_labels(report: ValidationReport) -> dict[str, str]:
    st.caption("What each label means: goes into the prompts of teacher and student. Click a cell to write.")
    frame = pd.DataFrame(
        [{"label": entry.label, "rows": entry.rows, "description": entry.description} for entry in report.labels]
    )
    edited = st.data_editor(
        frame,
        hide_index=True,
        width="stretch",
        disabled=["label", "rows"],
        key=f"labels_{hash_json([entry.label for entry in report.labels])[:16]}",
    )
    found = {}
    for entry, text in zip(report.labels, edited["description"], strict=True):
        # A cell that was emptied holds a number that is none.
        if isinstance(text, str) and text.strip() and text.strip() != entry.description:
            found[entry.label] = text.strip()
    return found


def _draw_mask(report: ValidationReport) -> bool:
    if not report.personal:
        st.caption("No personal data were found in the texts; by pattern, so some may be missed.")
        return False
    return st.toggle(
        "Mask personal data for the teacher",
        key="import_mask",
        help="The original stays here; a teacher is shown [e-mail], [phone] and so on. Found by pattern: a heuristic.",
    )
