"""What was before the person on the Review page, and for how long."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from pld_core.attention import Attention, Moment, Shown, attention_of, more_of
from pld_core.models import EvidenceRole, RuleDossier

MOMENTS, CARDS = "_moments", "_cards"


def note_step(revision_hash: str = "") -> None:
    """Note that the person did something, and which revision is before them from now on; empty for none."""
    moments: list[Moment] = st.session_state.setdefault(MOMENTS, [])
    moments.append(Moment(time.monotonic(), revision_hash))


def note_card(revision_hash: str, example_hash: str, shown: Shown) -> None:
    """Note how much of an example was on the screen beside a revision."""
    cards: dict[str, dict[str, Shown]] = st.session_state.setdefault(CARDS, {})
    of_revision = cards.setdefault(revision_hash, {})
    of_revision[example_hash] = more_of(of_revision.get(example_hash), shown)


def attention(dossier: RuleDossier) -> Attention:
    """Return what was noted in this session for a decision on the newest revision."""
    head, cards = dossier.head.hash, st.session_state.get(CARDS, {})
    contradicting = [e.example_hash for e in dossier.evidence if e.role is EvidenceRole.CONTRADICTS]
    evidence = [e.example_hash for e in dossier.evidence]
    return attention_of(st.session_state.get(MOMENTS, []), head, cards.get(head, {}), evidence, contradicting)


def forget_attention(revision_hash: str) -> None:
    """Begin anew for a revision that was decided on: what was noted belongs to that decision."""
    moments: list[Moment] = st.session_state.get(MOMENTS, [])
    # Kept without the revision, so that their time falls to no other one.
    moments[:] = [replace(m, revision_hash="") if m.revision_hash == revision_hash else m for m in moments]
    st.session_state.get(CARDS, {}).pop(revision_hash, None)
