"""What a reviewer has to know of a rule besides its text: changed evidence, labels left out, rules that overlap."""

from __future__ import annotations

import streamlit as st

from pld_app import session
from pld_app.components.text import count, moment, plain
from pld_core.lineage import EvidenceChange, RuleTrace
from pld_core.models import Example, RevisionState, RuleDossier, RuleText
from pld_core.review import rule_sentences

NAMED = 3
"""So many examples and changes are named in a note; the evidence beside it shows all examples."""
OVERLAPS = 5
EXCERPT = 60


def changes_since(dossier: RuleDossier, trace: RuleTrace) -> tuple[EvidenceChange, ...]:
    """Return the changes of the evidence that came after the last decision on the newest revision.

    Where nobody has decided yet, ticks are none: they are part of the review that goes on.
    """
    last = max((d.decided_at for d in dossier.decisions if d.revision_hash == dossier.head.hash), default="")
    return tuple(change for change in trace.changes if change.at > last and (last or not change.ticked))


def added_since(dossier: RuleDossier, trace: RuleTrace) -> frozenset[str]:
    """Return the hashes of the examples that came after the last decision on the newest revision."""
    return frozenset(content for change in changes_since(dossier, trace) for content in change.added)


def draw_evidence_change(dossier: RuleDossier, trace: RuleTrace) -> None:
    """Draw why the evidence is another one than at the last decision; of a stale rule, why it is stale."""
    changes = changes_since(dossier, trace)
    if not changes:
        return
    stale = dossier.summary.state is RevisionState.STALE
    with st.container(border=True, key="evidence_changed", gap="xsmall"):
        head = "Stale: the evidence changed after it was approved" if stale else "The evidence changed"
        st.markdown(f":orange[:material/history:] **{head}**")
        if len(changes) > NAMED:
            st.caption(f"The last {NAMED} of {len(changes):,} changes:")
        for change in changes[-NAMED:]:
            st.caption(f"{moment(change.at)}. {plain(change.reason)}.")
            _draw_named("Ticked", (change.ticked,) if change.ticked else (), dossier.examples)
            _draw_named("Added", change.added, dossier.examples)
            _draw_named("Taken out", change.removed, dossier.examples)
        if stale:
            st.caption(
                "It is in no new prompt until somebody approves it again. The earlier decision is kept, bound to the "
                "evidence it was made on."
            )


def draw_setbacks(dossier: RuleDossier, trace: RuleTrace) -> None:
    """Draw what else made a decision on the rule obsolete, unless somebody has decided since."""
    last = dossier.decisions[-1].decided_at if dossier.decisions else ""
    found = [setback for setback in trace.setbacks if setback.at > last]
    if not found:
        return
    with st.container(border=True, key="setbacks", gap="xsmall"):
        for setback in found[-NAMED:]:
            stale = setback.state is RevisionState.STALE
            what = "Stale: it has to be reviewed again" if stale else "The review began anew"
            if setback.revision != dossier.head.number:
                what = f"Revision {setback.revision} went stale" if stale else f"{what}, of revision {setback.revision}"
            st.markdown(f":orange[:material/history:] **{what}**")
            st.caption(f"{moment(setback.at)}. {plain(setback.reason.rstrip('.'))}.")
        if dossier.summary.state is RevisionState.STALE:
            st.caption("It is in no new prompt until somebody approves it again. The earlier decision is kept.")


def _draw_named(word: str, hashes: tuple[str, ...], examples: dict[str, Example]) -> None:
    for content in hashes[:NAMED]:
        if content in examples:
            example = examples[content]
            st.caption(f"{word}: {plain(_excerpt(example))} · {plain(example.label)}")
    if len(hashes) > NAMED:
        st.caption(f"and {len(hashes) - NAMED:,} more")


def _excerpt(example: Example) -> str:
    text = " ".join(example.text.split())
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def draw_uncovered(text: RuleText, trace: RuleTrace) -> None:
    """Draw a warning where the rule's cluster holds labels that no rule of it concludes."""
    left = [label for label in trace.now.uncovered if label not in text.labels]
    if left:
        st.warning(
            f"The cluster holds examples of {plain(', '.join(left))} too. This rule covers only "
            f"{plain(' or '.join(text.labels))}; the others are among the contradicting examples.",
            icon=":material/contrast:",
        )


def origin_words(trace: RuleTrace) -> str:
    """Return what the rule was merged from, as escaped Markdown."""
    first, now = trace.first, trace.now
    words = f"Merged from {count(len(first.members), 'example')} of clustering {first.clustering_id}"
    if first.shown and not set(first.members) <= set(first.shown):
        words += f", of whose cluster the teacher was shown a drawn sample of {len(first.shown):,}"
    if now.members != first.members:
        words += f"; rests on {count(len(now.members), 'example')} of clustering {now.clustering_id} now"
    return f"{words}."


def draw_overlaps(dossier: RuleDossier) -> None:
    """Draw the rules whose condition is close to this one's and whose label is another, each with a link."""
    app, summary = session.app(), dossier.summary
    pairs = app.store.lineage.overlaps(summary.task, summary.id)
    if not pairs:
        return
    with st.expander(f"Overlaps {count(len(pairs), 'rule')} of another label", expanded=True):
        for pair in pairs[:OVERLAPS]:
            other = pair.high if pair.low == summary.id else pair.low
            condition, then, _ = rule_sentences(app.store.rules.dossier(other, app.actor).head.text)
            st.markdown(f"**{other}** IF {plain(condition)} THEN {plain(then)} :gray[closeness {pair.closeness:.2f}]")
            st.page_link(
                "pages/review.py",
                label=f"Open {other}",
                query_params={"task": summary.task, "rule": other, "show": "All"},
            )
        if len(pairs) > OVERLAPS:
            st.caption(f"`pld rules overlaps --task {plain(summary.task)}` lists all.")
