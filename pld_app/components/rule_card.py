"""A rule on screen: IF / THEN / EXCEPT, where it comes from, its revisions and decisions."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pld_app.components.rule_notes import draw_uncovered, origin_words
from pld_app.components.text import author, moment, plain, short_hash, state_colour, words
from pld_app.components.text_diff import diff_markdown
from pld_core.errors import RevisionMovedOn
from pld_core.lineage import RuleTrace
from pld_core.models import ORDINARY, PRIORITIES, Decision, Revision, RevisionState, RuleDossier, RuleText
from pld_core.review import rule_sentences
from pld_core.signing import Signature
from pld_core.word_diff import word_pieces


def draw_rule_text(text: RuleText) -> None:
    """Draw the three parts of a rule as plain text."""
    condition, then, exceptions = rule_sentences(text)
    for word, part in [("IF", condition), ("THEN", then), *(("EXCEPT", exception) for exception in exceptions)]:
        st.markdown(f"**{word}** {plain(part)}")


def priority_words(priority: int) -> str:
    """Return a priority for people: `1 first`."""
    return f"{priority} {PRIORITIES.get(priority, '')}".strip()


def draw_rule(dossier: RuleDossier, trace: RuleTrace, as_diff: bool = False) -> None:
    """Draw the newest revision with its lineage, as what it changed of its parent if that is asked for."""
    summary, head = dossier.summary, dossier.head
    draw_uncovered(head.text, trace)
    with st.container(border=True, key="rule_card", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(summary.id, color="gray")
            st.badge(summary.state.label, color=state_colour(summary.state))  # type: ignore[arg-type]
            if head.text.priority != ORDINARY:
                st.badge(f"priority {priority_words(head.text.priority)}", color="violet")
            if summary.in_force and summary.in_force != head.hash:
                st.badge("earlier revision in force", color="green")
        st.markdown(f"## {plain(head.text.title)}")
        if as_diff and len(dossier.revisions) > 1:
            st.markdown(word_diff(dossier.revisions[-2].text, head.text))
        else:
            draw_rule_text(head.text)
        if head.text.rationale:
            st.caption(f"Why, says the author: {plain(head.text.rationale)}")
        st.caption(f"{_lineage(dossier)}. {origin_words(trace)}")


def _lineage(dossier: RuleDossier) -> str:
    head = dossier.head
    made = "proposed" if head.number == 1 else "edited"
    if head.number > 1 and dossier.revisions[-2].text == head.text:
        made = "reopened after a second look, written"
    line = f"Revision {head.number}, {made} by {plain(author(head.author))}, {moment(dossier.created[head.hash])}"
    note = f". Reason: {plain(head.note)}" if head.note else ""
    return f"{line}{note} · {short_hash(head.hash)}"


def draw_history(
    dossier: RuleDossier, withdrawn: Mapping[int, tuple[str, str, str]], signatures: Mapping[int, Signature]
) -> None:
    """Draw decisions with what was signed, withdrawn ones marked with (by, at, reason), and revisions as word diffs."""
    if dossier.decisions:
        with st.expander(f"Decisions ({len(dossier.decisions)})", expanded=True):
            numbers = {revision.hash: revision.number for revision in dossier.revisions}
            for decision in reversed(dossier.decisions):
                st.markdown(decision_line(decision, numbers[decision.revision_hash]))
                if signature := signatures.get(decision.id):
                    st.caption(signature_line(signature))
                if taken_back := withdrawn.get(decision.id):
                    by, at, reason = taken_back
                    st.markdown(f":orange-badge[withdrawn] :small[by {plain(by)}, {moment(at)}: {plain(reason)}]")
    if len(dossier.revisions) > 1:
        with st.expander(f"Revisions ({len(dossier.revisions)})"):
            for older, newer in zip(reversed(dossier.revisions[:-1]), reversed(dossier.revisions[1:]), strict=True):
                state = dossier.states[newer.hash]
                st.caption(f"Revision {newer.number} ({state.label}) against {older.number}")
                st.markdown(word_diff(older.text, newer.text))


def decision_line(decision: Decision, revision_number: int) -> str:
    """Return one decision as a line of escaped Markdown."""
    category = f" ({words(decision.category.value)})" if decision.category else ""
    reason = f": {plain(decision.reason)}" if decision.reason else ""
    under = f", under guideline version {decision.guideline_version}" if decision.guideline_version else ""
    return (
        f"**{words(decision.verdict.value)}**{category} of revision {revision_number} by {plain(decision.reviewer)}, "
        f"{moment(decision.decided_at)}{under}{reason}"
    )


def signature_line(signature: Signature) -> str:
    """Return what was signed and what vouches for it, as escaped Markdown."""
    meaning = f"“{plain(signature.meaning)}” " if signature.meaning else ""
    name = f" ({plain(signature.name)})" if signature.name else ""
    return f"{meaning}{signature.kind.capitalize()}{name}."


def word_diff(old: RuleText, new: RuleText) -> str:
    """Return the new text with removed words struck through and added ones in bold, as escaped Markdown."""
    lines = []
    for word, before, after in zip(["IF", "THEN", "EXCEPT"], _three_parts(old), _three_parts(new), strict=True):
        if before or after:
            lines.append(f"**{word}** {diff_markdown(word_pieces(before, after))}")
    if old.priority != new.priority:
        lines.append(f"**Priority** {diff_markdown(word_pieces(str(old.priority), str(new.priority)))}")
    return "  \n".join(lines)


def _three_parts(text: RuleText) -> tuple[str, str, str]:
    condition, then, exceptions = rule_sentences(text)
    return condition, then, "; ".join(exceptions)


def draw_moved_on(error: RevisionMovedOn) -> None:
    """Draw both versions after a decision was refused because the revision had moved on."""
    st.warning(plain(str(error)), icon=":material/sync_problem:")
    left, right = st.columns(2)
    with left.container(border=True):
        st.caption(f"On your screen: revision {error.seen.number} by {plain(author(error.seen.author))}")
        draw_rule_text(error.seen.text)
    with right.container(border=True):
        st.caption(_now_there(error.current, error.state, error.by))
        draw_rule_text(error.current.text)


def _now_there(current: Revision, state: RevisionState, by: str) -> str:
    return f"Now there: revision {current.number}, {state.label}, last changed by {plain(author(by))}"
