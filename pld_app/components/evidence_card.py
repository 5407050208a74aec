"""Evidence on screen: each example in full, with its gold label, split and role."""

from __future__ import annotations

import html
from collections import Counter

import streamlit as st

from pld_app import session
from pld_app.components.evidence_ticks import draw_tick, draw_tick_switch, ticked_line
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, in_badge, plain, short_hash
from pld_core.attention import Shown
from pld_core.desk import Comment
from pld_core.folding import stretches
from pld_core.models import Evidence, EvidenceRole, Example, RuleDossier

ORDER = (EvidenceRole.CONTRADICTS, EvidenceRole.NEAR_MISS, EvidenceRole.SUPPORTS, EvidenceRole.IRRELEVANT)
HEADINGS = {
    EvidenceRole.CONTRADICTS: (
        "Contradicting",
        "Another label, yet as close to this rule as its own examples; and those ticked so.",
    ),
    EvidenceRole.NEAR_MISS: (
        "Near misses",
        "Alike, but labelled otherwise. Would the rule keep clear of them?",
    ),
    EvidenceRole.SUPPORTS: ("Supporting", "The examples that this rule was merged from, and those ticked so."),
    EvidenceRole.IRRELEVANT: ("Irrelevant", "Marked as saying nothing about this rule."),
}

LONG = 1_500
"""A field with more characters than this fills a screen."""
MARK = '<mark style="background: rgba(255, 190, 0, 0.4); color: inherit; border-bottom: 2px solid">'
"""The letters keep the colour of the text around them, in light and in dark; the line is seen in grey print too."""


def draw_evidence(
    dossier: RuleDossier,
    comments: tuple[Comment, ...] = (),
    added: frozenset[str] = frozenset(),
    limit: int = 40,
) -> None:
    """Draw the evidence of the newest revision: contradicting first, then near misses, then supporting.

    Args:
        added: hashes of the examples that were added since somebody decided last; they are marked as new.
    """
    if not dossier.evidence:
        st.warning("This rule has no evidence, so nobody can judge it. It can be rejected, but not approved.")
        return
    can_tick = draw_tick_switch(dossier)
    remarks = Counter(c.example_hash for c in comments if c.parent is None and not c.resolved)
    drawn = 0
    for role in ORDER:
        cards = [e for e in dossier.evidence if e.role is role]
        if not cards:
            continue
        title, meaning = HEADINGS[role]
        st.markdown(f"**{title}** ({len(cards)}) :gray[{meaning}]")
        for evidence in cards[: max(0, limit - drawn)]:
            is_new, open_threads = evidence.example_hash in added, remarks[evidence.example_hash]
            _draw_card(dossier, evidence, can_tick, is_new, open_threads)
        drawn += len(cards)
    if drawn > limit:
        st.caption(
            f"The closest {limit} of {drawn} examples are shown; `pld rules show {dossier.summary.id}` lists all."
        )


def _draw_card(dossier: RuleDossier, evidence: Evidence, can_tick: bool, is_new: bool, remarks: int) -> None:
    """Draw one example with what it says of the rule."""
    example, ticked_by = dossier.examples[evidence.example_hash], evidence.ticked_by
    with st.container(border=True, gap="xsmall", key=f"card_{example.hash[-16:]}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.badge(f"gold label: {in_badge(example.label)}", color="blue")
            if is_new:
                st.badge("new", color="orange", help="Added to the evidence since the last decision.")
            if remarks:
                st.badge(count(remarks, "open comment"), color="violet", icon=":material/comment:")
            st.caption(
                f"{example.split.value} · {plain(example.place)} · {short_hash(example.hash)}{ticked_line(ticked_by)}",
                help=_origin(example),
            )
        draw_tick(dossier, evidence, can_tick)
        if evidence.note:
            draw_remark("orange", f"{plain(evidence.note)}")
        shown = draw_folded(example, f"{dossier.head.hash[-12:]}_{example.hash[-16:]}")
    session.note_card(dossier.head.hash, example.hash, shown)


def draw_folded(example: Example, key: str) -> Shown:
    """Draw the text fields of an example, long ones folded around what is marked, with a switch that unfolds them.

    Returns how much of it is on the screen.
    """
    parts = {name: stretches(value, _spans(example, name)) for name, value in example.fields}
    hidden = sum(part.end - part.start for field in parts.values() for part in field if part.hidden)
    if not hidden:
        draw_example(example)
        return Shown.WHOLE
    if st.toggle(f"Show all ({hidden:,} characters more)", key=f"all_{key}"):
        draw_example(example)
        return Shown.UNFOLDED
    for name, value in sorted(example.fields, key=lambda entry: len(entry[1]) > LONG):
        spans = _spans(example, name)
        st.caption(_field_line(name, spans))
        for part in parts[name]:
            if part.hidden:
                st.caption(f"… {count(part.end - part.start, 'character')} left out …")
                continue
            inside = [(max(a, part.start) - part.start, min(b, part.end) - part.start) for a, b in spans]
            _draw_text(value[part.start : part.end], [(a, b) for a, b in inside if a < b])
    return Shown.FOLDED


def draw_example(example: Example) -> None:
    """Draw the text fields of an example, word for word, with the passages marked that the data marks as evidence.

    A field as long as a contract comes after the others: what is asked about it would be found only at its end.
    """
    for name, value in sorted(example.fields, key=lambda entry: len(entry[1]) > LONG):
        spans = _spans(example, name)
        st.caption(_field_line(name, spans))
        _draw_text(value, spans)


def _spans(example: Example, field: str) -> list[tuple[int, int]]:
    return sorted((s.start, s.end) for s in example.spans if s.field == field)


def _field_line(name: str, spans: list[tuple[int, int]]) -> str:
    marked = f" · {count(len(spans), 'passage')} marked as evidence" if spans else ""
    return f"{plain(name)}{marked}"


def _draw_text(text: str, spans: list[tuple[int, int]]) -> None:
    if spans:
        _draw_marked(text, spans)
    else:
        st.text(text or "(empty)")


def _draw_marked(text: str, spans: list[tuple[int, int]]) -> None:
    """Draw a text with marked ranges. Only escaped text goes into the markup, so it can be nothing more."""
    parts, at = [], 0
    for begin, end in spans:
        # Ranges may overlap; what is marked already is not marked twice.
        begins = max(at, begin)
        if begins < end:
            parts += [html.escape(text[at:begins]), MARK, html.escape(text[begins:end]), "</mark>"]
            at = end
    parts.append(html.escape(text[at:]))
    st.html(f'<div class="marked" style="white-space: pre-wrap">{"".join(parts)}</div>')


def draw_origin(example: Example) -> None:
    """Draw where an example comes from: file, row, importer, and what the data says of it."""
    st.caption(f"{_origin(example)} · {short_hash(example.hash)}")


def _origin(example: Example) -> str:
    parts = [f"From {plain(example.place or 'an unnamed source')}"]
    if example.origin is not None:
        parts.append(f"file {short_hash(example.origin.sha256)}, read by {plain(example.origin.importer)}")
        if example.source:
            parts.append(f"source: {plain(example.source)}")
    if example.copies > 1:
        parts.append(f"in {example.copies:,} rows")
    if example.ref:
        parts.append(f"id {plain(example.ref)}")
    if example.group:
        parts.append(f"group {plain(example.group)}")
    return " · ".join(parts)
